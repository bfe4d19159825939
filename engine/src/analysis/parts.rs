//! Scripts in their parts: what each function, closure and top level calls and uses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::Position;

use crate::diagnostic::Location;
use crate::module::Source;
use crate::script::calls::{Call, Literal, Script};
use crate::script::engine::original;
use crate::script::lint::{Catalogue, is_task_that_becomes};
use crate::script::units::Unit;

/// A script.
#[derive(Debug)]
pub(super) struct ScriptParts {
    /// Its path in the project.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
    /// What it says.
    pub script: Arc<Script>,
    /// The parts by their names; that of the top level is empty.
    pub parts: BTreeMap<String, Part>,
    /// The scripts that a namespace can mean, by the name that an import gives it.
    pub modules: BTreeMap<String, Vec<String>>,
}

/// A function, a closure, or the top level of a script.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// What it reads, and the functions that it points to.
    pub unit: Unit,
    /// The functions that it calls: namespace and name.
    pub calls: Vec<(String, String)>,
    /// The same by their places among all calls of the script, in the order of the source.
    pub order: Vec<usize>,
    /// Those of its calls that are only possible on the controller, with their places.
    pub needs: Vec<(String, Position)>,
    /// The roles that it runs; without a name where that is computed.
    pub roles: Vec<Option<String>>,
    /// The scripts that it imports.
    pub imports: Vec<String>,
    /// The templates and files that its calls name.
    pub sources: Vec<SourceName>,
    /// The variables that it sets itself: defaults, parameters of roles and templates.
    pub sets: BTreeSet<String>,
    /// Whether one of its tasks may become another user.
    pub tasks_become: bool,
}

/// A template or file as a call names it.
#[derive(Debug)]
pub(super) struct SourceName {
    /// Which of the two.
    pub kind: Source,
    /// The name; absent where it is computed.
    pub name: Option<String>,
    /// Where the name stands.
    pub position: Position,
}

impl ScriptParts {
    /// Takes a script apart. `imported` gives the script that an import means, if there is one.
    pub fn new(
        path: &str,
        text: &Arc<str>,
        script: &Arc<Script>,
        catalogue: &Catalogue<'_>,
        imported: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        for (name, unit) in &script.units {
            parts.insert(name.clone(), Part { unit: unit.clone(), ..Part::default() });
        }
        for (index, call) in script.calls.iter().enumerate() {
            let part = parts.entry(call.within.clone()).or_default();
            part.order.push(index);
            part.calls.push((call.namespace.clone(), call.name.clone()));
            if catalogue.needs_controller(call) {
                part.needs.push((call.full_name(), call.position));
            }
            if call.namespace.is_empty() && call.name == "role" && !call.method {
                let name = call.arguments.first().and_then(|(name, _)| name.text());
                part.roles.push(name.map(ToOwned::to_owned));
            }
            part.sources.extend(sources(call, catalogue));
            part.sets.extend(sets(call));
            part.tasks_become |= is_task_that_becomes(call);
        }
        let mut modules: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for import in &script.imports {
            let Some(found) = import.path.as_deref().and_then(&imported) else { continue };
            parts.entry(import.within.clone()).or_default().imports.push(found.clone());
            modules.entry(import.alias.clone()).or_default().push(found);
        }
        parts.values_mut().for_each(|part| part.order.sort_by_key(|index| script.calls[*index].position));
        Self { path: path.to_owned(), text: Arc::clone(text), script: Arc::clone(script), parts, modules }
    }

    /// The line and column of a position, from 1.
    pub fn line_and_column(&self, position: Position) -> (usize, usize) {
        original(&self.path, position).unwrap_or((1, 1))
    }

    /// The place of a position.
    pub fn at(&self, position: Position) -> Location {
        let (line, column) = self.line_and_column(position);
        Location::new(&self.path, &self.text, line, column)
    }
}

/// The variables that a call sets, as far as their names are written out.
fn sets(call: &Call) -> impl Iterator<Item = String> {
    let map = match (call.namespace.as_str(), call.name.as_str(), call.arguments.last()) {
        ("", "defaults" | "role", Some((Literal::Map(variables), _))) => variables.as_slice(),
        ("", ..) => &[],
        (.., Some((Literal::Map(options), _))) => {
            let variables = options.iter().find(|(name, ..)| name == "vars");
            match variables {
                Some((.., Literal::Map(variables))) => variables.as_slice(),
                _ => &[],
            }
        }
        _ => &[],
    };
    map.iter().map(|(name, ..)| name.clone())
}

/// The templates and files of the project that a module call names.
fn sources(call: &Call, catalogue: &Catalogue<'_>) -> Vec<SourceName> {
    let Some(known) = catalogue.arguments(&call.full_name()) else { return Vec::new() };
    let options = match call.arguments.last() {
        Some((Literal::Map(options), _)) => options.as_slice(),
        _ => &[],
    };
    // With `remote`, the source is a path on the host.
    let is_on = |value: &Literal| !matches!(value, Literal::Plain(serde_json::Value::Bool(false)));
    if options.iter().any(|(name, _, value)| name == "remote" && is_on(value)) {
        return Vec::new();
    }
    let found = known.iter().filter_map(|argument| {
        let kind = argument.source?;
        let named = options.iter().find(|(name, ..)| *name == argument.name);
        let positional = argument.position.and_then(|position| call.arguments.get(position));
        let (value, position) = match (named, positional) {
            (Some((_, position, value)), _) => (value, *position),
            (None, Some((value, position))) => (value, *position),
            (None, None) => return None,
        };
        // A map in the place of the source holds the options.
        let name = match value {
            Literal::Map(_) => return None,
            value => value.text().map(ToOwned::to_owned),
        };
        Some(SourceName { kind, name, position })
    });
    found.collect()
}
