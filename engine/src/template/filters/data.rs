//! Filters for maps, lists and truth.

use indexmap::IndexMap;
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail, forgiving, unknown};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("bool", &["value"], |_, call| boolean(call.value()?)),
    forgiving("default", DEFAULT, default),
    forgiving("d", DEFAULT, default),
    forgiving("mandatory", &["value", "msg"], mandatory),
    forgiving("items", &["value"], |_, call| match call.value()? {
        // Jinja2 finds no entries in what there is not.
        value if value.is_undefined() => Ok(Value::from(Vec::<Value>::new())),
        value => {
            Ok(python::pairs(value)?.into_iter().map(|(key, value)| python::tuple([key, value])).collect())
        }
    }),
    callable("ternary", &["value", "true_val", "false_val", "none_val"], ternary),
    callable("combine", &["value", "*dictionaries", "recursive", "list_merge"], combine),
    callable("dict2items", &["value", "key_name", "value_name"], dict2items),
    callable("items2dict", &["value", "key_name", "value_name"], items2dict),
    callable("subelements", &["value", "subelements", "skip_missing"], subelements),
    callable("flatten", &["value", "levels", "skip_nulls"], flatten),
    callable("extract", &["value", "container", "morekeys"], extract),
    callable("rekey_on_member", &["value", "key", "duplicates"], rekey),
    forgiving("type_debug", &["value"], |_, call| Ok(Value::from(python::type_name(call.value()?)))),
];

const DEFAULT: &[&str] = &["value", "default_value", "boolean"];

