//! Templates rendered by both.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use indexmap::IndexMap;
use refrain_engine::template::render_file;
use refrain_engine::variables::{Layer, Variables};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::python;

/// What became of a template.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Ok(Value),
    Error(String),
}

impl Outcome {
    /// Whether both are the same; errors are, because each says it in its own words.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Error(_), Self::Error(_)) => true,
            _ => self == other,
        }
    }
}

/// A template as a file and as the value of a variable.
#[derive(Debug, Deserialize)]
pub struct Rendered {
    pub file: Outcome,
    pub value: Outcome,
}

/// The variables that the templates see.
pub fn variables() -> Value {
    serde_json::from_str(include_str!("variables.json")).expect("variables")
}

/// What ansible-core makes of them, all in one process; `None` if it is not there.
pub fn theirs<'t>(templates: impl IntoIterator<Item = &'t str>) -> Option<Vec<Rendered>> {
    let home = tempfile::tempdir().expect("a directory");
    let mut command = python::program("python", home.path())?;
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates/render.py"));
    let mut child = command
        .current_dir(home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let templates: Vec<&str> = templates.into_iter().collect();
    let asked = json!({ "variables": variables(), "templates": templates }).to_string();
    // It reads everything before it writes anything.
    child.stdin.take().expect("a pipe").write_all(asked.as_bytes()).expect("python reads");
    let output = child.wait_with_output().expect("python ends");
    assert!(output.status.success(), "render.py: {}", output.status);
    Some(serde_json::from_slice(&output.stdout).expect("an answer"))
}

/// What this engine makes of one.
pub fn ours(template: &str) -> Rendered {
    let values = variables().as_object().cloned().unwrap_or_default();
    let variables = Variables::new();
    variables.push(Layer::Inventory, values.into_iter().collect::<IndexMap<_, _>>());
    let file = render_file("template.j2", template, variables.as_names(), None).map(Value::from);
    let value = variables.evaluate("value", template);
    let outcome = |result: Result<Value, _>| match result {
        Ok(value) => Outcome::Ok(value),
        Err(error) => Outcome::Error(ToString::to_string(&error)),
    };
    Rendered { file: outcome(file), value: outcome(value) }
}
