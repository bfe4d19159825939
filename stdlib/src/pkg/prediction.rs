//! What check mode foretells of the packages on a host.

use std::collections::BTreeMap;

use refrain_engine::failure::Failure;
use refrain_engine::system::View;
use refrain_engine::system::preview::Overlay;
use serde::{Deserialize, Serialize};

use super::installed::Installed;

/// What the prediction is known by to the overlay.
const KIND: &str = "pkg";
const NAME: &str = "packages";

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

impl Prediction {
    /// What is predicted so far; nothing outside of check mode.
    pub fn look(host: &dyn View) -> Self {
        let state = host.predicted(KIND, NAME);
        state.and_then(|state| serde_json::from_value(state).ok()).unwrap_or_default()
    }

    /// Adds to what is predicted.
    ///
    /// # Errors
    /// What is predicted can't be written down.
    pub fn change(overlay: &Overlay, change: impl FnOnce(&mut Self)) -> Result<(), Failure> {
        let mut prediction = Self::look(overlay);
        change(&mut prediction);
        let state = serde_json::to_value(prediction).map_err(|error| Failure::state(error.to_string()))?;
        overlay.set_state(KIND, NAME, state);
        Ok(())
    }

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
