//! Inventories: which hosts there are, what groups they are in, and what is known about them.
//!
//! Ansible's inventories are read as Ansible reads them: INI and YAML files, directories of them, `group_vars` and `host_vars`
//! beside them and beside the playbook. Every value knows the line that it comes from.

#![allow(clippy::result_large_err, reason = "an error is what a person reads, and rare")]

mod address;
mod definition;
mod escape;
pub mod extra_vars;
mod graph;
mod hosts;
mod ini;
mod listing;
pub(crate) mod literal;
mod pattern;
mod program;
mod quoted_line;
mod range;
mod resolver;
mod source;
mod variable;
mod variable_files;
mod words;
mod yaml_inventory;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde_json::Value;

pub use definition::{Definition, Definitions};
use graph::{ALL, Graph};
pub use resolver::Resolver;
pub use variable::{Variable, VariableMap, is_of_controller, is_secret, values};
use variable_files::VariableFiles;

use crate::diagnostic::Diagnostic;
use crate::origin::SourceText;

/// The names under which the controller itself can be meant without being in an inventory.
const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The hosts and groups of all inventories of a run.
#[derive(Debug)]
pub struct Inventory {
    base: Arc<Base>,
    /// What is beside the playbook.
    beside_playbook: Arc<VariableFiles>,
    /// What the groups of a set give to the hosts in it, in the order of [`Graph::sets`]; hosts share it.
    of_sets: Vec<OnceLock<VariableMap>>,
    /// What hosts get that are in no inventory.
    of_all: OnceLock<VariableMap>,
}

/// What does not depend on the playbook.
#[derive(Debug)]
struct Base {
    graph: Graph,
    files: Files,
    /// What is beside the inventories, with its directory, in their order.
    beside: Vec<(PathBuf, Arc<VariableFiles>)>,
    /// The variables of the controller where no inventory has it.
    of_localhost: VariableMap,
    warnings: Vec<Diagnostic>,
    has_sources: bool,
}

/// How files are called in messages.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    root: PathBuf,
}

impl Files {
    /// Files below `root` are called by their path in it.
    pub(crate) fn below(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn shown(&self, path: &Path) -> String {
        let inner = path.strip_prefix(&self.root).or_else(|_| path.strip_prefix(".")).unwrap_or(path);
        inner.to_string_lossy().into_owned()
    }
}

impl Inventory {
    /// Reads inventories, in order: what a later one says wins. A source is a file, a directory of them, or a list of hosts
    /// with a comma in it. Without any there is only the controller itself, as `localhost`.
    ///
    /// Messages call files by their paths below `root`.
    ///
    /// # Errors
    /// All that is wrong with them and with the variable files beside them.
    pub fn load(sources: &[String], root: &Path) -> Result<Self, Vec<Diagnostic>> {
        let files = Files::below(root);
        let mut reader = source::Reader::new(&files);
        for source in sources {
            reader.read(source);
        }
        let source::Reader { mut graph, directories, mut warnings, mut problems, .. } = reader;
        if problems.is_empty() {
            problems.extend(graph.finish().err());
        }
        let mut beside: Vec<(PathBuf, Arc<VariableFiles>)> = Vec::new();
        for directory in directories {
            let canonical = fs::canonicalize(&directory).unwrap_or_else(|_| directory.clone());
            // Named again it comes after what was named in between.
            if let Some(known) = beside.iter().position(|(known, _)| *known == canonical) {
                let again = beside.remove(known);
                beside.push(again);
                continue;
            }
            match graph.variable_files(&directory, &files) {
                Ok(found) => beside.push((canonical, Arc::new(found))),
                Err(more) => problems.extend(more),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        warnings.extend(graph.namesakes());
        warnings.extend(beside.iter().flat_map(|(_, found)| found.warnings.iter().cloned()));
        let of_localhost = of_localhost();
        let has_sources = !sources.is_empty();
        let base = Arc::new(Base { graph, files, beside, of_localhost, warnings, has_sources });
        Ok(Self::with(base, Arc::default()))
    }

    /// The same inventory for the plays of a playbook in this directory, with the `group_vars` and `host_vars` in it.
    ///
    /// # Errors
    /// All that is wrong with these files.
    pub fn beside(&self, playbook_directory: &Path) -> Result<Self, Vec<Diagnostic>> {
        let canonical =
            fs::canonicalize(playbook_directory).unwrap_or_else(|_| playbook_directory.to_owned());
        let known = self.base.beside.iter().find(|(directory, _)| *directory == canonical);
        let found = match known {
            Some((_, found)) => Arc::clone(found),
            None => Arc::new(self.base.graph.variable_files(playbook_directory, &self.base.files)?),
        };
        Ok(Self::with(Arc::clone(&self.base), found))
    }

    fn with(base: Arc<Base>, beside_playbook: Arc<VariableFiles>) -> Self {
        let of_sets = base.graph.sets.iter().map(|_| OnceLock::new()).collect();
        Self { base, beside_playbook, of_sets, of_all: OnceLock::new() }
    }

    /// What is suspicious about the inventories and the variable files beside them.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.base.warnings.iter()
    }

    /// What is suspicious about the variable files beside the playbook, unless they are those beside an inventory.
    pub fn warnings_beside_playbook(&self) -> impl Iterator<Item = &Diagnostic> {
        let is_known = self.base.beside.iter().any(|(_, found)| Arc::ptr_eq(found, &self.beside_playbook));
        self.beside_playbook.warnings.iter().filter(move |_| !is_known)
    }

    /// All hosts, in the order in which they appear first.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.base.graph.hosts.keys().map(String::as_str)
    }

