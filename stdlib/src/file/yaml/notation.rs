//! How values are written in YAML.

use serde_json::Value;

use super::super::merge::flow::Notation;
use super::super::merge::tree::{Content, Node};
use super::scalar::{self, Quotes};

/// How a document is indented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YamlNotation {
    /// By how much a map is indented in its parent.
    map_step: usize,
    /// By how much the dashes of a list are indented in its parent.
    list_step: usize,
    /// Whether texts of several lines are written as they are, and not in quotes.
    literals: bool,
}

/// A value behind a key or dash: what stands on the same line, and the lines below, each with its newline in front.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Empty when all is below.
    pub head: String,
    /// Empty when all is on one line.
    pub below: String,
}

impl YamlNotation {
    /// As the document has it. Where that does not show: two spaces.
    ///
    /// Readers disagree about the last line of a text that no newline follows, so such a document gets none.
    pub fn of(text: &str, root: Option<&Node>) -> Self {
        let mut steps = (None, None);
        if let Some(root) = root {
            find_steps(text, root, &mut steps);
        }
        let literals = text.is_empty() || text.ends_with('\n');
        Self { map_step: steps.0.unwrap_or(2), list_step: steps.1.unwrap_or(2), literals }
    }

    /// The same with all texts on one line.
    pub fn without_literals(self) -> Self {
        Self { literals: false, ..self }
    }

    /// A value behind the key of an entry that is indented so.
    pub fn behind_key(&self, value: &Value, indentation: usize, quotes: Quotes) -> Written {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let below = self.entries(map, indentation + self.map_step);
                Written { head: String::new(), below }
            }
            Value::Array(items) if !items.is_empty() => {
                let below = self.items(items, indentation + self.list_step);
                Written { head: String::new(), below }
            }
            Value::String(text) => self.text(text, indentation + self.map_step, quotes),
            _ => Written { head: self.on_one_line(value), below: String::new() },
        }
    }

    fn text(&self, text: &str, indentation: usize, quotes: Quotes) -> Written {
        match scalar::literal(text).filter(|_| self.literals) {
            Some((header, lines)) => {
                let indented = |line: &str| match line {
                    "" => "\n".to_owned(),
                    line => format!("\n{:indentation$}{line}", ""),
                };
                Written { head: header.to_owned(), below: lines.map(indented).collect() }
            }
            None => Written { head: scalar::write(&text.into(), quotes, false), below: String::new() },
        }
    }

    /// The entries of a map, each on its own line with a newline in front.
    pub fn entries<'v>(
        &self,
        map: impl IntoIterator<Item = (&'v String, &'v Value)>,
        indentation: usize,
    ) -> String {
        let entry = |(key, value): (&String, &Value)| {
            let Written { head, below } = self.behind_key(value, indentation, Quotes::AsNeeded);
            let space = if head.is_empty() { "" } else { " " };
            let key = scalar::write(&key.as_str().into(), Quotes::AsNeeded, false);
            format!("\n{:indentation$}{key}:{space}{head}{below}", "")
        };
        map.into_iter().map(entry).collect()
    }

    /// The entries of a list, each on its own line with a newline in front.
    pub fn items(&self, items: &[Value], indentation: usize) -> String {
        let inner = indentation + 2;
        let item = |value: &Value| match value {
            // The first entry stands behind the dash, which takes the place of its indentation.
            Value::Object(map) if !map.is_empty() => behind_dash(&self.entries(map, inner), indentation),
            Value::Array(items) if !items.is_empty() => behind_dash(&self.items(items, inner), indentation),
            Value::String(text) => {
                let Written { head, below } = self.text(text, inner, Quotes::AsNeeded);
                format!("\n{:indentation$}- {head}{below}", "")
            }
            _ => format!("\n{:indentation$}- {}", "", self.on_one_line(value)),
        };
        items.iter().map(item).collect()
    }
}

/// Lines that begin with a newline and are indented by two more than this, with a dash in front.
fn behind_dash(lines: &str, indentation: usize) -> String {
    format!("\n{:indentation$}- {}", "", &lines[indentation + 3..])
}

impl Notation for YamlNotation {
    fn key(&self, key: &str) -> String {
        scalar::write(&key.into(), Quotes::AsNeeded, true)
    }

    fn colon(&self) -> &str {
        ": "
    }

    fn comma(&self) -> &str {
        ", "
    }

    fn on_one_line(&self, value: &Value) -> String {
        match value {
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.on_one_line(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Object(map) => {
                let entry = |(key, value): (&String, &Value)| {
                    format!("{}: {}", Notation::key(self, key), self.on_one_line(value))
                };
                let entries: Vec<String> = map.iter().map(entry).collect();
                format!("{{{}}}", entries.join(", "))
            }
            scalar => scalar::write(scalar, Quotes::AsNeeded, true),
        }
    }

    fn on_lines(&self, value: &Value, _indentation: &str) -> String {
        self.on_one_line(value)
    }

    fn has_comments(&self) -> bool {
        true
    }
}

/// The column of a position, counted from 0.
pub fn column(text: &str, at: usize) -> usize {
    at - text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Finds the first map and the first list that are indented in a map without brackets.
fn find_steps(text: &str, map: &Node, steps: &mut (Option<usize>, Option<usize>)) {
    let Content::Map(entries) = &map.content else { return };
    for entry in entries {
        if steps.0.is_some() && steps.1.is_some() {
            return;
        }
        if !entry.value.block {
            continue;
        }
        let step = column(text, entry.value.range.start).checked_sub(column(text, entry.start));
        match &entry.value.content {
            Content::List(_) => steps.1 = steps.1.or(step),
            _ => steps.0 = steps.0.or(step.filter(|step| *step > 0)),
        }
        find_steps(text, &entry.value, steps);
    }
}
