//! Jinja2 as Ansible renders it.
//!
//! [`render_file`] renders a template file, [`render_value`] a string of a variable, [`check`] looks at a template without
//! rendering it. All three see the same filters, tests and methods, and every error points into the text as the person
//! wrote it. An undefined name is an error where it is used.

mod arguments;
mod check;
mod environment;
mod evaluate;
mod filters;
mod functions;
mod header;
mod jmespath;
mod lookup;
mod methods;
mod mutable;
mod network;
mod network_tests;
mod percent;
mod predicates;
mod python;
mod python_datetime;
mod python_random;
mod reads;
mod report;
mod rewrite;
mod scope;
mod sequence;
mod source;
mod unsupported;
mod version;
mod visit;
mod yaml_writer;

use std::rc::Rc;

use minijinja::Value;
use minijinja::value::Serde;

use self::python::Emitted;
use self::scope::{Context, Scope};
use self::source::Prepared;
use crate::diagnostic::Diagnostic;

pub use self::check::{Uses, check};
pub(crate) use self::evaluate::value as evaluate;
pub(crate) use self::lookup::environment_variable;
pub(crate) use self::report::Failure;
pub(crate) use self::scope::{carry, undefined_because};

/// The names that a template sees.
pub trait Names {
    /// The value of a name, computed when it is asked for; `None` if there is no such name.
    ///
    /// # Errors
    /// The name exists and its value can't be had.
    fn get(&self, name: &str) -> Result<Option<Value>, Diagnostic>;

    /// Every name there is, for near matches.
    fn names(&self) -> Vec<String>;

    /// Whether the value of a name is written as text, which may be a template of something else. Names whose values are
    /// computed have what they are.
    fn is_text(&self, _name: &str) -> bool {
        false
    }

    /// Whether [`get`](Self::get) may have more to say of a name than that there is none. It costs nothing to ask.
    fn may_have(&self, _name: &str) -> bool {
        true
    }
}

/// The environment of this process as templates ask for it, where this is the controller.
pub struct OwnEnvironment;

impl Names for OwnEnvironment {
    fn get(&self, name: &str) -> Result<Option<Value>, Diagnostic> {
        let value = environment_variable(name).and_then(|name| std::env::var(name).ok());
        Ok(value.map(Value::from))
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn may_have(&self, name: &str) -> bool {
        environment_variable(name).is_some()
    }
}

/// A template that another one includes, imports or extends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file as a person would name it.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

/// Finds the templates that a template includes, imports or extends.
pub trait Loader {
    /// The template of a name as the including template spells it; `None` if there is no such template.
    ///
    /// # Errors
    /// The template exists and can't be read.
    fn load(&self, name: &str) -> Result<Option<Source>, Diagnostic>;

    /// The text of a file that a template looks up; `None` if there is no such file.
    ///
    /// # Errors
    /// The file exists and can't be read, or is no text.
    fn file(&self, _name: &str) -> Result<Option<String>, Diagnostic> {
        Ok(None)
    }
}

impl<F: Fn(&str) -> Result<Option<Source>, Diagnostic>> Loader for F {
    fn load(&self, name: &str) -> Result<Option<Source>, Diagnostic> {
        self(name)
    }
}

/// Renders a template file: the header line `#jinja2:` is honoured, the trailing newline kept.
///
/// `path` is the file as a person would name it, for errors.
///
/// # Errors
/// The template does not parse, uses something undefined, or a filter refuses its input.
pub fn render_file(
    path: &str,
    text: &str,
    names: Rc<dyn Names>,
    loader: Option<Rc<dyn Loader>>,
) -> Result<String, Diagnostic> {
    let prepared = Prepared::file(path, text)?;
    let scope = Scope::new(names, loader, prepared.syntax.clone());
    render(&prepared, &scope).map(|(text, _)| text).map_err(|failure| failure.diagnostic)
}

/// Evaluates a string of a variable as Ansible does: what it renders to is text, unless it reads like a list, a map, `True`
/// or `False`, or the string is just `{{ name }}` of a number; a string without a template in it is itself.
///
/// `origin` is how errors call the string, usually the variable's name.
///
/// # Errors
/// As [`render_file`].
pub fn render_value(origin: &str, text: &str, names: Rc<dyn Names>) -> Result<serde_json::Value, Diagnostic> {
    let value = evaluate::value(origin, text, names).map_err(|failure| failure.diagnostic)?;
    to_json(&value)
}

/// What templates can use, by the short names.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    /// What stands behind `|`.
    pub filters: Vec<&'static str>,
    /// What stands behind `is`.
    pub tests: Vec<&'static str>,
    /// What `lookup` and `query` take.
    pub lookups: Vec<&'static str>,
    /// What Ansible has of all this, and functions and variables, that is not supported: its whole name.
    pub unsupported: Vec<&'static str>,
}

/// What templates can use, sorted.
pub fn vocabulary() -> Vocabulary {
    let sorted = |mut names: Vec<&'static str>| {
        names.sort_unstable();
        names.dedup();
        names
    };
    Vocabulary {
        filters: sorted(filters::names()),
        tests: sorted(predicates::all().map(|(_, test)| test.name).chain(predicates::names()).collect()),
        lookups: sorted(lookup::PLUGINS.to_vec()),
        unsupported: sorted(unsupported::names()),
    }
}

/// Whether a string of a variable has anything to render in it.
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) || text.starts_with("#jinja2:")
}

fn render(prepared: &Prepared, scope: &Rc<Scope>) -> Result<(String, Option<Emitted>), Failure> {
    let _inside = scope.enter();
    let mut env = environment::copy();
    env.set_syntax(prepared.syntax.clone());
    let fail = |error| report::failure(&error, prepared, scope);
    let template = env.template_from_named_str(&prepared.path, &prepared.body).map_err(fail)?;
    let mut done = template.render_captured(Value::from_object(Context::default())).map_err(fail)?;
    let emitted = done.with_state_mut(|state| state.get_extension_mut::<Emitted>().map(std::mem::take));
    Ok((prepared.with_last_newlines(done.into_output()), emitted))
}

/// A template's value as JSON; keys become text as Python's `json` spells them.
pub(crate) fn to_json(value: &Value) -> Result<serde_json::Value, Diagnostic> {
    filters::json::plain(value).map_err(|error| report::unplaced(&error))
}

/// A value as Ansible's tools print JSON: over several lines, sorted by keys, letters as they are.
///
/// # Errors
/// The value is nested too deeply.
pub fn nice_json(value: &serde_json::Value) -> Result<String, Diagnostic> {
    filters::json::nice(&Value::from(Serde(value))).map_err(|error| report::unplaced(&error))
}

#[cfg(test)]
mod robustness;
#[cfg(test)]
mod tests;
