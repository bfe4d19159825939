//! What a TOML document says, and where.

use std::ops::Range;

use serde_json::Value;
use toml_edit::{Document, Item, Key, Table, Value as TomlValue};

use super::super::merge::Problem;
use super::super::merge::tree::{Content, Entry, Item as ListItem, Node};

/// Reads a document.
///
/// # Errors
/// It is not TOML.
pub fn parse(text: &str) -> Result<Document<&str>, Problem> {
    Document::parse(text).map_err(|error| {
        let message = format!("not valid TOML: {}", error.message().replace('\n', ", "));
        Problem::new(message, error.span().map_or(0, |span| span.start))
    })
}

/// What a table says.
pub fn table_value(table: &Table) -> Value {
    Value::Object(table.iter().map(|(key, item)| (key.to_owned(), item_value(item))).collect())
}

/// What an item says.
pub fn item_value(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => value_of(value),
        Item::Table(table) => table_value(table),
        Item::ArrayOfTables(tables) => tables.iter().map(table_value).collect(),
    }
}

fn value_of(value: &TomlValue) -> Value {
    match value {
        TomlValue::String(text) => text.value().as_str().into(),
        TomlValue::Integer(number) => (*number.value()).into(),
        TomlValue::Float(number) => {
            let number = *number.value();
            // JSON has no infinity and no NaN. No text begins with a zero byte.
            serde_json::Number::from_f64(number).map_or_else(|| format!("\0{number}").into(), Value::Number)
        }
        TomlValue::Boolean(flag) => (*flag.value()).into(),
        TomlValue::Datetime(time) => time.value().to_string().into(),
        TomlValue::Array(items) => items.iter().map(value_of).collect(),
        TomlValue::InlineTable(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.to_owned(), value_of(value))).collect())
        }
    }
}

/// A value with its places. What has dotted keys in brackets is taken as one.
pub fn node(text: &str, value: &TomlValue) -> Node {
    let range = value.span().unwrap_or_default();
    let content = match value {
        TomlValue::Array(items) => Content::List(
            items
                .iter()
                .map(|item| node(text, item))
                .map(|value| ListItem { start: value.range.start, value })
                .collect(),
        ),
        TomlValue::InlineTable(table) if !table.iter().any(|(_, value)| is_dotted(value)) => {
            let entries = table.iter().filter_map(|(name, value)| Some(entry(text, table.key(name)?, value)));
            Content::Map(entries.collect())
        }
        _ => Content::Scalar(value_of(value)),
    };
    Node { range, block: false, content }
}

fn is_dotted(value: &TomlValue) -> bool {
    value.as_inline_table().is_some_and(toml_edit::InlineTable::is_dotted)
}

/// A key with its value.
pub fn entry(text: &str, key: &Key, value: &TomlValue) -> Entry {
    let name = key.span().unwrap_or_default();
    let behind_colon = text[name.end..].find('=').map_or(name.end, |at| name.end + at + 1);
    Entry {
        start: name.start,
        key: key.get().to_owned(),
        behind_colon,
        block: false,
        value: node(text, value),
    }
}

/// The lines of a value with its key; of a table those of its header and of all that is in it.
pub fn pieces(key: Option<&Key>, item: &Item) -> Vec<Range<usize>> {
    match item {
        Item::None => Vec::new(),
        Item::Value(value) => {
            let key = key.and_then(Key::span).unwrap_or_default();
            std::iter::once(key.start..value.span().unwrap_or_default().end).collect()
        }
        Item::Table(table) => table_pieces(table),
        Item::ArrayOfTables(tables) => tables.iter().flat_map(table_pieces).collect(),
    }
}

fn table_pieces(table: &Table) -> Vec<Range<usize>> {
    let header = header(table).into_iter();
    header.chain(table.iter().flat_map(|(name, item)| pieces(table.key(name), item))).collect()
}

/// Where the header of a table is, if it has one.
pub fn header(table: &Table) -> Option<Range<usize>> {
    table.span().filter(|span| !table.is_implicit() && !table.is_dotted() && !span.is_empty())
}

/// The end of the last value that stands below the table's own header, in dotted tables too; or of the header.
pub fn body_end(table: &Table) -> Option<usize> {
    let values = table.iter().filter_map(|(_, item)| match item {
        Item::Value(value) => value.span().map(|span| span.end),
        Item::Table(table) if table.is_dotted() => body_end(table),
        _ => None,
    });
    values.chain(header(table).map(|header| header.end)).max()
}

/// The start of the first thing that is in the table or in a table in it. Absent when there is none.
pub fn start(table: &Table) -> Option<usize> {
    table_pieces(table).into_iter().map(|piece| piece.start).min()
}

/// The end of the last thing that is in the table or in a table in it.
pub fn end(table: &Table) -> usize {
    table_pieces(table).into_iter().map(|piece| piece.end).max().unwrap_or_default()
}
