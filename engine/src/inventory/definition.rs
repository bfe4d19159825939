//! Where a variable of a host is set: once, or several times, of which the last counts.

use std::sync::Arc;

use indexmap::IndexMap;

use super::graph::ALL;
use super::variable::VariableMap;
use super::{Base, Inventory, LOCALHOST, Variable};

/// A place that sets a variable of a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition<'a> {
    /// The group that gives it to its hosts. None where it is set for the host itself.
    pub group: Option<&'a str>,
    /// What it sets.
    pub variable: &'a Variable,
}

/// Variables that a later one of the same owner has hidden, in the order in which they were set.
#[derive(Clone, Debug, Default)]
pub(super) struct Hidden(Vec<(Arc<str>, Arc<Variable>)>);

impl Hidden {
    /// Sets a variable, and keeps the one that it hides.
    pub(super) fn set(&mut self, variables: &mut VariableMap, name: &Arc<str>, variable: &Arc<Variable>) {
        if let Some(before) = variables.insert(Arc::clone(name), Arc::clone(variable)) {
            self.0.push((Arc::clone(name), before));
        }
    }
}

/// What is known about a host, by name; of each name all definitions, of which a later one wins.
pub type Definitions<'a> = IndexMap<&'a str, Vec<Definition<'a>>>;

/// Collects definitions from the lowest to the highest.
#[derive(Default)]
struct Collector<'a>(Definitions<'a>);

impl<'a> Collector<'a> {
    fn take(
        &mut self,
        group: Option<&'a str>,
        hidden: Option<&'a Hidden>,
        variables: Option<&'a VariableMap>,
    ) {
        let hidden = hidden.into_iter().flat_map(|hidden| &hidden.0).map(|(name, variable)| (name, variable));
        for (name, variable) in hidden.chain(variables.into_iter().flatten()) {
            let definitions = self.0.entry(name).or_default();
            // Files that are beside an inventory and beside the playbook count where they come last.
            definitions.retain(|known| !std::ptr::eq(known.variable, &**variable));
            definitions.push(Definition { group, variable });
        }
    }
}

impl Inventory {
    /// All places that set a variable of a host, in the order in which they win over one another: what counts is the last,
    /// which is what [`variables`](Self::variables) has.
    pub fn definitions(&self, host: &str) -> Definitions<'_> {
        let Base { graph, beside, of_localhost, .. } = &*self.base;
        let entry = graph.hosts.get(host);
        let set = entry.map_or(&[ALL][..], |entry| &graph.sets[entry.set]);
        let others = || set.iter().filter(|group| **group != ALL);
        let mut found = Collector::default();
        for group in [&ALL].into_iter().chain(others()) {
            let name = graph.group_name(*group);
            let group = &graph.groups[*group];
            found.take(Some(name), Some(&group.hidden), Some(&group.variables));
        }
        let files = || beside.iter().map(|(_, files)| files).chain([&self.beside_playbook]);
        for files in files() {
            found.take(Some("all"), files.hidden_of_groups.get("all"), files.groups.get("all"));
        }
        for files in files() {
            for group in others() {
                let name = graph.group_name(*group);
                found.take(Some(name), files.hidden_of_groups.get(name), files.groups.get(name));
            }
        }
        match entry {
            Some(entry) => {
                found.take(None, None, Some(&entry.whence));
                found.take(None, Some(&entry.hidden), Some(&entry.variables));
            }
            None if LOCALHOST.contains(&host) => found.take(None, None, Some(of_localhost)),
            None => {}
        }
        for files in files() {
            found.take(None, files.hidden_of_hosts.get(host), files.hosts.get(host));
        }
        found.0
    }
}
