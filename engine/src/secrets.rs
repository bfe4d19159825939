//! Values that must not be seen: they go into files, standard input and environments, and nowhere else.
//!
//! A script holds a secret by its number. Where Rhai makes a text of it, the text is a mark, the number between two
//! private-use characters; a mark survives concatenation, interpolation and function calls. It is replaced by the value only
//! where a secret may go ([`Secrets::reveal`]); everywhere else it prints as [`HIDDEN`]. As a second net, what leaves the host
//! is searched for the values themselves and their usual spellings ([`Secrets::mask`]).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands in the place of a secret.
pub const HIDDEN: &str = "••••";

const OPEN: char = '\u{F0002}';
const CLOSE: char = '\u{F0003}';

/// Shorter values are not searched for: every second word would be hidden.
const SHORTEST_MASKED: usize = 4;

/// The value of a secret. Shows itself to nobody but the wire to the host.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// A value that is secret from now on.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for what may have it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// The secrets that a script knows, by their numbers.
#[derive(Debug, Default)]
pub struct Secrets {
    values: RefCell<BTreeMap<u32, SecretText>>,
}

impl Secrets {
    /// These secrets.
    pub fn new(values: BTreeMap<u32, SecretText>) -> Self {
        Self { values: RefCell::new(values) }
    }

    /// Takes in a value and gives its number; a value that is known keeps its own.
    pub fn add(&self, value: &str) -> u32 {
        let mut values = self.values.borrow_mut();
        if let Some((known, _)) = values.iter().find(|(_, known)| known.0 == value) {
            return *known;
        }
        let number = values.last_key_value().map_or(0, |(last, _)| last + 1);
        values.insert(number, SecretText(value.to_owned()));
        number
    }

    /// The value of a number. Absent when another run's mark got here.
    pub fn value(&self, number: u32) -> Option<String> {
        self.values.borrow().get(&number).map(|value| value.0.clone())
    }

    /// The text with every mark replaced by its value; absent when there is no mark in it.
    pub fn reveal(&self, text: &str) -> Option<String> {
        has_mark(text).then(|| replace_marks(text, |number| self.value(number).unwrap_or_default()))
    }

    /// The text as it may be seen: marks, known values and their spellings in base64, JSON, URLs and shells are hidden.
    pub fn mask(&self, text: &str) -> String {
        let mut text = hide(text);
        for value in self.values.borrow().values() {
            for spelling in spellings(&value.0) {
                if text.contains(&spelling) {
                    text = text.replace(&spelling, HIDDEN);
                }
            }
        }
        text
    }

    /// Whether there is anything to hide.
    pub fn is_empty(&self) -> bool {
        self.values.borrow().is_empty()
    }

    /// Makes every text in a value a secret.
    pub fn seal(&self, value: &mut Value) {
        match value {
            Value::String(text) if !text.is_empty() => *text = mark(self.add(text)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.seal(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.seal(item)),
            _ => {}
        }
    }

    /// The secrets whose marks are in `value`, added to `into`.
    pub fn collect(&self, value: &Value, into: &mut BTreeMap<u32, SecretText>) {
        match value {
            Value::String(text) => {
                replace_marks(text, |number| {
                    into.extend(self.values.borrow().get(&number).map(|value| (number, value.clone())));
                    String::new()
                });
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, into)),
            Value::Object(map) => map.values().for_each(|item| self.collect(item, into)),
            _ => {}
        }
    }
}

/// The text that stands for a secret.
pub fn mark(number: u32) -> String {
    format!("{OPEN}{number}{CLOSE}")
}

/// Whether a secret is in a text.
pub fn has_mark(text: &str) -> bool {
    text.contains(OPEN)
}

/// The number of the secret that a text stands for, if it is nothing but a mark.
pub fn number(text: &str) -> Option<u32> {
    text.strip_prefix(OPEN)?.strip_suffix(CLOSE)?.parse().ok()
}

/// Whether a secret is anywhere in a value.
pub fn value_has_mark(value: &Value) -> bool {
    match value {
        Value::String(text) => has_mark(text),
        Value::Array(items) => items.iter().any(value_has_mark),
        Value::Object(map) => map.iter().any(|(key, value)| has_mark(key) || value_has_mark(value)),
        _ => false,
    }
}

