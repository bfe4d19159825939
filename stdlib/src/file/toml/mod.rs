//! `file::toml`.

mod change;
mod notation;
mod places;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::merge::edits::Edits;
use super::merge::state::merging_state;
use super::merge::{Lists, MergeOptions, Problem, Syntax};
use crate::attributes::AttributeOptions;
use crate::host_path::HostPath;
use change::Changes;

/// Keeps values in a TOML file, or keys out of it.
///
/// ```rhai
/// file::toml("/etc/app.toml", #{ merge: #{ server: #{ port: 8080, listen: ["127.0.0.1", "::1"] } } });
/// file::toml("/etc/app.toml", #{ merge: #{ plugins: ["audit"] }, lists: "append", remove: ["server.legacy"] });
/// ```
///
/// Only what differs is written: comments, the order of things, quotes and dotted keys stay as they are. New values come
/// last in their table, new tables behind the tables that are in the same one. Comments go only together with a value that
/// they are inside of.
///
/// A date or time equals the text that it is written as; it can be kept or removed, but not set. What is not valid TOML is
/// not touched.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileToml {
    /// The file. Where it is a link, the file that it leads to is changed.
    path: HostPath,
    #[serde(flatten)]
    options: MergeOptions,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

merging_state!(FileToml, "file::toml", Toml);

struct Toml;

impl Syntax for Toml {
    fn read(text: &str) -> Result<Value, Problem> {
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        Ok(places::table_value(places::parse(text)?.as_table()))
    }

    fn unsuitable(value: &Value) -> Option<&'static str> {
        match value {
            Value::Null => Some("nothing, and TOML has no word for that"),
            Value::Number(number) if number.is_u64() && number.as_i64().is_none() => {
                Some("too large an integer for TOML")
            }
            Value::Array(items) => items.iter().find_map(Self::unsuitable),
            Value::Object(map) => map.values().find_map(Self::unsuitable),
            _ => None,
        }
    }

    fn merge(text: &str, wanted: &Map<String, Value>, lists: Lists) -> Result<String, Problem> {
        let after = change(text, |changes, edits| changes.merge_all(edits, wanted, lists))?;
        Ok(if text.is_empty() && !after.is_empty() { after + "\n" } else { after })
    }

    fn remove(text: &str, paths: &[Vec<String>]) -> Result<String, Problem> {
        let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        change(text, |changes, edits| changes.remove_all(edits, &paths))
    }
}

fn change(
    text: &str,
    change: impl FnOnce(&Changes<'_>, &mut Edits) -> Result<(), Problem>,
) -> Result<String, Problem> {
    let document = places::parse(text)?;
    let mut edits = Edits::default();
    change(&Changes::new(text, document.as_table()), &mut edits)?;
    edits.apply(text).ok_or_else(|| Problem::new("its values overlap", 0))
}

#[cfg(test)]
mod tests;
