//! The engine, set up once as Ansible sets up Jinja2.

use std::sync::OnceLock;

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{AutoEscape, Environment, Error, State, UndefinedBehavior, Value};

use super::arguments::Callable;
use super::{
    filters, functions, methods, mutable, percent, predicates, python, python_datetime, rewrite, scope,
};

/// A copy of the engine, which is cheap: what it knows is shared, what it loads is its own.
pub(super) fn copy() -> Environment<'static> {
    static BASE: OnceLock<Environment<'static>> = OnceLock::new();
    BASE.get_or_init(build).clone()
}

fn build() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_formatter(python::emit);
    env.set_unknown_method_callback(methods::call);
    // Errors have to say which expression was undefined, and where; the engine keeps track of that in debug mode only.
    env.set_debug(true);
    env.set_loader(load);
    env.remove_global("debug");
    // What the engine has and Jinja2 hasn't, or does otherwise.
    for filter in ["chain", "lines", "pprint"] {
        env.remove_filter(filter);
    }
    for test in ["endingwith", "int", "startingwith"] {
        env.remove_test(test);
    }
    for (collection, filter) in filters::all() {
        env.add_filter(format!("{collection}.{}", filter.name), body(filter, "filter"));
        env.add_filter(filter.name, body(filter, "filter"));
    }
    for (collection, test) in predicates::all() {
        env.add_test(format!("{collection}.{}", test.name), body(test, "test"));
        if collection == predicates::BUILTIN_COLLECTION {
            env.add_test(test.name, body(test, "test"));
        }
    }
    for function in functions::all() {
        env.add_function(function.name, body(function, "function"));
    }
    env.add_filter(rewrite::LOOKUP, forgiving_lookup);
    env.add_filter(rewrite::MUTABLE, |value: &Value| mutable::of(value));
    env.add_filter(rewrite::PERCENT, percent);
    env.add_filter(rewrite::MINUS, |a: &Value, b: &Value| python_datetime::minus(a, b));
    env
}

/// Only where it is asked for does a function get arguments by name.
fn body(
    callable: Callable,
    kind: &'static str,
) -> impl Fn(&mut State<'_, '_>, Rest<ValueOrKwargs>) -> Result<Value, Error> + Send + Sync + 'static {
    move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
        let args = args.0.into_iter().map(ValueOrKwargs::into_value).collect();
        callable.call(kind, state, Rest(args))
    }
}

/// `"…" % value`, of which a tuple is several.
fn percent(format: &str, value: &Value) -> Result<Value, Error> {
    let several = value.is_tuple().then(|| python::items(value)).transpose()?;
    percent::format(format, &several.unwrap_or_else(|| vec![value.clone()])).map(Value::from)
}

/// See [`rewrite`].
fn forgiving_lookup(value: &Value, key: &Value) -> Result<Value, Error> {
    if value.is_undefined() { Ok(value.clone()) } else { value.get_item(key) }
}

/// Loads an included or imported template through the loader of the scope.
fn load(name: &str) -> Result<Option<String>, Error> {
    let Some(scope) = scope::current() else { return Ok(None) };
    let Some(loader) = &scope.loader else { return Ok(None) };
    let Some(source) = loader.load(name).map_err(scope::carry)? else { return Ok(None) };
    Ok(Some(scope.include(name, &source)))
}
