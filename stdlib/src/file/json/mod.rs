//! `file::json`.

mod notation;
mod scanner;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::merge::edits::Edits;
use super::merge::flow::{Flow, Notation};
use super::merge::state::merging_state;
use super::merge::tree::{self, Node};
use super::merge::{Lists, MergeOptions, Problem, Syntax};
use crate::attributes::AttributeOptions;
use crate::host_path::HostPath;
use notation::JsonNotation;
use scanner::Scanner;

/// Keeps values in a JSON file, or keys out of it.
///
/// ```rhai
/// file::json("/etc/docker/daemon.json", #{ merge: #{ "insecure-registries": ["registry.example.net:5000"] } });
/// file::json("/etc/app.json", #{ merge: #{ server: #{ port: 8080, tls: true } }, remove: ["server.legacy"] });
/// file::json("/etc/app.json", #{ merge: #{ plugins: ["audit"] }, lists: "append" });
/// ```
///
/// Only what differs is written; the order of keys, the indentation and everything else stay as they are. New keys come
/// last in their map, indented as their neighbours are. A new file is indented by two spaces; an empty one counts as
/// missing its map. What is not valid JSON is not touched.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileJson {
    /// The file. Where it is a link, the file that it leads to is changed.
    path: HostPath,
    #[serde(flatten)]
    options: MergeOptions,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

merging_state!(FileJson, "file::json", Json);

struct Json;

impl Syntax for Json {
    fn read(text: &str) -> Result<Value, Problem> {
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(text).map_err(|error| {
            let line =
                text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            Problem::new(format!("not valid JSON: {message}"), line + error.column().saturating_sub(1))
        })
    }

    fn merge(text: &str, wanted: &Map<String, Value>, lists: Lists) -> Result<String, Problem> {
        if text.trim().is_empty() {
            let notation = JsonNotation::of_new();
            return Ok(format!("{}\n", notation.on_lines(&Value::Object(wanted.clone()), "")));
        }
        change(text, |flow, edits, root| tree::merge(flow, edits, None, root, wanted, lists))
    }

    fn remove(text: &str, paths: &[Vec<String>]) -> Result<String, Problem> {
        let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        change(text, |flow, edits, root| tree::remove(flow, edits, None, root, &paths))
    }
}

fn change(
    text: &str,
    change: impl FnOnce(&Flow<'_, JsonNotation>, &mut Edits, &Node) -> Result<(), Problem>,
) -> Result<String, Problem> {
    let root = Scanner::new(text).value()?;
    let notation = JsonNotation::of(text, &root);
    let mut edits = Edits::default();
    change(&Flow { text, notation }, &mut edits, &root)?;
    edits.apply(text).ok_or_else(|| Problem::new("its values overlap", 0))
}

#[cfg(test)]
mod tests;
