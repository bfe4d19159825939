//! What an evaluation reads of the inventory, found without evaluating anything.

use std::collections::{BTreeMap, BTreeSet};

/// Which names are read of something that has many.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Names {
    /// Those that are written out.
    pub named: BTreeSet<String>,
    /// Whether one is computed.
    pub computed: bool,
    /// Whether all of them are read, as where the thing itself is passed on.
    pub whole: bool,
}

impl Names {
    /// Adds what `other` has.
    pub fn add(&mut self, other: &Self) {
        self.named.extend(other.named.iter().cloned());
        self.computed |= other.computed;
        self.whole |= other.whole;
    }

    /// Whether names are read that are not written out.
    pub fn is_open(&self) -> bool {
        self.computed || self.whole
    }

    /// Whether nothing is read at all.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && !self.is_open()
    }
}

/// A host whose variables are read by another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostName {
    /// Its name is computed: it may be any.
    Any,
    /// Its name is written out.
    Named(String),
}

/// What is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Variables of the host itself. Names that the engine or the facts supply are among them.
    pub variables: Names,
    /// Variables of hosts that are named: of others, or of the host itself by its name.
    pub others: BTreeMap<HostName, Names>,
    /// Groups of the inventory.
    pub groups: Names,
    /// Variables of the controller's environment.
    pub environment: BTreeSet<String>,
}

impl Reads {
    /// Adds what `other` has.
    pub fn add(&mut self, other: &Self) {
        self.variables.add(&other.variables);
        self.groups.add(&other.groups);
        self.environment.extend(other.environment.iter().cloned());
        for (host, names) in &other.others {
            self.others.entry(host.clone()).or_default().add(names);
        }
    }

    /// What is read of `host` by those who name it, or any.
    pub fn of_host(&self, host: &str) -> Names {
        let mut names = self.others.get(&HostName::Any).cloned().unwrap_or_default();
        if let Some(more) = self.others.get(&HostName::Named(host.to_owned())) {
            names.add(more);
        }
        names
    }
}
