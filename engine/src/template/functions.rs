//! The functions that every template can call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::{Call, Callable, callable, fail, forgiving};
use super::{filters, lookup, python};

type Result<T> = std::result::Result<T, Error>;

const TABLE: &[Callable] = &[
    callable("dict", &["*values", "**"], dict),
    forgiving("undef", &["hint"], |_, call| {
        let hint = call.text("hint", "")?;
        let hint = if hint.is_empty() { "Mandatory variable has not been overridden" } else { &hint };
        Err(Error::new(ErrorKind::UndefinedError, hint.to_owned()))
    }),
    callable("now", &["utc", "fmt"], filters::time::now),
    callable("cycler", &["*items"], |_, call| {
        if call.rest.is_empty() {
            return Err(fail("at least one item has to be given"));
        }
        Ok(Value::from_object(Cycler { items: call.rest.clone(), at: AtomicUsize::new(0) }))
    }),
    callable("joiner", &["sep"], |_, call| {
        Ok(Value::from_object(Joiner { separator: call.text("sep", ", ")?, used: AtomicUsize::new(0) }))
    }),
];

pub(super) fn all() -> impl Iterator<Item = Callable> {
    TABLE.iter().copied().chain(lookup::all())
}

pub(super) fn names() -> Vec<&'static str> {
    all().map(|function| function.name).chain(["range", "namespace"]).collect()
}

/// `dict(a=1)`, `dict([["a", 1]])`, `dict(map, b=2)`.
fn dict(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    if call.rest.len() > 1 {
        return Err(fail("it takes one map or list of pairs"));
    }
    let mut entries = call.rest.first().map(python::pairs_of).transpose()?.unwrap_or_default();
    entries.extend(call.named().map(|(name, value)| (Value::from(name), value.clone())));
    Ok(Value::from_pairs(entries))
}

/// One item after the other, and from the start again.
#[derive(Debug)]
struct Cycler {
    items: Vec<Value>,
    at: AtomicUsize,
}

impl Object for Cycler {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("current")).then(|| self.items[self.at.load(Ordering::Relaxed)].clone())
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, _: &[Value]) -> Result<Value> {
        let at = self.at.load(Ordering::Relaxed);
        match method {
            "next" => {
                self.at.store((at + 1) % self.items.len(), Ordering::Relaxed);
                Ok(self.items[at].clone())
            }
            "reset" => {
                self.at.store(0, Ordering::Relaxed);
                Ok(Value::from(()))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// Nothing at the first call, the separator at every other.
#[derive(Debug)]
struct Joiner {
    separator: String,
    used: AtomicUsize,
}

impl Object for Joiner {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value> {
        let first = self.used.fetch_add(1, Ordering::Relaxed) == 0;
        Ok(Value::from(if first { "" } else { &self.separator }))
    }
}
