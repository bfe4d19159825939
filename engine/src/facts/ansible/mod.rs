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

use serde_json::{Map, Value};

use super::{Facts, Gather};

/// What Ansible puts in front of all names.
const PREFIX: &str = "ansible_";

/// All names without the prefix, apart from those of interfaces.
fn table() -> impl Iterator<Item = &'static (&'static str, Gather)> {
    [distribution::NAMES, system::NAMES, hardware::NAMES, network::NAMES].into_iter().flatten()
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
