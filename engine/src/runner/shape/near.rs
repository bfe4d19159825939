//! Near matches of names that a play reads and nothing has: a host does not know what else there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::Shared;
use super::variables::Reading;
use crate::diagnostic::near_match;
use crate::inventory::is_of_controller;

/// The names of all variables, and what was found among them.
#[derive(Default)]
pub(super) struct NearNames {
    known: OnceLock<BTreeSet<String>>,
    found: Shared<String, Option<String>>,
}

impl NearNames {
    /// The near matches for what is read and not there, unless the play `sets` it. `all` gives the names that there are.
    pub fn of(
        &self,
        reading: &Reading<'_>,
        sets: &BTreeSet<String>,
        all: impl Fn() -> BTreeSet<String>,
    ) -> BTreeMap<String, String> {
        let names = reading.reads.variables.named.iter();
        // What begins with `ansible_` is a fact, or the controller's.
        let missing = names.filter(|name| {
            !reading.taken.contains_key(*name) && !sets.contains(*name) && !is_of_controller(name)
        });
        let near = missing.filter_map(|name| {
            let found = self.found.get(name.clone(), |name| {
                let known = self.known.get_or_init(&all).iter().map(String::as_str);
                near_match(name, known).map(ToOwned::to_owned)
            });
            Some((name.clone(), (*found).clone()?))
        });
        near.collect()
    }
}
