//! `refrain vars`: what the variables of a host come to, where each is set, and what that overrides.

use std::collections::HashSet;
use std::fmt::Write;

use console::style;
use indexmap::IndexMap;
use refrain_engine::analysis::settings::{Layer, PlaySettings, Setting};
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
    let (playbook, registry) = (arguments.playbook.as_deref(), refrain_stdlib::registry());
    let shown =
        Written::read(&arguments.sources.inventories, &arguments.sources.extra_vars, playbook, &registry)
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
    /// What it comes to, or why that can't be known here. Absent where scripts alone set it, and not all to the same.
    value: Option<Result<Value, Diagnostic>>,
    /// Where it is set, from the lowest layer to the highest; the last counts wherever it is set.
    definitions: Vec<Place<'a>>,
}

/// A place that sets a variable.
enum Place<'a> {
    /// In a script: in one play or role.
    Script(&'a Setting),
    /// In the inventory, or by `-e`.
    Data(Definition<'a>),
}

fn text(arguments: &Vars, written: &Written) -> Result<String, Diagnostic> {
    inventory::known(&written.inventory, &arguments.host)?;
    let settings = settings(&arguments.host, written)?;
    let resolver = written.resolver();
    let variables = resolver.variables(&arguments.host);
    let mut shown = resolver.within(|| all(arguments, written, &settings, &variables));
    shown.sort_by_key(|shown| shown.name);
    if let Some(name) = &arguments.name
        && shown.is_empty()
    {
        let names = variables.names();
        let names = names.iter().map(String::as_str).chain(settings.iter().map(|setting| &*setting.name));
        let problem = Diagnostic::new(format!("`{}` has no variable `{name}`", arguments.host));
        return Err(problem.near(name, names));
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

/// What the plays set that run on the host. A pattern that is computed may select it.
fn settings<'a>(host: &str, written: &'a Written) -> Result<Vec<&'a Setting>, Diagnostic> {
    let mut settings: Vec<&Setting> = Vec::new();
    for PlaySettings { hosts, settings: of_play } in &written.plays {
        let selected = hosts.as_ref().map(|pattern| written.inventory.select(pattern)).transpose()?;
        if selected.is_none_or(|selected| selected.iter().any(|name| name == host)) {
            settings.extend(of_play);
        }
    }
    // Several plays may have a role.
    let mut unique: Vec<&Setting> = Vec::new();
    let mut seen = HashSet::new();
    for setting in settings {
        if seen.insert((&setting.name, &setting.path, setting.line, setting.column)) {
            unique.push(setting);
        }
    }
    Ok(unique)
}

fn all<'a>(
    arguments: &Vars,
    written: &'a Written,
    settings: &[&'a Setting],
    variables: &Variables,
) -> Vec<Shown<'a>> {
    let mut definitions: IndexMap<&str, Vec<Place<'a>>> = IndexMap::new();
    let mut add = |name: &'a str, place: Place<'a>| definitions.entry(name).or_default().push(place);
    let of_layer = |layer| settings.iter().filter(move |setting| setting.layer == layer);
    of_layer(Layer::Default).for_each(|setting| add(&setting.name, Place::Script(setting)));
    for (name, of_inventory) in written.inventory.definitions(&arguments.host) {
        of_inventory.into_iter().for_each(|definition| add(name, Place::Data(definition)));
    }
    for layer in [Layer::Play, Layer::Parameter] {
        of_layer(layer).for_each(|setting| add(&setting.name, Place::Script(setting)));
    }
    for (name, variable) in &written.extra {
        add(name, Place::Data(Definition { group: None, variable }));
    }
    let only = arguments.name.as_deref();
    let wanted = definitions.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    wanted
        .map(|(name, definitions)| Shown { name, value: value(name, &definitions, variables), definitions })
        .collect()
}

