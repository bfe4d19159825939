//! One run at a time on a host's root: a push, a timer and a dispatched job must not interleave.
//!
//! The kernel holds the lock for the process and lets go of it when that ends, however it ends: no lock is ever stale. What
//! stands in the file only says who has it.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::system::Time;

/// How often a waiting run looks again.
const LOOK: Duration = Duration::from_millis(50);

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// Its process on the host.
    pub process: u32,
    /// Since when, in seconds since 1970, by the host's clock.
    pub since: i64,
}

/// A lock that is held, shared by the hosts of one run that have the same root.
#[derive(Debug)]
pub struct Lock {
    _file: Option<File>,
}

/// Why there is no lock.
#[derive(Debug)]
pub enum NoLock {
    /// Another run has it, and did not end in time.
    Busy(Holder),
    /// The run was told to stop while it waited.
    Interrupted,
    /// The lock can't be made or taken.
    Io(io::Error),
}

impl From<io::Error> for NoLock {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Locks by device and inode, with the run that holds them.
type Held = HashMap<(u64, u64), (String, Weak<Lock>)>;

/// The locks of this process: for the kernel, two hosts of one run are strangers to each other.
static HELD: Mutex<Option<Held>> = Mutex::new(None);

/// Takes the lock in `path` for `run`, waiting at most `patience` for another run. `waits` is told once whom it waits for;
/// `interrupted` ends the waiting.
///
/// # Errors
/// See [`NoLock`].
pub fn take(
    path: &Path,
    run: &str,
    patience: Duration,
    waits: impl Fn(&Holder),
    interrupted: impl Fn() -> bool,
) -> Result<Arc<Lock>, NoLock> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let metadata = file.metadata()?;
    let key = (metadata.dev(), metadata.ino());
    let deadline = Instant::now() + patience;
    let mut told = false;
    loop {
        if let Some(lock) = try_take(&mut file, key, run)? {
            return Ok(lock);
        }
        let holder = holder(&mut file);
        // A further process of the same run works for it: a play that acts on a host whose own play is running.
        if holder.run == run {
            return Ok(Arc::new(Lock { _file: None }));
        }
        if interrupted() {
            return Err(NoLock::Interrupted);
        }
        if Instant::now() >= deadline {
            return Err(NoLock::Busy(holder));
        }
        if !std::mem::replace(&mut told, true) {
            waits(&holder);
        }
        std::thread::sleep(LOOK);
    }
}

fn try_take(file: &mut File, key: (u64, u64), run: &str) -> io::Result<Option<Arc<Lock>>> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let held = held.get_or_insert_with(HashMap::new);
    if let Some((holder, lock)) = held.get(&key)
        && holder == run
        && let Some(lock) = lock.upgrade()
    {
        return Ok(Some(lock));
    }
    match flock(&*file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let lock = Arc::new(Lock { _file: Some(file.try_clone()?) });
    held.retain(|_, (_, lock)| lock.strong_count() > 0);
    held.insert(key, (run.to_owned(), Arc::downgrade(&lock)));
    let holder = Holder { run: run.to_owned(), process: std::process::id(), since: Time::now().seconds };
    file.set_len(0)?;
    file.rewind()?;
    serde_json::to_writer(&mut *file, &holder)?;
    file.write_all(b"\n")?;
    Ok(Some(lock))
}

/// Who has the lock, as far as the file says so: it is empty for a moment.
fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    let unknown = || Holder { run: String::new(), process: 0, since: 0 };
    read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn take_now(path: &Path, run: &str) -> Result<Arc<Lock>, NoLock> {
        take(path, run, Duration::ZERO, |_| {}, || false)
    }

    #[test]
    fn one_run_at_a_time_has_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = take_now(&path, "first").unwrap();
        let again = take_now(&path, "first").unwrap();
        assert!(Arc::ptr_eq(&first, &again), "the hosts of a run share it");
        let Err(NoLock::Busy(holder)) = take_now(&path, "second") else { panic!("two runs at a time") };
        assert_eq!((holder.run.as_str(), holder.process), ("first", std::process::id()));
        drop(first);
        assert!(matches!(take_now(&path, "second"), Err(NoLock::Busy(_))), "one host is still at work");
        drop(again);
        drop(take_now(&path, "second").unwrap());
        take_now(&path, "first").unwrap();
    }

    #[test]
    fn waiting_is_said_and_can_be_ended() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = take_now(&path, "first").unwrap();
        let told = RefCell::new(Vec::new());
        let looks = RefCell::new(0);
        let told_to_stop = || looks.replace_with(|looks| *looks + 1) > 2;
        let wait = |holder: &Holder| told.borrow_mut().push(holder.run.clone());
        let patience = Duration::from_secs(60);
        let taken = take(&path, "second", patience, wait, told_to_stop);
        assert!(matches!(taken, Err(NoLock::Interrupted)));
        assert_eq!(*told.borrow(), ["first"], "once");
        let first = RefCell::new(Some(first));
        let ends = |_: &Holder| drop(first.borrow_mut().take());
        take(&path, "second", patience, ends, || false).unwrap();
    }
}
