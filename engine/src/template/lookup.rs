//! `lookup('vars', …)` and `query('vars', …)`: variables whose names are computed.

use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::{Call, Callable, Hint, callable, fail};
use super::{python, scope};

const PARAMETERS: &[&str] = &["plugin", "*names", "default"];

/// The functions. `query` gives a list, `lookup` the value of one name and a list for several.
pub(super) fn all() -> [Callable; 3] {
    [
        callable("lookup", PARAMETERS, lookup),
        callable("query", PARAMETERS, query),
        callable("q", PARAMETERS, query),
    ]
}

fn lookup(state: &mut State<'_, '_>, call: &Call) -> Result<Value, Error> {
    let values = query(state, call)?;
    match values.len() {
        Some(1) => values.get_item_by_index(0),
        _ => Ok(values),
    }
}

fn query(_: &mut State<'_, '_>, call: &Call) -> Result<Value, Error> {
    let plugin = python::text(call.need("plugin")?)?;
    if plugin != "vars" {
        let hint = "`vars` is all that is looked up on a host: read files and commands in the playbook";
        return Err(fail(format!("there is no lookup `{plugin}`")).with_source(Hint(hint.to_owned())));
    }
    let mut names = Vec::new();
    for name in &call.rest {
        if python::is_list(name) { names.extend(python::items(name)?) } else { names.push(name.clone()) }
    }
    let values = names.iter().map(|name| variable(&python::text(name)?, call.extra("default")));
    values.collect::<Result<Vec<Value>, Error>>().map(Value::from)
}

fn variable(name: &str, default: Option<&Value>) -> Result<Value, Error> {
    let scope = scope::current();
    let found = scope.map(|scope| scope.names.get(name)).transpose().map_err(scope::carry)?.flatten();
    match (found.filter(|value| !value.is_undefined()), default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(Error::new(ErrorKind::UndefinedError, format!("`{name}` is undefined"))),
    }
}