    /// Whether there is such a host. The controller is one also where no inventory has it.
    pub fn knows(&self, host: &str) -> bool {
        self.base.graph.hosts.contains_key(host) || LOCALHOST.contains(&host)
    }

    /// All groups, with `all` and `ungrouped`.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.base.graph.groups.keys().map(String::as_str)
    }

    /// Whether there is such a host.
    pub fn has_host(&self, name: &str) -> bool {
        self.base.graph.hosts.contains_key(name)
    }

    /// Whether there is such a group.
    pub fn has_group(&self, name: &str) -> bool {
        self.base.graph.groups.contains_key(name)
    }

    /// The hosts of a group and of the groups in it, in their order. None if there is no such group.
    pub fn hosts_of(&self, group: &str) -> impl Iterator<Item = &str> {
        let graph = &self.base.graph;
        let hosts = graph.groups.get_index_of(group).map(|group| graph.hosts_of(group));
        hosts.into_iter().flatten().map(|host| graph.host_name(host))
    }

    /// The hosts that are listed in a group itself, in their order. None if there is no such group.
    pub fn members(&self, group: &str) -> impl Iterator<Item = &str> {
        let graph = &self.base.graph;
        let hosts = graph.groups.get(group).map(|group| &group.hosts);
        hosts.into_iter().flatten().map(|host| graph.host_name(*host))
    }

    /// The groups that are listed in a group itself, in their order. None if there is no such group.
    pub fn children(&self, group: &str) -> impl Iterator<Item = &str> {
        let graph = &self.base.graph;
        let children = graph.groups.get(group).map(|group| group.children.keys());
        children.into_iter().flatten().map(|child| graph.group_name(*child))
    }

    /// The hosts of every group.
    pub fn hosts_by_group(&self) -> IndexMap<String, Vec<String>> {
        let hosts = |group| self.hosts_of(group).map(str::to_owned).collect();
        self.groups().map(|group| (group.to_owned(), hosts(group))).collect()
    }

    /// The groups that a host is in, directly or not, sorted, without `all`. None if there is no such host.
    pub fn groups_of(&self, host: &str) -> impl Iterator<Item = &str> {
        let graph = &self.base.graph;
        let set = graph.hosts.get(host).map(|host| &graph.sets[host.set]);
        let groups = set.into_iter().flatten().filter(|group| **group != ALL);
        let mut names: Vec<&str> = groups.map(|group| graph.group_name(*group)).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// The hosts that a pattern selects, in its order.
    ///
    /// # Errors
    /// The pattern is malformed, or a part of it selects nothing. The error has no place.
    pub fn select(&self, pattern: &str) -> Result<Vec<String>, Diagnostic> {
        let terms = pattern::parse(pattern, None)?;
        Ok(self.evaluate(&terms)?.into_iter().map(str::to_owned).collect())
    }

    /// The hosts that `--limit` leaves. A part `@FILE` stands for the parts that are the lines of a file.
    ///
    /// # Errors
    /// As [`select`](Self::select), with a place; or a file can't be read.
    pub fn limit(&self, limit: &str) -> Result<HashSet<String>, Diagnostic> {
        let terms = pattern::parse_limit(limit, &self.base.files)?;
        Ok(self.evaluate(&terms)?.into_iter().map(str::to_owned).collect())
    }

    fn evaluate(&self, terms: &[pattern::Term]) -> Result<Vec<&str>, Diagnostic> {
        pattern::evaluate(&self.base.graph, terms).map_err(|problem| {
            let nothing = !self.base.has_sources && problem.hint.is_none();
            if nothing { problem.hint("there is no inventory: name one with `-i`") } else { problem }
        })
    }

    /// What is known about a host. The controller has variables also where no inventory has it.
    pub fn variables(&self, host: &str) -> HostVariables<'_> {
        let Base { graph, beside, of_localhost, .. } = &*self.base;
        let mut layers = match graph.hosts.get(host) {
            Some(entry) => vec![self.of_set(entry.set), &entry.whence, &entry.variables],
            None => vec![self.of_all.get_or_init(|| self.merged(&[ALL]))],
        };
        if layers.len() == 1 && LOCALHOST.contains(&host) {
            layers.push(of_localhost);
        }
        let beside = beside.iter().map(|(_, files)| files).chain([&self.beside_playbook]);
        layers.extend(beside.filter_map(|files| files.hosts.get(host)));
        HostVariables { layers }
    }

