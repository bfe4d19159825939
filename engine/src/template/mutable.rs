//! Lists and maps that a template changes: `{% set _ = list.append(x) %}`.

use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::fail;
use super::python;

type Result<T> = std::result::Result<T, Error>;

/// The calls by which a template shows that it changes something.
pub(super) const METHODS: [&str; 11] = [
    ".append(",
    ".extend(",
    ".insert(",
    ".pop(",
    ".popitem(",
    ".update(",
    ".setdefault(",
    ".remove(",
    ".sort(",
    ".reverse(",
    ".clear(",
];

/// A list or map that can be changed, of one that can't.
pub(super) fn of(value: &Value) -> Result<Value> {
    Ok(match value.kind() {
        ValueKind::Map => Value::from_object(Map(Mutex::new(python::pairs(value)?.into_iter().collect()))),
        _ if python::is_list(value) => Value::from_object(List(Mutex::new(python::items(value)?))),
        _ => value.clone(),
    })
}

#[derive(Debug)]
struct List(Mutex<Vec<Value>>);

#[derive(Debug)]
struct Map(Mutex<IndexMap<Value, Value>>);

/// One thread renders a template; what a panic left is as good as it was.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        locked(&self.0).get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(locked(&self.0).clone())
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value> {
        let arguments = Arguments::of(method, args)?;
        // Taken before the lock: an argument may be this list.
        let items = match method {
            "extend" => python::items(arguments.need(0)?)?,
            "sort" => sorted(python::items(&Value::from_dyn_object(Arc::clone(self)))?, &arguments)?,
            _ => Vec::new(),
        };
        let list = &mut *locked(&self.0);
        match method {
            "append" => list.push(arguments.need(0)?.clone()),
            "extend" => list.extend(items),
            "sort" => *list = items,
            "reverse" => list.reverse(),
            "clear" => list.clear(),
            "insert" => {
                let at = position(arguments.integer(0)?, list.len()).min(list.len());
                list.insert(at, arguments.need(1)?.clone());
            }
            "pop" => {
                let at = if args.is_empty() { -1 } else { arguments.integer(0)? };
                let at = position(at, list.len());
                return if at < list.len() {
                    Ok(list.remove(at))
                } else {
                    Err(fail("method `pop`: there is no such item"))
                };
            }
            "remove" => {
                let wanted = arguments.need(0)?;
                let at = list.iter().position(|item| item == wanted);
                list.remove(at.ok_or_else(|| fail("method `remove`: there is no such item"))?);
            }
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }
}

impl Object for Map {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        locked(&self.0).get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(locked(&self.0).keys().cloned().collect())
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value> {
        let arguments = Arguments::of(method, args)?;
        let entries = if method == "update" { arguments.entries()? } else { Vec::new() };
        let map = &mut *locked(&self.0);
        match method {
            "update" => map.extend(entries),
            "clear" => map.clear(),
            "setdefault" => {
                let default = arguments.positional.get(1).cloned().unwrap_or(Value::from(()));
                return Ok(map.entry(arguments.need(0)?.clone()).or_insert(default).clone());
            }
            "pop" => {
                let removed = map.shift_remove(arguments.need(0)?);
                let removed = removed.or_else(|| arguments.positional.get(1).cloned());
                return removed.ok_or_else(|| fail("method `pop`: there is no such key"));
            }
            "popitem" => {
                let last = map.pop().ok_or_else(|| fail("method `popitem`: the map is empty"))?;
                return Ok(python::tuple([last.0, last.1]));
            }
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }
}

/// Python counts from the end below zero.
fn position(at: i64, length: usize) -> usize {
    let at = if at < 0 { at.saturating_add_unsigned(length as u64).max(0) } else { at };
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn sorted(mut items: Vec<Value>, arguments: &Arguments<'_>) -> Result<Vec<Value>> {
    python::sort(&mut items, |item| Ok(item.clone()))?;
    if arguments.named("reverse").is_some_and(|reverse| reverse.is_true()) {
        items.reverse();
    }
    Ok(items)
}

struct Arguments<'a> {
    method: &'a str,
    positional: &'a [Value],
    named: Option<Kwargs>,
}

impl<'a> Arguments<'a> {
    fn of(method: &'a str, args: &'a [Value]) -> Result<Self> {
        let (positional, named) = match args.split_last() {
            Some((last, rest)) if last.is_kwargs() => (rest, Some(Kwargs::try_from(last.clone())?)),
            _ => (args, None),
        };
        Ok(Self { method, positional, named })
    }

    fn need(&self, at: usize) -> Result<&'a Value> {
        self.positional
            .get(at)
            .ok_or_else(|| fail(format!("method `{}`: an argument is missing", self.method)))
    }

    fn integer(&self, at: usize) -> Result<i64> {
        i64::try_from(self.need(at)?.clone())
    }

    fn named(&self, name: &str) -> Option<Value> {
        self.named.as_ref().filter(|named| named.has(name))?.peek(name).ok()
    }

    /// What `update` takes: a map or a list of pairs, and names.
    fn entries(&self) -> Result<Vec<(Value, Value)>> {
        let mut entries = self.positional.first().map(python::pairs_of).transpose()?.unwrap_or_default();
        if let Some(named) = &self.named {
            for name in named.args() {
                entries.push((Value::from(name), named.peek(name)?));
            }
        }
        Ok(entries)
    }
}
