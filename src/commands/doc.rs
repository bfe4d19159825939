//! `refrain doc`: the reference of the modules, from the modules themselves.

use std::fmt::Write;

use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::module::{Argument, Contract, Entry, Registry};

use super::complain;
use crate::arguments::Doc;
use crate::exit;

/// Shows the reference.
pub fn execute(arguments: &Doc) -> u8 {
    let registry = refrain_stdlib::registry();
    match &arguments.name {
        None if arguments.markdown => print!("{}", markdown(&registry)),
        None => print!("{}", overview(&registry)),
        Some(name) => match page(&registry, name) {
            Ok(page) => print!("{page}"),
            Err(problem) => {
                complain(&[problem]);
                return exit::BAD_INPUT;
            }
        },
    }
    exit::DONE
}

fn overview(registry: &Registry) -> String {
    let mut text = String::new();
    for (namespace, about) in registry.namespaces() {
        let _ = writeln!(text, "{namespace}: {about}");
        for entry in entries(registry, namespace) {
            let _ = writeln!(text, "    {:<24} {}", entry.name, summary(entry));
        }
        text.push('\n');
    }
    text
}

fn entries<'a>(registry: &'a Registry, namespace: &'a str) -> impl Iterator<Item = &'a Entry> {
    registry.entries().filter(move |entry| entry.namespace() == namespace)
}

fn summary(entry: &Entry) -> String {
    entry.documentation().lines().next().unwrap_or_default().to_owned()
}

/// The page of a function, or the pages of a module.
fn page(registry: &Registry, name: &str) -> Result<String, Diagnostic> {
    if let Some(entry) = registry.get(name) {
        return Ok(function(entry, "#"));
    }
    if let Some((namespace, about)) = registry.namespaces().find(|(namespace, _)| *namespace == name) {
        return Ok(module(registry, namespace, about));
    }
    let known: Vec<&str> = registry
        .namespaces()
        .map(|(name, _)| name)
        .chain(registry.entries().map(|entry| entry.name))
        .collect();
    Err(Diagnostic::new(format!("there is no module or function `{name}`")).near(name, known.iter().copied()))
}

fn module(registry: &Registry, namespace: &str, about: &str) -> String {
    let mut text = format!("# {namespace}\n\n{}\n\n", sentence(about));
    for entry in entries(registry, namespace) {
        text.push_str(&function(entry, "##"));
    }
    text
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

fn function(entry: &Entry, level: &str) -> String {
    let kind = match entry.contract {
        Contract::State => "state: a second run changes nothing",
        Contract::Action => "action: done each time, not in check mode",
        Contract::Query => "query: changes nothing",
    };
    let mut text = format!("{level} {}\n\n*{kind}*\n\n{}\n", entry.name, entry.documentation());
    let arguments = entry.arguments();
    if !arguments.is_empty() {
        text.push_str("\n| argument | type | default | |\n| --- | --- | --- | --- |\n");
        for argument in &arguments {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                argument.name,
                kind_of(argument),
                default(argument),
                argument.documentation.replace('\n', " ").replace('|', "\\|")
            );
        }
    }
    text.push('\n');
    text
}

fn kind_of(argument: &Argument) -> String {
    if argument.choices.is_empty() {
        return argument.kind.clone();
    }
    argument.choices.iter().map(|choice| format!("`\"{choice}\"`")).collect::<Vec<_>>().join(" or ")
}

fn default(argument: &Argument) -> String {
    match &argument.default {
        _ if argument.required => "required".to_owned(),
        Some(default) => format!("`{default}`"),
        None => String::new(),
    }
}

fn markdown(registry: &Registry) -> String {
    let mut text = String::from(
        "# Module reference\n\nMade by `refrain doc --markdown` from the modules themselves.\n\n",
    );
    for (namespace, about) in registry.namespaces() {
        text.push_str(&module(registry, namespace, about));
    }
    text
}
