//! Values as Python's `str()` and `repr()` write them.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, ErrorKind, Output, State, Value};

use super::filters::order::group_as_tuple;
use super::python_datetime;

/// Deeper values are an error instead of an exhausted stack.
const DEPTH: usize = 100;

/// `str(value)`.
pub(super) fn text(value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let mut out = String::new();
    write(&mut out, value, false, 0)?;
    Ok(out)
}

/// `repr(value)`.
pub(super) fn repr(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    write(&mut out, value, true, 0)?;
    Ok(out)
}

/// What the template printed, so that a template that is one expression can give a value instead of text.
#[derive(Default)]
pub(super) struct Emitted {
    pub count: usize,
    pub last: Value,
}

/// Writes the value of `{{ }}`. Ansible writes nothing for `none`, and Jinja2 for an inline `if` that gives nothing.
pub(super) fn emit(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let emitted = state.get_or_insert_extension_with(Emitted::default);
    emitted.count += 1;
    emitted.last = value.clone();
    match value.as_str() {
        Some(text) => out.write_str(text).map_err(Error::from),
        None if value.is_undefined() || value.is_none() => Ok(()),
        None => out.write_str(&text(value)?).map_err(Error::from),
    }
}

fn write(out: &mut String, value: &Value, quoted: bool, depth: usize) -> Result<(), Error> {
    if depth > DEPTH {
        return Err(Error::new(ErrorKind::InvalidOperation, "the value is nested too deeply"));
    }
    match value.kind() {
        ValueKind::Undefined => Err(undefined(value)),
        ValueKind::None => done(out.write_str("None")),
        ValueKind::Bool => done(out.write_str(if value.is_true() { "True" } else { "False" })),
        ValueKind::Number if value.is_integer() => done(write!(out, "{value}")),
        ValueKind::Number => {
            out.push_str(&float(f64::try_from(value.clone())?));
            Ok(())
        }
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            done(if quoted { quote(out, text) } else { out.write_str(text) })
        }
        ValueKind::Bytes => done(write!(out, "{value:?}")),
        ValueKind::Seq | ValueKind::Iterable => match group_as_tuple(value) {
            Some(pair) => sequence(out, &Value::from(pair), depth),
            None => sequence(out, value, depth),
        },
        ValueKind::Map => mapping(out, value, depth),
        ValueKind::Invalid => Err(invalid(value)),
        _ => done(write!(out, "{value}")),
    }
}

fn done(result: fmt::Result) -> Result<(), Error> {
    result.map_err(Error::from)
}

/// The error that the engine itself gives for an undefined value, which knows the expression that it came from.
pub(super) fn undefined(value: &Value) -> Error {
    match value.get_attr("") {
        Err(error) => error,
        Ok(_) => Error::from(ErrorKind::UndefinedError),
    }
}

/// The error inside a value that an object gave instead of a value.
fn invalid(value: &Value) -> Error {
    let inside = Value::from(vec![value.clone()]);
    match inside.try_iter().map(|items| items.checked().next()) {
        Ok(Some(Err(error))) => error,
        _ => Error::new(ErrorKind::InvalidOperation, "invalid value"),
    }
}

fn sequence(out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
    let tuple = value.is_tuple();
    out.push(if tuple { '(' } else { '[' });
    let mut count = 0;
    for item in value.try_iter()?.checked() {
        if count > 0 {
            out.push_str(", ");
        }
        write(out, &item?, true, depth + 1)?;
        count += 1;
    }
    if tuple && count == 1 {
        out.push(',');
    }
    out.push(if tuple { ')' } else { ']' });
    Ok(())
}

fn mapping(out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
    out.push('{');
    for (index, pair) in pairs(value)?.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(out, &pair.0, true, depth + 1)?;
        out.push_str(": ");
        write(out, &pair.1, true, depth + 1)?;
    }
    out.push('}');
    Ok(())
}

