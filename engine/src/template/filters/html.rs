//! Filters for HTML and XML.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("e", &["value"], escape),
    callable("escape", &["value"], escape),
    callable("forceescape", &["value"], |_, call| Ok(Value::from_safe_string(escaped(&call.input()?)))),
    callable("striptags", &["value"], |_, call| Ok(Value::from(strip_tags(&call.input()?)))),
    callable("xmlattr", &["value", "autospace"], attributes),
];

/// What is escaped already stays as it is.
fn escape(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    if value.is_safe() {
        return Ok(value.clone());
    }
    Ok(Value::from_safe_string(escaped(&call.input()?)))
}

/// As markupsafe spells it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

/// Takes out comments and tags, and makes one blank of several.
fn strip_tags(text: &str) -> String {
    let without_comments = cut_out(text, "<!--", "-->");
    let text = cut_out(&without_comments, "<", ">");
    let words: Vec<&str> = text.split_whitespace().collect();
    [("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&#34;", "\""), ("&quot;", "\""), ("&amp;", "&")]
        .iter()
        .fold(words.join(" "), |text, (name, character)| text.replace(name, character))
}

fn cut_out(text: &str, start: &str, end: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(start) {
        let Some(length) = rest[at..].find(end) else { break };
        out.push_str(&rest[..at]);
        rest = &rest[at + length + end.len()..];
    }
    out + rest
}

/// `name="value"`, of the entries that have a value.
fn attributes(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let mut out = Vec::new();
    for (key, value) in python::pairs(call.value()?)? {
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let key = python::text(&key)?;
        if key.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')) {
            return Err(fail(format!("`{key}` can't be the name of an attribute")));
        }
        out.push(format!("{}=\"{}\"", escaped(&key), escaped(&python::text(&value)?)));
    }
    let blank = if call.flag("autospace", true) && !out.is_empty() { " " } else { "" };
    Ok(Value::from(format!("{blank}{}", out.join(" "))))
}
