//! `refrain definitions`: the files from which the Rhai language server knows the modules and the words of the language.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::module::{Argument, Contract, Entry, Registry};
use refrain_engine::script::engine;
use refrain_engine::script::vocabulary::{Parameter, VALUES, WORDS, Word};

use super::complain;
use super::doc::default;
use crate::arguments::Definitions;
use crate::exit;
use crate::plural::plural;

/// The functions of Rhai that it says everywhere and that playbooks do not have, or have as words of the language.
const NOT_RHAIS: [&str; 4] = ["eval", "exit", "print", "debug"];

/// Words that Rhai keeps for itself, which can't be names of parameters.
const RESERVED: [&str; 12] = [
    "case", "default", "go", "match", "module", "new", "package", "public", "shared", "static", "super",
    "use",
];

/// Writes the files.
pub fn execute(arguments: &Definitions) -> u8 {
    let files = files(&refrain_stdlib::registry());
    match write(&files, &arguments.directory) {
        Ok(()) => {
            let files = plural(files.len(), "file");
            println!("{files} written to {}", arguments.directory.display());
            exit::DONE
        }
        Err(error) => {
            let what = format!("could not write definitions to {}: {error}", arguments.directory.display());
            complain(&[Diagnostic::new(what)]);
            exit::FAILED
        }
    }
}

/// Replaces the definitions in a directory. One of a module that there is no more would complete what does not work.
fn write(files: &[(String, String)], directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_ours = || fs::read_to_string(&path).is_ok_and(|text| text.starts_with(HEAD));
        if path.to_string_lossy().ends_with(".d.rhai") && is_ours() {
            fs::remove_file(&path)?;
        }
    }
    files.iter().try_for_each(|(name, text)| fs::write(directory.join(name), text))
}

/// The first line of each file.
const HEAD: &str = "// Made by `refrain definitions`.";

/// The files: what Rhai itself has, the words of the language, and the modules.
fn files(registry: &Registry) -> Vec<(String, String)> {
    let rhai = engine::rhai_definitions()
        .map(|(name, text)| (name, format!("module static;\n\n{}", without(&text, &NOT_RHAIS))));
    let mut files: Vec<(String, String)> =
        rhai.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    files.push(("refrain".to_owned(), language()));
    files.extend(registry.namespaces().map(|(name, about)| (name.to_owned(), module(registry, name, about))));
    files.into_iter().map(|(name, text)| (format!("{name}.d.rhai"), format!("{HEAD}\n{text}"))).collect()
}

/// The definitions in a text, each a paragraph that ends with a function, without those of these functions.
fn without(text: &str, names: &[&str]) -> String {
    let is_of = |paragraph: &&str, name: &&str| {
        paragraph.lines().any(|line| line.starts_with(&format!("fn {name}(")))
    };
    let kept = text.split("\n\n").filter(|paragraph| !names.iter().any(|name| is_of(paragraph, name)));
    kept.collect::<Vec<_>>().join("\n\n")
}

fn language() -> String {
    let mut text = String::from("module static;\n");
    for value in VALUES {
        let _ = write!(text, "\n{}let {}: Map;\n", commented(value.documentation), value.name);
        for method in value.methods {
            word(&mut text, method, Some((value.name, "Map")));
        }
    }
    WORDS.iter().for_each(|one| word(&mut text, one, None));
    text
}

/// A word; a method takes what it is called on as its first parameter.
fn word(text: &mut String, word: &Word, on: Option<Parameter>) {
    for parameters in word.calls {
        let parameters = on.iter().chain(*parameters).map(|(name, kind)| format!("{name}: {kind}"));
        let parameters: Vec<String> = parameters.collect();
        declaration(text, word.documentation, word.name, &parameters, word.gives);
    }
}

fn module(registry: &Registry, namespace: &str, about: &str) -> String {
    let mut text = format!("{}module {namespace};\n", commented(about));
    for entry in registry.entries().filter(|entry| entry.namespace() == namespace) {
        function(&mut text, entry);
    }
    text
}

