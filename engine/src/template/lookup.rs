//! `lookup('dict', …)` and `query('vars', …)`: Ansible's lookups, as far as they need nothing but what has travelled.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::{Call, Callable, Hint, callable, fail, unknown};
use super::filters::pattern::{compile, failed};
use super::filters::{data, sets};
use super::python_random::Random;
use super::scope::Context;
use super::unsupported::{self, Kind};
use super::{python, scope, sequence};
use crate::python_regex::Flags;

type Result<T> = std::result::Result<T, Error>;

const PARAMETERS: &[&str] = &["plugin", "*terms", "**"];

/// What can be looked up.
pub(super) const PLUGINS: [&str; 15] = [
    "dict",
    "env",
    "file",
    "flattened",
    "indexed_items",
    "items",
    "list",
    "nested",
    "random_choice",
    "sequence",
    "subelements",
    "template",
    "together",
    "varnames",
    "vars",
];

/// Under which names the variables have those of the controller's environment. No variable of theirs can be called so.
const ENVIRONMENT: &str = "lookup env ";

/// The variable of the controller's environment that a name asks for, if it does.
pub(crate) fn environment_variable(name: &str) -> Option<&str> {
    name.strip_prefix(ENVIRONMENT)
}

/// The functions. `query` gives a list, `lookup` makes one text of several.
pub(super) fn all() -> [Callable; 3] {
    [
        callable("lookup", PARAMETERS, lookup),
        callable("query", PARAMETERS, query),
        callable("q", PARAMETERS, query),
    ]
}

/// The short name of a lookup, which may be written with its collection.
pub(super) fn short_name(plugin: &str) -> &str {
    plugin.strip_prefix("ansible.builtin.").unwrap_or(plugin)
}

fn lookup(state: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let found = query(state, call)?;
    if call.extra_flag("wantlist") {
        return Ok(found);
    }
    let items = python::items(&found)?;
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    Ok(match (texts, items.as_slice()) {
        (Some(texts), [_, ..]) => Value::from(texts.join(",")),
        (None, [only]) => only.clone(),
        _ => found,
    })
}

fn query(state: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let plugin = python::text(call.need("plugin")?)?;
    if let Some(missing) = call.rest.iter().find(|term| term.is_undefined()) {
        return Err(python::undefined(missing));
    }
    let found = match short_name(&plugin) {
        "vars" => each(call, |name| variable(name, call.extra("default"))),
        "varnames" => variable_names(call),
        "env" => each(call, |name| environment(name, call.extra("default"))),
        "file" => each(call, |name| file(name, call)),
        "template" => {
            let names = one_level(&call.rest)?;
            names.iter().map(|name| rendered(state, &python::text(name)?)).collect()
        }
        "list" => Ok(call.rest.clone()),
        "items" => one_level(&call.rest),
        "flattened" => data::flattened(&call.rest),
        "dict" => dict(call),
        "indexed_items" => {
            let items = one_level(&call.rest)?.into_iter().enumerate();
            Ok(items.map(|(at, item)| python::tuple([Value::from(at), item])).collect())
        }
        "sequence" => one_level(&each(call, sequence::numbers)?),
        "nested" => sets::nested(&call.rest),
        "together" => sets::together(&call.rest),
        "subelements" => subelements(state, call),
        "random_choice" => {
            let at = Random::unseeded().below(call.rest.len().max(1) as u128);
            // It is below the number of terms.
            Ok(call.rest.get(usize::try_from(at).unwrap_or(0)).cloned().into_iter().collect())
        }
        other => return Err(missing(other)),
    };
    found.map(Value::from)
}

/// An error about a lookup that is not there.
fn missing(plugin: &str) -> Error {
    match unsupported::hint(Kind::Lookup, plugin) {
        Some(hint) => {
            fail(format!("the lookup `{plugin}` is not supported")).with_source(Hint(hint.to_owned()))
        }
        None => unknown(format!("unknown lookup `{plugin}`"), plugin, PLUGINS),
    }
}

