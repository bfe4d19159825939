//! JSON as Python's `json` writes and reads it.

use std::fmt::Write as _;

use minijinja::value::{Serde, ValueKind};
use minijinja::{Error, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail, unknown};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

/// Deeper values are an error instead of an exhausted stack.
const DEPTH: usize = 100;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable(
        "to_json",
        &["value", "*", "indent", "sort_keys", "ensure_ascii", "separators", "**"],
        |_, call| dump(call, &Style { indent: None, sort: false, item: ", ", key: ": ", ascii: true }),
    ),
    callable("to_nice_json", &["value", "indent", "sort_keys", "*", "ensure_ascii", "**"], |_, call| {
        let indent = call.some("indent").map_or(Ok("    ".to_owned()), indentation)?;
        let sort = call.flag("sort_keys", true);
        dump(call, &Style { indent: Some(indent), sort, item: ",", key: ": ", ascii: true })
    }),
    callable("tojson", &["value", "indent"], tojson),
    callable("from_json", &["value"], from_json),
];

/// What Python's `dumps` takes, of which the last say nothing about JSON.
const OPTIONS: [&str; 8] = [
    "indent",
    "sort_keys",
    "ensure_ascii",
    "separators",
    "allow_nan",
    "check_circular",
    "preprocess_unsafe",
    "vault_to_text",
];

/// A value as Ansible's tools print it: over several lines, sorted by keys, letters as they are.
pub(in crate::template) fn nice(value: &Value) -> Result<String> {
    let separators = [",".to_owned(), ": ".to_owned()];
    let indent = Some("    ".to_owned());
    let mut writer = Writer { out: String::new(), indent, separators, sort: true, ascii: false };
    writer.value(value, 0)?;
    Ok(writer.out)
}

struct Style {
    /// What each level is indented with; `None` keeps everything on one line.
    indent: Option<String>,
    sort: bool,
    item: &'static str,
    key: &'static str,
    ascii: bool,
}

fn indentation(value: &Value) -> Result<String> {
    match value.as_usize() {
        Some(width) if width <= 64 => Ok(" ".repeat(width)),
        _ => value.as_str().map(str::to_owned).ok_or_else(|| fail("its argument `indent` is not a width")),
    }
}

fn dump(call: &Call, style: &Style) -> Result<Value> {
    if let Some((name, _)) = call.named().find(|(name, _)| !OPTIONS.contains(name)) {
        return Err(unknown(format!("it has no argument `{name}`"), name, OPTIONS));
    }
    let indent = match call.extra("indent").filter(|indent| !indent.is_none()) {
        Some(indent) => Some(indentation(indent)?),
        None => style.indent.clone(),
    };
    // Python leaves out the blank behind the comma where each item has its own line.
    let item = if indent.is_some() { "," } else { style.item };
    let sort = style.sort || call.extra_flag("sort_keys");
    let ascii = call.extra("ensure_ascii").map_or(style.ascii, Value::is_true);
    let mut separators = [item.to_owned(), style.key.to_owned()];
    if let Some(given) = call.extra("separators").filter(|given| !given.is_none()) {
        for (slot, given) in separators.iter_mut().zip(python::items(given)?) {
            *slot = python::text(&given)?;
        }
    }
    let mut writer = Writer { out: String::new(), indent, separators, sort, ascii };
    writer.value(call.value()?, 0)?;
    Ok(Value::from(writer.out))
}

/// Jinja2's own filter, which keeps the text harmless inside of HTML.
fn tojson(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let indent = call.some("indent").map(indentation).transpose()?;
    let item = if indent.is_some() { "," } else { ", " };
    let separators = [item.to_owned(), ": ".to_owned()];
    let mut writer = Writer { out: String::new(), indent, separators, sort: true, ascii: true };
    writer.value(call.value()?, 0)?;
    let mut out = writer.out;
    for (from, to) in [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("'", "\\u0027")] {
        if out.contains(from) {
            out = out.replace(from, to);
        }
    }
    Ok(Value::from(out))
}

