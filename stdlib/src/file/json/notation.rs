//! How values are written in JSON.

use serde_json::Value;

use super::super::merge::flow::{Notation, own_line};
use super::super::merge::tree::{Content, Node};

/// How a file writes its JSON.
pub struct JsonNotation {
    /// The indentation of each level. Absent where all is on one line.
    pub unit: Option<String>,
    /// What stands between a key and its value.
    pub colon: &'static str,
    /// What stands between two entries on one line.
    pub comma: &'static str,
}

impl JsonNotation {
    /// For a new file.
    pub fn of_new() -> Self {
        Self { unit: Some("  ".to_owned()), colon: ": ", comma: ", " }
    }

    /// As the file has it.
    pub fn of(text: &str, root: &Node) -> Self {
        let Content::Map(entries) = &root.content else { return Self::of_new() };
        let Some(first) = entries.first() else {
            return Self::of_new();
        };
        let unit = own_line(text, first.start).map(str::to_owned);
        let tight = first.value.range.start == first.behind_colon;
        Self { unit, colon: if tight { ":" } else { ": " }, comma: if tight { "," } else { ", " } }
    }

    fn write(&self, value: &Value, indentation: Option<&str>, out: &mut String) {
        let inner = indentation.zip(self.unit.as_ref()).map(|(outer, unit)| format!("{outer}{unit}"));
        let (open, between, close) = match (&inner, indentation) {
            (Some(inner), Some(outer)) => (format!("\n{inner}"), format!(",\n{inner}"), format!("\n{outer}")),
            _ => (String::new(), self.comma.to_owned(), String::new()),
        };
        let separate =
            |out: &mut String, index: usize| out.push_str(if index == 0 { &open } else { &between });
        match value {
            Value::Array(items) if !items.is_empty() => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    separate(out, index);
                    self.write(item, inner.as_deref(), out);
                }
                out.push_str(&close);
                out.push(']');
            }
            Value::Object(map) if !map.is_empty() => {
                out.push('{');
                for (index, (key, value)) in map.iter().enumerate() {
                    separate(out, index);
                    out.push_str(&self.key(key));
                    out.push_str(self.colon);
                    self.write(value, inner.as_deref(), out);
                }
                out.push_str(&close);
                out.push('}');
            }
            scalar => out.push_str(&scalar.to_string()),
        }
    }
}

impl Notation for JsonNotation {
    fn key(&self, key: &str) -> String {
        Value::from(key).to_string()
    }

    fn colon(&self) -> &str {
        self.colon
    }

    fn comma(&self) -> &str {
        self.comma
    }

    fn on_one_line(&self, value: &Value) -> String {
        let mut out = String::new();
        self.write(value, None, &mut out);
        out
    }

    fn on_lines(&self, value: &Value, indentation: &str) -> String {
        let mut out = String::new();
        self.write(value, Some(indentation), &mut out);
        out
    }

    fn has_comments(&self) -> bool {
        false
    }
}
