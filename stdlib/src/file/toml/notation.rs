//! How values are written in TOML.

use serde_json::{Map, Value};

use super::super::merge::flow::Notation;

/// TOML, with everything in brackets on one line.
#[derive(Clone, Copy)]
pub struct TomlNotation;

/// A key, in quotes where it needs them.
pub fn key(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !key.is_empty() && key.bytes().all(bare) { key.to_owned() } else { text(key) }
}

/// Keys that lead to a value.
pub fn path<'k>(keys: impl IntoIterator<Item = &'k String>) -> String {
    keys.into_iter().map(|name| key(name)).collect::<Vec<_>>().join(".")
}

/// A text in double quotes. JSON has the same escapes, and needs one less.
fn text(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Whether a value is written as a section of its own for each of its maps.
pub fn is_list_of_maps(value: &Value) -> bool {
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object))
}

/// The sections for a map at this path: its own one, then those of the maps in it. They are set apart by empty lines.
pub fn sections(keys: &[String], map: &Map<String, Value>) -> Vec<String> {
    let has_section = |value: &Value| value.is_object() || is_list_of_maps(value);
    let mut all = Vec::new();
    // A map that has nothing but maps is there by their headers.
    if map.is_empty() || !map.values().all(has_section) {
        all.push(section(&format!("[{}]", path(keys)), map));
    }
    all.extend(inner_sections(keys, map));
    all
}

/// The sections for a list of maps at this path.
pub fn list_sections<'v>(keys: &[String], maps: impl IntoIterator<Item = &'v Value>) -> Vec<String> {
    let header = format!("[[{}]]", path(keys));
    let maps = maps.into_iter().filter_map(Value::as_object);
    maps.flat_map(|map| std::iter::once(section(&header, map)).chain(inner_sections(keys, map))).collect()
}

fn inner_sections(keys: &[String], map: &Map<String, Value>) -> Vec<String> {
    let inner = |(key, value): (&String, &Value)| {
        let keys = [keys, std::slice::from_ref(key)].concat();
        match value {
            Value::Object(map) => sections(&keys, map),
            list if is_list_of_maps(list) => list_sections(&keys, list.as_array().into_iter().flatten()),
            _ => Vec::new(),
        }
    };
    map.iter().flat_map(inner).collect()
}

fn section(header: &str, map: &Map<String, Value>) -> String {
    let mut lines = header.to_owned();
    for (name, value) in map.iter().filter(|(_, value)| !value.is_object() && !is_list_of_maps(value)) {
        lines.push_str(&format!("\n{} = {}", key(name), TomlNotation.on_one_line(value)));
    }
    lines
}

impl Notation for TomlNotation {
    fn key(&self, name: &str) -> String {
        key(name)
    }

    fn colon(&self) -> &str {
        " = "
    }

    fn comma(&self) -> &str {
        ", "
    }

    fn on_one_line(&self, value: &Value) -> String {
        match value {
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.on_one_line(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Object(map) if map.is_empty() => "{}".to_owned(),
            Value::Object(map) => {
                let entry =
                    |(name, value): (&String, &Value)| format!("{} = {}", key(name), self.on_one_line(value));
                format!("{{ {} }}", map.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            Value::String(value) => text(value),
            scalar => scalar.to_string(),
        }
    }

    fn on_lines(&self, value: &Value, _indentation: &str) -> String {
        self.on_one_line(value)
    }

    fn has_comments(&self) -> bool {
        true
    }
}
