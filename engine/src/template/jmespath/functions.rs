//! The functions.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::Expression;
use super::evaluate::{Found, evaluate, order};
use crate::diagnostic::near_match;

const NAMES: [&str; 26] = [
    "abs",
    "avg",
    "ceil",
    "contains",
    "ends_with",
    "floor",
    "join",
    "keys",
    "length",
    "map",
    "max",
    "max_by",
    "merge",
    "min",
    "min_by",
    "not_null",
    "reverse",
    "sort",
    "sort_by",
    "starts_with",
    "sum",
    "to_array",
    "to_number",
    "to_string",
    "type",
    "values",
];

/// Calls a function with what the arguments find in a value.
pub(super) fn call(name: &str, arguments: &[Expression], value: &Value) -> Found {
    if !NAMES.contains(&name) {
        let near =
            near_match(name, NAMES).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("there is no function `{name}`{near}"));
    }
    let values = arguments.iter().map(|argument| evaluate(argument, value)).collect::<Result<Vec<_>, _>>()?;
    let (least, most) = match name {
        "not_null" => (1, usize::MAX),
        "merge" => (0, usize::MAX),
        "contains" | "ends_with" | "starts_with" | "join" | "map" | "max_by" | "min_by" | "sort_by" => (2, 2),
        _ => (1, 1),
    };
    if !(least..=most).contains(&values.len()) {
        return Err(format!("`{name}` takes {least} arguments, got {}", values.len()));
    }
    match (name, arguments) {
        ("map", [Expression::Reference(each), _]) => {
            let items = list(name, &values[1])?;
            Ok(Value::Array(items.iter().map(|item| evaluate(each, item)).collect::<Result<_, _>>()?))
        }
        ("sort_by" | "max_by" | "min_by", [_, Expression::Reference(key)]) => {
            by_key(name, list(name, &values[0])?, key)
        }
        ("map" | "sort_by" | "max_by" | "min_by", _) => {
            Err(format!("`{name}` takes an expression like `&name`"))
        }
        _ => plain(name, &values),
    }
}

fn plain(name: &str, values: &[Value]) -> Found {
    match name {
        "not_null" => {
            return Ok(values.iter().find(|value| !value.is_null()).cloned().unwrap_or(Value::Null));
        }
        "merge" => {
            let mut merged = Map::new();
            for value in values {
                merged.extend(map(name, value)?.clone());
            }
            return Ok(Value::Object(merged));
        }
        _ => {}
    }
    let first = &values[0];
    Ok(match name {
        "abs" | "ceil" | "floor" => rounded(name, first)?,
        "avg" | "sum" => total(name, list(name, first)?)?,
        "contains" => match first {
            Value::String(text) => Value::from(values[1].as_str().is_some_and(|part| text.contains(part))),
            _ => Value::from(list(name, first)?.contains(&values[1])),
        },
        "starts_with" => Value::from(text(name, first)?.starts_with(text(name, &values[1])?)),
        "ends_with" => Value::from(text(name, first)?.ends_with(text(name, &values[1])?)),
        "join" => {
            let parts = list(name, &values[1])?.iter().map(|part| text(name, part));
            Value::from(parts.collect::<Result<Vec<&str>, _>>()?.join(text(name, first)?))
        }
        "keys" => map(name, first)?.keys().map(|key| Value::from(key.as_str())).collect(),
        "values" => map(name, first)?.values().cloned().collect(),
        "length" => Value::from(match first {
            Value::String(text) => text.chars().count(),
            Value::Object(map) => map.len(),
            _ => list(name, first)?.len(),
        }),
        "max" | "min" => extreme(list(name, first)?, name == "max", |item| Ok(item.clone()))?,
        "sort" => sorted(list(name, first)?, |item| Ok(item.clone()))?,
        "reverse" => match first {
            Value::String(text) => Value::from(text.chars().rev().collect::<String>()),
            _ => list(name, first)?.iter().rev().cloned().collect(),
        },
        "to_array" => {
            if first.is_array() {
                first.clone()
            } else {
                json!([first])
            }
        }
        "to_string" => {
            if first.is_string() {
                first.clone()
            } else {
                Value::from(first.to_string())
            }
        }
        "to_number" => match first {
            Value::Number(_) => first.clone(),
            Value::String(text) => {
                let whole = text.trim().parse::<i64>().map(Value::from);
                whole.or_else(|_| text.trim().parse::<f64>().map(Value::from)).unwrap_or(Value::Null)
            }
            _ => Value::Null,
        },
        _ => Value::from(type_of(first)),
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn expected(name: &str, what: &str, got: &Value) -> String {
    format!("`{name}` takes {what}, got {}", type_of(got))
}

fn list<'v>(name: &str, value: &'v Value) -> Result<&'v Vec<Value>, String> {
    value.as_array().ok_or_else(|| expected(name, "a list", value))
}

fn map<'v>(name: &str, value: &'v Value) -> Result<&'v Map<String, Value>, String> {
    value.as_object().ok_or_else(|| expected(name, "a map", value))
}

