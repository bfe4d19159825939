//! `refrain test`: playbooks on sandboxes, held to what they promise.
//!
//! Each playbook gets fresh hosts. It is predicted, run, compared with the prediction, and run again; then the assertions of
//! `NAME.test.rhai` beside it are made. What the hosts need beforehand, `NAME.setup.rhai` puts there.

mod recorder;
mod stages;

use std::io;
use std::path::{Path, PathBuf};

use refrain_engine::bundle::Settings;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::runner::{ConnectionOptions, Options};
use refrain_simulation::Simulation;
use tempfile::TempDir;

use super::{complain, reaching};
use crate::arguments::Test;
use crate::exit;
use crate::junit::{self, Suite};
use crate::signals::Signals;
use stages::{Ended, Stages};

/// Tests playbooks, one after the other.
pub fn execute(arguments: &Test) -> u8 {
    let signals = Signals::watch();
    signals.stop_gently();
    let report = match arguments.junit.as_deref().map(junit::File::create).transpose() {
        Ok(report) => report,
        Err(problem) => {
            complain(&[problem]);
            return exit::BAD_INPUT;
        }
    };
    let mut suites = Vec::new();
    let mut worst = exit::DONE;
    for playbook in &arguments.playbooks {
        let ended = test(arguments, playbook, &signals, &mut suites);
        let code = ended.unwrap_or_else(|error| {
            let what = format!("no directory for the sandboxes of {}: {error}", playbook.display());
            complain(&[Diagnostic::new(what)]);
            exit::FAILED
        });
        worst = worst.max(code);
        if let Some(signal) = signals.first() {
            worst = exit::interrupted_by(signal);
            break;
        }
    }
    if let Some(report) = report {
        let path = report.path().display().to_string();
        if let Err(error) = report.write("refrain test", &suites) {
            let what = format!("the report `{path}` could not be written");
            complain(&[Diagnostic::new(what).because(error.to_string())]);
            worst = worst.max(exit::FAILED);
        }
    }
    worst
}

/// Where the sandboxes of one playbook are.
enum Place {
    /// Until the test ends.
    Temporary(TempDir),
    /// For people to look at.
    Kept(PathBuf),
}

impl Place {
    fn new(keep: Option<&Path>, playbook: &Path) -> io::Result<Self> {
        let Some(keep) = keep else { return TempDir::new().map(Self::Temporary) };
        let place = keep.join(playbook.file_stem().unwrap_or_default());
        match std::fs::remove_dir_all(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir_all(&place)?,
        }
        Ok(Self::Kept(std::path::absolute(place)?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(directory) => directory.path(),
            Self::Kept(path) => path,
        }
    }
}

/// Tests a playbook, and adds what came of it to the report.
fn test(arguments: &Test, playbook: &Path, signals: &Signals, suites: &mut Vec<Suite>) -> io::Result<u8> {
    let place = Place::new(arguments.keep.as_deref(), playbook)?;
    println!("{}", playbook.display());
    let options = |playbook: &Path, check: bool| Options {
        playbooks: vec![playbook.to_owned()],
        inventories: arguments.hosts.sources.inventories.clone(),
        limit: arguments.hosts.limit.clone(),
        extra: arguments.hosts.sources.extra_vars.clone(),
        settings: Settings { check, ..Settings::default() },
        connection: ConnectionOptions {
            connection: Some("sandbox".to_owned()),
            root: Some(place.path().to_owned()),
            sandbox_programs: Some(|| Box::new(Simulation)),
            ..ConnectionOptions::default()
        },
        run: reaching::run_id(),
        ..Options::default()
    };
    let stages = Stages::new(&options, signals.interrupt());
    let ended = stages.go_through(playbook);
    let name = playbook.display().to_string();
    suites.push(Suite { cases: stages.into_cases(&name), name, ..Suite::default() });
    Ok(match ended {
        Ok(()) => exit::DONE,
        Err(Ended::BadInput(problems)) => {
            complain(&problems);
            exit::BAD_INPUT
        }
        Err(Ended::Failed(details)) => {
            details.iter().for_each(|detail| println!("{detail}"));
            exit::FAILED
        }
        Err(Ended::Interrupted) => exit::FAILED,
    })
}
