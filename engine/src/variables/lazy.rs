//! Lists and maps whose entries are rendered when a template reaches them.
//!
//! They are objects of the template engine and so have to be `Send + Sync`. They hold the raw text and the number of the
//! variables they belong to; the thread knows which variables those are.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, Serde};
use serde_json::Value as Json;

use super::{Inner, SECRET_READ, watched};
use crate::diagnostic::Diagnostic;
use crate::secrets;
use crate::template::{carry, undefined_because};

thread_local! {
    static OWNERS: RefCell<HashMap<u64, Weak<Inner>>> = RefCell::default();
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// A number that no other variables of this thread have.
pub(super) fn next_id() -> u64 {
    LAST.with(|last| {
        last.set(last.get() + 1);
        last.get()
    })
}

pub(super) fn register(inner: &Rc<Inner>) {
    OWNERS.with_borrow_mut(|owners| owners.insert(inner.id, Rc::downgrade(inner)));
}

/// The variables of a number.
pub(super) fn find(id: u64) -> Option<Rc<Inner>> {
    OWNERS.with_borrow(|owners| owners.get(&id).and_then(Weak::upgrade))
}

impl Drop for Inner {
    fn drop(&mut self) {
        // At the end of the thread the table may be gone already, and with it the entry.
        _ = OWNERS.try_with(|owners| owners.borrow_mut().remove(&self.id));
    }
}

/// An entry: ready, or a template and its value once it was needed, with whether a secret is in that.
#[derive(Debug)]
enum Entry {
    Ready(Value),
    Template { owner: u64, path: String, text: String, value: OnceLock<(Value, bool)> },
}

impl Entry {
    fn get(&self) -> Value {
        let (owner, path, text, value) = match self {
            Self::Ready(value) => return value.clone(),
            Self::Template { owner, path, text, value } => (owner, path, text, value),
        };
        if let Some((value, secret)) = value.get() {
            if *secret {
                SECRET_READ.set(true);
            }
            return value.clone();
        }
        let Some(variables) = find(*owner) else {
            return Value::from(carry(Diagnostic::new(format!(
                "the variables that `{path}` belongs to are gone"
            ))));
        };
        let (rendered, secret) = watched(|| {
            if variables.is_template(path, text) {
                variables.render(path, text)
            } else {
                Ok(variables.reveal(text))
            }
        });
        match rendered {
            Ok(rendered) => value.get_or_init(|| (rendered, secret)).0.clone(),
            Err(failure) if failure.undefined => undefined_because(path, failure.diagnostic),
            Err(failure) => Value::from(carry(failure.diagnostic)),
        }
    }
}

/// A list or map with templates in it.
pub(super) fn container(inner: &Inner, path: &str, value: &Json) -> Value {
    match value {
        Json::Array(items) => {
            let entries = items.iter().enumerate();
            Value::from_object(List(
                entries.map(|(at, item)| entry(inner, format!("{path}[{at}]"), item)).collect(),
            ))
        }
        Json::Object(entries) => {
            let entries = entries.iter();
            Value::from_object(Map(entries
                .map(|(key, item)| (key.clone(), entry(inner, format!("{path}.{key}"), item)))
                .collect()))
        }
        other => Value::from(Serde(other)),
    }
}

fn entry(inner: &Inner, path: String, value: &Json) -> Entry {
    match value {
        Json::String(text) if inner.is_template(&path, text) || secrets::has_mark(text) => {
            Entry::Template { owner: inner.id, path, text: text.clone(), value: OnceLock::new() }
        }
        Json::Array(_) | Json::Object(_) if inner.has_templates(&path, value) => {
            Entry::Ready(container(inner, &path, value))
        }
        _ => Entry::Ready(Value::from(Serde(value))),
    }
}

#[derive(Debug)]
struct List(Vec<Entry>);

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_usize()?).map(Entry::get)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

#[derive(Debug)]
struct Map(IndexMap<String, Entry>);

impl Object for Map {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.get(key).map(Entry::get)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|key| Value::from(key.as_str())).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }
}
