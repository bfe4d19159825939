//! The examples that the documentation of a function shows.

use refrain_engine::module::Entry;
use refrain_engine::script::engine::{compile, engine};

/// A script in a documentation.
#[derive(Clone)]
pub struct Example {
    /// The namespace of the function that is documented.
    pub namespace: &'static str,
    /// The script.
    pub text: String,
    /// Where it can be run.
    pub runs: Runs,
}

/// Where an example can be run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// On every host.
    Everywhere,
    /// Where services run: in a sandbox. It is marked `rhai,live`.
    OnLiveHosts,
    /// Nowhere: it is only compiled and linted. It is marked `rhai,no_run`.
    Nowhere,
}

/// The examples of a function.
pub fn examples(entry: &Entry) -> Vec<Example> {
    let documentation = entry.documentation();
    let mut examples = Vec::new();
    let mut lines = documentation.lines();
    while let Some(line) = lines.next() {
        let runs = match line.trim() {
            "```rhai" => Runs::Everywhere,
            "```rhai,live" => Runs::OnLiveHosts,
            "```rhai,no_run" => Runs::Nowhere,
            _ => continue,
        };
        let text: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
        examples.push(Example { namespace: entry.namespace(), text: text.join("\n"), runs });
    }
    examples
}

/// The statements of an example, each an example of its own: they show different calls, not a sequence. A script with
/// variables stays whole.
pub fn parts(example: &Example) -> Vec<Example> {
    if example.text.lines().any(|line| line.starts_with("let ")) {
        return vec![example.clone()];
    }
    let engine = engine(&refrain_stdlib::registry());
    let mut parts = Vec::new();
    let mut text = String::new();
    for line in example.text.lines() {
        text.push_str(line);
        text.push('\n');
        if compile(&engine, "example.rhai", &text.as_str().into()).is_ok() {
            parts.push(Example { text: std::mem::take(&mut text), ..example.clone() });
        }
    }
    assert!(text.trim().is_empty(), "no whole statement: {text}");
    parts
}
