//! What runs have left behind: handlers that still have to run, calls whose outcome nobody has acted upon.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::log::Record;
use super::{CallIdentity, HandlerIdentity};

/// A handler that has to run, because a run that was told so has not got to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingHandler {
    /// Which one.
    pub handler: HandlerIdentity,
    /// The run in which it was notified first.
    pub run: String,
    /// When it was notified last, in seconds since 1970, by the host's clock.
    pub at: i64,
}

/// A call that changed something in a run that ended before anybody could act upon the outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingCall {
    /// Which one.
    pub call: CallIdentity,
    /// The run.
    pub run: String,
    /// When, in seconds since 1970, by the host's clock.
    pub at: i64,
}

/// What is left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// In the order in which they were notified.
    #[serde(default)]
    pub handlers: Vec<PendingHandler>,
    /// In the order in which they were made.
    #[serde(default)]
    pub calls: Vec<PendingCall>,
}

/// What check mode would have settled of what is left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Handlers that would have run.
    pub handlers: Vec<HandlerIdentity>,
    /// Calls whose outcome would have been acted upon.
    pub calls: Vec<CallIdentity>,
}

impl Settled {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.handlers.is_empty() && self.calls.is_empty()
    }
}

impl Pending {
    /// The handler, if it is left.
    pub fn handler(&self, handler: &HandlerIdentity) -> Option<&PendingHandler> {
        self.handlers.iter().find(|left| left.handler == *handler)
    }

    /// The call, if it is left.
    pub fn call(&self, call: &CallIdentity) -> Option<&PendingCall> {
        self.calls.iter().find(|left| left.call == *call)
    }

    /// Takes out what is settled.
    pub fn settle(&mut self, settled: &Settled) {
        self.handlers.retain(|left| !settled.handlers.contains(&left.handler));
        self.calls.retain(|left| !settled.calls.contains(&left.call));
    }

    /// Adds what a log of `run` leaves behind, and takes out what it has done.
    pub(super) fn apply<'a>(&mut self, run: &str, records: impl Iterator<Item = &'a Record>) {
        let mut made = BTreeSet::new();
        let mut at = 0;
        for record in records {
            match record {
                Record::Begun(begun) => at = begun.at.seconds,
                Record::Step(step) if step.serial.is_none() => drop(made.insert(step.call.clone())),
                Record::ByOther(step) => drop(made.insert(step.call.clone())),
                Record::Action(call) => drop(made.insert(call.clone())),
                Record::Notified { handler, call, at } => {
                    match self.handlers.iter_mut().find(|left| left.handler == *handler) {
                        Some(left) => left.at = *at,
                        None => {
                            let (handler, run) = (handler.clone(), run.to_owned());
                            self.handlers.push(PendingHandler { handler, run, at: *at });
                        }
                    }
                    if let Some(call) = call {
                        made.remove(call);
                        self.calls.retain(|left| left.call != *call);
                    }
                }
                Record::Handled(handler) => self.handlers.retain(|left| left.handler != *handler),
                Record::Ended { complete: true, met } => {
                    made.clear();
                    self.calls.retain(|left| !met.contains(&left.call));
                }
                // The outcome of a step for another user's play is of interest there.
                Record::Step(_) | Record::Made { .. } | Record::Ended { .. } => {}
            }
        }
        for call in made {
            if self.call(&call).is_none() {
                self.calls.push(PendingCall { call, run: run.to_owned(), at });
            }
        }
    }

    /// Forgets what is older than `oldest`, in seconds since 1970: a playbook may have lost the call for good.
    pub(super) fn forget_before(&mut self, oldest: i64) {
        self.handlers.retain(|left| left.at >= oldest);
        self.calls.retain(|left| left.at >= oldest);
    }

    /// Reads what is kept in a file. Nothing when there is none.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map_err(io::Error::other),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Changes what is kept in a file; the hosts of one run may share it.
    pub(super) fn update(path: &Path, change: impl FnOnce(&mut Self)) -> io::Result<Self> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let before = Self::read(path)?;
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            after.write(path)?;
        }
        Ok(after)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_data()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_data())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(subject: &str) -> CallIdentity {
        let (place, function) = ("web".to_owned(), "file::template".to_owned());
        CallIdentity { place, function, subject: subject.to_owned(), number: 0 }
    }

    fn restart() -> HandlerIdentity {
        HandlerIdentity { place: "web".into(), name: "Restart".into() }
    }

    fn left(pending: &Pending) -> (usize, Vec<&str>) {
        (pending.handlers.len(), pending.calls.iter().map(|left| left.call.subject.as_str()).collect())
    }

    fn notified(by: Option<&str>) -> Record {
        Record::Notified { handler: restart(), call: by.map(call), at: 7 }
    }

    #[test]
    fn what_is_left_depends_on_where_a_run_died() {
        let made = |subject: &str| Record::Action(call(subject));
        let handled = || Record::Handled(restart());
        let ended = |complete, met: &[&str]| Record::Ended {
            complete,
            met: met.iter().map(|subject| call(subject)).collect(),
        };
        let mut pending = Pending::default();
        let mut run = |name: &str, records: &[Record]| {
            pending.apply(name, records.iter());
            pending.clone()
        };
        assert_eq!(left(&run("1", &[made("/a"), ended(true, &[])])), (0, vec![]), "all is well");
        assert_eq!(
            left(&run("2", &[made("/a"), made("/b")])),
            (0, vec!["/a", "/b"]),
            "died before notifying"
        );
        assert_eq!(left(&run("3", &[notified(Some("/a"))])), (1, vec!["/b"]), "died before the handler");
        assert_eq!(left(&run("4", &[handled(), ended(false, &[])])), (0, vec!["/b"]), "failed after it");
        assert_eq!(left(&run("5", &[ended(true, &["/b"])])), (0, vec![]), "a whole run has met the call");
        let again = run("6", &[notified(None), notified(None)]);
        assert_eq!((again.handlers.len(), again.handlers[0].run.as_str()), (1, "6"));
    }

    #[test]
    fn it_is_kept_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pending");
        assert_eq!(Pending::read(&path).unwrap(), Pending::default());
        let records = [notified(None)];
        let kept = Pending::update(&path, |pending| pending.apply("1", records.iter())).unwrap();
        assert_eq!(Pending::read(&path).unwrap(), kept);
        Pending::update(&path, |pending| pending.forget_before(8)).unwrap();
        assert_eq!(Pending::read(&path).unwrap(), Pending::default());
        fs::write(&path, "{").unwrap();
        assert!(Pending::read(&path).is_err());
    }
}
