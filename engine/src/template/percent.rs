//! `"%s: %d" % (a, b)`: Python's older formatting.

use minijinja::formatting::{self, FormatStyle};
use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::arguments::fail;
use super::python;

/// Formats values, of which a map gives the named ones.
pub(super) fn format(format: &str, args: &[Value]) -> Result<String, Error> {
    let mut rest = format;
    let mut spelled = String::with_capacity(format.len());
    let mut given = args.iter();
    let mut values = Vec::with_capacity(args.len());
    let mut named = false;
    while let Some(at) = rest.find('%') {
        let end = rest[at + 1..]
            .find(|c: char| c.is_ascii_alphabetic() && !"hlL".contains(c) || c == '%' || c == '(');
        let end = end.map_or(rest.len(), |end| at + 1 + end);
        let kind = rest[end..].chars().next();
        // The engine knows `%s` only, which is the same of a text that is written already.
        let kind_spelled =
            if matches!(kind, Some('r' | 'a')) { "s" } else { rest.get(end..=end).unwrap_or("") };
        spelled.push_str(&rest[..end]);
        spelled.push_str(kind_spelled);
        match kind {
            Some('%') | None => {}
            Some('(') => named = true,
            Some(kind) => {
                let stars = rest[at..end].matches('*').count();
                for _ in 0..stars {
                    values.push(given.next().ok_or_else(too_few)?.clone());
                }
                if !named {
                    values.push(written(given.next().ok_or_else(too_few)?, kind)?);
                }
            }
        }
        rest = rest.get(end + 1..).unwrap_or("");
    }
    spelled.push_str(rest);
    match args {
        // A map may have more than is asked for.
        [map] if map.kind() == ValueKind::Map => {
            let map = if named { std::slice::from_ref(map) } else { &values };
            return formatting::format(FormatStyle::Printf, &spelled, map);
        }
        _ if given.next().is_some() => return Err(fail("there are more values than places for them")),
        _ => {}
    }
    formatting::format(FormatStyle::Printf, &spelled, &values)
}

fn too_few() -> Error {
    fail("there are fewer values than places for them")
}

/// A value as the engine's formatting writes it like Python.
fn written(value: &Value, kind: char) -> Result<Value, Error> {
    match kind {
        'r' | 'a' => python::repr(value).map(Value::from),
        's' => python::text(value).map(Value::from),
        _ => Ok(value.clone()),
    }
}
