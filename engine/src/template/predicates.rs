//! The tests: what stands behind `is`.

use std::cmp::Ordering;

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::arguments::{Call, Callable, callable, fail, forgiving, unknown};
use super::filters::pattern::{compile, failed, flags};
use super::filters::{data, sets};
use super::{python, version};

const TABLE: &[Callable] = &[
    forgiving("defined", &["value"], |_, call| Ok(Value::from(!call.value()?.is_undefined()))),
    forgiving("undefined", &["value"], |_, call| Ok(Value::from(call.value()?.is_undefined()))),
    callable("match", PATTERN, |_, call| matches(call, "match")),
    callable("search", PATTERN, |_, call| matches(call, "search")),
    callable("regex", &["value", "pattern", "ignorecase", "multiline", "match_type"], |_, call| {
        matches(call, &call.text("match_type", "search")?)
    }),
    callable("version", VERSION, compare_versions),
    callable("version_compare", VERSION, compare_versions),
    callable("any", &["value"], |_, call| Ok(Value::from(call.items()?.iter().any(Value::is_true)))),
    callable("all", &["value"], |_, call| Ok(Value::from(call.items()?.iter().all(Value::is_true)))),
    callable("truthy", &["value", "convert_bool"], |_, call| Ok(Value::from(truthy(call)?))),
    callable("falsy", &["value", "convert_bool"], |_, call| Ok(Value::from(!truthy(call)?))),
    callable("subset", &["value", "other"], |_, call| subset(call, "value", "other")),
    callable("issubset", &["value", "other"], |_, call| subset(call, "value", "other")),
    callable("superset", &["value", "other"], |_, call| subset(call, "other", "value")),
    callable("issuperset", &["value", "other"], |_, call| subset(call, "other", "value")),
    callable("contains", &["value", "item"], |_, call| contains(call.value()?, call.need("item")?)),
    callable("in", &["value", "container"], |_, call| contains(call.need("container")?, call.value()?)),
    callable("failed", RESULT, |_, call| flag(call, "failed")),
    callable("failure", RESULT, |_, call| flag(call, "failed")),
    callable("succeeded", RESULT, |_, call| unset(call, "failed")),
    callable("success", RESULT, |_, call| unset(call, "failed")),
    callable("successful", RESULT, |_, call| unset(call, "failed")),
    callable("changed", RESULT, |_, call| flag(call, "changed")),
    callable("change", RESULT, |_, call| flag(call, "changed")),
    callable("skipped", RESULT, |_, call| flag(call, "skipped")),
    callable("skip", RESULT, |_, call| flag(call, "skipped")),
    callable("unreachable", RESULT, |_, call| flag(call, "unreachable")),
    callable("reachable", RESULT, |_, call| unset(call, "unreachable")),
    callable("nan", &["value"], |_, call| nan(call)),
    callable("isnan", &["value"], |_, call| nan(call)),
    callable("abs", &["path"], |_, call| Ok(Value::from(call.input()?.starts_with('/')))),
    callable("is_abs", &["path"], |_, call| Ok(Value::from(call.input()?.starts_with('/')))),
    callable("callable", &["value"], |_, call| Ok(Value::from(call.value()?.kind() == ValueKind::Plain))),
    callable("sequence", &["value"], |_, call| Ok(Value::from(sequence(call.value()?)))),
    callable("iterable", &["value"], |_, call| Ok(Value::from(sequence(call.value()?)))),
    callable("number", &["value"], |_, call| {
        Ok(Value::from(matches!(call.value()?.kind(), ValueKind::Number | ValueKind::Bool)))
    }),
    callable("true", &["value"], |_, call| Ok(Value::from(is_bool(call.value()?, true)))),
    callable("false", &["value"], |_, call| Ok(Value::from(is_bool(call.value()?, false)))),
];

const PATTERN: &[&str] = &["value", "pattern", "ignorecase", "multiline"];
const VERSION: &[&str] = &["value", "version", "operator", "strict", "version_type"];
const RESULT: &[&str] = &["result"];

/// The tests that the engine has and Ansible's Jinja2 too.
const BUILTIN: [&str; 30] = [
    "none",
    "safe",
    "escaped",
    "boolean",
    "odd",
    "even",
    "divisibleby",
    "integer",
    "float",
    "string",
    "mapping",
    "lower",
    "upper",
    "sameas",
    "eq",
    "equalto",
    "==",
    "ne",
    "!=",
    "lt",
    "lessthan",
    "<",
    "le",
    "<=",
    "gt",
    "greaterthan",
    ">",
    "ge",
    ">=",
    "filter",
];

