//! Keeps what happens in a run, host by host.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::{Event, EventKind, Reporter, TaskReport};
use refrain_engine::prediction::Account;

/// What happened in a run.
#[derive(Default)]
pub struct Record {
    /// The calls on each host, over all plays.
    pub hosts: IndexMap<String, Account>,
    /// What failed, with the host.
    pub failures: Vec<(String, Diagnostic)>,
    /// Where predictions ended, with the host.
    pub ends: Vec<(String, Diagnostic)>,
}

impl Record {
    /// How many calls are like this.
    pub fn count(&self, is_counted: impl Fn(&TaskReport) -> bool) -> usize {
        self.hosts.values().flat_map(|account| &account.tasks).filter(|task| is_counted(task)).count()
    }

    fn take(&mut self, event: &Event) {
        let Some(host) = &event.host else { return };
        let account = self.hosts.entry(host.clone()).or_default();
        match &event.kind {
            EventKind::Task(task) => account.tasks.push((**task).clone()),
            EventKind::PredictionEnded(why) => {
                account.ended_early = true;
                self.ends.push((host.clone(), (**why).clone()));
            }
            EventKind::HostFailed(error) | EventKind::HostUnreachable { error, .. } => {
                self.failures.push((host.clone(), (**error).clone()));
            }
            _ => {}
        }
    }
}

/// The reader of a run that keeps it.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Record>>);

impl Recorder {
    /// What was kept.
    pub fn take(&self) -> Record {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reporter for Recorder {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(event);
        Ok(())
    }

    fn destination(&self) -> String {
        "memory".to_owned()
    }
}
