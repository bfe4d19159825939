//! What check mode foretells of the packages on a host, and the packages as they would be.

use std::collections::BTreeMap;
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::system::View;
use serde::{Deserialize, Serialize};

use super::database::{Database, Package};
use crate::prediction_state::PredictionState;

/// What the calls so far would have made of the packages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    /// Packages that would be other ones; `None` for one that would be gone.
    pub packages: BTreeMap<String, Option<Package>>,
    /// What was asked for to be installed, in order: planned together with what is asked for next, so that both are resolved
    /// as they would be one after the other.
    pub installed: Vec<String>,
    /// What was asked for to be removed.
    pub removed: Vec<String>,
    /// Groups of alternatives that another package would be in use for, as in the database.
    pub alternatives: BTreeMap<String, Vec<String>>,
    /// Whether the index would be that of the repositories by now, whatever it is on the host.
    pub refreshed: bool,
    /// The repositories of which it is known that the host trusts them.
    pub trusted: Vec<String>,
}

impl PredictionState for Prediction {
    const KEY: (&'static str, &'static str) = ("xbps", "packages");
}

/// The packages on a host, as they are or would be.
#[derive(Clone, Debug, Default)]
pub struct Packages {
    /// As they are.
    pub real: Rc<Database>,
    /// As they would be: the same outside of check mode.
    pub now: Rc<Database>,
    /// What makes the difference.
    pub prediction: Prediction,
}

impl Packages {
    /// Looks at them.
    ///
    /// # Errors
    /// As [`Database::look`].
    pub fn look(host: &dyn View) -> Result<Self, Failure> {
        let real = Database::look(host)?;
        let prediction = Prediction::look(host);
        if prediction.packages.is_empty() && prediction.alternatives.is_empty() {
            return Ok(Self { now: Rc::clone(&real), real, prediction });
        }
        let mut now = Database::clone(&real);
        for (name, package) in &prediction.packages {
            match package {
                Some(package) => now.packages.insert(name.clone(), package.clone()),
                None => now.packages.remove(name),
            };
        }
        now.alternatives.extend(prediction.alternatives.clone());
        Ok(Self { real, now: Rc::new(now), prediction })
    }

    /// Whether a package is as it is only by prediction: xbps itself does not know it so.
    pub fn is_predicted(&self, name: &str) -> bool {
        self.prediction.packages.contains_key(name)
    }
}