/// Each test with the collection that it is from.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Callable)> {
    TABLE.iter().map(|test| ("ansible.builtin", *test))
}

pub(super) fn names() -> Vec<&'static str> {
    all().map(|(_, test)| test.name).chain(BUILTIN).chain(["test"]).collect()
}

/// Whether there is such a test, by its short name or with its collection.
pub(super) fn exists(name: &str) -> bool {
    let (collection, name) = name.rsplit_once('.').map_or((None, name), |(c, name)| (Some(c), name));
    let found = all().any(|(from, test)| test.name == name && collection.is_none_or(|c| c == from));
    found || (collection.is_none() && BUILTIN.contains(&name)) || name == "test"
}

fn matches(call: &Call, kind: &str) -> Result<Value, Error> {
    let flags = flags(call);
    let text = call.input()?;
    let pattern = compile(&call.text("pattern", "")?, flags, &text)?;
    let found = match kind {
        "match" => pattern.matches_start(&text),
        "fullmatch" => pattern.matches_whole(&text),
        _ => pattern.is_match(&text),
    };
    found.map(Value::from).map_err(failed)
}

fn compare_versions(_: &mut State<'_, '_>, call: &Call) -> Result<Value, Error> {
    let (value, other) = (call.input()?, python::text(call.need("version")?)?);
    if value.is_empty() || other.is_empty() {
        return Err(fail("a version to compare is empty"));
    }
    let kind = match (call.some("strict"), call.some("version_type")) {
        (Some(_), Some(_)) => return Err(fail("it takes `strict` or `version_type`, not both")),
        (Some(strict), None) if strict.is_true() => "strict".to_owned(),
        (_, Some(kind)) => python::text(kind)?,
        _ => "loose".to_owned(),
    };
    let operator = call.text("operator", "eq")?;
    let order = version::compare(&kind, &value, &other)?;
    Ok(Value::from(match operator.as_str() {
        "==" | "=" | "eq" => order == Ordering::Equal,
        "!=" | "<>" | "ne" => order != Ordering::Equal,
        "<" | "lt" => order == Ordering::Less,
        "<=" | "le" => order != Ordering::Greater,
        ">" | "gt" => order == Ordering::Greater,
        ">=" | "ge" => order != Ordering::Less,
        other => {
            let known = ["==", "=", "eq", "!=", "<>", "ne", "<", "lt", "<=", "le", ">", "gt", ">=", "ge"];
            return Err(unknown(format!("unknown operator `{other}`"), other, known));
        }
    }))
}

fn truthy(call: &Call) -> Result<bool, Error> {
    let value = call.value()?;
    if call.flag("convert_bool", false)
        && let Some(known) = data::known_boolean(value)
    {
        return Ok(known);
    }
    Ok(value.is_true())
}

fn subset(call: &Call, small: &str, large: &str) -> Result<Value, Error> {
    let (small, large) = (python::items(call.need(small)?)?, python::items(call.need(large)?)?);
    let large = sets::Members::of(&large);
    Ok(Value::from(small.iter().all(|item| large.contains(item))))
}

fn contains(container: &Value, item: &Value) -> Result<Value, Error> {
    match (container.as_str(), item.as_str()) {
        (Some(text), Some(part)) => Ok(Value::from(text.contains(part))),
        (Some(_), None) => Err(fail(format!("a string can't contain {}", python::type_name(item)))),
        _ => Ok(Value::from(python::items(container)?.contains(item))),
    }
}

fn field(call: &Call, name: &str) -> Result<bool, Error> {
    let result = call.value()?;
    if result.kind() != ValueKind::Map {
        return Err(fail(format!("expected the outcome of a task, got {}", python::type_name(result))));
    }
    Ok(result.get_attr(name)?.is_true())
}

fn flag(call: &Call, name: &str) -> Result<Value, Error> {
    field(call, name).map(Value::from)
}

fn unset(call: &Call, name: &str) -> Result<Value, Error> {
    field(call, name).map(|set| Value::from(!set))
}

fn nan(call: &Call) -> Result<Value, Error> {
    match f64::try_from(call.value()?.clone()) {
        Ok(number) => Ok(Value::from(number.is_nan())),
        Err(_) => Err(fail(format!("expected a number, got {}", python::type_name(call.value()?)))),
    }
}

fn sequence(value: &Value) -> bool {
    python::is_list(value) || matches!(value.kind(), ValueKind::String | ValueKind::Map | ValueKind::Bytes)
}

fn is_bool(value: &Value, wanted: bool) -> bool {
    value.kind() == ValueKind::Bool && value.is_true() == wanted
}
