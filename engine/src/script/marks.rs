//! Values that hide in text.
//!
//! Rhai turns a value that is not text into text by its `to_string`, and the type is lost: `"a" + unknown` is a plain
//! string. So an unknown value's text is a mark between two private-use characters; it survives concatenation,
//! interpolation and function calls, and is found where a string reaches a module, a template or an event.

use serde_json::Value;

use crate::secrets;

/// The text of an unknown value.
pub const UNKNOWN: &str = "\u{F0000}unknown\u{F0001}";

/// Whether a text was made from an unknown value.
pub fn has_unknown(text: &str) -> bool {
    text.contains(UNKNOWN)
}

/// Whether an unknown value hides anywhere in a value.
pub fn value_has_unknown(value: &Value) -> bool {
    match value {
        Value::String(text) => has_unknown(text),
        Value::Array(items) => items.iter().any(value_has_unknown),
        Value::Object(map) => map.iter().any(|(key, value)| has_unknown(key) || value_has_unknown(value)),
        _ => false,
    }
}

/// The text as a person should see it.
pub fn readable(text: &str) -> String {
    let text = secrets::hide(text);
    if has_unknown(&text) { text.replace(UNKNOWN, "(unknown)") } else { text }
}
