//! The facts under the names that Ansible has for them, for the templates that are written with these.
//!
//! Values have Ansible's form, down to numbers that are text (`prefix: "24"`) and `NA` for what is not known. They differ
//! where Ansible's would describe something else than the host, or a program would have to be run; `docs/facts.md` has
//! the list.

mod devices;
mod distribution;
mod hardware;
mod network;
mod system;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Facts, Gather};

/// What Ansible puts in front of all names.
pub(super) const PREFIX: &str = "ansible_";

pub(super) use network::may_be_interface;

/// All names without the prefix, apart from those of interfaces.
fn table() -> impl Iterator<Item = &'static (&'static str, Gather)> {
    Family::TABLES.iter().flat_map(|(_, table)| *table)
}

/// Facts that are told together to whoever asks for one of them from afar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Family {
    /// What the system is: its distribution and kernel.
    Distribution,
    /// What is set up on it: names, users, time, managers.
    System,
    /// The machine.
    Hardware,
    /// Addresses and routes.
    Network,
    /// Each interface by its name, and nothing else.
    Interfaces,
    /// All that there are.
    All,
}

impl Family {
    const TABLES: [(Self, &[(&'static str, Gather)]); 4] = [
        (Self::Distribution, distribution::NAMES),
        (Self::System, system::NAMES),
        (Self::Hardware, hardware::NAMES),
        (Self::Network, network::NAMES),
    ];

    /// The family in which the fact `name` is to be found if there is one. The name has Ansible's prefix no more.
    pub fn of(name: &str) -> Self {
        if name == "facts" {
            return Self::All;
        }
        let holds = |table: &[(&str, Gather)]| table.iter().any(|(own, _)| *own == name);
        let found = Self::TABLES.iter().find(|(_, table)| holds(table));
        found.map_or(Self::Interfaces, |(family, _)| *family)
    }

    /// Its facts, by their names without the prefix.
    pub(super) fn gather(self, facts: &Facts) -> Map<String, Value> {
        match self {
            Self::All => all(facts),
            Self::Interfaces => interfaces(facts),
            _ => {
                let table = Self::TABLES.iter().find(|(family, _)| *family == self);
                let table = table.map_or(&[][..], |(_, table)| table);
                table.iter().filter_map(|(name, gather)| Some(((*name).to_owned(), gather(facts)?))).collect()
            }
        }
    }
}

/// Every interface by its own name, and by that which it has in a template.
fn interfaces(facts: &Facts) -> Map<String, Value> {
    let mut all = Map::new();
    for name in network::interface_names(facts) {
        let Some(interface) = network::interface(facts, &name) else { continue };
        all.insert(network::as_variable(&name), interface.clone());
        all.insert(name, interface);
    }
    all
}

/// A fact by Ansible's name.
pub(super) fn get(facts: &Facts, name: &str) -> Option<Value> {
    let name = name.strip_prefix(PREFIX)?;
    if name == "facts" {
        return Some(all(facts).into());
    }
    match table().find(|(own, _)| *own == name) {
        Some((_, gather)) => gather(facts),
        None => network::interface(facts, name),
    }
}

/// All that a template may ask for.
pub(super) fn names(facts: &Facts) -> Vec<String> {
    let fixed = table().map(|(name, _)| (*name).to_owned()).chain(["facts".to_owned()]);
    let interfaces = network::interface_names(facts).into_iter().map(|name| network::as_variable(&name));
    fixed.chain(interfaces).map(|name| format!("{PREFIX}{name}")).collect()
}

/// What `ansible_facts` is: all that this host has, without the prefix.
fn all(facts: &Facts) -> Map<String, Value> {
    let fixed = table().filter_map(|(name, gather)| Some(((*name).to_owned(), gather(facts)?)));
    let interfaces = network::interface_names(facts).into_iter().filter_map(|name| {
        let interface = network::interface(facts, &name)?;
        Some((name.replace('-', "_"), interface))
    });
    fixed.chain(interfaces).collect()
}

/// All names without the prefix that don't depend on the host.
#[cfg(test)]
pub(super) fn fixed_names() -> impl Iterator<Item = &'static str> {
    table().map(|(name, _)| *name)
}
