//! The variables of groups and hosts in files of their own: `group_vars/NAME.yml`, `host_vars/NAME/…`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use rayon::prelude::*;

use super::Files;
use super::definition::Hidden;
use super::variable::{VariableMap, variables};
use crate::diagnostic::Diagnostic;
use crate::failure::reason;
use crate::origin::SourceText;
use crate::yaml::Document;

/// Endings of variable files. The file with the first of them is taken, one without any before all.
const ENDINGS: [&str; 3] = [".yml", ".yaml", ".json"];

/// Directories inside one another, beyond which a loop of links is the likelier reason.
const DEPTH: usize = 32;

/// The variable files beside an inventory or a playbook.
#[derive(Debug, Default)]
pub(super) struct VariableFiles {
    /// Variables by the names of groups.
    pub(super) groups: HashMap<String, VariableMap>,
    /// Variables by the names of hosts.
    pub(super) hosts: HashMap<String, VariableMap>,
    /// What is hidden of the variables of groups, where several files have one.
    pub(super) hidden_of_groups: HashMap<String, Hidden>,
    /// What is hidden of the variables of hosts.
    pub(super) hidden_of_hosts: HashMap<String, Hidden>,
    /// What is suspicious about them.
    pub(super) warnings: Vec<Diagnostic>,
}

impl VariableFiles {
    /// Reads the files in `directory` that belong to groups and hosts that there are.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub(super) fn read(
        directory: &Path,
        files: &Files,
        is_group: impl Fn(&str) -> bool,
        is_host: impl Fn(&str) -> bool,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut found = Self::default();
        (found.groups, found.hidden_of_groups) =
            found.take(&directory.join("group_vars"), files, &is_group, &mut problems);
        (found.hosts, found.hidden_of_hosts) =
            found.take(&directory.join("host_vars"), files, &is_host, &mut problems);
        if problems.is_empty() { Ok(found) } else { Err(problems) }
    }

    /// The variables of all known names that have files in a directory.
    fn take(
        &mut self,
        directory: &Path,
        files: &Files,
        known: &dyn Fn(&str) -> bool,
        problems: &mut Vec<Diagnostic>,
    ) -> (HashMap<String, VariableMap>, HashMap<String, Hidden>) {
        let named = files_by_name(directory, files, known, &mut self.warnings).unwrap_or_else(|error| {
            let shown = files.shown(directory);
            problems.push(Diagnostic::new(format!("could not read `{shown}`: {}", reason(&error))));
            Vec::new()
        });
        let read: Vec<_> =
            named.into_par_iter().map(|(name, paths)| (name, read_all(&paths, files))).collect();
        let (mut all, mut all_hidden) = (HashMap::new(), HashMap::new());
        for (name, read) in read {
            match read {
                Ok(Read { variables, hidden, warnings }) => {
                    all_hidden.insert(name.clone(), hidden);
                    all.insert(name, variables);
                    self.warnings.extend(warnings);
                }
                Err(problem) => problems.push(problem),
            }
        }
        (all, all_hidden)
    }
}

/// What the files of one name have.
#[derive(Default)]
struct Read {
    variables: VariableMap,
    hidden: Hidden,
    /// What is suspicious about them.
    warnings: Vec<Diagnostic>,
}

/// The variables of several files, of which a later one wins.
fn read_all(paths: &[PathBuf], files: &Files) -> Result<Read, Diagnostic> {
    let mut read = Read::default();
    for path in paths {
        let document = Document::parse(&SourceText::read(path, &files.shown(path))?)?;
        if let Some(entries) = document.entries("a variable file")? {
            for (name, variable) in variables(&document, entries) {
                read.hidden.set(&mut read.variables, &name, &variable);
            }
        }
        read.warnings.extend(document.warnings);
    }
    Ok(read)
}

/// The files of every known name, in the order in which they are merged. The directory is listed once, however many names
/// there are. Nothing if there is no such directory.
fn files_by_name(
    directory: &Path,
    files: &Files,
    known: &dyn Fn(&str) -> bool,
    warnings: &mut Vec<Diagnostic>,
) -> io::Result<Vec<(String, Vec<PathBuf>)>> {
    let entries = match names_in(directory) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => return Ok(Vec::new()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotADirectory) => {
            let shown = files.shown(directory);
            warnings.push(Diagnostic::new(format!("`{shown}` is not a directory, and not read")));
            return Ok(Vec::new());
        }
        entries => entries?,
    };
    // Of every name the rank of the ending, and the entry.
    let mut best: IndexMap<&str, (usize, &str)> = IndexMap::new();
    for entry in &entries {
        let with_ending =
            ENDINGS.iter().enumerate().filter_map(|(at, ending)| Some((at + 1, entry.strip_suffix(ending)?)));
        for (rank, name) in
            [(0, entry.as_str())].into_iter().chain(with_ending).filter(|(_, name)| known(name))
        {
            let slot = best.entry(name).or_insert((rank, entry));
            if slot.0 != rank {
                let (taken, ignored) =
                    if slot.0 < rank { (slot.1, entry.as_str()) } else { (entry.as_str(), slot.1) };
                warnings.push(Diagnostic::new(format!(
                    "`{}` is not read: `{taken}` beside it comes before it",
                    files.shown(&directory.join(ignored))
                )));
                *slot = (*slot).min((rank, entry));
            }
        }
    }
    best.into_iter()
        .map(|(name, (_, entry))| Ok((name.to_owned(), below(&directory.join(entry), 0)?)))
        .collect()
}

/// A file itself, or the variable files in a directory, sorted by name at each level.
fn below(path: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    if depth == DEPTH {
        return Err(io::Error::other("there are too many directories inside one another"));
    }
    let mut found = Vec::new();
    for name in names_in(path)? {
        let inner = path.join(&name);
        let has_ending = inner.extension().is_some();
        let wanted = match inner.is_dir() {
            true => !has_ending,
            false => !has_ending || ENDINGS.iter().any(|ending| name.ends_with(ending)),
        };
        if wanted && !name.starts_with('.') && !name.ends_with('~') {
            found.extend(below(&inner, depth + 1)?);
        }
    }
    Ok(found)
}

fn names_in(directory: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(directory)?;
    let names: io::Result<Vec<String>> =
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect();
    let mut names = names?;
    names.sort();
    Ok(names)
}
