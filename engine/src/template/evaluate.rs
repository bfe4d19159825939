//! What the value of a variable is.
//!
//! Ansible renders it to text and reads the text again: what begins like a list or a map is read as Python's or JSON's
//! literal, and `True` and `False` are truth values. So `"{{ port + 1 }}"` is the text `81`. Only `"{{ port }}"`, a name and
//! nothing else, is what the name is.

use std::rc::Rc;

use minijinja::machinery;
use minijinja::machinery::ast::{Expr, Stmt};
use minijinja::value::{Serde, ValueKind};
use minijinja::{Error, Value};

use super::python::{self, Emitted};
use super::report::Failure;
use super::scope::Scope;
use super::source::Prepared;
use super::{Names, is_template, render};
use crate::inventory::literal;

/// The filters whose text stays text, whatever it looks like, if nothing is done to it.
const TEXT: [&str; 5] = ["string", "to_json", "to_nice_json", "to_yaml", "to_nice_yaml"];

/// [`render_value`](super::render_value) for the engine's own use: the value as templates see it, and whether an error is
/// about something undefined.
pub(crate) fn value(origin: &str, text: &str, names: Rc<dyn Names>) -> Result<Value, Failure> {
    if !is_template(text) {
        return Ok(Value::from(text));
    }
    if let Some(name) = only_name(text)
        && !names.is_text(name)
        && let Some(value) = names.get(name)?
        && matches!(value.kind(), ValueKind::Number | ValueKind::Bool | ValueKind::None)
    {
        return Ok(value);
    }
    let prepared = Prepared::value(origin, text)?;
    let scope = Scope::new(names, None, prepared.syntax.clone());
    let (rendered, emitted) = render(&prepared, &scope)?;
    if let Some(Emitted { count: 1, last }) = &emitted
        && python::text(last).is_ok_and(|alone| alone == rendered)
    {
        if stays_itself(last, 0).unwrap_or(false) {
            return Ok(last.clone());
        }
        if last.as_str().is_some() && stays_text(&prepared) {
            return Ok(Value::from(rendered));
        }
    }
    Ok(read(rendered))
}

/// The name of `{{ name }}`.
fn only_name(text: &str) -> Option<&str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let name = text.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    name.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(name)
}

/// A text as Ansible reads it again.
fn read(text: String) -> Value {
    match text.as_str() {
        "True" => Value::from(true),
        "False" => Value::from(false),
        _ if text.starts_with(['[', '{']) => {
            literal::collection(&text).map_or(Value::from(text), |value| Value::from(Serde(value)))
        }
        _ => Value::from(text),
    }
}

/// Whether a list, a map or a truth value is the same when its text is read again.
fn stays_itself(value: &Value, depth: usize) -> Result<bool, Error> {
    Ok(match value.kind() {
        ValueKind::Bool => true,
        ValueKind::Map if depth < 100 => {
            let mut same = true;
            for (key, value) in python::pairs(value)? {
                same &= inside(&key, depth)? && inside(&value, depth)?;
            }
            same
        }
        ValueKind::Seq | ValueKind::Iterable if depth < 100 && !(depth == 0 && value.is_tuple()) => {
            let mut same = true;
            for item in python::items(value)? {
                same &= inside(&item, depth)?;
            }
            same
        }
        _ => false,
    })
}

fn inside(value: &Value, depth: usize) -> Result<bool, Error> {
    Ok(match value.kind() {
        ValueKind::None | ValueKind::Bool | ValueKind::String => true,
        ValueKind::Number => f64::try_from(value.clone()).is_ok_and(f64::is_finite),
        _ => stays_itself(value, depth + 1)?,
    })
}

/// Whether the template is one expression whose last filter makes text that is not read again.
fn stays_text(prepared: &Prepared) -> bool {
    if !TEXT.iter().any(|filter| prepared.text.contains(filter)) {
        return false;
    }
    let Ok(Stmt::Template(template)) = machinery::parse(&prepared.body, "", prepared.syntax.clone()) else {
        return false;
    };
    let emitted = template.children.iter().find_map(|statement| match statement {
        Stmt::EmitExpr(emit) => Some(&emit.expr),
        _ => None,
    });
    emitted.is_some_and(makes_text)
}

fn makes_text(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Filter(filter) if TEXT.contains(&filter.name) => true,
        // These pass on what they are given.
        Expr::Filter(filter) if matches!(filter.name, "default" | "d" | "mandatory") => {
            filter.expr.as_ref().is_some_and(makes_text)
        }
        Expr::IfExpr(cond) => makes_text(&cond.true_expr),
        _ => false,
    }
}
