//! Inventories in YAML.

use super::graph::Graph;
use super::hosts::{self, Hosts};
use super::variable::{VariableMap, variables};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Content, Document, Entry, Map};

/// What a group may have.
const PARTS: [&str; 3] = ["hosts", "vars", "children"];

/// Reads an inventory into the graph. What Ansible skips with a warning is skipped with a warning.
///
/// # Errors
/// It does not have the form of an inventory.
pub(super) fn read(
    document: &Document,
    graph: &mut Graph,
    warnings: &mut Vec<Diagnostic>,
) -> Result<(), Diagnostic> {
    let Some(groups) = document.entries("a YAML inventory")? else { return Ok(()) };
    if let Some(plugin) =
        groups.get("plugin").filter(|entry| matches!(entry.value.content, Content::Scalar(_)))
    {
        return Err(document
            .at(plugin.key_at)
            .error("this configures an inventory plugin, and plugins can't be run")
            .hint("write what it finds to a file: `ansible-inventory --list --yaml`"));
    }
    let mut reader = Reader { document, graph, warnings };
    for (name, entry) in groups {
        reader.group(name, entry)?;
    }
    Ok(())
}

struct Reader<'a> {
    document: &'a Document,
    graph: &'a mut Graph,
    warnings: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Reads a group and gives its number; `None` if it is skipped.
    fn group(&mut self, name: &str, entry: &Entry) -> Result<Option<usize>, Diagnostic> {
        let at = self.document.at(entry.key_at);
        if name.is_empty() || !entry.text_key {
            return Err(at.error(format!("`{name}` can't be the name of a group")).hint("quote it"));
        }
        let parts = match &entry.value.content {
            Content::Map(parts) => Some(parts),
            content if is_nothing(content) => None,
            _ => {
                let kind = entry.value.kind();
                let message = format!("`{name}` is skipped: a group has to be a map, and this is {kind}");
                self.warnings.push(at.error(message));
                return Ok(None);
            }
        };
        let group = self.graph.group(name);
        for (part, entry) in parts.into_iter().flatten() {
            self.part(group, name, part, entry)?;
        }
        Ok(Some(group))
    }

    fn part(&mut self, group: usize, name: &str, part: &str, entry: &Entry) -> Result<(), Diagnostic> {
        let single;
        let entries = match &entry.value.content {
            content if is_nothing(content) => return Ok(()),
            _ if !PARTS.contains(&part) => {
                let message = format!("`{part}` is skipped: a group has `hosts`, `vars` and `children`");
                self.warnings.push(self.document.at(entry.key_at).error(message).near(part, PARTS));
                return Ok(());
            }
            Content::Map(entries) => entries,
            Content::Scalar(value) if value.is_string() => {
                // A name alone stands for a map in which it has no value.
                single = Map::from([(
                    value.as_str().unwrap_or_default().to_owned(),
                    Entry::empty(entry.value.at),
                )]);
                &single
            }
            _ => {
                let kind = entry.value.kind();
                return Err(self
                    .document
                    .at(entry.value.at)
                    .error(format!("`{part}` of `{name}` has to be a map, and this is {kind}"))
                    .hint("write a colon behind each name instead of a dash before it"));
            }
        };
        match part {
            "vars" => self.variables(group, entries),
            "children" => self.children(group, entries),
            _ => self.hosts(group, entries),
        }
    }

    fn variables(&mut self, group: usize, entries: &Map) -> Result<(), Diagnostic> {
        for (name, variable) in variables(self.document, entries) {
            self.graph.set_of_group(group, &name, &variable)?;
        }
        Ok(())
    }

    fn children(&mut self, group: usize, entries: &Map) -> Result<(), Diagnostic> {
        for (name, entry) in entries {
            if let Some(child) = self.group(name, entry)? {
                self.graph.add_child(group, child, Some(self.document.at(entry.key_at)));
            }
        }
        Ok(())
    }

    fn hosts(&mut self, group: usize, entries: &Map) -> Result<(), Diagnostic> {
        for (pattern, entry) in entries {
            let origin = self.document.at(entry.key_at);
            if !entry.text_key {
                return Err(origin
                    .error(format!("`{pattern}` can't be the name of a host"))
                    .hint("quote it"));
            }
            let found = Hosts::named(pattern).map_err(|bad| bad.at(&origin, pattern))?;
            let variables = match &entry.value.content {
                Content::Map(entries) => variables(self.document, entries),
                content if is_nothing(content) => VariableMap::new(),
                _ => {
                    let kind = entry.value.kind();
                    return Err(self.document.at(entry.value.at).error(format!(
                        "the variables of `{pattern}` have to be a map, and this is {kind}"
                    )));
                }
            };
            hosts::add(self.graph, group, &found, &variables, &origin)?;
        }
        Ok(())
    }
}

fn is_nothing(content: &Content) -> bool {
    matches!(content, Content::Scalar(value) if value.is_null())
}
