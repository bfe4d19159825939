//! What check mode foretells of the packages on a host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::installed::Installed;
use crate::prediction_state::PredictionState;

/// What the calls so far would have made of the packages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    /// The versions of packages that would be other ones; `None` for one that would be gone.
    pub versions: BTreeMap<String, Option<String>>,
    /// Packages that were asked for, as they were named: planned together with what is asked for next.
    pub asked: Vec<String>,
    /// Packages that were asked to go.
    pub removed: Vec<String>,
    /// Whether the index would be a new one by now.
    pub refreshed: bool,
    /// Whether all packages would be in their newest version by now.
    pub upgraded: bool,
}

impl PredictionState for Prediction {
    const KEY: (&'static str, &'static str) = ("pkg", "packages");
}

impl Prediction {
    /// The packages as they would be.
    pub fn over(&self, installed: &mut Installed) {
        for (name, version) in &self.versions {
            match version {
                Some(version) => installed.versions.insert(name.clone(), version.clone()),
                None => installed.versions.remove(name),
            };
        }
    }

    /// Whether a package would have been installed by now, which may bring files that nobody knows yet.
    pub fn brings_files(&self) -> bool {
        self.versions.values().any(Option::is_some)
    }
}
