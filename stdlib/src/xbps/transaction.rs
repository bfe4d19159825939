//! The step that has xbps change packages.

use std::collections::BTreeSet;
use std::time::Duration;

use refrain_engine::event::StepReport;
use refrain_engine::failure::Failure;
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Command, System};
use serde_json::{Value, json};

use super::contents::{Contents, predict_removal};
use super::created::Created;
use super::database::Package;
use super::lock;
use super::planned::{Deed, Planned};
use super::prediction::{Packages, Prediction};
use super::program::run;
use crate::prediction_state::PredictionState;

/// One transaction: all that xbps does at once, however many packages that are.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// What is done, as xbps itself says beforehand.
    pub planned: Vec<Planned>,
    /// What is run for that: two commands, where xbps itself has to be updated first.
    pub commands: Vec<Command>,
    /// How it is taken back.
    pub undo: Undo,
    /// How long the lock of the database is waited for.
    pub patience: Duration,
    /// What new packages bring; known only in check mode.
    pub contents: Vec<Contents>,
    /// Accounts that the packages create.
    pub created: Created,
    /// What was asked for by name, to be installed or removed.
    pub asked: Asked,
    /// Whether the index is brought up to date along with it.
    pub refreshes: bool,
    /// What it may do beyond what is planned, in words, where check mode can't know that.
    pub unknown: Option<&'static str>,
}

/// What a transaction was asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Packages that shall be there, as they were named.
    pub installed: Vec<String>,
    /// Packages that shall go.
    pub removed: Vec<String>,
    /// New packages that are not there for another one's sake.
    pub manual: BTreeSet<String>,
}

impl Transaction {
    fn predict_package(&self, prediction: &mut Prediction, packages: &Packages, line: &Planned) {
        let package = match line.deed {
            Deed::Remove => None,
            Deed::Hold => return,
            Deed::Install | Deed::Update | Deed::Reinstall | Deed::Configure => {
                let known = packages.now.packages.get(&line.name).cloned();
                let new =
                    || Package { automatic: !self.asked.manual.contains(&line.name), ..Package::default() };
                let (version, architecture) = (line.version.clone(), line.architecture.clone());
                Some(Package { version, architecture, unpacked: false, ..known.unwrap_or_else(new) })
            }
        };
        prediction.packages.insert(line.name.clone(), package);
    }
}

impl Step for Transaction {
    fn describe(&self) -> String {
        let unknown = self.unknown.map(str::to_owned);
        self.planned.iter().map(ToString::to_string).chain(unknown).collect::<Vec<_>>().join(", ")
    }

    fn reports(&self) -> Vec<StepReport> {
        let unknown = self.unknown.map(str::to_owned);
        let lines = self.planned.iter().map(ToString::to_string).chain(unknown);
        lines.map(|text| StepReport { text, diff: None }).collect()
    }

    fn certain(&self) -> bool {
        self.unknown.is_none()
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        let packages = Packages::look(overlay)?;
        for line in self.planned.iter().filter(|line| line.deed == Deed::Remove) {
            predict_removal(overlay, &line.name)?;
        }
        Prediction::change(overlay, |prediction| {
            for line in &self.planned {
                self.predict_package(prediction, &packages, line);
            }
            prediction.installed.extend(self.asked.installed.iter().cloned());
            prediction.removed.extend(self.asked.removed.iter().cloned());
            prediction.refreshed |= self.refreshes;
            prediction.trusted.extend(self.planned.iter().map(|line| line.repository.clone()));
        })?;
        for contents in &self.contents {
            contents.predict(overlay)?;
        }
        self.created.predict(overlay)
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        for command in &self.commands {
            lock::wait(system, command, self.patience)?;
            run(system, command)?;
        }
        self.created.verify(system)
    }

    fn undo(&self) -> Undo {
        self.undo.clone()
    }
}

/// What an outcome says of the packages that were changed: an array with a map for each of them.
pub fn told(planned: &[Planned]) -> Value {
    let tell = |line: &Planned| {
        let change = match line.deed {
            Deed::Install => "install",
            Deed::Update => "update",
            Deed::Reinstall => "reinstall",
            Deed::Remove => "remove",
            Deed::Configure => "configure",
            Deed::Hold => "hold",
        };
        json!({ "name": line.name, "version": line.version, "before": line.before, "change": change })
    };
    planned.iter().map(tell).collect()
}
