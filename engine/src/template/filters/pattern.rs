//! The filters for regular expressions.

use std::rc::Rc;

use minijinja::{Error, State, Value};

use super::json::start;
use crate::python_regex::{Flags, Pattern, PatternError, Replacement};
use crate::template::arguments::{Call, Callable, callable, fail};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable(
        "regex_replace",
        &["value", "pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"],
        replace,
    ),
    callable("regex_search", &["value", "regex", "*groups", "ignorecase", "multiline"], search),
    callable("regex_findall", &["value", "regex", "multiline", "ignorecase"], find_all),
    callable("regex_escape", &["value", "re_type"], escape),
];

/// The flags that Ansible's filters have.
pub(in crate::template) fn flags(call: &Call) -> Flags {
    let flag = |name| call.flag(name, false) || call.extra_flag(name);
    Flags { ignore_case: flag("ignorecase"), multiline: flag("multiline"), dot_all: false }
}

/// Compiles an expression for use on `text`.
pub(in crate::template) fn compile(pattern: &str, flags: Flags, text: &str) -> Result<Rc<Pattern>> {
    Pattern::compile(pattern, flags, text).map_err(failed)
}

pub(in crate::template) fn failed(error: PatternError) -> Error {
    fail(error.to_string())
}

fn replace(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let source = call.text("pattern", "")?;
    let pattern = compile(&source, flags(call), &text)?;
    let replacement = Replacement::parse(&call.text("replacement", "")?, &pattern).map_err(failed)?;
    let limit = match usize::try_from(call.integer("count")?.unwrap_or(0)) {
        Ok(limit) if limit > 0 => limit,
        _ => usize::MAX,
    };
    let (out, count) = pattern.replace(&text, &replacement, limit).map_err(failed)?;
    match call.integer("mandatory_count")? {
        Some(wanted) if wanted != 0 && usize::try_from(wanted) != Ok(count) => Err(fail(format!(
            "`{source}` should match {wanted} times, but matches {count} times in `{}`",
            start(&text)
        ))),
        _ => Ok(Value::from(out)),
    }
}

fn search(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let pattern = compile(&python::text(call.need("regex")?)?, flags(call), &text)?;
    let Some(found) = pattern.captures(&text).map_err(failed)? else {
        return Ok(Value::from(()));
    };
    let group =
        |number: usize| found.get(number).map_or(Value::from(()), |group| Value::from(group.as_str()));
    if call.rest.is_empty() {
        return Ok(group(0));
    }
    let mut groups = Vec::new();
    for wanted in &call.rest {
        let wanted = python::text(wanted)?;
        let name = wanted.strip_prefix("\\g<").and_then(|rest| rest.strip_suffix('>'));
        let number = name.or(wanted.strip_prefix('\\')).and_then(|number| number.parse::<usize>().ok());
        groups.push(match (number, name) {
            (Some(number), _) if number < found.len() => group(number),
            (None, Some(name)) if pattern.has_group(name) => {
                found.name(name).map_or(Value::from(()), |group| Value::from(group.as_str()))
            }
            _ => {
                return Err(fail(format!(
                    "`{wanted}` is not a group of the expression, like `\\1` or `\\g<name>`"
                )));
            }
        });
    }
    Ok(Value::from(groups))
}

/// Whole matches; with one group its texts, with more a list of each match's groups.
fn find_all(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let pattern = compile(&python::text(call.need("regex")?)?, flags(call), &text)?;
    let mut out = Vec::new();
    for found in pattern.matches(&text) {
        let found = found.map_err(failed)?;
        let group = |number: usize| Value::from(found.get(number).map_or("", |group| group.as_str()));
        out.push(match found.len() {
            1 => group(0),
            2 => group(1),
            groups => Value::from(minijinja::value::Tuple::from((1..groups).map(group).collect::<Vec<_>>())),
        });
    }
    Ok(Value::from(out))
}

fn escape(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let special = match call.text("re_type", "python")?.as_str() {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        "posix_basic" => "].[^$*\\",
        other => return Err(fail(format!("unknown `re_type` `{other}`; it is `python` or `posix_basic`"))),
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(Value::from(out))
}
