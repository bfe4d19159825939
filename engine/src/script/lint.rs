//! What can be said against a script without running it: unknown names, wrong arguments, things that are not there.

use std::collections::HashMap;
use std::sync::OnceLock;

use rhai::Position;
use serde_json::Value;

use super::calls::{Call, Literal, Script};
use super::names::Names;
use super::vocabulary;
use super::words::NEED_CONTROLLER;
use super::{current, playbook, task, verdict};
use crate::diagnostic::{Diagnostic, Location, near_match};
use crate::escalation::EscalationOptions;
use crate::module::{Argument, Contract, Registry};

/// The arguments of every module function, worked out once: schemas are not free.
pub struct Catalogue<'a> {
    registry: &'a Registry,
    arguments: HashMap<&'static str, OnceLock<Vec<Argument>>>,
    builtins: OnceLock<HashMap<String, Vec<usize>>>,
}

impl<'a> Catalogue<'a> {
    /// The catalogue of a registry.
    pub fn new(registry: &'a Registry) -> Self {
        let arguments = registry.entries().map(|entry| (entry.name, OnceLock::new())).collect();
        Self { registry, arguments, builtins: OnceLock::new() }
    }

    /// The arguments of a function, by its whole name.
    pub fn arguments(&self, name: &str) -> Option<&[Argument]> {
        let entry = self.registry.get(name)?;
        let cell = self.arguments.get(name)?;
        Some(cell.get_or_init(|| entry.arguments()))
    }

    /// Whether what is called is only possible on the controller.
    pub fn needs_controller(&self, call: &Call) -> bool {
        if call.namespace.is_empty() {
            return !call.method && NEED_CONTROLLER.contains(&call.name.as_str());
        }
        self.registry.get(&call.full_name()).is_some_and(|entry| entry.needs_controller)
    }

    /// Rhai's own functions and the words of the language: how many arguments each can take.
    fn builtins(&self) -> &HashMap<String, Vec<usize>> {
        self.builtins.get_or_init(|| {
            let engine = super::engine::engine(self.registry);
            let mut all: HashMap<String, Vec<usize>> = HashMap::new();
            // Keywords that are called like functions, which the metadata does not list.
            for (name, arity) in [
                ("Fn", 1),
                ("call", 1),
                ("curry", 1),
                ("type_of", 1),
                ("is_def_var", 1),
                ("is_def_fn", 2),
                ("is_shared", 1),
                ("parse_json", 1),
            ] {
                all.entry(name.to_owned()).or_default().push(arity);
            }
            let functions = engine.collect_fn_metadata(
                None,
                |function| {
                    let global = function.namespace.is_empty();
                    global.then(|| (function.metadata.name.to_string(), function.metadata.num_params))
                },
                true,
            );
            for (name, arity) in functions {
                all.entry(name).or_default().push(arity);
            }
            all
        })
    }
}

/// A script that is being checked.
pub struct Subject<'a> {
    /// Its path in the project.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
    /// What it says.
    pub script: &'a Script,
    /// Whether it is a playbook, whose top level has no host.
    pub is_playbook: bool,
}

impl Subject<'_> {
    /// The place at a position.
    pub fn at(&self, position: Position) -> Location {
        let (line, column) = super::engine::original(self.path, position).unwrap_or((1, 1));
        Location::new(self.path, self.text, line, column)
    }
}

/// Checks everything about a script that needs nothing but itself and the standard library.
pub fn check(catalogue: &Catalogue<'_>, subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for call in &subject.script.calls {
        let is_module = catalogue.registry.get(&call.full_name()).is_some();
        if subject.is_playbook && call.within.is_empty() && is_module {
            let error = current::without_host(&call.full_name()).at(subject.at(call.position));
            problems.push(error);
            continue;
        }
        let problem = if call.namespace.is_empty() {
            check_word(catalogue, subject, call)
        } else {
            check_module_call(catalogue, subject, call)
        };
        problems.extend(problem);
    }
    problems
}

/// What is wrong with the names of a script.
pub fn check_names(subject: &Subject<'_>, names: &Names) -> Vec<Diagnostic> {
    let known = || vocabulary::values().chain(names.defined.iter().map(String::as_str));
    let undefined = names.undefined.iter().map(|(name, position)| {
        Diagnostic::new(format!("unknown variable `{name}`")).at(subject.at(*position)).near(name, known())
    });
    let assigned = names.assigned_captures.iter().map(|(name, position)| {
        Diagnostic::new(format!("`{name}` belongs to the top level; a play's body can't assign to it"))
            .at(subject.at(*position))
            .hint("the body has a copy on its host: give it a variable of its own, `let … = …`")
    });
    let closures = names.captured_closures.iter().map(|(name, position)| {
        Diagnostic::new(format!("`{name}` is a closure of the top level, which can't travel to a host"))
            .at(subject.at(*position))
            .hint("data travels as a copy (texts, numbers, arrays, maps); define functions with `fn`")
    });
    undefined.chain(assigned).chain(closures).collect()
}