/// The keys and values of a map, in order.
pub(super) fn pairs(map: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if map.kind() != ValueKind::Map {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("expected a map, got {}", type_name(map)),
        ));
    }
    let mut pairs = Vec::with_capacity(map.len().unwrap_or(0).min(1024));
    for key in map.try_iter()?.checked() {
        let key = key?;
        let value = map.get_item(&key)?;
        if value.kind() == ValueKind::Invalid {
            return Err(invalid(&value));
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// What is at `name.other.0` in a value; undefined if nothing is there. A number is a position.
pub(super) fn attribute(value: &Value, path: &Value) -> Result<Value, Error> {
    let Some(path) = path.as_str() else { return value.get_item(path) };
    let mut found = value.clone();
    for part in path.split('.') {
        found = match part.parse::<usize>() {
            Ok(at) if is_list(&found) || found.as_str().is_some() => found.get_item_by_index(at)?,
            _ => found.get_attr(part)?,
        };
    }
    Ok(found)
}

/// What `dict()` takes: a map, or a list of pairs.
pub(super) fn pairs_of(value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if value.kind() == ValueKind::Map {
        return pairs(value);
    }
    let pair = |item: &Value| match <[Value; 2]>::try_from(items(item)?) {
        Ok([key, value]) => Ok((key, value)),
        Err(other) => {
            Err(Error::new(ErrorKind::InvalidOperation, format!("expected pairs, got {} items", other.len())))
        }
    };
    items(value)?.iter().map(pair).collect()
}

/// A tuple, which is written in parentheses.
pub(super) fn tuple(items: impl IntoIterator<Item = Value>) -> Value {
    Value::from(Tuple::from(items.into_iter().collect::<Vec<_>>()))
}

/// `a < b` and so on: only numbers, texts and lists have an order, and only among themselves.
pub(super) fn compare(a: &Value, b: &Value) -> Result<Ordering, Error> {
    let number = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => return Ok(a.cmp(b)),
        _ if number(a) && number(b) => {
            let plain = |value: &Value| match value.kind() {
                ValueKind::Bool => Value::from(i64::from(value.is_true())),
                _ => value.clone(),
            };
            return Ok(plain(a).cmp(&plain(b)));
        }
        _ if is_list(a) && is_list(b) && a.is_tuple() == b.is_tuple() => {
            let (a, b) = (items(a)?, items(b)?);
            for (a, b) in a.iter().zip(&b) {
                if a != b {
                    return compare(a, b);
                }
            }
            return Ok(a.len().cmp(&b.len()));
        }
        _ if a.kind() == ValueKind::Plain && b.kind() == ValueKind::Plain => return Ok(a.cmp(b)),
        _ => {}
    }
    let message = format!("{} and {} have no order", type_name(a), type_name(b));
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// Sorts by a key, keeping the order of what is equal.
pub(super) fn sort(
    items: &mut Vec<Value>,
    key: impl Fn(&Value) -> Result<Value, Error>,
) -> Result<(), Error> {
    let keyed = items.iter().map(|item| Ok((key(item)?, item.clone()))).collect::<Result<Vec<_>, Error>>()?;
    *items = merge_sort(keyed)?.into_iter().map(|(_, item)| item).collect();
    Ok(())
}

/// The sort of std does not take a comparison that can fail.
fn merge_sort(mut items: Vec<(Value, Value)>) -> Result<Vec<(Value, Value)>, Error> {
    if items.len() < 2 {
        return Ok(items);
    }
    let mut right = merge_sort(items.split_off(items.len() / 2))?.into_iter().peekable();
    let mut left = merge_sort(items)?.into_iter().peekable();
    let mut sorted = Vec::with_capacity(left.len() + right.len());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if compare(&b.0, &a.0)?.is_lt() { right.next() } else { left.next() };
        sorted.extend(next);
    }
    sorted.extend(left);
    sorted.extend(right);
    Ok(sorted)
}

/// The items of a list, the keys of a map, the characters of a string.
pub(super) fn items(value: &Value) -> Result<Vec<Value>, Error> {
    if value.is_none() {
        return Err(Error::new(ErrorKind::InvalidOperation, "`None` can't be iterated over"));
    }
    value.try_iter()?.checked().collect()
}

/// A list or tuple, not a string and not a map.
pub(super) fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// What Ansible's `type_debug` calls it.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "AnsibleUndefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq | ValueKind::Iterable if value.is_tuple() => "tuple",
        ValueKind::Seq | ValueKind::Iterable => "list",
        ValueKind::Map => "dict",
        _ => python_datetime::type_name(value).unwrap_or("object"),
    }
}

/// A float as `repr()` writes it: the shortest digits that read back, an exponent outside of `1e-4..1e16`.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{number:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) => {
                let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
                format!("{digits}e{sign}{exponent:0>2}")
            }
            None => text,
        };
    }
    let text = number.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

/// A string as `repr()` writes it.
pub(super) fn quote(out: &mut String, text: &str) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if unprintable(c) => match u32::from(c) {
                code @ 0..=0xff => write!(out, "\\x{code:02x}")?,
                code @ 0x100..=0xffff => write!(out, "\\u{code:04x}")?,
                code => write!(out, "\\U{code:08x}")?,
            },
            c => out.push(c),
        }
    }
    out.push(quote);
    Ok(())
}

/// What `str.isprintable()` refuses, in the ranges that occur: controls, blanks other than the space, format characters.
fn unprintable(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}')
}