/// What `find` gives for each term; a list is several terms where only texts are asked for.
fn each(call: &Call, find: impl Fn(&str) -> Result<Value>) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for term in &call.rest {
        let terms = if python::is_list(term) { python::items(term)? } else { vec![term.clone()] };
        for term in terms {
            found.push(find(&python::text(&term)?)?);
        }
    }
    Ok(found)
}

fn variable(name: &str, default: Option<&Value>) -> Result<Value> {
    let scope = scope::current();
    let found = scope.map(|scope| scope.names.get(name)).transpose().map_err(scope::carry)?.flatten();
    match (found.filter(|value| !value.is_undefined()), default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(Error::new(ErrorKind::UndefinedError, format!("`{name}` is undefined"))),
    }
}

fn variable_names(call: &Call) -> Result<Vec<Value>> {
    let names = scope::current().map(|scope| scope.names.names()).unwrap_or_default();
    let mut found = Vec::new();
    for pattern in &call.rest {
        let pattern = compile(&python::text(pattern)?, Flags::default(), "")?;
        for name in &names {
            if pattern.is_match(name).map_err(failed)? {
                found.push(Value::from(name.as_str()));
            }
        }
    }
    Ok(found)
}

/// A variable of the controller's environment, which has travelled if its name is written out.
fn environment(name: &str, default: Option<&Value>) -> Result<Value> {
    // Ansible takes the first word.
    let name = name.split_whitespace().next().unwrap_or_default();
    let scope = scope::current();
    let found = scope
        .map(|scope| scope.names.get(&format!("{ENVIRONMENT}{name}")))
        .transpose()
        .map_err(scope::carry)?;
    match (found.flatten(), default) {
        (Some(value), _) if !value.is_none() => Ok(value),
        (_, Some(default)) if default.is_undefined() => Err(python::undefined(default)),
        (_, default) => Ok(default.cloned().unwrap_or_else(|| Value::from(""))),
    }
}

/// A file of the project, without the blanks at its end.
fn file(name: &str, call: &Call) -> Result<Value> {
    let Some(loader) = scope::current().and_then(|scope| scope.loader.clone()) else {
        return Err(fail("a file can be looked up in a template, not in the value of a variable"));
    };
    let text = loader.file(name).map_err(scope::carry)?;
    let text = text.ok_or_else(|| fail(format!("there is no file `{name}`")))?;
    let flag = |name: &str, default: bool| call.extra(name).map_or(default, Value::is_true);
    let text = if flag("rstrip", true) { text.trim_end() } else { &text };
    Ok(Value::from(if flag("lstrip", false) { text.trim_start() } else { text }))
}

/// Another template, which sees what this one sees but for its own names.
fn rendered(state: &mut State<'_, '_>, name: &str) -> Result<Value> {
    let template = state.env().get_template(name)?;
    let context = Context { looked_up: Some(name.to_owned()) };
    let text = template.render(Value::from_object(context))?;
    let source = scope::current().and_then(|scope| scope.included.borrow().get(name).cloned());
    Ok(Value::from(source.map_or(text.clone(), |source| source.with_last_newlines(text))))
}

/// The items, those of lists among them too.
fn one_level(terms: &[Value]) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    for term in terms {
        if python::is_list(term) { items.extend(python::items(term)?) } else { items.push(term.clone()) }
    }
    Ok(items)
}

fn dict(call: &Call) -> Result<Vec<Value>> {
    let mut entries = Vec::new();
    for term in one_level(&call.rest)? {
        if term.kind() != ValueKind::Map {
            return Err(fail(format!("expected a map, got {}", python::type_name(&term))));
        }
        let entry = |(key, value)| Value::from_pairs([("key", key), ("value", value)]);
        entries.extend(python::pairs(&term)?.into_iter().map(entry));
    }
    Ok(entries)
}

fn subelements(state: &mut State<'_, '_>, call: &Call) -> Result<Vec<Value>> {
    let [list, path, flags @ ..] = call.rest.as_slice() else {
        return Err(fail("`subelements` needs a list and the name of what is in its items"));
    };
    let skip = match flags.first() {
        Some(flags) => flags.get_attr("skip_missing")?,
        None => Value::from(false),
    };
    let pairs = state.apply_filter("subelements", &[list.clone(), path.clone(), skip])?;
    python::items(&pairs)
}
