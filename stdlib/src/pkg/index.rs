//! The index of the repositories: whether there is one, and how old it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::{Command, Kind, Time, View};

use super::manager::{Base, PackageManager};
use super::prediction::Prediction;
use crate::prediction_state::PredictionState;

/// With which index packages are planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// That of the host.
    Current,
    /// There is none on the host yet: it is fetched first.
    Missing,
    /// Check mode has foretold that it is brought up to date.
    Refreshed,
}

impl Index {
    /// That of a host.
    ///
    /// # Errors
    /// The host can't be looked at.
    pub fn look(manager: &dyn PackageManager, host: &dyn View) -> Result<Self, Failure> {
        let refreshed = Prediction::look(host).refreshed;
        let Some(directory) = manager.index() else {
            return Ok(if refreshed { Self::Refreshed } else { Self::Current });
        };
        Ok(match (refreshed, files(host, directory)?.is_empty()) {
            (true, _) => Self::Refreshed,
            (false, true) => Self::Missing,
            (false, false) => Self::Current,
        })
    }

    /// What fetches it before packages are changed, where there is none.
    pub fn fetch(self, manager: &dyn PackageManager, base: &Base) -> Option<Command> {
        (self == Self::Missing).then(|| manager.refresh(base))
    }

    /// Whether it has to be taken from the repositories for a plan.
    pub fn is_fresh(self) -> bool {
        self != Self::Current
    }
}

/// The files of an index, each with its size and the time of its last change.
///
/// # Errors
/// The host can't be looked at.
pub fn files(host: &dyn View, directory: &str) -> Result<BTreeMap<PathBuf, (u64, Time)>, Failure> {
    let names = host.list(Path::new(directory))?;
    let paths: Vec<PathBuf> =
        names.iter().filter(|name| *name != "lock").map(|name| Path::new(directory).join(name)).collect();
    host.look_ahead(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    let mut files = BTreeMap::new();
    for path in paths {
        if let Some(stat) = host.stat(&path)?.filter(|stat| stat.kind == Kind::File) {
            files.insert(path, (stat.size, stat.modified));
        }
    }
    Ok(files)
}
