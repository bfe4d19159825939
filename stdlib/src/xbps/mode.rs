//! The modes of packages: automatic or manual, on hold, bound to a repository.

use std::fmt;
use std::time::Duration;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Command, System};
use schemars::JsonSchema;
use serde::Deserialize;

use super::database::Package;
use super::lock;
use super::prediction::{Packages, Prediction};
use super::program::run;
use crate::prediction_state::PredictionState;

/// Why a package is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Only for the sake of others.
    Auto,
    /// For its own sake.
    Manual,
}

/// What can be said of a package, as `xbps-pkgdb -m` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// There only for the sake of others, or for its own.
    Automatic(bool),
    /// Updates leave it alone, or don't.
    Hold(bool),
    /// Updates come only from the repository that it came from, or from any.
    Repolock(bool),
}

impl From<Mode> for Mark {
    fn from(mode: Mode) -> Self {
        Self::Automatic(mode == Mode::Auto)
    }
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Automatic(true) => "auto",
            Self::Automatic(false) => "manual",
            Self::Hold(true) => "hold",
            Self::Hold(false) => "unhold",
            Self::Repolock(true) => "repolock",
            Self::Repolock(false) => "repounlock",
        }
    }

    fn opposite(self) -> Self {
        match self {
            Self::Automatic(flag) => Self::Automatic(!flag),
            Self::Hold(flag) => Self::Hold(!flag),
            Self::Repolock(flag) => Self::Repolock(!flag),
        }
    }

    fn is_set(self, package: &Package) -> bool {
        match self {
            Self::Automatic(flag) => package.automatic == flag,
            Self::Hold(flag) => package.hold == flag,
            Self::Repolock(flag) => package.repolock == flag,
        }
    }

    fn set(self, package: &mut Package) {
        match self {
            Self::Automatic(flag) => package.automatic = flag,
            Self::Hold(flag) => package.hold = flag,
            Self::Repolock(flag) => package.repolock = flag,
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Automatic(true) => "mark as automatic",
            Self::Automatic(false) => "mark as manual",
            Self::Hold(true) => "hold",
            Self::Hold(false) => "no longer hold",
            Self::Repolock(true) => "bind to their repository",
            Self::Repolock(false) => "no longer bind to their repository",
        })
    }
}

/// Sets the mode of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeChange {
    mark: Mark,
    names: Vec<String>,
    command: Command,
    patience: Duration,
}

impl ModeChange {
    /// What has to be done so that `names` are so marked. `None` when they are.
    pub fn of(mark: Mark, names: &[String], packages: &Packages) -> Option<Self> {
        let package = |name: &String| packages.now.packages.get(name);
        let other = |name: &&String| package(name).is_none_or(|package| !mark.is_set(package));
        let names: Vec<String> = names.iter().filter(other).cloned().collect();
        let command = command(mark, &names);
        (!names.is_empty()).then_some(Self { mark, names, command, patience: lock::PATIENCE })
    }

    /// The same in the surroundings of a call.
    #[must_use]
    pub fn within(self, context: &Context<'_>, patience: Duration) -> Self {
        Self { command: context.command(self.command.argv.clone()), patience, ..self }
    }
}

fn command(mark: Mark, names: &[String]) -> Command {
    let words = ["xbps-pkgdb", "-m", mark.word()].map(str::to_owned);
    Command::new(words.into_iter().chain(names.iter().cloned()))
}

impl Step for ModeChange {
    fn describe(&self) -> String {
        format!("{}: {}", self.mark, self.names.join(", "))
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        let packages = Packages::look(overlay)?;
        Prediction::change(overlay, |prediction| {
            for name in &self.names {
                let mut package = packages.now.packages.get(name).cloned().unwrap_or_default();
                self.mark.set(&mut package);
                prediction.packages.insert(name.clone(), Some(package));
            }
        })
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        lock::wait(system, &self.command, self.patience)?;
        run(system, &self.command).map(drop)
    }

    fn undo(&self) -> Undo {
        Undo::Run { commands: vec![command(self.mark.opposite(), &self.names)], kept: None }
    }
}
