//! `refrain doc`: the reference of the modules, from the modules themselves, and of the words of the language.

use std::fmt::Write;

use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::module::{Argument, Contract, Entry, Registry};
use refrain_engine::script::vocabulary::{self, Value, Word};

use super::complain;
use crate::arguments::Doc;
use crate::exit;

/// Shows the reference.
pub fn execute(arguments: &Doc) -> u8 {
    let registry = refrain_stdlib::registry();
    match &arguments.name {
        None if !arguments.search.is_empty() => match found(&registry, &arguments.search) {
            Ok(found) => print!("{found}"),
            Err(problem) => {
                complain(&[problem]);
                return exit::BAD_INPUT;
            }
        },
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

/// The functions and words of whose reference all these words are a part, in capitals or not.
fn found(registry: &Registry, words: &[String]) -> Result<String, Diagnostic> {
    let words: Vec<String> =
        words.iter().flat_map(|word| word.split_whitespace()).map(str::to_lowercase).collect();
    let has = |text: &str| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word.as_str()))
    };
    let mut lines = String::new();
    for entry in registry.entries().filter(|entry| has(&function(entry, "#"))) {
        let _ = writeln!(lines, "{:<28} {}", entry.name, summary(entry));
    }
    for word in vocabulary::WORDS.iter().filter(|word| has(&language_word(word))) {
        let summary = word.documentation.lines().next().unwrap_or_default();
        let _ = writeln!(lines, "{:<28} {summary}", word.name);
    }
    for value in vocabulary::VALUES.iter().filter(|value| has(&language_value(value))) {
        let _ = writeln!(lines, "{:<28} {}", value.name, value.documentation);
    }
    if lines.is_empty() {
        let problem =
            Diagnostic::new(format!("nothing in the reference has `{}` in it", words.join("` and `")));
        return Err(problem.hint("fewer words find more; `refrain doc` lists everything"));
    }
    Ok(lines)
}

/// The page of a word of the language.
fn language_word(word: &Word) -> String {
    let calls: Vec<String> = word.spelled().map(|call| format!("`{call}`")).collect();
    format!("# {}\n\n*a word of the language:* {}\n\n{}\n", word.name, calls.join(", "), word.documentation)
}

/// The page of a value that every script sees.
fn language_value(value: &Value) -> String {
    let mut text =
        format!("# {}\n\n*a value that every script sees*\n\n{}\n", value.name, value.documentation);
    for method in value.methods {
        let calls: Vec<String> = method.spelled().map(|call| format!("`{}.{call}`", value.name)).collect();
        let _ = write!(text, "\n{}: {}\n", calls.join(", "), method.documentation);
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
    if let Some(word) = vocabulary::word(name) {
        return Ok(language_word(word));
    }
    if let Some(value) = vocabulary::value(name) {
        return Ok(language_value(value));
    }
    let known = registry.namespaces().map(|(name, _)| name).chain(registry.entries().map(|entry| entry.name));
    let known: Vec<&str> = known.chain(vocabulary::words()).chain(vocabulary::values()).collect();
    let problem = Diagnostic::new(format!("there is no module, function or word `{name}`"));
    let problem = problem.near(name, known);
    Err(if problem.hint.is_some() {
        problem
    } else {
        problem.hint(format!("`refrain doc --search {name}` looks for it in all texts"))
    })
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

/// What an argument is when it is not given, or that it has to be.
pub(super) fn default(argument: &Argument) -> String {
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