/// The words, beside numbers, that Ansible takes for a truth value.
pub(in crate::template) fn known_boolean(value: &Value) -> Option<bool> {
    let word = match value.kind() {
        ValueKind::String => value.as_str()?.to_lowercase(),
        ValueKind::Bool => return Some(value.is_true()),
        ValueKind::Number => value.to_string(),
        _ => return None,
    };
    match word.as_str() {
        "yes" | "on" | "true" | "1" | "y" | "t" | "1.0" => Some(true),
        "no" | "off" | "false" | "0" | "n" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

/// Ansible warns about other words and takes them for false.
fn boolean(value: &Value) -> Result<Value> {
    if value.is_none() {
        return Ok(value.clone());
    }
    Ok(Value::from(match value.as_str() {
        Some(word) => matches!(word.to_lowercase().as_str(), "yes" | "on" | "true" | "1"),
        None => *value == Value::from(1),
    }))
}

fn default(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    if value.is_undefined() || (call.flag("boolean", false) && !value.is_true()) {
        return Ok(call.get("default_value").cloned().unwrap_or_else(|| Value::from("")));
    }
    Ok(value.clone())
}

fn mandatory(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    match call.some("msg") {
        _ if !value.is_undefined() => Ok(value.clone()),
        Some(message) => Err(fail(python::text(message)?)),
        None => Err(python::undefined(value)),
    }
}

fn ternary(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    if let (true, Some(none)) = (value.is_none(), call.some("none_val")) {
        return Ok(none.clone());
    }
    call.need(if value.is_true() { "true_val" } else { "false_val" }).cloned()
}

/// A map of values in order.
pub(super) type Map = IndexMap<Value, Value>;

pub(super) fn map_of(value: &Value) -> Result<Map> {
    Ok(python::pairs(value)?.into_iter().collect())
}

fn combine(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let recursive = call.extra_flag("recursive");
    let lists = call.extra("list_merge").map_or(Ok("replace".to_owned()), python::text)?;
    let known = ["replace", "keep", "append", "prepend", "append_rp", "prepend_rp"];
    if !known.contains(&lists.as_str()) {
        return Err(unknown(format!("unknown `list_merge` `{lists}`"), &lists, known));
    }
    let mut terms = Vec::new();
    for term in std::iter::once(call.value()?).chain(&call.rest) {
        let inner = if python::is_list(term) { python::items(term)? } else { vec![term.clone()] };
        terms.extend(inner.into_iter().filter(|term| !is_null(term)));
    }
    let mut result = Map::new();
    for term in &terms {
        merge(&mut result, map_of(term)?, recursive, &lists)?;
    }
    Ok(Value::from_pairs(result))
}

pub(super) fn merge(into: &mut Map, from: Map, recursive: bool, lists: &str) -> Result<()> {
    for (key, high) in from {
        let merged = match into.get(&key) {
            Some(low) if low.kind() == ValueKind::Map && high.kind() == ValueKind::Map && recursive => {
                let mut inner = map_of(low)?;
                merge(&mut inner, map_of(&high)?, recursive, lists)?;
                Value::from_pairs(inner)
            }
            Some(low) if python::is_list(low) && python::is_list(&high) => merge_lists(low, &high, lists)?,
            _ => high,
        };
        into.insert(key, merged);
    }
    Ok(())
}

fn merge_lists(low: &Value, high: &Value, how: &str) -> Result<Value> {
    let (low, high) = (python::items(low)?, python::items(high)?);
    let without = |list: &[Value], other: &[Value]| -> Vec<Value> {
        let other = super::sets::Members::of(other);
        list.iter().filter(|item| !other.contains(item)).cloned().collect()
    };
    Ok(Value::from(match how {
        "keep" => low,
        "append" => [low, high].concat(),
        "prepend" => [high, low].concat(),
        "append_rp" => [without(&low, &high), high].concat(),
        "prepend_rp" => {
            let rest = without(&low, &high);
            [high, rest].concat()
        }
        _ => high,
    }))
}

fn dict2items(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let (key_name, value_name) = (call.text("key_name", "key")?, call.text("value_name", "value")?);
    let entry = |(key, value): (Value, Value)| {
        Value::from_pairs([(key_name.as_str(), key), (value_name.as_str(), value)])
    };
    Ok(python::pairs(call.value()?)?.into_iter().map(entry).collect())
}

fn items2dict(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let (key_name, value_name) = (call.text("key_name", "key")?, call.text("value_name", "value")?);
    if !python::is_list(call.value()?) {
        return Err(fail(format!("expected a list, got {}", python::type_name(call.value()?))));
    }
    let mut map = Map::new();
    for item in call.items()? {
        let field = |name: &str| {
            let found = item.get_attr(name)?;
            if found.is_undefined() {
                return Err(fail(format!("an item has no `{name}`: {}", python::repr(&item)?)));
            }
            Ok(found)
        };
        map.insert(field(&key_name)?, field(&value_name)?);
    }
    Ok(Value::from_pairs(map))
}

fn subelements(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    let elements = match value.kind() {
        ValueKind::Map => python::pairs(value)?.into_iter().map(|(_, value)| value).collect(),
        _ if python::is_list(value) => python::items(value)?,
        _ => return Err(fail(format!("expected a list or a map, got {}", python::type_name(value)))),
    };
    let path = call.need("subelements")?;
    let path: Vec<String> = match path.as_str() {
        Some(path) => path.split('.').map(str::to_owned).collect(),
        None => python::items(path)?.iter().map(python::text).collect::<Result<_>>()?,
    };
    let skip = call.flag("skip_missing", false);
    let mut pairs = Vec::new();
    for element in elements {
        let mut inner = element.clone();
        for name in &path {
            inner = if inner.is_undefined() { inner } else { inner.get_attr(name)? };
        }
        if inner.is_undefined() && !skip {
            return Err(fail(format!("no key `{}` in {}", path.join("."), python::repr(&element)?)));
        }
        if inner.is_undefined() {
            continue;
        }
        if !python::is_list(&inner) {
            return Err(fail(format!(
                "`{}` is not a list but {}",
                path.join("."),
                python::type_name(&inner)
            )));
        }
        pairs.extend(python::items(&inner)?.into_iter().map(|item| Value::from((element.clone(), item))));
    }
    Ok(Value::from(pairs))
}

fn flatten(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let levels = call.integer("levels")?;
    let skip_nulls = call.flag("skip_nulls", true);
    let mut out = Vec::new();
    flatten_into(&mut out, &call.items()?, levels.unwrap_or(i64::MAX), skip_nulls, 0)?;
    Ok(Value::from(out))
}

/// What Ansible leaves out where it flattens.
fn is_null(item: &Value) -> bool {
    item.is_none() || item.as_str().is_some_and(|text| matches!(text, "None" | "null"))
}

/// The items of lists in lists.
pub(in crate::template) fn flattened(items: &[Value]) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    flatten_into(&mut out, items, i64::MAX, true, 0)?;
    Ok(out)
}

fn flatten_into(out: &mut Vec<Value>, list: &[Value], levels: i64, skip: bool, depth: usize) -> Result<()> {
    if depth > 100 {
        return Err(fail("the list is nested too deeply"));
    }
    for item in list {
        if is_null(item) && skip {
            continue;
        }
        if python::is_list(item) && levels >= 1 {
            flatten_into(out, &python::items(item)?, levels - 1, skip, depth + 1)?;
        } else {
            out.push(item.clone());
        }
    }
    Ok(())
}

fn extract(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let mut keys = vec![call.value()?.clone()];
    match call.some("morekeys") {
        Some(more) if python::is_list(more) => keys.extend(python::items(more)?),
        Some(more) => keys.push(more.clone()),
        None => {}
    }
    let mut found = call.need("container")?.clone();
    for key in &keys {
        found = found.get_item(key)?;
    }
    Ok(found)
}

fn rekey(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    let key = call.need("key")?;
    let duplicates = call.text("duplicates", "error")?;
    if !matches!(duplicates.as_str(), "error" | "overwrite") {
        let known = ["error", "overwrite"];
        return Err(unknown(format!("unknown `duplicates` `{duplicates}`"), &duplicates, known));
    }
    let entries = match value.kind() {
        ValueKind::Map => python::pairs(value)?.into_iter().map(|(_, entry)| entry).collect(),
        _ => call.items()?,
    };
    let mut map = Map::new();
    for entry in entries {
        let member = entry.get_item(key)?;
        if member.is_undefined() {
            return Err(fail(format!("an item has no `{key}`: {}", python::repr(&entry)?)));
        }
        if map.contains_key(&member) && duplicates == "error" {
            return Err(fail(format!("two items have the same `{key}`, {}", python::repr(&member)?)));
        }
        map.insert(member, entry);
    }
    Ok(Value::from_pairs(map))
}
