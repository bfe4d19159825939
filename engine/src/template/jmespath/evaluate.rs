//! Finds in a value what an expression says.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::{Expression, functions};

pub(super) type Found = Result<Value, String>;

pub(super) fn evaluate(expression: &Expression, value: &Value) -> Found {
    Ok(match expression {
        Expression::Current | Expression::Reference(_) => value.clone(),
        Expression::Field(name) => value.get(name).cloned().unwrap_or(Value::Null),
        Expression::Literal(literal) => literal.clone(),
        Expression::Index(at) => index(value, *at),
        Expression::Slice(parts) => slice(value, *parts),
        Expression::Then(left, right) => evaluate(right, &evaluate(left, value)?)?,
        Expression::Each(left, right) => match evaluate(left, value)? {
            Value::Array(items) => project(items.iter(), right)?,
            _ => Value::Null,
        },
        Expression::EachValue(left, right) => match evaluate(left, value)? {
            Value::Object(map) => project(map.values(), right)?,
            _ => Value::Null,
        },
        Expression::EachWhere(left, right, condition) => match evaluate(left, value)? {
            Value::Array(items) => {
                let mut held = Vec::new();
                for item in &items {
                    if is_true(&evaluate(condition, item)?) {
                        held.push(item);
                    }
                }
                project(held.into_iter(), right)?
            }
            _ => Value::Null,
        },
        Expression::Flatten(inner) => match evaluate(inner, value)? {
            Value::Array(items) => Value::Array(items.into_iter().flat_map(items_of).collect()),
            _ => Value::Null,
        },
        Expression::List(_) | Expression::Map(_) if value.is_null() => Value::Null,
        Expression::List(items) => {
            Value::Array(items.iter().map(|item| evaluate(item, value)).collect::<Result<_, _>>()?)
        }
        Expression::Map(entries) => {
            let entries = entries.iter().map(|(name, entry)| Ok((name.clone(), evaluate(entry, value)?)));
            Value::Object(entries.collect::<Result<Map<_, _>, String>>()?)
        }
        Expression::Or(left, right) => match evaluate(left, value)? {
            found if is_true(&found) => found,
            _ => evaluate(right, value)?,
        },
        Expression::And(left, right) => match evaluate(left, value)? {
            found if !is_true(&found) => found,
            _ => evaluate(right, value)?,
        },
        Expression::Not(inner) => Value::from(!is_true(&evaluate(inner, value)?)),
        Expression::Compare(sign, left, right) => {
            compare(sign, &evaluate(left, value)?, &evaluate(right, value)?)?
        }
        Expression::Call(name, arguments) => functions::call(name, arguments, value)?,
    })
}

fn project<'v>(items: impl Iterator<Item = &'v Value>, right: &Expression) -> Found {
    let mut found = Vec::new();
    for item in items {
        let one = evaluate(right, item)?;
        if !one.is_null() {
            found.push(one);
        }
    }
    Ok(Value::Array(found))
}

fn items_of(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        other => vec![other],
    }
}

fn index(value: &Value, at: i64) -> Value {
    let Value::Array(items) = value else { return Value::Null };
    let at = if at < 0 { at + length(items) } else { at };
    usize::try_from(at).ok().and_then(|at| items.get(at)).cloned().unwrap_or(Value::Null)
}

fn length(items: &[Value]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

/// As Python slices.
fn slice(value: &Value, [start, stop, step]: [Option<i64>; 3]) -> Value {
    let Value::Array(items) = value else { return Value::Null };
    let (length, step) = (length(items), step.unwrap_or(1));
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let bound = |at: Option<i64>, default: i64| match at {
        None => default,
        Some(at) if at < 0 => at.saturating_add(length).clamp(low, high),
        Some(at) => at.clamp(low, high),
    };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let (mut at, stop) = (bound(start, first), bound(stop, last));
    let mut found = Vec::new();
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        found.extend(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned());
        at = at.saturating_add(step);
    }
    Value::Array(found)
}

/// Nothing, `false` and what is empty are false; zero is true.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// Only numbers and texts have an order; of anything else it is not known.
fn compare(sign: &str, left: &Value, right: &Value) -> Found {
    match sign {
        "==" => return Ok(Value::from(equal(left, right))),
        "!=" => return Ok(Value::from(!equal(left, right))),
        _ => {}
    }
    let comparable = |value: &Value| value.is_number() || value.is_string();
    if !comparable(left) || !comparable(right) {
        return Ok(Value::Null);
    }
    let order = order(left, right).ok_or("a number and a text have no order")?;
    Ok(Value::from(match sign {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }))
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(_), Some(_)) => order(left, right) == Some(Ordering::Equal),
        _ => left == right,
    }
}

/// The order of two numbers or two texts.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Some(left.cmp(right));
    }
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        return Some(left.cmp(&right));
    }
    left.as_f64()?.partial_cmp(&right.as_f64()?)
}
