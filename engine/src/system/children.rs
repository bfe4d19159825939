//! The processes that this one has started and waits for, told apart from those that it inherits.
//!
//! As the first process of a container, this one becomes the parent of every process whose own parent has ended, and has to
//! wait for each, or their remains fill the process table. It must not take the exit status of a command from whoever
//! runs it, though.

use std::collections::BTreeSet;
use std::io;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command};
use std::sync::{Mutex, PoisonError, RwLock};

use rustix::process::{Pid, WaitId, WaitIdOptions};

use crate::syscall;

/// The processes that somebody here waits for. Between a process's start and its entry, nobody may look.
static OWN: RwLock<Mutex<BTreeSet<u32>>> = RwLock::new(Mutex::new(BTreeSet::new()));

/// A process that somebody here waits for, until this is dropped.
pub(crate) struct Spawned(Child);

impl Spawned {
    /// Starts a command.
    ///
    /// # Errors
    /// As [`Command::spawn`].
    pub(crate) fn by(command: &mut Command) -> io::Result<Self> {
        let own = OWN.read().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn()?;
        own.lock().unwrap_or_else(PoisonError::into_inner).insert(child.id());
        Ok(Self(child))
    }
}

impl Deref for Spawned {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Spawned {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let own = OWN.read().unwrap_or_else(PoisonError::into_inner);
        own.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0.id());
    }
}

/// What there was to reap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaped {
    /// Every process that has ended is gone.
    All,
    /// One that has ended is somebody's here, and hides those behind it until that one has waited for it: a moment.
    UpToOwn,
}

/// Waits for all processes that have ended and that nobody here waits for.
pub fn reap_orphans() -> Reaped {
    let own = OWN.write().unwrap_or_else(PoisonError::into_inner);
    let own = own.lock().unwrap_or_else(PoisonError::into_inner);
    while let Some(ended) = syscall::ended_child() {
        if own.contains(&ended) {
            return Reaped::UpToOwn;
        }
        let process = i32::try_from(ended).ok().and_then(Pid::from_raw);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        // Nobody else waits for it, and it has ended: it is gone after this.
        let _ = process.map(|process| rustix::process::waitid(WaitId::Pid(process), options));
    }
    Reaped::All
}
