//! Hosts and groups while inventories are read, and what follows from them: who is in which group, and in what order groups
//! give their variables.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use serde_json::Value;

use super::definition::Hidden;
use super::variable::{Variable, VariableMap};
use crate::diagnostic::Diagnostic;
use crate::origin::Origin;

/// The group that all hosts are in; it always exists.
pub(super) const ALL: usize = 0;

/// The group of the hosts that are in no other; it always exists.
pub(super) const UNGROUPED: usize = 1;

/// A group. Groups and hosts are numbered in the order in which they appear.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// The hosts that are listed in it, in order.
    pub(super) hosts: IndexSet<usize>,
    /// The groups that are listed in it, in order, with the places where they are.
    pub(super) children: IndexMap<usize, Option<Origin>>,
    pub(super) parents: Vec<usize>,
    /// What inventories set for it.
    pub(super) variables: VariableMap,
    pub(super) hidden: Hidden,
    /// `ansible_group_priority`; 1 when it is not set.
    priority: Option<i64>,
}

/// A host.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// The groups that it is listed in.
    groups: Vec<usize>,
    /// What inventories set for it.
    pub(super) variables: VariableMap,
    pub(super) hidden: Hidden,
    /// Which inventory names it first, as variables. They are below its own.
    pub(super) whence: Arc<VariableMap>,
    /// Which of the sets of groups it is in, all groups above included.
    pub(super) set: usize,
}

#[derive(Debug)]
pub(super) struct Graph {
    pub(super) groups: IndexMap<String, Group>,
    pub(super) hosts: IndexMap<String, Host>,
    /// The different sets of groups that hosts are in. The groups of a set are in the order in which their variables are
    /// merged: a later one wins.
    pub(super) sets: Vec<Vec<usize>>,
    /// The inventory that is being read, as variables of the hosts that it names first.
    pub(super) whence: Arc<VariableMap>,
}

impl Graph {
    pub(super) fn new() -> Self {
        let mut graph = Self {
            groups: IndexMap::new(),
            hosts: IndexMap::new(),
            sets: Vec::new(),
            whence: Arc::default(),
        };
        let (all, ungrouped) = (graph.group("all"), graph.group("ungrouped"));
        graph.add_child(all, ungrouped, None);
        graph
    }

    /// The group of a name, made if it is new.
    pub(super) fn group(&mut self, name: &str) -> usize {
        match self.groups.get_index_of(name) {
            Some(known) => known,
            None => self.groups.insert_full(name.to_owned(), Group::default()).0,
        }
    }

    /// The host of a name, and whether it is new.
    pub(super) fn host(&mut self, name: &str) -> (usize, bool) {
        match self.hosts.get_index_of(name) {
            Some(known) => (known, false),
            None => {
                let host = Host { whence: Arc::clone(&self.whence), ..Host::default() };
                (self.hosts.insert_full(name.to_owned(), host).0, true)
            }
        }
    }

    /// Puts a host into a group.
    pub(super) fn add_member(&mut self, group: usize, host: usize) {
        if self.groups[group].hosts.insert(host) {
            self.hosts[host].groups.push(group);
        }
    }

    /// Puts a group into another; `origin` is where that is written.
    pub(super) fn add_child(&mut self, parent: usize, child: usize, origin: Option<Origin>) {
        if self.groups[parent].children.insert(child, origin).is_none() {
            self.groups[child].parents.push(parent);
        }
    }

    /// Sets a variable of a group. `ansible_group_priority` is none, but says how the group is merged.
    pub(super) fn set_of_group(
        &mut self,
        group: usize,
        name: &Arc<str>,
        variable: &Arc<Variable>,
    ) -> Result<(), Diagnostic> {
        if &**name == "ansible_group_priority" {
            self.groups[group].priority = Some(priority(variable)?);
        } else {
            let group = &mut self.groups[group];
            group.hidden.set(&mut group.variables, name, variable);
        }
        Ok(())
    }

    /// Sets a variable of a host.
    ///
    /// Where a group has the host's name the variable is the group's, as in Ansible, which looks for the name among groups
    /// first.
    pub(super) fn set_of_host(
        &mut self,
        host: usize,
        name: &Arc<str>,
        variable: &Arc<Variable>,
    ) -> Result<(), Diagnostic> {
        let namesake = self.hosts.get_index(host).and_then(|(name, _)| self.groups.get_index_of(name));
        match namesake {
            Some(group) => self.set_of_group(group, name, variable),
            None => {
                let host = &mut self.hosts[host];
                host.hidden.set(&mut host.variables, name, variable);
                Ok(())
            }
        }
    }

    /// Works out what follows, once all inventories are read.
    ///
    /// # Errors
    /// A group is inside of itself.
    pub(super) fn finish(&mut self) -> Result<(), Diagnostic> {
        for group in 0..self.groups.len() {
            if group != ALL && self.groups[group].parents.is_empty() {
                self.add_child(ALL, group, None);
            }
        }
        let order = self.parents_first()?;
        let above = self.above(&order);
        self.settle_ungrouped(&above);
        let ranks = self.ranks(&order);
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        for host in self.hosts.values_mut() {
            host.set = *known.entry(host.groups.clone()).or_insert_with(|| {
                let closure = host.groups.iter().flat_map(|group| &above[*group]).chain(&host.groups);
                let closure: HashSet<usize> = closure.copied().chain([ALL]).collect();
                let mut set: Vec<usize> = closure.into_iter().collect();
                set.sort_by_key(|group| ranks[*group]);
                self.sets.push(set);
                self.sets.len() - 1
            });
        }
        Ok(())
    }