fn text<'v>(name: &str, value: &'v Value) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| expected(name, "a text", value))
}

#[allow(clippy::cast_possible_truncation, reason = "numbers beyond are what they are cut to")]
fn rounded(name: &str, value: &Value) -> Found {
    let number = value.as_f64().ok_or_else(|| expected(name, "a number", value))?;
    Ok(match (name, value.as_i64()) {
        ("abs", Some(whole)) => Value::from(whole.saturating_abs()),
        ("abs", None) => Value::from(number.abs()),
        ("ceil", _) => Value::from(number.ceil() as i64),
        _ => Value::from(number.floor() as i64),
    })
}

fn total(name: &str, items: &[Value]) -> Found {
    let numbers = items.iter().map(|item| item.as_f64().ok_or_else(|| expected(name, "numbers", item)));
    let sum: f64 = numbers.collect::<Result<Vec<f64>, _>>()?.iter().sum();
    let whole: Option<i64> =
        items.iter().map(Value::as_i64).try_fold(0i64, |sum, item| sum.checked_add(item?));
    match (name, whole) {
        ("avg", _) if items.is_empty() => Ok(Value::Null),
        #[allow(clippy::cast_precision_loss, reason = "a list is not that long")]
        ("avg", _) => Ok(Value::from(sum / items.len() as f64)),
        (_, Some(whole)) => Ok(Value::from(whole)),
        _ => Ok(Value::from(sum)),
    }
}

fn by_key(name: &str, items: &[Value], key: &Expression) -> Found {
    let key = |item: &Value| evaluate(key, item);
    if name == "sort_by" { sorted(items, key) } else { extreme(items, name == "max_by", key) }
}

/// The keys of items, which are all numbers or all texts.
fn keyed(items: &[Value], key: impl Fn(&Value) -> Found) -> Result<Vec<(Value, Value)>, String> {
    let keyed =
        items.iter().map(|item| Ok((key(item)?, item.clone()))).collect::<Result<Vec<_>, String>>()?;
    let same = |test: fn(&Value) -> bool| keyed.iter().all(|(key, _)| test(key));
    if same(Value::is_number) || same(Value::is_string) {
        return Ok(keyed);
    }
    Err("only numbers have an order among themselves, and only texts".to_owned())
}

fn sorted(items: &[Value], key: impl Fn(&Value) -> Found) -> Found {
    let mut keyed = keyed(items, key)?;
    keyed.sort_by(|a, b| order(&a.0, &b.0).unwrap_or(Ordering::Equal));
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

/// The first of the largest or smallest.
fn extreme(items: &[Value], largest: bool, key: impl Fn(&Value) -> Found) -> Found {
    let wanted = if largest { Ordering::Greater } else { Ordering::Less };
    let mut best: Option<(Value, Value)> = None;
    for (key, item) in keyed(items, key)? {
        if best.as_ref().is_none_or(|(best, _)| order(&key, best) == Some(wanted)) {
            best = Some((key, item));
        }
    }
    Ok(best.map_or(Value::Null, |(_, item)| item))
}
