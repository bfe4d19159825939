//! The step that has a package manager change packages.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use refrain_engine::event::StepReport;
use refrain_engine::failure::Failure;
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Command, System};

use super::choice::Manager;
use super::explanation::{explain, without_program, words};
use super::manager::{PackageManager, patience};
use super::planned::{Deed, Planned};
use super::prediction::Prediction;
use super::{manager, service_denial};
use crate::prediction_state::PredictionState;
use crate::seconds::Seconds;
use crate::xbps::created::Created;

/// How often it is tried whether the database is free.
const PAUSE: Duration = Duration::from_millis(500);

/// All that is done at once.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// By whom.
    pub manager: Manager,
    /// What is done, as the manager itself says beforehand.
    pub planned: Vec<Planned>,
    /// What is run for that.
    pub commands: Vec<Command>,
    /// How it is taken back.
    pub undo: Undo,
    /// How long the lock of the database is waited for.
    pub patience: Duration,
    /// Packages that shall be there, as they were named.
    pub asked: Vec<String>,
    /// Packages that shall go.
    pub removed: BTreeSet<String>,
    /// Accounts that the packages create.
    pub created: Created,
    /// Whether all packages are brought to their newest version.
    pub upgrades: bool,
}

impl Step for Transaction {
    fn describe(&self) -> String {
        self.planned.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    fn reports(&self) -> Vec<StepReport> {
        self.planned.iter().map(|line| StepReport { text: line.to_string(), diff: None }).collect()
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        Prediction::change(overlay, |prediction| {
            for line in &self.planned {
                let version = (line.deed != Deed::Remove).then(|| line.version.clone());
                prediction.versions.insert(line.name.clone(), version);
            }
            for name in self.asked.iter().filter(|name| !self.is_planned(name)) {
                // A name that one of the others provides.
                prediction.versions.insert(name.clone(), Some(String::new()));
            }
            prediction.asked.extend(self.asked.iter().cloned());
            prediction.removed.extend(self.removed.iter().cloned());
            prediction.upgraded |= self.upgrades;
        })?;
        self.created.predict(overlay)
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        let Some(manager) = manager::of(self.manager) else { return Ok(()) };
        let work =
            || self.commands.iter().try_for_each(|command| run(system, manager, command, self.patience));
        if self.manager == Manager::Apt {
            service_denial::during(system, work)?
        } else {
            work()?
        }
        self.created.verify(system)
    }

    fn undo(&self) -> Undo {
        self.undo.clone()
    }
}

impl Transaction {
    /// One that asks for no package by its name. The lock of the database is waited for as [`patience`] says.
    pub fn new(
        manager: Manager,
        planned: Vec<Planned>,
        commands: Vec<Command>,
        undo: Undo,
        lock_timeout: Option<Seconds>,
    ) -> Self {
        Self {
            manager,
            planned,
            commands,
            undo,
            patience: patience(lock_timeout),
            asked: Vec::new(),
            removed: BTreeSet::new(),
            created: Created::default(),
            upgrades: false,
        }
    }

    fn is_planned(&self, name: &str) -> bool {
        let name = name.split('=').next().unwrap_or(name);
        self.planned.iter().any(|line| line.name == name)
    }
}

/// Runs a command that changes packages, again and again while somebody else has the database locked.
///
/// # Errors
/// It failed, or the database was not free in time.
pub fn run(
    system: &dyn System,
    manager: &dyn PackageManager,
    command: &Command,
    patience: Duration,
) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        let output = system.run(command).map_err(without_program)?;
        if output.status == 0 {
            return Ok(());
        }
        let said = output.both_streams();
        if !manager.is_locked(&said) {
            return Err(explain(command, &output));
        }
        if start.elapsed() >= patience {
            let seconds = patience.as_secs_f64();
            return Err(output
                .failure(words(command))
                .explain(format!("another program has the package database locked for more than {seconds} s"))
                .advise("try again when that has ended, or give it longer with `lock_timeout`"));
        }
        std::thread::sleep(PAUSE);
    }
}