fn value(name: &str, definitions: &[Place<'_>], variables: &Variables) -> Option<Result<Value, Diagnostic>> {
    let hidden = |value: Value| if is_secret(name, &value) { HIDDEN.into() } else { value };
    if definitions.iter().any(|place| matches!(place, Place::Data(_))) {
        return Some(variables.require(name).map(hidden));
    }
    match definitions {
        [Place::Script(Setting { value: Some(value), layer: Layer::Default, .. })] => {
            Some(Ok(hidden(value.clone())))
        }
        _ => None,
    }
}

fn as_text(shown: &Shown<'_>, text: &mut String) -> std::fmt::Result {
    let name = style(shown.name).bold();
    match &shown.value {
        Some(Ok(value)) => writeln!(text, "{name} = {}", spelled(shown.name, value))?,
        Some(Err(problem)) => {
            writeln!(text, "{name}: {}", style(format!("not known here: {}", problem.message)).yellow())?
        }
        None => writeln!(text, "{name}: {}", style("as the scripts say").yellow())?,
    }
    let is_extra = |place: &Place<'_>| matches!(place, Place::Data(data) if is_extra(data));
    let has_extra = shown.definitions.iter().any(is_extra);
    let is_data = |place: &Place<'_>| matches!(place, Place::Data(_));
    let (has_data, is_alone) = (shown.definitions.iter().any(is_data), shown.definitions.len() == 1);
    // Wherever a play or a role sets it itself, that counts there; what stands behind is what counts elsewhere.
    let mut is_first = true;
    for place in shown.definitions.iter().rev() {
        // A default counts everywhere only where nothing else is said.
        let is_everywhere = |setting: &Setting| setting.layer == Layer::Default && (has_data || is_alone);
        let is_local = matches!(place, Place::Script(setting) if !is_everywhere(setting));
        let lead = match (is_local && !has_extra, is_first) {
            (true, _) => "there: ",
            (false, true) => "",
            (false, false) => "overrides ",
        };
        let (place, value) = match place {
            Place::Script(setting) => (of_script(setting), in_script(shown, setting)),
            Place::Data(definition) => (of_data(definition), in_data(shown.name, definition, is_first)),
        };
        is_first &= is_local && !has_extra;
        writeln!(text, "    {}", style(format!("{lead}{place}{value}")).dim())?;
    }
    Ok(())
}

fn is_extra(definition: &Definition<'_>) -> bool {
    definition.variable.origin.path() == "-e"
}

/// Where a script sets it, in words.
fn of_script(setting: &Setting) -> String {
    let whose = |what: &str| match &setting.of {
        Some(name) => format!("{what} `{name}`"),
        None => format!("a {what} whose name is computed"),
    };
    let about = match (setting.layer, &setting.of) {
        (Layer::Default, None) => "default".to_owned(),
        (Layer::Default, Some(_)) => format!("default of {}", whose("role")),
        (Layer::Play, _) => whose("play"),
        (Layer::Parameter, _) => format!("parameter of {}", whose("role")),
    };
    format!("{}:{} ({about})", setting.path, setting.line)
}

/// What is written there; not again what counts.
fn in_script(shown: &Shown<'_>, setting: &Setting) -> String {
    match &setting.value {
        Some(value) if is_secret(shown.name, value) => String::new(),
        Some(value)
            if shown.definitions.len() == 1 && matches!(&shown.value, Some(Ok(known)) if known == value) =>
        {
            String::new()
        }
        Some(value) => format!("  {value}"),
        None => "  (computed)".to_owned(),
    }
}

/// Where the inventory or the command line sets it, in words.
fn of_data(definition: &Definition<'_>) -> String {
    let group = definition.group.map(|group| format!(" ({group})")).unwrap_or_default();
    let origin = &definition.variable.origin;
    let origin = if is_extra(definition) { "-e".to_owned() } else { origin.to_string() };
    format!("{origin}{group}")
}

/// What is written there; not again what counts, where that is the same.
fn in_data(name: &str, definition: &Definition<'_>, counts: bool) -> String {
    let value = &definition.variable.value;
    match value {
        _ if is_secret(name, value) => String::new(),
        Value::String(text) if counts && !template::is_template(text) => String::new(),
        _ if counts && definition.variable.templates.is_empty() && !value.is_string() => String::new(),
        value => format!("  {value}"),
    }
}

/// A value in JSON: on the line of its name where it fits, else over several lines.
fn spelled(name: &str, value: &Value) -> String {
    const WIDTH: usize = 100;
    let short = value.to_string();
    let is_long = name.len() + short.chars().count() > WIDTH && (value.is_array() || value.is_object());
    if is_long { serde_json::to_string_pretty(value).unwrap_or(short) } else { short }
}

fn as_json(shown: &Shown<'_>) -> Value {
    let shown_value =
        |value: &Value| if is_secret(shown.name, value) { json!(HIDDEN) } else { value.clone() };
    let set = shown.definitions.iter().rev().map(|place| match place {
        Place::Data(definition) => {
            let origin = &definition.variable.origin;
            let layer = match definition.group {
                Some(_) => "group",
                None if is_extra(definition) => "extra",
                None => "host",
            };
            json!({
                "layer": layer, "path": origin.path(), "line": origin.line(), "column": origin.column(),
                "group": definition.group, "written": shown_value(&definition.variable.value),
            })
        }
        Place::Script(setting) => {
            let (layer, of) = match setting.layer {
                Layer::Default => ("default", "role"),
                Layer::Play => ("play", "play"),
                Layer::Parameter => ("parameter", "role"),
            };
            // What is computed has no `written`.
            let mut set = json!({
                "layer": layer, "path": setting.path, "line": setting.line, "column": setting.column,
                of: setting.of,
            });
            if let Some(value) = &setting.value {
                set["written"] = shown_value(value);
            }
            set
        }
    });
    let set: Vec<Value> = set.collect();
    match &shown.value {
        Some(Ok(value)) => json!({ "value": value, "set": set }),
        Some(Err(problem)) => json!({ "unknown": problem.message, "set": set }),
        None => json!({ "unknown": "it depends on the play and the role", "set": set }),
    }
}