    /// All groups, each behind all that it is in.
    fn parents_first(&self) -> Result<Vec<usize>, Diagnostic> {
        let mut missing: Vec<usize> = self.groups.values().map(|group| group.parents.len()).collect();
        let mut order: Vec<usize> = (0..missing.len()).filter(|group| missing[*group] == 0).collect();
        let mut next = 0;
        while let Some(group) = order.get(next).copied() {
            next += 1;
            for child in self.groups[group].children.keys() {
                missing[*child] -= 1;
                if missing[*child] == 0 {
                    order.push(*child);
                }
            }
        }
        if order.len() == self.groups.len() { Ok(order) } else { Err(self.cycle(&missing)) }
    }

    /// The error about groups that contain one another; `missing` has how many parents of a group are in a cycle or below
    /// one.
    fn cycle(&self, missing: &[usize]) -> Diagnostic {
        let parent_of = |group: usize| self.groups[group].parents.iter().copied().find(|at| missing[*at] > 0);
        let mut path: Vec<usize> = missing.iter().position(|count| *count > 0).into_iter().collect();
        // Going up from a group that is in or below a cycle comes back to a group sooner or later.
        let cycle = loop {
            let Some(parent) = path.last().copied().and_then(parent_of) else { break path };
            if let Some(start) = path.iter().position(|group| *group == parent) {
                break path.split_off(start);
            }
            path.push(parent);
        };
        let top = cycle.last().copied().unwrap_or(ALL);
        let down: Vec<usize> =
            [top].into_iter().chain(cycle.iter().copied().take(cycle.len() - 1).rev()).collect();
        let mut edges = down.iter().zip(down.iter().cycle().skip(1));
        let origin = edges.find_map(|(parent, child)| self.groups[*parent].children.get(child)?.as_ref());
        let names: Vec<&str> = down.iter().chain([&top]).map(|group| self.group_name(*group)).collect();
        let message = format!("the group `{}` is inside of itself: {}", names[0], names.join(" > "));
        match origin {
            Some(origin) => origin.error(message),
            None => Diagnostic::new(message),
        }
    }

    /// For every group all groups that it is in, directly or not.
    fn above(&self, order: &[usize]) -> Vec<HashSet<usize>> {
        let mut above = vec![HashSet::new(); self.groups.len()];
        for group in order {
            let parents = &self.groups[*group].parents;
            let all: HashSet<usize> =
                parents.iter().flat_map(|parent| above[*parent].iter().chain([parent])).copied().collect();
            above[*group] = all;
        }
        above
    }

    /// Takes hosts that are in another group out of `ungrouped`, and puts those that are in none into it.
    fn settle_ungrouped(&mut self, above: &[HashSet<usize>]) {
        let other = |group: &usize| !matches!(*group, ALL | UNGROUPED);
        for (host, entry) in self.hosts.values_mut().enumerate() {
            let listed = entry.groups.contains(&UNGROUPED);
            let grouped =
                entry.groups.iter().flat_map(|group| above[*group].iter().chain([group])).any(other);
            if listed && grouped {
                entry.groups.retain(|group| *group != UNGROUPED);
            } else if !listed && !grouped {
                entry.groups.push(UNGROUPED);
                self.groups[UNGROUPED].hosts.insert(host);
            }
        }
        let hosts = &self.hosts;
        self.groups[UNGROUPED].hosts.retain(|host| hosts[*host].groups.contains(&UNGROUPED));
    }

    /// The place of every group in the order of merging: depth below `all`, then priority, then name.
    fn ranks(&self, order: &[usize]) -> Vec<usize> {
        let mut depths = vec![0; self.groups.len()];
        for group in order {
            let parents = self.groups[*group].parents.iter();
            depths[*group] = parents.map(|parent| depths[*parent] + 1).max().unwrap_or(0);
        }
        let mut sorted = order.to_vec();
        sorted.sort_by_key(|group| {
            (depths[*group], self.groups[*group].priority.unwrap_or(1), self.group_name(*group))
        });
        let mut ranks = vec![0; sorted.len()];
        for (rank, group) in sorted.into_iter().enumerate() {
            ranks[group] = rank;
        }
        ranks
    }

    /// The hosts of a group and of those in it, each once: its own first, then level by level.
    pub(super) fn hosts_of(&self, group: usize) -> IndexSet<usize> {
        let mut groups = IndexSet::from([group]);
        let mut next = 0;
        while let Some(group) = groups.get_index(next).copied() {
            groups.extend(self.groups[group].children.keys());
            next += 1;
        }
        groups.iter().flat_map(|group| &self.groups[*group].hosts).copied().collect()
    }

    pub(super) fn group_name(&self, group: usize) -> &str {
        self.groups.get_index(group).map_or("", |(name, _)| name)
    }

    pub(super) fn host_name(&self, host: usize) -> &str {
        self.hosts.get_index(host).map_or("", |(name, _)| name)
    }
}

fn priority(variable: &Variable) -> Result<i64, Diagnostic> {
    let number = match &variable.value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| {
        variable
            .origin
            .error("`ansible_group_priority` has to be a whole number")
            .hint("it is 1 when it is not set")
    })
}
