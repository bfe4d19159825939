//! `refrain vars`: what the variables of a host come to, where each is set, and what that overrides.

use std::fmt::Write;

use console::style;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::inventory::{Definition, is_secret};
use refrain_engine::runner::Written;
use refrain_engine::secrets::HIDDEN;
use refrain_engine::template;
use refrain_engine::variables::Variables;
use serde_json::{Map, Value, json};

use super::{complain, inventory, print, warn};
use crate::arguments::Vars;
use crate::exit;

/// Shows variables.
pub fn execute(arguments: &Vars) -> u8 {
    let shown = Written::read(&arguments.inventories, &arguments.extra_vars, arguments.playbook.as_deref())
        .and_then(|written| {
            warn(&written.warnings);
            text(arguments, &written).map_err(|problem| vec![problem])
        });
    match shown {
        Ok(text) => print(&text),
        Err(problems) => {
            complain(&problems);
            exit::BAD_INPUT
        }
    }
}

/// A variable of the host.
struct Shown<'a> {
    name: &'a str,
    /// What it comes to, or why that can't be known here.
    value: Result<Value, Diagnostic>,
    /// Where it is set; the last counts.
    definitions: Vec<Definition<'a>>,
}

fn text(arguments: &Vars, written: &Written) -> Result<String, Diagnostic> {
    inventory::known(&written.inventory, &arguments.host)?;
    let resolver = written.resolver();
    let variables = resolver.variables(&arguments.host);
    let mut shown = resolver.within(|| all(&arguments.host, arguments.name.as_deref(), written, &variables));
    shown.sort_by_key(|shown| shown.name);
    if let Some(name) = &arguments.name
        && shown.is_empty()
    {
        let names = variables.names();
        let problem = Diagnostic::new(format!("`{}` has no variable `{name}`", arguments.host));
        return Err(problem.near(name, names.iter().map(String::as_str)));
    }
    if arguments.json {
        let all: Map<String, Value> =
            shown.iter().map(|shown| (shown.name.to_owned(), as_json(shown))).collect();
        return Ok(serde_json::to_string_pretty(&all).unwrap_or_default() + "\n");
    }
    let mut text = String::new();
    for one in &shown {
        // Writing to a text can't fail.
        let _ = as_text(one, &mut text);
    }
    Ok(text)
}

fn all<'a>(host: &str, only: Option<&str>, written: &'a Written, variables: &Variables) -> Vec<Shown<'a>> {
    let mut definitions = written.inventory.definitions(host);
    for (name, variable) in &written.extra {
        definitions.entry(name).or_default().push(Definition { group: None, variable });
    }
    let wanted = definitions.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    wanted.map(|(name, definitions)| Shown { name, value: value(name, variables), definitions }).collect()
}

fn value(name: &str, variables: &Variables) -> Result<Value, Diagnostic> {
    let value = variables.require(name)?;
    Ok(if is_secret(name, &value) { HIDDEN.into() } else { value })
}

fn as_text(shown: &Shown<'_>, text: &mut String) -> std::fmt::Result {
    let name = style(shown.name).bold();
    match &shown.value {
        Ok(value) => writeln!(text, "{name} = {}", spelled(shown.name, value))?,
        Err(problem) => {
            writeln!(text, "{name}: {}", style(format!("not known here: {}", problem.message)).yellow())?
        }
    }
    for (at, definition) in shown.definitions.iter().rev().enumerate() {
        let value = &definition.variable.value;
        let told = match value {
            _ if is_secret(shown.name, value) => String::new(),
            Value::String(text) if at == 0 && !template::is_template(text) => String::new(),
            _ if at == 0 && definition.variable.templates.is_empty() && !value.is_string() => String::new(),
            value => format!("  {value}"),
        };
        let overridden = if at == 0 { "" } else { "overrides " };
        let group = definition.group.map(|group| format!(" ({group})")).unwrap_or_default();
        let origin = &definition.variable.origin;
        let origin = if origin.path() == "-e" { "-e".to_owned() } else { origin.to_string() };
        let line = format!("{overridden}{origin}{group}{told}");
        writeln!(text, "    {}", style(line).dim())?;
    }
    Ok(())
}

/// A value in JSON: on the line of its name where it fits, else over several lines.
fn spelled(name: &str, value: &Value) -> String {
    const WIDTH: usize = 100;
    let short = value.to_string();
    let is_long = name.len() + short.chars().count() > WIDTH && (value.is_array() || value.is_object());
    if is_long { serde_json::to_string_pretty(value).unwrap_or(short) } else { short }
}

fn as_json(shown: &Shown<'_>) -> Value {
    let set = shown.definitions.iter().rev().map(|definition| {
        let origin = &definition.variable.origin;
        let value = &definition.variable.value;
        let value = if is_secret(shown.name, value) { &json!(HIDDEN) } else { value };
        json!({
            "path": origin.path(), "line": origin.line(), "column": origin.column(),
            "group": definition.group, "written": value,
        })
    });
    let set: Vec<Value> = set.collect();
    match &shown.value {
        Ok(value) => json!({ "value": value, "set": set }),
        Err(problem) => json!({ "unknown": problem.message, "set": set }),
    }
}