/// A module function, once for each way to call it: so many of its positional arguments, with and without a map of the others.
fn function(text: &mut String, entry: &Entry) {
    let arguments = entry.arguments();
    let documentation = documentation(entry, &arguments);
    let gives = if entry.contract == Contract::Query { "?" } else { "Map" };
    let named = |name: &str| arguments.iter().find(|argument| argument.name == name);
    let positional: Vec<&Argument> = entry.positional.iter().filter_map(|name| named(name)).collect();
    let needed = positional.iter().rposition(|argument| argument.required).map_or(0, |last| last + 1);
    let needs_options = arguments.iter().any(|argument| argument.required && argument.position.is_none());
    let has_options = arguments.len() > positional.len();
    for count in needed..=positional.len() {
        let given: Vec<String> = positional[..count].iter().map(|argument| parameter(argument)).collect();
        if !needs_options {
            declaration(text, &documentation, entry.function(), &given, gives);
        }
        if has_options {
            let given: Vec<String> = given.into_iter().chain(["options: Map".to_owned()]).collect();
            declaration(text, &documentation, entry.function(), &given, gives);
        }
    }
}

/// A parameter with its type, in Rhai's words for types.
fn parameter(argument: &Argument) -> String {
    let word = |word: &str| match word {
        "string" => "String",
        "bool" => "bool",
        "integer" => "int",
        "number" => "float",
        "array" => "Array",
        "map" => "Map",
        _ => "?",
    };
    let kinds: Vec<&str> = argument.kind.split(" or ").map(word).collect();
    let kind = if kinds.contains(&"?") { "?".to_owned() } else { kinds.join(" | ") };
    let end = if RESERVED.contains(&argument.name.as_str()) { "_" } else { "" };
    format!("{}{end}: {kind}", argument.name)
}

fn documentation(entry: &Entry, arguments: &[Argument]) -> String {
    let mut text = entry.documentation();
    if !arguments.is_empty() {
        text.push_str("\n\n");
    }
    for argument in arguments {
        let default = match default(argument) {
            default if default.is_empty() || argument.required => default,
            default => format!("default {default}"),
        };
        let about = [argument.kind.clone(), default].into_iter().filter(|text| !text.is_empty());
        let about = about.collect::<Vec<_>>().join(", ");
        let meaning = argument.documentation.replace('\n', " ");
        let _ = writeln!(text, "* `{}` ({about}): {meaning}", argument.name);
    }
    text
}

fn declaration(text: &mut String, documentation: &str, name: &str, parameters: &[String], gives: &str) {
    let gives = if gives.is_empty() { String::new() } else { format!(" -> {gives}") };
    let _ = write!(text, "\n{}fn {name}({}){gives};\n", commented(documentation), parameters.join(", "));
}

/// A text as doc comments.
fn commented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("/// {line}").trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_left_out_with_its_comments() {
        let text = "/// One.\n///\n/// More.\nfn one(x: ?);\n\n/// Two.\nfn two();\n\nfn one_more();\n";
        assert_eq!(without(text, &["one"]), "/// Two.\nfn two();\n\nfn one_more();\n");
    }

    #[test]
    fn every_function_and_every_word_is_defined() {
        let registry = refrain_stdlib::registry();
        let files = files(&registry);
        let file = |name: &str| {
            let found = files.iter().find(|(file, _)| *file == format!("{name}.d.rhai"));
            found.unwrap_or_else(|| panic!("no file for {name}")).1.as_str()
        };
        for entry in registry.entries() {
            let text = file(entry.namespace());
            assert!(text.contains(&format!("\nmodule {};\n", entry.namespace())), "{}", entry.name);
            assert!(text.contains(&format!("\nfn {}(", entry.function())), "{}", entry.name);
            for argument in entry.arguments() {
                assert!(
                    text.contains(&format!("/// * `{}` (", argument.name)),
                    "{} {}",
                    entry.name,
                    argument.name
                );
            }
        }
        let language = file("refrain");
        assert!(WORDS.iter().all(|word| language.contains(&format!("\nfn {}(", word.name))));
        assert!(VALUES.iter().all(|value| language.contains(&format!("\nlet {}: ", value.name))));
        assert!(file("rhai-standard").contains("\nfn to_upper("));
        assert!(file("rhai").contains("\nfn type_of(") && !file("rhai").contains("\nfn eval("));
    }
}
