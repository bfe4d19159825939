//! Where inventories come from: files, directories, and lists of hosts on the command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::graph::{Graph, UNGROUPED};
use super::hosts::{self, Hosts};
use super::program::{self, Program};
use super::variable::{Variable, VariableMap};
use super::{Files, ini, yaml_inventory};
use crate::diagnostic::Diagnostic;
use crate::origin::SourceText;
use crate::yaml::{Content, Document};

/// Endings of files that are not read in a directory of inventories.
const IGNORED: [&str; 12] =
    [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];

/// Directories of inventories inside one another, beyond which a loop of links is the likelier reason.
const DEPTH: usize = 32;

/// Reads inventories one after another.
pub(super) struct Reader<'a> {
    pub(super) files: &'a Files,
    pub(super) graph: Graph,
    /// The directories that may have `group_vars` and `host_vars`, in the order in which their inventories are named.
    pub(super) directories: Vec<PathBuf>,
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) problems: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: &'a Files) -> Self {
        Self {
            files,
            graph: Graph::new(),
            directories: Vec::new(),
            warnings: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Reads what was named on the command line: a path, or hosts with commas between them.
    pub(super) fn read(&mut self, source: &str) {
        let path = Path::new(source);
        if path.is_dir() {
            self.directories.push(path.to_owned());
            self.directory(path, 0);
        } else if path.exists() {
            self.directories.push(path.parent().unwrap_or(Path::new("")).to_owned());
            self.file(path);
        } else if source.contains(',') {
            self.list(source);
        } else {
            self.problems.push(
                Diagnostic::new(format!("there is no inventory `{}`", self.files.shown(path)))
                    .hint(format!("a list of hosts has a comma, also behind a single one: `-i {source},`")),
            );
        }
    }

    fn list(&mut self, source: &str) {
        let text = SourceText::new("-i", source);
        self.graph.whence = Arc::default();
        let mut at = 0;
        for name in source.split(',') {
            let start = at + name.len() - name.trim_start().len();
            at += name.len() + 1;
            let (name, origin) = (name.trim(), text.at_byte(start));
            if name.is_empty() {
                continue;
            }
            let added = Hosts::named(name).map_err(|bad| bad.at(&origin, name)).and_then(|found| {
                hosts::add(&mut self.graph, UNGROUPED, &found, &VariableMap::new(), &origin)
            });
            self.problems.extend(added.err());
        }
    }

    fn directory(&mut self, directory: &Path, depth: usize) {
        let names = fs::read_dir(directory).and_then(|entries| {
            let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            names.collect::<std::io::Result<Vec<String>>>()
        });
        let mut names = match names {
            Ok(names) if depth < DEPTH => names,
            Ok(_) => return self.problem(directory, "there are too many directories inside one another"),
            Err(error) => return self.problem(directory, &crate::failure::reason(&error)),
        };
        names.retain(|name| !is_ignored(name));
        names.sort();
        for name in names {
            let path = directory.join(name);
            if path.is_dir() { self.directory(&path, depth + 1) } else { self.file(&path) }
        }
    }

    fn problem(&mut self, path: &Path, reason: &str) {
        let shown = self.files.shown(path);
        self.problems.push(Diagnostic::new(format!("could not read `{shown}`: {reason}")));
    }

    fn file(&mut self, path: &Path) {
        let shown = self.files.shown(path);
        let read = SourceText::bytes(path, &shown).and_then(|bytes| self.content(path, &shown, bytes));
        self.problems.extend(read.err());
    }

    fn content(&mut self, path: &Path, shown: &str, bytes: Vec<u8>) -> Result<(), Diagnostic> {
        if program::is_program(path, &bytes) {
            self.graph.whence = whence(path, &SourceText::new(shown, ""));
            return Program::new(path, shown).read(&mut self.graph, &mut self.warnings);
        }
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending {
            Some("yml" | "yaml" | "json") => self.yaml(path, &SourceText::from_bytes(shown, bytes)?),
            Some("toml") => Err(Diagnostic::new(format!("`{shown}` can't be read: it is TOML"))
                .hint("inventories are INI or YAML")),
            None => {
                let source = SourceText::from_bytes(shown, blank_comments(bytes))?;
                if is_yaml(&source) { self.yaml(path, &source) } else { self.ini(path, &source) }
            }
            Some(_) => self.ini(path, &SourceText::from_bytes(shown, blank_comments(bytes))?),
        }
    }

    fn yaml(&mut self, path: &Path, source: &Arc<SourceText>) -> Result<(), Diagnostic> {
        let document = Document::parse(source)?;
        self.graph.whence = whence(path, source);
        self.warnings.extend(document.warnings.iter().cloned());
        yaml_inventory::read(&document, &mut self.graph, &mut self.warnings)
    }

    fn ini(&mut self, path: &Path, source: &Arc<SourceText>) -> Result<(), Diagnostic> {
        self.graph.whence = whence(path, source);
        ini::read(source, &mut self.graph)
    }
}

/// `inventory_file` and `inventory_dir`, as Ansible gives them to every host.
fn whence(path: &Path, source: &Arc<SourceText>) -> Arc<VariableMap> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().unwrap_or(&path);
    let variable = |path: &Path| {
        Arc::new(Variable::new(Value::from(path.to_string_lossy().into_owned()), source.at(1, 1)))
    };
    Arc::new(VariableMap::from([
        (Arc::from("inventory_file"), variable(&path)),
        (Arc::from("inventory_dir"), variable(directory)),
    ]))
}

fn is_ignored(name: &str) -> bool {
    name.starts_with('.')
        || matches!(name, "host_vars" | "group_vars" | "vars_plugins")
        || IGNORED.iter().any(|ending| name.ends_with(ending))
}

/// Whether a file whose name does not tell is YAML: it has to be a map.
fn is_yaml(source: &Arc<SourceText>) -> bool {
    let lines = source.text().lines().map(str::trim);
    let first = lines.clone().find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let Some(first) = first else { return false };
    if first == "---" {
        return true;
    }
    // The most INI inventories show here that they are none, and need not be parsed as YAML.
    first.contains([':', '{'])
        && Document::parse(source)
            .is_ok_and(|document| document.root.is_some_and(|root| matches!(root.content, Content::Map(_))))
}

/// Comments of an INI inventory may be in any encoding: their letters don't count.
fn blank_comments(mut bytes: Vec<u8>) -> Vec<u8> {
    if std::str::from_utf8(&bytes).is_err() {
        for line in bytes.split_mut(|byte| *byte == b'\n') {
            if line.starts_with(b"#") || line.starts_with(b";") {
                line.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
            }
        }
    }
    bytes
}