struct Writer {
    out: String,
    indent: Option<String>,
    separators: [String; 2],
    sort: bool,
    ascii: bool,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<()> {
        if depth > DEPTH {
            return Err(fail("the value is nested too deeply"));
        }
        match value.kind() {
            ValueKind::Undefined => return Err(python::undefined(value)),
            ValueKind::None => self.out.push_str("null"),
            ValueKind::Bool => self.out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.out.push_str(&number(value)?),
            ValueKind::Map => return self.map(value, depth),
            ValueKind::Seq | ValueKind::Iterable => return self.list(value, depth),
            ValueKind::String => string(&mut self.out, value.as_str().unwrap_or_default(), self.ascii),
            _ => string(&mut self.out, &python::text(value)?, self.ascii),
        }
        Ok(())
    }

    fn list(&mut self, value: &Value, depth: usize) -> Result<()> {
        let items = python::items(value)?;
        if items.is_empty() {
            self.out.push_str("[]");
            return Ok(());
        }
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            self.between(index, depth + 1);
            self.value(item, depth + 1)?;
        }
        self.newline(depth);
        self.out.push(']');
        Ok(())
    }

    fn map(&mut self, value: &Value, depth: usize) -> Result<()> {
        let mut pairs = Vec::new();
        for (key, value) in python::pairs(value)? {
            pairs.push((key_text(&key)?, value));
        }
        if self.sort {
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
        }
        if pairs.is_empty() {
            self.out.push_str("{}");
            return Ok(());
        }
        self.out.push('{');
        for (index, (key, value)) in pairs.iter().enumerate() {
            self.between(index, depth + 1);
            string(&mut self.out, key, self.ascii);
            self.out.push_str(&self.separators[1]);
            self.value(value, depth + 1)?;
        }
        self.newline(depth);
        self.out.push('}');
        Ok(())
    }

    fn between(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push_str(&self.separators[0]);
        }
        self.newline(depth);
    }

    fn newline(&mut self, depth: usize) {
        if let Some(indent) = &self.indent {
            self.out.push('\n');
            for _ in 0..depth {
                self.out.push_str(indent);
            }
        }
    }
}

fn number(value: &Value) -> Result<String> {
    if value.is_integer() {
        return Ok(value.to_string());
    }
    let number = f64::try_from(value.clone())?;
    Ok(match number {
        _ if number.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ => python::float(number),
    })
}

/// A map's key: Python's `json` makes text of the simple types.
fn key_text(key: &Value) -> Result<String> {
    match key.kind() {
        ValueKind::String => Ok(key.as_str().unwrap_or_default().to_owned()),
        ValueKind::None => Ok("null".to_owned()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::Number => number(key),
        _ => Err(fail(format!("a key can't be {}", python::type_name(key)))),
    }
}

pub(super) fn string(out: &mut String, text: &str, ascii: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || (ascii && !(' '..='~').contains(&c)) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string can't fail.
                    _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn from_json(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let parsed: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| fail(format!("not JSON: {error}; the text starts with `{}`", start(&text))))?;
    Ok(Value::from(Serde(parsed)))
}

/// Enough of a text to recognise it by.
pub(in crate::template) fn start(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() > 40 {
        format!("{}…", line.chars().take(40).collect::<String>())
    } else {
        line.to_owned()
    }
}

/// A value as plain data.
pub(in crate::template) fn plain(value: &Value) -> Result<serde_json::Value> {
    plain_at(value, 0)
}

fn plain_at(value: &Value, depth: usize) -> Result<serde_json::Value> {
    use serde_json::Value as Json;
    if depth > DEPTH {
        return Err(fail("the value is nested too deeply"));
    }
    Ok(match value.kind() {
        ValueKind::Undefined => return Err(python::undefined(value)),
        ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number if value.is_integer() => match i64::try_from(value.clone()) {
            Ok(number) => Json::from(number),
            Err(_) => match u64::try_from(value.clone()) {
                Ok(number) => Json::from(number),
                Err(_) => return Err(fail(format!("the number {value} is too large"))),
            },
        },
        // Infinity and NaN have no JSON; Python's spelling keeps what they were.
        ValueKind::Number => {
            let number = f64::try_from(value.clone())?;
            serde_json::Number::from_f64(number)
                .map_or_else(|| Json::from(python::float(number)), Json::Number)
        }
        ValueKind::Map => {
            let mut map = serde_json::Map::new();
            for (key, value) in python::pairs(value)? {
                map.insert(key_text(&key)?, plain_at(&value, depth + 1)?);
            }
            Json::Object(map)
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = python::items(value)?;
            Json::Array(items.iter().map(|item| plain_at(item, depth + 1)).collect::<Result<_>>()?)
        }
        _ => Json::String(python::text(value)?),
    })
}
