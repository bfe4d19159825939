//! YAML and JSON files as Ansible reads them, with the place of every value.
//!
//! Scalars mean what they mean in YAML 1.1 (`yes` is true, `0755` is octal), since that is what PyYAML reads. A file that is
//! JSON as a whole is read as JSON: there `1e3` is a number, and a text is always quoted.

#![allow(clippy::result_large_err, reason = "an error is what a person reads, and rare")]

mod build;
mod hint;
mod json;
mod scalar;
mod timestamp;

use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

pub(crate) use json::from_json;
pub(crate) use scalar::{from_float as float_of, from_integer as number_of, is_text};

use crate::diagnostic::Diagnostic;
use crate::origin::{Origin, SourceText};

/// Lists and maps inside one another are refused beyond this depth: what walks over values must not exhaust the stack.
const DEPTH: usize = 100;

/// A file that was read.
#[derive(Debug)]
pub struct Document {
    source: Arc<SourceText>,
    /// Its value. Absent when there is nothing in it but comments.
    pub root: Option<Rc<Node>>,
    /// What is suspicious about it: keys that are given twice.
    pub warnings: Vec<Diagnostic>,
}

/// Line and column, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    line: usize,
    column: usize,
}

/// A value and where it is written.
#[derive(Debug)]
pub struct Node {
    /// Where it starts.
    pub at: Place,
    /// What it is.
    pub content: Content,
    /// Whether it is marked `!unsafe`, or stands inside of something that is: no text in it is a template.
    pub literal: bool,
    /// How many lists and maps are inside one another in it.
    depth: usize,
    /// Roughly the bytes that it takes when every alias in it is written out.
    weight: usize,
}

/// What a value is.
#[derive(Debug)]
pub enum Content {
    /// Neither a list nor a map.
    Scalar(Value),
    /// A list.
    List(Vec<Rc<Node>>),
    /// A map, in the order in which it is written.
    Map(Map),
}

/// The entries of a map.
pub type Map = IndexMap<String, Entry>;

/// An entry of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where its key is.
    pub key_at: Place,
    /// Whether the key is a text, and not a number (or the like) that became one.
    pub text_key: bool,
    /// Its value.
    pub value: Rc<Node>,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// It is not valid YAML; or it has what can't be read here (`!vault`, unknown tags, several documents), or is built to
    /// exhaust memory. The error points at the place.
    pub fn parse(source: &Arc<SourceText>) -> Result<Self, Diagnostic> {
        if let Some((root, warnings)) = json::parse(source) {
            return Ok(Self { source: Arc::clone(source), root: Some(root), warnings });
        }
        let (root, warnings) = build::parse(source)?;
        Ok(Self { source: Arc::clone(source), root, warnings })
    }

    /// A place in the file.
    pub fn at(&self, place: Place) -> Origin {
        self.source.at(place.line, place.column)
    }

    /// The entries of a file that has to be a map. None at all when it is empty.
    ///
    /// # Errors
    /// It is something else; `what` is how the error calls the file (`a variable file`).
    pub fn entries(&self, what: &str) -> Result<Option<&Map>, Diagnostic> {
        match self.root.as_deref() {
            None | Some(Node { content: Content::Scalar(Value::Null), .. }) => Ok(None),
            Some(Node { content: Content::Map(entries), .. }) => Ok(Some(entries)),
            Some(node) => Err(self
                .at(node.at)
                .error(format!("{what} has to be a map, and this is {}", node.kind()))
                .hint("write `name: value`")),
        }
    }
}

impl Entry {
    /// A name without a value.
    pub fn empty(at: Place) -> Self {
        let value = Rc::new(Node::new(at, Content::Scalar(Value::Null), false));
        Self { key_at: at, text_key: true, value }
    }
}

impl Node {
    /// What it is, with its article.
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
            Content::Scalar(Value::Null) => "empty",
            Content::Scalar(Value::Bool(_)) => "a boolean",
            Content::Scalar(Value::Number(_)) => "a number",
            Content::Scalar(_) => "a text",
        }
    }

    /// The value alone.
    pub fn to_json(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => Value::Array(items.iter().map(|item| item.to_json()).collect()),
            Content::Map(entries) => Value::Object(
                entries.iter().map(|(key, entry)| (key.clone(), entry.value.to_json())).collect(),
            ),
        }
    }

    fn new(at: Place, content: Content, literal: bool) -> Self {
        let (depth, weight) = match &content {
            Content::Scalar(value) => (0, value.as_str().map_or(0, str::len)),
            Content::List(items) => measure(items.iter()),
            Content::Map(entries) => {
                let (depth, weight) = measure(entries.values().map(|entry| &entry.value));
                (depth, entries.keys().fold(weight, |weight, key| weight.saturating_add(key.len())))
            }
        };
        Self { at, content, literal, depth, weight: weight.saturating_add(size_of::<Value>()) }
    }
}

/// Depth and weight of a list or map with these values.
fn measure<'a>(values: impl Iterator<Item = &'a Rc<Node>>) -> (usize, usize) {
    let start = (0, 0usize);
    let (depth, weight) = values
        .fold(start, |(depth, weight), node| (depth.max(node.depth), weight.saturating_add(node.weight)));
    (depth + 1, weight)
}

#[cfg(test)]
mod tests;
