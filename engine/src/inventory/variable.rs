//! A variable with the places of what is in it.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::quoted_line;
use crate::bundle::Values;
use crate::origin::Origin;
use crate::secrets;
use crate::template;
use crate::yaml::{Content, Document, Entry, Map, Node};

/// The value of a variable, where it is written, and what templates have to know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its value, templates not rendered.
    pub value: Value,
    /// Where it is written: a list or map that goes over several lines has the place of its name.
    pub origin: Origin,
    /// The templates inside of a list or map, by their paths (`users[0].name`), with their places.
    pub templates: Vec<(String, Origin)>,
    /// The texts that look like templates and must not be rendered (`!unsafe`), by their paths.
    pub literals: Vec<String>,
}

/// Variables by their names. What many hosts share is there once.
pub type VariableMap = IndexMap<Arc<str>, Arc<Variable>>;

impl Variable {
    /// A value that has no marks, all of it written at one place.
    pub fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, templates: Vec::new(), literals: Vec::new() }
    }

    /// The variable that an entry of a YAML file sets.
    pub(super) fn from_entry(document: &Document, name: &str, entry: &Entry) -> Self {
        let (key, value) = (document.at(entry.key_at), document.at(entry.value.at));
        let origin = if key.line() == value.line() { value } else { key };
        let mut variable = Self::new(entry.value.to_json(), origin);
        variable.note(document, name.to_owned(), &entry.value, false);
        variable
    }

    /// Notes the texts inside of a value that look like templates.
    fn note(&mut self, document: &Document, path: String, node: &Node, literal: bool) {
        let literal = literal || node.literal;
        match &node.content {
            Content::Scalar(Value::String(text)) if template::is_template(text) => {
                if literal {
                    self.literals.push(path);
                } else if path.contains(['.', '[']) {
                    self.templates.push((path, document.at(node.at)));
                }
            }
            Content::Scalar(_) => {}
            Content::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.note(document, format!("{path}[{at}]"), item, literal);
                }
            }
            Content::Map(entries) => {
                for (key, entry) in entries {
                    self.note(document, format!("{path}.{key}"), &entry.value, literal);
                }
            }
        }
    }
}

/// The variables that the entries of a map set.
pub(super) fn variables(document: &Document, entries: &Map) -> VariableMap {
    let variable = |(name, entry): (&String, &Entry)| {
        (Arc::from(name.as_str()), Arc::new(Variable::from_entry(document, name, entry)))
    };
    entries.iter().map(variable).collect()
}

/// Variables as they travel. Places are told of templates only: nothing else can fail on the host.
pub fn values<'a>(variables: impl IntoIterator<Item = (&'a str, &'a Variable)>) -> Values {
    let mut all = Values::default();
    for (name, variable) in variables {
        if let Some(text) = variable.value.as_str().filter(|text| template::is_template(text)) {
            all.places.insert(name.to_owned(), quoted_line::only(variable.origin.location(), name, text));
        }
        if !variable.templates.is_empty() {
            let mut texts = HashMap::new();
            texts_of(&variable.value, name.to_owned(), "", &mut texts);
            let places = variable.templates.iter().map(|(path, origin)| {
                let (key, text) = texts.get(path.as_str()).copied().unwrap_or_default();
                (path.clone(), quoted_line::only(origin.location(), key, text))
            });
            all.places.extend(places);
        }
        all.literals.extend(variable.literals.iter().cloned());
        all.values.insert(name.to_owned(), variable.value.clone());
    }
    all
}

/// The texts inside of a value by their paths, each with the key that it has.
fn texts_of<'a>(
    value: &'a Value,
    path: String,
    key: &'a str,
    texts: &mut HashMap<String, (&'a str, &'a str)>,
) {
    match value {
        Value::String(text) => _ = texts.insert(path, (key, text)),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                texts_of(item, format!("{path}[{at}]"), "", texts);
            }
        }
        Value::Object(entries) => {
            for (key, entry) in entries {
                texts_of(entry, format!("{path}.{key}"), key, texts);
            }
        }
        _ => {}
    }
}

/// Whether a variable is the controller's own: it says how a host is reached, or where an inventory is.
pub fn is_of_controller(name: &str) -> bool {
    name.starts_with("ansible_") || matches!(name, "inventory_dir" | "inventory_file")
}

/// Whether a variable is a secret of the host that has it: a password, or what has a secret in it.
pub fn is_secret(name: &str, value: &Value) -> bool {
    (is_of_controller(name) && name.contains("pass")) || secrets::value_has_mark(value)
}