    /// The names of all variables that any host or group has, some of them several times.
    pub fn variable_names(&self) -> impl Iterator<Item = &str> {
        let Base { graph, beside, .. } = &*self.base;
        let of_groups = graph.groups.values().map(|group| &group.variables);
        let of_hosts = graph.hosts.values().map(|host| &host.variables);
        let files = beside.iter().map(|(_, files)| files).chain([&self.beside_playbook]);
        let of_files = files.flat_map(|files| files.groups.values().chain(files.hosts.values()));
        of_groups.chain(of_hosts).chain(of_files).flat_map(|variables| variables.keys().map(|name| &**name))
    }

    fn of_set(&self, set: usize) -> &VariableMap {
        self.of_sets[set].get_or_init(|| self.merged(&self.base.graph.sets[set]))
    }

    /// What groups give, in Ansible's order: what inventories say, then the files, each time `all` before the others.
    fn merged(&self, set: &[usize]) -> VariableMap {
        let Base { graph, beside, .. } = &*self.base;
        let others = || set.iter().filter(|group| **group != ALL);
        let mut merged = graph.groups[ALL].variables.clone();
        let mut take = |more: Option<&VariableMap>| {
            let more = more.into_iter().flatten();
            merged.extend(more.map(|(name, variable)| (Arc::clone(name), Arc::clone(variable))));
        };
        others().for_each(|group| take(Some(&graph.groups[*group].variables)));
        let files = || beside.iter().map(|(_, files)| files).chain([&self.beside_playbook]);
        files().for_each(|files| take(files.groups.get("all")));
        for files in files() {
            others().for_each(|group| take(files.groups.get(graph.group_name(*group))));
        }
        merged
    }
}

impl Graph {
    fn variable_files(&self, directory: &Path, files: &Files) -> Result<VariableFiles, Vec<Diagnostic>> {
        let is_host = |name: &str| self.hosts.contains_key(name) || LOCALHOST.contains(&name);
        VariableFiles::read(directory, files, |name| self.groups.contains_key(name), is_host)
    }

    /// Warnings about names that are both a host's and a group's.
    fn namesakes(&self) -> impl Iterator<Item = Diagnostic> {
        let both = self.groups.keys().filter(|name| self.hosts.contains_key(*name));
        both.map(|name| {
            Diagnostic::new(format!("both a host and a group are called `{name}`"))
                .hint("a pattern means the host, and variables that an inventory sets for it are the group's")
        })
    }
}

/// What the controller knows about itself where no inventory has it.
fn of_localhost() -> VariableMap {
    let text = SourceText::new("(implicit localhost)", "localhost ansible_connection=local");
    let variable = Variable::new(Value::from("local"), text.at(1, 11));
    VariableMap::from([(Arc::from("ansible_connection"), Arc::new(variable))])
}

/// The variables of a host, each as the highest of its layers has it. Nothing is copied: what groups give is there once for
/// all of their hosts.
#[derive(Clone, Debug)]
pub struct HostVariables<'a> {
    /// What groups give, then what is the host's own; a later one wins.
    layers: Vec<&'a VariableMap>,
}

impl<'a> From<&'a VariableMap> for HostVariables<'a> {
    fn from(variables: &'a VariableMap) -> Self {
        Self { layers: vec![variables] }
    }
}

impl<'a> HostVariables<'a> {
    /// A variable.
    pub fn get(&self, name: &str) -> Option<&'a Variable> {
        self.layers.iter().rev().find_map(|layer| layer.get(name)).map(Arc::as_ref)
    }

    /// All variables, those of groups first.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Variable)> {
        self.layers.iter().enumerate().flat_map(move |(at, layer)| {
            let hidden = &self.layers[at + 1..];
            let visible =
                layer.iter().filter(|(name, _)| !hidden.iter().any(|above| above.contains_key(*name)));
            visible.map(|(name, variable)| (&**name, &**variable))
        })
    }
}

#[cfg(test)]
mod tests;
