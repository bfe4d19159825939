//! Filters that apply another filter or a test to each item: `map`, `select`, `reject` and those with `attr`.

use minijinja::value::Kwargs;
use minijinja::{Error, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("map", &["value", "*args", "attribute", "default", "**"], map),
    callable("select", &["value", "*args", "**"], |state, call| select(state, call, true, false)),
    callable("reject", &["value", "*args", "**"], |state, call| select(state, call, false, false)),
    callable("selectattr", &["value", "*args", "**"], |state, call| select(state, call, true, true)),
    callable("rejectattr", &["value", "*args", "**"], |state, call| select(state, call, false, true)),
];

/// The tests that ask what a value is and not what is in it, so that they take what is undefined.
const OF_TYPE: [&str; 12] = [
    "boolean",
    "callable",
    "defined",
    "false",
    "float",
    "integer",
    "mapping",
    "none",
    "number",
    "string",
    "true",
    "undefined",
];

/// The arguments behind the first `skip`, for the filter or test that is applied.
fn passed_on(call: &Call, skip: usize) -> Vec<Value> {
    let mut args: Vec<Value> = call.rest.iter().skip(skip).cloned().collect();
    let mut named = call.named().peekable();
    if named.peek().is_some() {
        args.push(named.map(|(name, value)| (name, value.clone())).collect::<Kwargs>().into());
    }
    args
}

fn map(state: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    // Jinja2 finds no items in what is false.
    if !call.value()?.is_true() {
        return Ok(Value::from(Vec::<Value>::new()));
    }
    let items = call.items()?;
    if let Some(attribute) = call.extra("attribute") {
        let found = |item: &Value| {
            let found = python::attribute(item, attribute)?;
            match call.extra("default") {
                Some(default) if found.is_undefined() => Ok(default.clone()),
                _ => Ok(found),
            }
        };
        return items.iter().map(found).collect::<Result<Vec<Value>>>().map(Value::from);
    }
    let filter = python::text(call.rest.first().ok_or_else(|| fail("it needs a filter or `attribute`"))?)?;
    let args = passed_on(call, 1);
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        out.push(state.apply_filter(&filter, &[&[item], args.as_slice()].concat())?);
    }
    Ok(Value::from(out))
}

fn select(state: &mut State<'_, '_>, call: &Call, wanted: bool, by_attribute: bool) -> Result<Value> {
    // Jinja2 finds no items in what is false.
    if !call.value()?.is_true() {
        return Ok(Value::from(Vec::<Value>::new()));
    }
    let skip = usize::from(by_attribute);
    let attribute = match call.rest.first() {
        Some(attribute) if by_attribute => Some(attribute),
        None if by_attribute => return Err(fail("it needs the name of an attribute")),
        _ => None,
    };
    let test = call.rest.get(skip).map(python::text).transpose()?;
    let args = passed_on(call, skip + 1);
    let mut out = Vec::new();
    for item in call.items()? {
        let value = attribute.map_or_else(|| Ok(item.clone()), |name| python::attribute(&item, name))?;
        let holds = match &test {
            Some(test) if value.is_undefined() && !OF_TYPE.contains(&test.as_str()) => {
                return Err(python::undefined(&value));
            }
            Some(test) => state.perform_test(test, &[&[value], args.as_slice()].concat())?,
            None if value.is_undefined() => return Err(python::undefined(&value)),
            None => value.is_true(),
        };
        if holds == wanted {
            out.push(item);
        }
    }
    Ok(Value::from(out))
}