/// The text with every mark hidden.
pub fn hide(text: &str) -> String {
    if has_mark(text) { replace_marks(text, |_| HIDDEN.to_owned()) } else { text.to_owned() }
}

fn replace_marks(text: &str, mut with: impl FnMut(u32) -> String) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(OPEN) {
        replaced.push_str(before);
        let Some((inside, after)) = behind.split_once(CLOSE) else {
            // Cut in the middle: what is left of a mark says nothing.
            rest = behind;
            continue;
        };
        replaced.push_str(&inside.parse().map_or_else(|_| HIDDEN.to_owned(), &mut with));
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}

/// How a value is spelled where it commonly turns up, the longest first.
fn spellings(value: &str) -> Vec<String> {
    if value.len() < SHORTEST_MASKED {
        return Vec::new();
    }
    let json = Value::String(value.to_owned()).to_string();
    let mut all = vec![
        value.to_owned(),
        json.trim_matches('"').to_owned(),
        base64(value.as_bytes(), b"+/"),
        base64(value.as_bytes(), b"-_"),
        percent(value),
        value.replace('\'', "'\\''"),
    ];
    // A program may show the lines of a secret one by one.
    all.extend(value.lines().map(str::trim).filter(|line| line.len() >= 2 * SHORTEST_MASKED).map(Into::into));
    all.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    all.dedup();
    all
}

/// Base64 without padding, so that it is found with and without it.
fn base64(bytes: &[u8], last: &[u8; 2]) -> String {
    const FIRST: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |six: u32| {
        let six = (six & 63) as usize;
        char::from(if six < 62 { FIRST[six] } else { last[six - 62] })
    };
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        text.extend((0..=chunk.len()).map(|at| letter(bits >> (18 - 6 * at))));
    }
    text
}

fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mark_is_replaced_only_where_it_may_be() {
        let secrets = Secrets::default();
        let text = format!("password={};", mark(secrets.add("hunter2")));
        assert_eq!(secrets.reveal(&text).as_deref(), Some("password=hunter2;"));
        assert_eq!(hide(&text), "password=••••;");
        assert_eq!(secrets.reveal("nothing here"), None);
        assert_eq!(secrets.add("hunter2"), 0, "a value has one number");
        assert_eq!(hide(&text[..text.len() - 5]), "password=0", "a cut mark says nothing");
    }

    #[test]
    fn known_values_are_hidden_however_they_are_spelled() {
        let secrets = Secrets::default();
        secrets.add("p@ss\"w'ord/1");
        for text in [
            "p@ss\"w'ord/1",
            "cEBzcyJ3J29yZC8x",
            "p@ss\\\"w'ord/1",
            "p%40ss%22w%27ord%2F1",
            "p@ss\"w'\\''ord/1",
        ] {
            assert_eq!(secrets.mask(&format!("<{text}>")), "<••••>", "{text}");
        }
        secrets.add("ab");
        assert_eq!(secrets.mask("about"), "about", "short values are not searched for");
        assert!(!format!("{secrets:?}").contains("p@ss"));
    }

    #[test]
    fn only_what_is_used_travels() {
        let secrets = Secrets::default();
        let (one, _two) = (secrets.add("first one"), secrets.add("second one"));
        let mut travelling = BTreeMap::new();
        secrets.collect(&json!({ "a": ["x", format!("-{}-", mark(one))] }), &mut travelling);
        assert_eq!(travelling.keys().copied().collect::<Vec<_>>(), [one]);
        let mut value = json!(["plain", 1]);
        secrets.seal(&mut value);
        assert!(value_has_mark(&value));
        assert_eq!(number(value[0].as_str().unwrap()), Some(2));
    }

    #[test]
    fn base64_is_that_of_everybody() {
        assert_eq!(base64(b"a", b"+/"), "YQ");
        assert_eq!(base64(b"ab", b"+/"), "YWI");
        assert_eq!(base64(b"abc", b"+/"), "YWJj");
        assert_eq!(base64(&[0xfb, 0xff, 0xfe], b"+/"), "+//+");
        assert_eq!(base64(&[0xfb, 0xff, 0xfe], b"-_"), "-__-");
    }
}
