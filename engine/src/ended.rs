//! How a play has ended on a host: what comes back from there.

use serde::{Deserialize, Serialize};

use crate::event::Recap;
use crate::journal::Settled;
use crate::system::preview::Predicted;

/// How a play ended on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// What happened.
    pub recap: Recap,
    /// `end_host()`: it takes no part in later plays.
    pub host_done: bool,
    /// `end_play()`: hosts that have not begun yet don't.
    pub play_done: bool,
    /// What `--start-at` names was met, here or in an earlier play; true without `--start-at`.
    pub started: bool,
    /// What later plays of the run have to know of the host. Nothing outside of check mode: there the host itself knows it.
    #[serde(default)]
    pub foretold: Foretold,
}

impl Ended {
    /// With nothing to say but what happened.
    pub fn of(recap: Recap) -> Self {
        Self { recap, ..Self::default() }
    }
}

/// What a play in check mode says of a host to the plays behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foretold {
    /// What it would have made.
    pub predicted: Predicted,
    /// What earlier runs have left behind, and it would have settled.
    pub settled: Settled,
}

impl Foretold {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.predicted.is_empty() && self.settled.is_empty()
    }

    /// The same for somebody who may not know the contents of the host's files.
    #[must_use]
    pub fn without_contents(&self) -> Self {
        Self { predicted: self.predicted.without_contents(), settled: self.settled.clone() }
    }
}
