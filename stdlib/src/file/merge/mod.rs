//! Merging values into documents: what `file::json`, `file::yaml` and `file::toml` have in common.
//!
//! What shall be is worked out on values, and the text is changed only where the values differ. Afterwards the new text is
//! read again: if it does not say exactly what it should, nothing is changed. So a document that is written in an unforeseen
//! way leads to an error, never to damage.

pub mod edits;
pub mod flow;
pub mod state;
pub mod tree;
pub mod values;
pub mod wanted;

use std::path::Path;

use refrain_engine::diagnostic::{Diagnostic, Location};
use refrain_engine::failure::Failure;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::edited_file::Inputs;
use wanted::{Removals, Wanted};

/// What becomes of a list that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lists {
    /// It becomes the wanted list.
    #[default]
    Replace,
    /// The wanted entries that it does not have come behind those that it has.
    Append,
}

/// The arguments that say what a document shall have. A module takes them in with `#[serde(flatten)]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct MergeOptions {
    /// What the document shall have. Maps are merged key by key, whatever else is there is replaced.
    #[serde(default)]
    merge: Wanted,
    /// What it shall not have: paths of keys, like `"server.tls"`. Where a key has a dot in it, an array of the keys.
    #[serde(default)]
    remove: Removals,
    /// What happens to a list that is there already: `"replace"` puts the wanted one in its place, `"append"` adds those of
    /// its entries that are missing.
    #[serde(default)]
    lists: Lists,
    /// Whether a missing file is created. Otherwise it is an error.
    #[serde(default = "yes")]
    pub create: bool,
}

fn yes() -> bool {
    true
}

/// A kind of document.
pub trait Syntax {
    /// What the text says. `null` when there is nothing in it.
    ///
    /// # Errors
    /// It is not such a document.
    fn read(text: &str) -> Result<Value, Problem>;

    /// What it is about a wanted value that such a document has no word for. Absent where it has.
    fn unsuitable(_value: &Value) -> Option<&'static str> {
        None
    }

    /// The text with the wanted values in it.
    ///
    /// # Errors
    /// It is written in a way that can't be changed.
    fn merge(text: &str, wanted: &Map<String, Value>, lists: Lists) -> Result<String, Problem>;

    /// The text without what is at these paths.
    ///
    /// # Errors
    /// As [`Syntax::merge`].
    fn remove(text: &str, paths: &[Vec<String>]) -> Result<String, Problem>;
}

/// Why a document can't be read or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one line.
    pub message: String,
    /// Where, in bytes from the beginning of the text.
    pub at: usize,
}

impl Problem {
    /// What is wrong at a place.
    pub fn new(message: impl Into<String>, at: usize) -> Self {
        Self { message: message.into(), at }
    }

    /// The failure that points into the file with this text.
    fn failure(&self, path: &Path, text: &str) -> Failure {
        let mut at = self.at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let line = text[..at].matches('\n').count() + 1;
        let column = text[..at].rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let mut location = Location::new(path.display().to_string(), text, line, column);
        // The line comes from a host: a terminal shall not obey what is in it.
        location.text = location.text.replace(|c: char| c.is_control() && c != '\t', "\u{FFFD}");
        Failure::Source(Box::new(Diagnostic::new(self.message.as_str()).at(location)))
    }
}

impl MergeOptions {
    /// Refuses arguments that say nothing, or two things.
    ///
    /// # Errors
    /// Nothing is to be done, the same key is wanted and not wanted, or the document has no word for a value.
    pub fn check<S: Syntax>(&self) -> Result<(), Failure> {
        if self.wanted().is_empty() && self.remove.paths().is_empty() {
            return Err(Failure::argument("merge", "neither `merge` nor `remove` says what to do"));
        }
        let unsuitable = self.wanted().values().find_map(S::unsuitable).filter(|_| self.inputs().known);
        if let Some(what) = unsuitable {
            return Err(Failure::argument("merge", format!("a value in `merge` is {what}"))
                .advise("`remove` takes keys out of the file"));
        }
        let both = self.remove.paths().iter().find(|path| values::has(self.wanted(), path));
        match both {
            None => Ok(()),
            Some(path) => {
                let message = format!("`{}` is in `merge` and in `remove`", path.join("."));
                Err(Failure::argument("remove", message))
            }
        }
    }

    /// The values that the document shall have.
    pub fn wanted(&self) -> &Map<String, Value> {
        self.merge.values()
    }

    /// What is known of the values.
    pub fn inputs(&self) -> Inputs {
        self.merge.inputs()
    }

    /// The text as it shall be.
    ///
    /// # Errors
    /// It can't be read, or not be changed; the error points at the place in it.
    pub fn apply<S: Syntax>(&self, path: &Path, text: &str) -> Result<String, Failure> {
        let point = |problem: Problem| problem.failure(path, text);
        let before = match S::read(text).map_err(point)? {
            Value::Null => Value::Object(Map::new()),
            map @ Value::Object(_) => map,
            _ => {
                let at = text.len() - text.trim_start().len();
                let message = "the document is not a map, so there are no keys to merge into or to remove";
                return Err(point(Problem::new(message, at)));
            }
        };
        let mut wanted = before.clone();
        values::merge(&mut wanted, self.wanted(), self.lists);
        let mut after = text.to_owned();
        if wanted != before || text.trim().is_empty() {
            after = S::merge(text, self.wanted(), self.lists).map_err(point)?;
        }
        let merged = wanted.clone();
        values::remove(&mut wanted, self.remove.paths());
        if wanted != merged {
            after =
                S::remove(&after, self.remove.paths()).map_err(|problem| problem.failure(path, &after))?;
        }
        let empty = wanted.as_object().is_some_and(Map::is_empty);
        match S::read(&after) {
            _ if after == text => Ok(after),
            Ok(read) if read == wanted || (read.is_null() && empty) => Ok(after),
            Ok(_) => Err(not_this_way(path, "there is something unusual where it would change")),
            Err(problem) => Err(not_this_way(path, &format!("afterwards it would be {}", problem.message))),
        }
    }
}

/// The text is written in a way that the change does not fit into.
fn not_this_way(path: &Path, reason: &str) -> Failure {
    let message = format!("`{}` can't be changed without writing all of it anew: {reason}", path.display());
    Failure::state(message)
        .advise("change it by hand, or write all of it with file::content or file::template")
}
