//! What runs have noted on a host, read back.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::CallIdentity;
use super::image::Image;
use super::log::{self, Begun, LoggedStep, LoggedUndo, Record};
use super::recorder::run_directory;
use crate::system::{Fingerprint, Time};

/// Something that a run has done on a host.
pub(super) enum Deed {
    /// A step.
    Step {
        step: Box<LoggedStep>,
        /// What was at its paths afterwards, and when the directories above were changed then. Absent where the run died or
        /// failed before it was made.
        made: Option<Made>,
    },
    /// An action.
    Action(CallIdentity),
}

/// What a step has left.
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
            Record::Step(step) => deeds.push(Deed::Step { step, made: None }),
            Record::Made { left, parents } => {
                if let Some(Deed::Step { step, made }) = deeds.last_mut() {
                    let foretold = || step.leaves.clone().unwrap_or_default();
                    let left = if left.is_empty() { foretold() } else { left };
                    *made = Some(Made { left, parents });
                }
            }
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

/// What the whole of a run has done to one path.
pub(super) struct PathHistory {
    /// The deed that touched it first, and which of its images is about it.
    pub first: (usize, usize),
    /// What may be there afterwards: more than one thing where the run died within the last step about it.
    pub left: Vec<Fingerprint>,
    /// Whether it may be anything, because the step that was broken off can't be told by what it leaves.
    pub unknown: bool,
}

/// What the deeds have done to each path.
pub(super) fn by_path(deeds: &[Deed]) -> BTreeMap<PathBuf, PathHistory> {
    let mut paths: BTreeMap<PathBuf, PathHistory> = BTreeMap::new();
    for (number, deed) in deeds.iter().enumerate() {
        let Deed::Step { step, made } = deed else { continue };
        let LoggedUndo::Images { images, .. } = &step.undo else { continue };
        for (index, (path, image)) in images.iter().enumerate() {
            let history = paths.entry(path.clone()).or_insert_with(|| PathHistory {
                first: (number, index),
                left: Vec::new(),
                unknown: false,
            });
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

/// When the directories above what was touched were changed last: before the first step, and after the last.
pub(super) fn directory_times(deeds: &[Deed]) -> BTreeMap<PathBuf, (Time, Option<Time>)> {
    let mut times: BTreeMap<PathBuf, (Time, Option<Time>)> = BTreeMap::new();
    for deed in deeds {
        let Deed::Step { step, made } = deed else { continue };
        let LoggedUndo::Images { parents, .. } = &step.undo else { continue };
        for (directory, before) in parents {
            let after = made.as_ref().and_then(|made| {
                made.parents.iter().find(|(parent, _)| parent == directory).map(|(_, after)| *after)
            });
            times.entry(directory.clone()).or_insert((*before, None)).1 = after;
        }
    }
    times
}
