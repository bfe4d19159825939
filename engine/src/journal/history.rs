//! What runs have noted on a host, read back.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{CallIdentity, StepByOther};
use crate::escalation::Whom;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};

use super::image::Image;
use super::log::{self, Begun, LoggedStep, LoggedUndo, Record};
use super::recorder::run_directory;
use crate::system::{Fingerprint, Time};

/// Something that a run has done on a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Deed {
    /// A step.
    Step {
        step: Box<LoggedStep>,
        /// What was at its paths afterwards, and when the directories above were changed then. Absent where the run died or
        /// failed before it was made.
        made: Option<Made>,
        /// As whom, if not as the user of the play.
        by: Option<Whom>,
    },
    /// A step that stands in another user's journal.
    ByOther(StepByOther),
    /// An action.
    Action(CallIdentity),
}

/// What plays of other users have had noted in a user's journal, in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Noted(Vec<Deed>);

impl Noted {
    /// Reads what a run has had noted about a host, in the first of the directories that has anything of it.
    ///
    /// # Errors
    /// A log can't be read.
    pub(crate) fn read(directories: &[PathBuf], run: &str, host: &str) -> Result<Self, Failure> {
        for state in directories {
            let deeds =
                of(state, run, host).map_err(|error| Failure::io("read the journal in", state, &error))?;
            if let Some(deeds) = deeds {
                return Ok(Self(deeds.into_iter().filter(|deed| deed.serial().is_some()).collect()));
            }
        }
        Ok(Self::default())
    }
}

impl Deed {
    /// Which step it is of a play of another user than the one in whose journal it stands.
    pub fn serial(&self) -> Option<u64> {
        match self {
            Self::Step { step, .. } => step.serial,
            Self::ByOther(_) | Self::Action(_) => None,
        }
    }
}

/// The deeds of a play with those that stand in the journals of others, each where it was done. What an other has not noted has not
/// been done.
pub(super) fn put_together(deeds: Vec<Deed>, others: Vec<(Whom, Noted)>) -> Vec<Deed> {
    let numbered = |(whom, noted): (Whom, Noted)| {
        let of_whom = move |deed| match deed {
            Deed::Step { step, made, .. } => {
                let serial = step.serial?;
                Some((serial, Deed::Step { step, made, by: Some(whom.clone()) }))
            }
            _ => None,
        };
        noted.0.into_iter().filter_map(of_whom)
    };
    let mut steps: HashMap<u64, Deed> = others.into_iter().flat_map(numbered).collect();
    let whole = |deed| match deed {
        Deed::ByOther(step) => steps.remove(&step.serial),
        deed => Some(deed),
    };
    deeds.into_iter().filter_map(whole).collect()
}

/// What a step has left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Made {
    pub left: Vec<Fingerprint>,
    pub parents: Vec<(PathBuf, Time)>,
}

/// What a run has done on one host, in order. `None` if it has noted nothing here.
///
/// # Errors
/// A log can't be read.
pub(super) fn of(state: &Path, run: &str, host: &str) -> io::Result<Option<Vec<Deed>>> {
    let mut logs = logs(state, run)?;
    logs.retain(|(begun, _)| begun.host == host);
    let found = !logs.is_empty();
    Ok(found.then(|| logs.into_iter().flat_map(|(_, records)| deeds(records)).collect()))
}

/// The logs of a run, in the order in which they were begun.
fn logs(state: &Path, run: &str) -> io::Result<Vec<(Begun, Vec<Record>)>> {
    let entries = match fs::read_dir(run_directory(state, run)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut logs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let mut records = log::read(&path)?.into_iter();
            if let Some(Record::Begun(begun)) = records.next() {
                logs.push((begun, records.collect()));
            }
        }
    }
    logs.sort_by_key(|(begun, _)| begun.at);
    Ok(logs)
}

fn deeds(records: Vec<Record>) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for record in records {
        match record {
            Record::Step(step) => deeds.push(Deed::Step { step, made: None, by: None }),
            Record::Made { left, parents } => {
                if let Some(Deed::Step { step, made, .. }) = deeds.last_mut() {
                    let foretold = || step.leaves.clone().unwrap_or_default();
                    let left = if left.is_empty() { foretold() } else { left };
                    *made = Some(Made { left, parents });
                }
            }
            Record::ByOther(step) => deeds.push(Deed::ByOther(step)),
            Record::Action(call) => deeds.push(Deed::Action(call)),
            _ => {}
        }
    }
    deeds
}

