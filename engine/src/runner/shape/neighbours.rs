//! What a host is told of the others: the variables of theirs that its play reads, and never their secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::texts::Texts;
use super::variables::{Declared, Layers, Reading};
use crate::bundle::{Neighbours, Peer, Values};
use crate::inventory::Inventory;
use crate::reads::{HostName, Names, Reads};

/// What of the inventory hosts are told, and what was read to find that out.
#[derive(Default)]
pub(super) struct Around {
    /// What travels.
    pub neighbours: Arc<Neighbours>,
    /// What is read of named hosts and of groups, with what the values of other hosts read.
    pub reads: Reads,
}

/// What hosts read that is not their own: of other hosts, of groups, of the controller's environment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Outside {
    others: BTreeMap<HostName, Names>,
    groups: Names,
    environment: BTreeSet<String>,
}

impl Outside {
    /// That part of what is read.
    pub fn of(reads: &Reads) -> Self {
        Self {
            others: reads.others.clone(),
            groups: reads.groups.clone(),
            environment: reads.environment.clone(),
        }
    }
}

/// What hosts are told that read this.
pub(super) fn around(inventory: &Inventory, outside: &Outside, texts: &Texts, declared: &Declared) -> Around {
    let Outside { others, groups, environment } = outside.clone();
    let mut reads = Reads { others, groups, environment, ..Reads::default() };
    if reads == Reads::default() {
        return Around::default();
    }
    // Values of one host may read variables of another, whose values read more: until nothing new comes up.
    let (hosts, withheld) = loop {
        let before = Outside::of(&reads);
        let mut told = IndexMap::new();
        let mut withheld = BTreeSet::new();
        for host in hosts(inventory, &reads) {
            let inventory_of_host = inventory.variables(host);
            let layers = Layers { extra: None, play: None, inventory: inventory_of_host, is_other: true };
            let mut reading = Reading::new(layers, texts, declared);
            reading.read(&Reads { variables: reads.of_host(host), ..Reads::default() });
            told.insert(host.to_owned(), peer(inventory, host, &reading));
            withheld.extend(reading.withheld().inventory);
            reads.add(&Reads { variables: Names::default(), ..reading.reads });
        }
        if before == Outside::of(&reads) {
            break (told, withheld);
        }
    };
    let groups = groups_of(inventory, &reads.groups);
    let value = |name: &String| Some((name.clone(), std::env::var(name).ok()?));
    let environment = reads.environment.iter().filter_map(value).collect();
    Around { neighbours: Arc::new(Neighbours { groups, hosts, withheld, environment }), reads }
}

/// The hosts that are told of: all of them where a name is computed.
fn hosts<'a>(inventory: &'a Inventory, reads: &Reads) -> Vec<&'a str> {
    // A name that the inventory doesn't have is an error that names near matches: they have to be there.
    let known = |name: &HostName| matches!(name, HostName::Named(name) if inventory.has_host(name));
    let all = reads.others.keys().any(|name| !known(name));
    let named = |host: &&str| all || reads.others.contains_key(&HostName::Named((*host).to_owned()));
    inventory.hosts().filter(named).collect()
}

fn peer(inventory: &Inventory, host: &str, reading: &Reading<'_>) -> Peer {
    let named = &reading.reads.variables.named;
    let reads_groups =
        reading.reads.variables.whole || named.contains("group_names") || named.contains("host");
    let groups = inventory.groups_of(host).filter(|_| reads_groups).map(ToOwned::to_owned).collect();
    // Places are for errors in the host's own variables.
    let variables = Values { places: BTreeMap::new(), ..reading.variables() };
    Peer { groups, variables: Arc::new(variables) }
}

/// The groups that are told of.
fn groups_of(inventory: &Inventory, names: &Names) -> IndexMap<String, Vec<String>> {
    if names.is_empty() {
        return IndexMap::new();
    }
    // As with hosts: a group that is not there is an error that names near matches.
    let all = names.is_open() || names.named.iter().any(|name| !inventory.has_group(name));
    let groups = inventory.groups().filter(|group| all || names.named.contains(*group));
    let hosts = |group| inventory.hosts_of(group).map(ToOwned::to_owned).collect();
    groups.map(|group| (group.to_owned(), hosts(group))).collect()
}
