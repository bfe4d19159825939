//! What happens in a run, as data: the only output that the engine has.
//!
//! The terminal, JSON lines, a record database are readers of one stream of [`Event`]s; none is known to the runner.
//! Events are owned and serializable: an agent sends them, a recorder keeps them, a replay shows them again.

use std::io;
use std::time::Instant;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;

/// One thing that happened, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since the run started, by the controller's clock. Written as `time`: diagnostics have a place, `at`.
    #[serde(rename = "time")]
    pub at: u64,
    /// The host it happened on. Absent for what concerns the whole run or a whole play.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What can happen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum EventKind {
    /// The first event of every run.
    RunStarted {
        /// Identifies the run; also the name of its record.
        run: String,
        /// The playbooks, as they were named on the command line.
        playbooks: Vec<String>,
        /// Whether changes are predicted instead of made.
        check: bool,
    },
    /// A play begins on its hosts.
    PlayStarted {
        /// The play's name.
        play: String,
        /// The hosts it will run on.
        hosts: Vec<String>,
    },
    /// An agent answers on the host, and the play begins there.
    HostStarted {
        /// How the host was reached: `local`, `ssh`, `chroot /mnt`.
        connection: String,
    },
    /// A module call has ended.
    Task(Box<TaskReport>),
    /// A handler starts, because something notified it.
    HandlerStarted {
        /// The handler's name.
        handler: String,
        /// The run that notified it, if it was an earlier one, which has not run it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left_by: Option<String>,
    },
    /// Something that a person should know, though nothing failed.
    Warning(Box<Diagnostic>),
    /// The script printed something (`print`, `debug`).
    Message {
        /// What it printed.
        text: String,
    },
    /// Prediction ended here: what follows depends on a value that only a real run knows.
    PredictionEnded(Box<Diagnostic>),
    /// The play failed on the host.
    HostFailed(Box<Diagnostic>),
    /// The host could not be reached.
    HostUnreachable {
        /// The stage that failed: `name`, `connection`, `host key`, `login`, `agent`.
        stage: String,
        /// What there is to say about it.
        error: Box<Diagnostic>,
    },
    /// The play has ended on the host, in whatever way.
    HostFinished {
        /// What happened there during this play.
        recap: Recap,
    },
    /// The run was told to stop.
    Stopping {
        /// Whether running commands are ended; else steps in hand are finished first.
        now: bool,
    },
    /// The last event of every run, also after a failure.
    RunFinished {
        /// Per host, everything that happened.
        hosts: IndexMap<String, Recap>,
        /// How long the run took, in milliseconds.
        duration: u64,
    },
}

impl EventKind {
    /// Whether it is something that happens on a host, which its agent may tell. The rest is the run's own.
    pub fn is_told_by_hosts(&self) -> bool {
        match self {
            Self::Task(_)
            | Self::HandlerStarted { .. }
            | Self::Warning(_)
            | Self::Message { .. }
            | Self::PredictionEnded(_)
            | Self::HostFailed(_)
            | Self::HostFinished { .. } => true,
            Self::RunStarted { .. }
            | Self::PlayStarted { .. }
            | Self::HostStarted { .. }
            | Self::HostUnreachable { .. }
            | Self::Stopping { .. }
            | Self::RunFinished { .. } => false,
        }
    }

    /// The event with every text in it passed through `mask`, diagnostics and differences included.
    #[must_use]
    pub fn mask(self, mask: impl Fn(&str) -> String) -> Self {
        fn walk(value: &mut serde_json::Value, mask: &impl Fn(&str) -> String) {
            match value {
                serde_json::Value::String(text) => *text = mask(text),
                serde_json::Value::Array(items) => items.iter_mut().for_each(|item| walk(item, mask)),
                serde_json::Value::Object(map) => map.values_mut().for_each(|item| walk(item, mask)),
                _ => {}
            }
        }
        let masked = serde_json::to_value(&self).and_then(|mut value| {
            walk(&mut value, &mask);
            serde_json::from_value(value)
        });
        // The words that name the kinds of events could be hidden by a secret of the same spelling; then nothing is told.
        masked.unwrap_or(Self::Message { text: mask("an event that holds a secret") })
    }
}

