//! The tests: what stands behind `is`.

use std::cmp::Ordering;

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::arguments::{Call, Callable, callable, fail, forgiving, unknown};
use super::filters::pattern::{compile, failed, flags};
use super::filters::{data, sets, urls};
use super::{network_tests, python, version};

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
    callable("changed", RESULT, changed),
    callable("change", RESULT, changed),
    callable("finished", RESULT, |_, call| job(call, "finished")),
    callable("started", RESULT, |_, call| job(call, "started")),
    callable("timedout", RESULT, |_, call| {
        let period = outcome(call)?.get_attr("timedout")?;
        Ok(Value::from(if period.is_true() { period.get_attr("period")?.is_true() } else { false }))
    }),
    callable("skipped", RESULT, |_, call| flag(call, "skipped")),
    callable("skip", RESULT, |_, call| flag(call, "skipped")),
    callable("unreachable", RESULT, |_, call| flag(call, "unreachable")),
    callable("reachable", RESULT, |_, call| unset(call, "unreachable")),
    callable("uri", &["value", "schemes"], |_, call| Ok(Value::from(is_uri(call)?.is_some()))),
    callable("url", &["value", "schemes"], |_, call| {
        Ok(Value::from(
            is_uri(call)?.is_some_and(|(scheme, location)| !location.is_empty() || scheme == "file"),
        ))
    }),
    callable("urn", &["value"], |_, call| {
        Ok(Value::from(is_uri(call)?.is_some_and(|(scheme, _)| scheme == "urn")))
    }),
    // What is encrypted is decrypted before a template sees it.
    callable("vault_encrypted", &["value"], |_, _| Ok(Value::from(false))),
    callable("divisibleby", &["value", "num"], |_, call| {
        let (value, by) = (call.value()?, call.need("num")?);
        match (i128::try_from(value.clone()), i128::try_from(by.clone())) {
            (Ok(value), Ok(by)) if by != 0 => Ok(Value::from(value % by == 0)),
            _ => match (f64::try_from(value.clone()), f64::try_from(by.clone())) {
                (Ok(value), Ok(by)) if by != 0.0 => Ok(Value::from(value % by == 0.0)),
                _ => Err(fail("only a number can be divided, and not by zero")),
            },
        }
    }),
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
const BUILTIN: [&str; 29] = [
    "none",
    "safe",
    "escaped",
    "boolean",
    "odd",
    "even",
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

/// What ansible-core has.
pub(super) const BUILTIN_COLLECTION: &str = "ansible.builtin";

/// Each test with the collection that it is from.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Callable)> {
    let builtin = TABLE.iter().map(|test| (BUILTIN_COLLECTION, *test));
    // Short names like `private` say too little: these have their whole names only.
    builtin.chain(network_tests::TABLE.iter().map(|test| ("ansible.utils", *test)))
}

pub(super) fn names() -> Vec<&'static str> {
    TABLE.iter().map(|test| test.name).chain(BUILTIN).chain(["test"]).collect()
}

/// Whether there is such a test, by its short name or with its collection.
pub(super) fn exists(name: &str) -> bool {
    let (collection, name) = name.rsplit_once('.').map_or((None, name), |(c, name)| (Some(c), name));
    let found =
        all().any(|(from, test)| test.name == name && collection.unwrap_or(BUILTIN_COLLECTION) == from);
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

/// The scheme and the location of an address of the web, if it has one of the schemes that are asked for.
fn is_uri(call: &Call) -> Result<Option<(String, String)>, Error> {
    let Ok(parts) = urls::parts(&call.input()?) else { return Ok(None) };
    let (scheme, location) = (python::text(&parts[7])?, python::text(&parts[2])?);
    let allowed = match call.some("schemes").filter(|schemes| schemes.is_true()) {
        Some(schemes) => python::items(schemes)?.contains(&parts[7]),
        None => true,
    };
    Ok(allowed.then_some((scheme, location)))
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

/// Of a task in a loop, one of its rounds is enough.
fn changed(_: &mut State<'_, '_>, call: &Call) -> Result<Value, Error> {
    let result = outcome(call)?;
    let results = result.get_attr("results")?;
    let known = !result.get_attr("changed")?.is_undefined();
    if known || !python::is_list(&results) {
        return flag(call, "changed");
    }
    for round in python::items(&results)? {
        if round.get_attr("changed").is_ok_and(|changed| changed.is_true()) {
            return Ok(Value::from(true));
        }
    }
    Ok(Value::from(false))
}

/// A state of a job in the background; what is no such job is done.
fn job(call: &Call, name: &str) -> Result<Value, Error> {
    let state = outcome(call)?.get_attr(name)?;
    Ok(Value::from(state.is_undefined() || state == Value::from(1)))
}

fn outcome(call: &Call) -> Result<&Value, Error> {
    let result = call.value()?;
    if result.kind() != ValueKind::Map {
        return Err(fail(format!("expected the outcome of a task, got {}", python::type_name(result))));
    }
    Ok(result)
}

fn field(call: &Call, name: &str) -> Result<bool, Error> {
    Ok(outcome(call)?.get_attr(name)?.is_true())
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
        Err(_) => Ok(Value::from(false)),
    }
}

fn sequence(value: &Value) -> bool {
    python::is_list(value) || matches!(value.kind(), ValueKind::String | ValueKind::Map | ValueKind::Bytes)
}

fn is_bool(value: &Value, wanted: bool) -> bool {
    value.kind() == ValueKind::Bool && value.is_true() == wanted
}
