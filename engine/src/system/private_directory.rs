//! A directory for what one command needs: only the agent's user can enter it, and it is gone afterwards.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Where such a directory can be, in the order in which the places are tried: one may be missing, read-only, or refuse to
/// execute what lies in it.
pub const PLACES: [&str; 5] = ["/tmp", "/var/tmp", "/run", "/root", "/"];

/// What the names of the directories begin with.
const PREFIX: &str = ".refrain-";

/// Numbers the directories of this process.
static SERIAL: AtomicU32 = AtomicU32::new(0);

/// The places, by device and inode, where this process has looked for what others have left behind.
static SWEPT: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

/// A directory that only the agent's user can enter. Removed when dropped, with all that is in it.
pub struct PrivateDirectory {
    path: PathBuf,
    /// Locked as long as the directory is in use, and unlocked by the kernel however this process ends.
    _lock: File,
}

impl PrivateDirectory {
    /// Makes one below `place`.
    ///
    /// # Errors
    /// There is no such place, or nothing can be made there.
    pub fn below(place: &Path) -> io::Result<Self> {
        sweep(place);
        loop {
            let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
            let path = place.join(format!("{PREFIX}{}-{serial}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                // Left over, or from a process of the same number in another container.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                result => result?,
            }
            // Another process that sweeps right now may take it for one that is left over.
            if let Some(lock) = locked(&path)? {
                return Ok(Self { path, _lock: lock });
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a file with this mode into it.
    ///
    /// # Errors
    /// It can't be written, or its directory is not there.
    pub fn put(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        let path = self.path.join(path);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(content)
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        // Nowhere to report to from here, and what is left behind is private.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Locks a directory; `None` where somebody else has it locked, or has removed it.
fn locked(directory: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = match rustix::fs::open(directory, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        opened => opened?,
    };
    match rustix::fs::flock(&opened, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Ok(None),
        result => result?,
    }
    let lock = File::from(opened);
    Ok((lock.metadata()?.nlink() > 0).then_some(lock))
}

/// Removes what agents that were killed have left in a place. This process looks once for each place.
fn sweep(place: &Path) {
    let Ok(metadata) = fs::metadata(place) else { return };
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if swept.insert((metadata.dev(), metadata.ino())) {
        remove_left_over(place);
    }
}

fn remove_left_over(place: &Path) {
    let user = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        // Others may have put something of such a name there, which is none of ours.
        let Ok(Some(lock)) = locked(&entry.path()) else { continue };
        if lock.metadata().is_ok_and(|metadata| metadata.uid() == user) {
            // What can't be removed is private, and is tried again by the next agent.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_have_left_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let left = place.path().join(".refrain-1-0");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("job.sh"), "secret").unwrap();
        std::os::unix::fs::symlink("/etc", place.path().join(".refrain-2-0")).unwrap();
        fs::create_dir(place.path().join("other")).unwrap();
        let in_use = PrivateDirectory::below(place.path()).unwrap();
        remove_left_over(place.path());
        assert!(!left.exists() && in_use.path.exists());
        assert!(place.path().join("other").exists() && place.path().join(".refrain-2-0").exists());
    }
}