fn check_word(catalogue: &Catalogue<'_>, subject: &Subject<'_>, call: &Call) -> Option<Diagnostic> {
    let name = call.name.as_str();
    if name == "exit" {
        return Some(
            Diagnostic::new("`exit` would end the script without a word")
                .at(subject.at(call.position))
                .hint("use `end_host()`, `end_play()` or `fail(…)`"),
        );
    }
    let arity = call.arguments.len() + usize::from(call.method);
    let own = subject.script.functions.iter().filter(|(own, _)| own == name).map(|(_, arity)| *arity);
    let arities: Vec<usize> = own.collect();
    let builtin = catalogue.builtins().get(name);
    if arities.contains(&arity)
        || builtin.is_some_and(|arities| arities.contains(&arity))
        // `f.call(…)` and `f.curry(…)` take any number; a map's own closures can be called as methods.
        || matches!(name, "call" | "curry")
        || (call.method && !call_is_word(name))
    {
        return check_options(subject, call);
    }
    if let Some(word) = vocabulary::word(name) {
        return Some(wrong_arity(subject, call, &word.arities().collect::<Vec<_>>()));
    }
    if !arities.is_empty() {
        return Some(wrong_arity(subject, call, &arities));
    }
    if let Some(arities) = builtin {
        return Some(wrong_arity(subject, call, arities));
    }
    let own = subject.script.functions.iter().map(|(name, _)| name.as_str());
    let known = vocabulary::words().chain(own).chain(catalogue.builtins().keys().map(String::as_str));
    Some(
        Diagnostic::new(format!("unknown function `{name}`")).at(subject.at(call.position)).near(name, known),
    )
}

fn call_is_word(name: &str) -> bool {
    vocabulary::word(name).is_some()
}

fn wrong_arity(subject: &Subject<'_>, call: &Call, arities: &[usize]) -> Diagnostic {
    let mut arities = arities.to_vec();
    arities.sort_unstable();
    arities.dedup();
    let list = arities.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let given = call.arguments.len() + usize::from(call.method);
    let plural = if arities == [1] { "" } else { "s" };
    Diagnostic::new(format!("`{}` takes {list} argument{plural}, got {given}", call.name))
        .at(subject.at(call.position))
}

/// The options of `play` and `task`, where they are written out.
fn check_options(subject: &Subject<'_>, call: &Call) -> Option<Diagnostic> {
    let (what, known): (&str, &[&str]) = match (call.name.as_str(), call.arguments.len()) {
        ("play", 3) => ("a play", &playbook::OPTIONS),
        ("task", 3) => ("`task`", &task::OPTIONS),
        _ => return None,
    };
    let Literal::Map(options) = &call.arguments[1].0 else { return None };
    if let Some((unknown, position, _)) = options.iter().find(|(name, ..)| !known.contains(&name.as_str())) {
        return Some(
            Diagnostic::new(format!("{what} has no option `{unknown}`"))
                .at(subject.at(*position))
                .hint(format!("it has {}", known.join(", ")))
                .near(unknown, known.iter().copied()),
        );
    }
    let bad = |name: &str, wanted: &str| {
        Diagnostic::new(format!("the option `{name}` of {what} has to be {wanted}"))
    };
    for (name, position, value) in options {
        let value = match value {
            Literal::Text(text) => Value::String(text.clone()),
            Literal::Plain(value) => value.clone(),
            _ => continue,
        };
        if EscalationOptions::NAMES.contains(&name.as_str())
            && let Err(problem) = EscalationOptions::default().set(name, &value, |wanted| bad(name, wanted))
        {
            return Some(problem.at(subject.at(*position)));
        }
    }
    if call.name == "play" && !options.iter().any(|(name, ..)| name == "hosts") {
        let name = call.arguments[0].0.text().unwrap_or_default();
        return Some(playbook::without_hosts(name).at(subject.at(call.position)));
    }
    None
}

/// Whether a call is a task that says something about becoming another user, or may do so: its options are computed.
pub fn is_task_that_becomes(call: &Call) -> bool {
    let [_, (options, _), _] = &call.arguments[..] else { return false };
    let may = match options {
        Literal::Map(options) => options.iter().any(|(name, ..)| name == "become"),
        _ => true,
    };
    call.namespace.is_empty() && call.name == "task" && may
}