/// The last run after the one that has changed something at `path`, if there is one.
pub(super) fn later_run(state: &Path, run: &str, path: &Path) -> Option<String> {
    let begun = logs(state, run).ok()?.first().map(|(begun, _)| begun.at)?;
    let entries = fs::read_dir(state.join("journal")).ok()?.filter_map(Result::ok);
    let runs = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut later: Vec<(Time, String)> = runs
        .flat_map(|other| logs(state, &other).unwrap_or_default())
        .filter(|(other, records)| other.at > begun && other.run != run && touches(records, path))
        .map(|(other, _)| (other.at, other.run))
        .collect();
    later.sort();
    later.pop().map(|(_, run)| run)
}

fn touches(records: &[Record], path: &Path) -> bool {
    records.iter().any(|record| match record {
        Record::Step(step) => match &step.undo {
            LoggedUndo::Images { images, .. } => images.iter().any(|(touched, _)| touched == path),
            _ => false,
        },
        _ => false,
    })
}

/// What a run has done to one path as one user, without another one in between.
pub(super) struct Stretch {
    /// The deed that touched it first, and which of its images is about it.
    pub first: (usize, usize),
    /// The user, if not that of the play.
    pub by: Option<Whom>,
    /// What may be there afterwards: more than one thing where the run died within the last step about it.
    pub left: Vec<Fingerprint>,
    /// Whether it may be anything, because the step that was broken off can't be told by what it leaves.
    pub unknown: bool,
}

/// What the deeds have done to each path, in order. Each user takes back the own part.
pub(super) fn by_path(deeds: &[Deed]) -> BTreeMap<PathBuf, Vec<Stretch>> {
    let mut paths: BTreeMap<PathBuf, Vec<Stretch>> = BTreeMap::new();
    for (number, deed) in deeds.iter().enumerate() {
        let Deed::Step { step, made, by } = deed else { continue };
        let LoggedUndo::Images { images, .. } = &step.undo else { continue };
        for (index, (path, image)) in images.iter().enumerate() {
            let stretches = paths.entry(path.clone()).or_default();
            if stretches.last().is_none_or(|last| last.by != *by) {
                let (first, by) = ((number, index), by.clone());
                stretches.push(Stretch { first, by, left: Vec::new(), unknown: false });
            }
            let Some(history) = stretches.last_mut() else { continue };
            let foretold = step.leaves.as_ref().and_then(|leaves| leaves.get(index));
            match made {
                Some(made) => {
                    history.left = made.left.get(index).cloned().into_iter().collect();
                    history.unknown = false;
                }
                None => {
                    history.left.extend(foretold.cloned());
                    // A directory with all that is in it does not go in one piece.
                    history.unknown = foretold.is_none() || matches!(image, Image::Directory { .. });
                }
            }
        }
    }
    paths
}

/// When a directory above what was touched was changed last.
pub(super) struct DirectoryTimes {
    /// Before the first step.
    pub before: Time,
    /// After the last one, if that was made.
    pub after: Option<Time>,
    /// Who made the first one, if not the user of the play.
    pub by: Option<Whom>,
}

/// When the directories above what was touched were changed last.
pub(super) fn directory_times(deeds: &[Deed]) -> BTreeMap<PathBuf, DirectoryTimes> {
    let mut times: BTreeMap<PathBuf, DirectoryTimes> = BTreeMap::new();
    for deed in deeds {
        let Deed::Step { step, made, by } = deed else { continue };
        let LoggedUndo::Images { parents, .. } = &step.undo else { continue };
        for (directory, before) in parents {
            let after = made.as_ref().and_then(|made| {
                made.parents.iter().find(|(parent, _)| parent == directory).map(|(_, after)| *after)
            });
            let first = || DirectoryTimes { before: *before, after: None, by: by.clone() };
            times.entry(directory.clone()).or_insert_with(first).after = after;
        }
    }
    times
}