/// How a module call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The host was as it should be.
    Ok,
    /// The host was changed.
    Changed,
    /// Check mode: a run would change the host.
    WouldChange,
    /// Check mode: a run may change the host; it depends on a value that only a real run knows.
    MayChange,
    /// Not done: tags, a condition of its own, or an action in check mode.
    Skipped,
    /// It failed. The play ends there unless the script catches it.
    Failed,
}

/// What a module call did, would do, or why it failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaskReport {
    /// The module function, `file::template`.
    pub module: String,
    /// What it is about: a path, a package, a user. May be empty.
    pub subject: String,
    /// The names of the enclosing `task`s and the handler, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<String>,
    /// The role that the call stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Why nothing had to be done, or why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The steps that were made or would be made, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<Diagnostic>>,
    /// The file that the call stands in.
    pub path: String,
    /// The line in that file, from 1.
    pub line: usize,
    /// How long it took, in microseconds.
    pub duration: u64,
}

/// Microseconds since `start`, as [`TaskReport::duration`] has them.
pub fn elapsed(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// One step of a change, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// What the step does, as a short imperative: `write`, `set mode 0644 (was 0600)`.
    pub text: String,
    /// The difference in a text, in unified format, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// What happened on a host, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recap {
    /// Calls that found the host as it should be.
    pub ok: u32,
    /// Calls that changed the host, or in check mode would.
    pub changed: u32,
    /// Calls that in check mode may change the host.
    pub may_change: u32,
    /// Calls that were not made.
    pub skipped: u32,
    /// Actions that check mode did not run and whose effects nobody declared.
    pub undeclared: u32,
    /// Whether the play failed there.
    pub failed: bool,
    /// Whether it could not be reached.
    pub unreachable: bool,
    /// Whether it stopped before its end, because the run was told to.
    #[serde(default)]
    pub interrupted: bool,
}

impl Recap {
    /// Counts one call.
    pub fn count(&mut self, status: Status) {
        match status {
            Status::Ok => self.ok += 1,
            Status::Changed | Status::WouldChange => self.changed += 1,
            Status::MayChange => self.may_change += 1,
            Status::Skipped => self.skipped += 1,
            // A caught failure leaves the host in order; an uncaught one arrives as `HostFailed`.
            Status::Failed => {}
        }
    }

    /// Adds what happened in a further play. What a host has counted may be anything, and no sum of it is too much.
    pub fn add(&mut self, other: &Self) {
        self.ok = self.ok.saturating_add(other.ok);
        self.changed = self.changed.saturating_add(other.changed);
        self.may_change = self.may_change.saturating_add(other.may_change);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.undeclared = self.undeclared.saturating_add(other.undeclared);
        self.failed |= other.failed;
        self.unreachable |= other.unreachable;
        self.interrupted |= other.interrupted;
    }
}

/// Receives every event of a run, in order, from one thread at a time.
pub trait Reporter: Send {
    /// Takes in one event.
    ///
    /// # Errors
    /// An error stops this reporter, never the run: hosts come before pretty output.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Where it writes, in words: `standard output`, a path. Told when that fails.
    fn destination(&self) -> String;

    /// Some time has passed: called some twenty times a second from the first event to the last, by the thread that has the
    /// turn. `at` is the time since the run started, in milliseconds, as [`Event::at`] has it.
    ///
    /// # Errors
    /// As of [`event`](Self::event).
    fn tick(&mut self, at: u64) -> io::Result<()> {
        let _ = at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Location;

    #[test]
    fn an_event_with_a_place_can_be_read_again() {
        let error = Diagnostic::new("failed").at(Location::new("site.rhai", "fail()", 1, 1));
        for kind in [EventKind::Warning(Box::new(error.clone())), EventKind::HostFailed(Box::new(error))] {
            let event = Event { at: 7, host: Some("web1".to_owned()), kind };
            let written = serde_json::to_string(&event).unwrap();
            let read: Event = serde_json::from_str(&written).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), written);
        }
    }
}