fn check_module_call(catalogue: &Catalogue<'_>, subject: &Subject<'_>, call: &Call) -> Option<Diagnostic> {
    let imported = subject.script.imports.iter().any(|import| import.alias == call.namespace);
    if imported || call.namespace == "global" {
        return None;
    }
    let at = || subject.at(call.position);
    let namespaces: Vec<&str> = catalogue.registry.namespaces().map(|(name, _)| name).collect();
    if !namespaces.contains(&call.namespace.as_str()) {
        let mut at = at();
        // The namespace stands before the function's name.
        let back = call.namespace.chars().count() + 2;
        if at.column > back {
            at.column -= back;
            at.width = call.namespace.chars().count();
        }
        return Some(
            Diagnostic::new(format!("unknown module `{}`", call.namespace))
                .at(at)
                .near(&call.namespace, namespaces.iter().copied()),
        );
    }
    let name = call.full_name();
    let Some(entry) = catalogue.registry.get(&name) else {
        let known: Vec<&str> = catalogue
            .registry
            .entries()
            .filter(|entry| entry.namespace() == call.namespace)
            .map(|entry| entry.function())
            .collect();
        let hint = match near_match(&call.name, known.iter().copied()) {
            Some(near) => format!("did you mean `{}::{near}`?", call.namespace),
            None => format!("`{}` has {}", call.namespace, known.join(", ")),
        };
        return Some(Diagnostic::new(format!("unknown function `{name}`")).at(at()).hint(hint));
    };
    let arguments = catalogue.arguments(&name)?;
    check_arguments(subject, call, entry.positional, entry.contract, arguments)
}

fn check_arguments(
    subject: &Subject<'_>,
    call: &Call,
    positional: &[&str],
    contract: Contract,
    known: &[Argument],
) -> Option<Diagnostic> {
    let name = call.full_name();
    let last = call.arguments.last();
    let options = match last {
        Some((Literal::Map(options), _)) => Some(options),
        _ => None,
    };
    let computed = matches!(last, Some((Literal::Computed, _)));
    let plain = call.arguments.len() - usize::from(options.is_some());
    if plain > positional.len() + usize::from(computed) {
        let (_, position) = call.arguments[positional.len()];
        return Some(
            Diagnostic::new(format!(
                "`{name}` takes {} argument{} and a map of options, got {plain}",
                positional.len(),
                if positional.len() == 1 { "" } else { "s" },
            ))
            .at(subject.at(position))
            .hint(format!("{name}({}, #{{ … }})", positional.join(", "))),
        );
    }
    let given: Vec<(&str, Position, &Literal)> = positional
        .iter()
        .zip(&call.arguments[..plain])
        .map(|(name, (value, position))| (*name, *position, value))
        .chain(options.into_iter().flatten().map(|(name, position, value)| (name.as_str(), *position, value)))
        .collect();
    for (argument, position, value) in &given {
        let Some(expected) = known.iter().find(|known| known.name == **argument) else {
            if contract == Contract::Action && verdict::NAMES.contains(argument) {
                continue;
            }
            let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
            return Some(
                Diagnostic::new(format!("`{name}` has no argument `{argument}`"))
                    .at(subject.at(*position))
                    .hint(format!("it takes {}", names.join(", ")))
                    .near(argument, names.iter().copied()),
            );
        };
        if let Some(problem) = check_value(&name, expected, value) {
            return Some(problem.at(subject.at(*position)));
        }
    }
    // The last argument may be a map of options that is computed.
    if computed {
        return None;
    }
    let missing =
        known.iter().find(|known| known.required && !given.iter().any(|(name, ..)| *name == known.name))?;
    Some(
        Diagnostic::new(format!("`{name}` needs the argument `{}`", missing.name))
            .at(subject.at(call.position))
            .hint(missing.documentation.lines().next().unwrap_or_default().to_owned()),
    )
}

/// A value that is written out, against the type of its argument.
fn check_value(name: &str, expected: &Argument, value: &Literal) -> Option<Diagnostic> {
    let kind = match value {
        Literal::Text(_) => "string",
        Literal::Plain(Value::Bool(_)) => "bool",
        Literal::Plain(Value::Number(number)) if number.is_f64() => "number",
        Literal::Plain(Value::Number(_)) => "integer",
        Literal::Array(_) => "array",
        Literal::Map(_) => "map",
        Literal::Closure(_) => "a closure",
        Literal::Plain(_) | Literal::Computed => return None,
    };
    let kinds: Vec<&str> = expected.kind.split(" or ").collect();
    let fits =
        kinds.contains(&kind) || kinds.contains(&"any") || (kind == "integer" && kinds.contains(&"number"));
    if !fits {
        return Some(Diagnostic::new(format!(
            "the argument `{}` of `{name}` has to be {}, not {kind}",
            expected.name, expected.kind
        )));
    }
    let text = value.text()?;
    if expected.choices.is_empty() || expected.choices.iter().any(|choice| choice == text) || kinds.len() > 1
    {
        return None;
    }
    Some(
        Diagnostic::new(format!("`{text}` is no value for the argument `{}` of `{name}`", expected.name))
            .hint(format!("it can be {}", expected.choices.join(", ")))
            .near(text, expected.choices.iter().map(String::as_str)),
    )
}
