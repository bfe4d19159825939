//! Lists, and what sorts: `list`, `sort`, `dictsort`, `groupby`, `min` and `max`.

use std::cmp::Ordering;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Tuple};
use minijinja::{Error, ErrorKind, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("list", &["value"], |_, call| call.items().map(Value::from)),
    callable("sort", &["value", "reverse", "case_sensitive", "attribute"], sort),
    callable("dictsort", &["value", "case_sensitive", "by", "reverse"], dict_sort),
    callable("groupby", &["value", "attribute", "default", "case_sensitive"], group_by),
    callable("min", EXTREME, |_, call| extreme(call, Ordering::Less)),
    callable("max", EXTREME, |_, call| extreme(call, Ordering::Greater)),
];

const EXTREME: &[&str] = &["value", "case_sensitive", "attribute"];

/// What a value is compared by: letters count the same in both cases unless told otherwise.
fn folded(value: Value, case_sensitive: bool) -> Value {
    match value.as_str() {
        Some(text) if !case_sensitive => Value::from(text.to_lowercase()),
        _ => value,
    }
}

fn sort(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let mut items = call.items()?;
    let sensitive = call.flag("case_sensitive", false);
    // Several attributes are compared one after the other.
    let attributes: Vec<Value> = match call.some("attribute") {
        Some(names) => match names.as_str() {
            Some(names) => names.split(',').map(Value::from).collect(),
            None => vec![names.clone()],
        },
        None => Vec::new(),
    };
    let reverse = call.flag("reverse", false);
    // Python keeps the order of equal items, also when it sorts backwards.
    if reverse {
        items.reverse();
    }
    python::sort(&mut items, |item| match attributes.as_slice() {
        [] => Ok(folded(item.clone(), sensitive)),
        names => {
            let keys = names.iter().map(|name| Ok(folded(python::attribute(item, name)?, sensitive)));
            keys.collect::<Result<Vec<Value>>>().map(Value::from)
        }
    })?;
    if reverse {
        items.reverse();
    }
    Ok(Value::from(items))
}

fn dict_sort(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let sensitive = call.flag("case_sensitive", false);
    let by = match call.text("by", "key")?.as_str() {
        "key" => 0,
        "value" => 1,
        other => return Err(fail(format!("its argument `by` is `key` or `value`, not `{other}`"))),
    };
    let mut items: Vec<Value> =
        python::pairs(call.value()?)?.into_iter().map(|(key, value)| python::tuple([key, value])).collect();
    let reverse = call.flag("reverse", false);
    if reverse {
        items.reverse();
    }
    python::sort(&mut items, |item| Ok(folded(item.get_item_by_index(by)?, sensitive)))?;
    if reverse {
        items.reverse();
    }
    Ok(Value::from(items))
}

/// What `groupby` gives: a pair that has names, too.
#[derive(Debug)]
struct Group {
    key: Value,
    list: Value,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_usize(), key.as_str()) {
            (Some(0), _) | (_, Some("grouper")) => Some(self.key.clone()),
            (Some(1), _) | (_, Some("list")) => Some(self.list.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }
}

/// The tuple that a group is when it is written.
pub(in crate::template) fn group_as_tuple(value: &Value) -> Option<Tuple> {
    let group = value.downcast_object_ref::<Group>()?;
    Some(Tuple::from(vec![group.key.clone(), group.list.clone()]))
}

fn group_by(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let attribute = call.need("attribute")?;
    let sensitive = call.flag("case_sensitive", false);
    let key = |item: &Value| -> Result<Value> {
        let found = python::attribute(item, attribute)?;
        match call.get("default") {
            Some(default) if found.is_undefined() => Ok(default.clone()),
            _ => Ok(found),
        }
    };
    let mut items = call.items()?;
    python::sort(&mut items, |item| Ok(folded(key(item)?, sensitive)))?;
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for item in items {
        let key = key(&item)?;
        match groups.last_mut() {
            Some((last, list)) if folded(last.clone(), sensitive) == folded(key.clone(), sensitive) => {
                list.push(item);
            }
            _ => groups.push((key, vec![item])),
        }
    }
    let group = |(key, list): (Value, Vec<Value>)| Value::from_object(Group { key, list: Value::from(list) });
    Ok(groups.into_iter().map(group).collect())
}

fn extreme(call: &Call, wanted: Ordering) -> Result<Value> {
    let sensitive = call.flag("case_sensitive", false);
    let attribute = call.some("attribute");
    let key = |item: &Value| -> Result<Value> {
        let found = attribute.map_or_else(|| Ok(item.clone()), |name| python::attribute(item, name))?;
        Ok(folded(found, sensitive))
    };
    let mut best: Option<(Value, Value)> = None;
    for item in call.items()? {
        let key = key(&item)?;
        match &best {
            Some((best, _)) if python::compare(&key, best)? != wanted => {}
            _ => best = Some((key, item)),
        }
    }
    match best {
        Some((_, item)) => Ok(item),
        None => Err(Error::new(ErrorKind::UndefinedError, "No aggregated item, sequence was empty.")),
    }
}
