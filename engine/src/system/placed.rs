//! A program that travels with the play: put in place for one run, and gone afterwards.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Where a program can be put, in the order in which the places are tried: one may be missing, read-only, or refuse to
/// execute what lies in it.
pub const PLACES: [&str; 5] = ["/tmp", "/var/tmp", "/run", "/root", "/"];

/// What the names of the directories begin with.
const PREFIX: &str = ".refrain-";

/// Numbers the directories of this process.
static SERIAL: AtomicU32 = AtomicU32::new(0);

/// The places, by device and inode, where this process has looked for what others have left behind.
static SWEPT: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

/// A program in a directory of its own that only the agent's user can enter. Removed when dropped.
pub struct Placed {
    directory: PathBuf,
    /// Locked as long as the directory is in use, and unlocked by the kernel however this process ends.
    _lock: File,
    path: PathBuf,
    interpreter: Vec<String>,
}

impl Placed {
    /// Puts `content` below `place`, under the last component of `name`.
    pub fn below(place: &Path, name: &str, content: &[u8]) -> io::Result<Self> {
        sweep(place);
        let (directory, lock) = private_directory(place)?;
        let name = Path::new(name).file_name().unwrap_or("program".as_ref());
        let interpreter = interpreter(content);
        let placed = Self { path: directory.join(name), directory, _lock: lock, interpreter };
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o700).open(&placed.path)?;
        file.write_all(content)?;
        Ok(placed)
    }

    /// The words that start the program: its interpreter, if it has one, and its path.
    ///
    /// The interpreter is started by name and not by the kernel, so that a script also runs from a file system that is
    /// mounted `noexec`, and without an execute bit.
    pub fn words(&self) -> Vec<String> {
        let path = self.path.to_string_lossy().into_owned();
        self.interpreter.iter().cloned().chain([path]).collect()
    }

    /// Whether the kernel itself has to execute the file.
    pub fn is_binary(&self) -> bool {
        self.interpreter.is_empty()
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        // Nowhere to report to from here, and what is left behind is private.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn private_directory(place: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let directory = place.join(format!("{PREFIX}{}-{serial}", std::process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&directory) {
            // Left over, or from a process of the same number in another container.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            result => result?,
        }
        // Another process that sweeps right now may take it for one that is left over.
        if let Some(lock) = locked(&directory)? {
            return Ok((directory, lock));
        }
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

/// The interpreter of a script with its argument, as the kernel reads the first line; a shell for a text without such a line;
/// nothing for a binary.
fn interpreter(content: &[u8]) -> Vec<String> {
    let Some(rest) = content.strip_prefix(b"#!") else {
        let binary = content.starts_with(b"\x7fELF");
        return if binary { Vec::new() } else { vec!["/bin/sh".to_owned()] };
    };
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let (program, argument) = line.trim().split_once([' ', '\t']).unwrap_or((line.trim(), ""));
    // All that follows the program is one argument, blanks and all.
    [program, argument.trim_start()].into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_line_names_the_interpreter() {
        let case = |content: &[u8], words: &[&str]| assert_eq!(interpreter(content), words);
        case(b"#!/bin/sh\necho", &["/bin/sh"]);
        case(b"#! /usr/bin/env -S python3 -u \nprint()", &["/usr/bin/env", "-S python3 -u"]);
        case(b"#!\t/bin/awk\t-f\n", &["/bin/awk", "-f"]);
        case(b"echo hello\n", &["/bin/sh"]);
        case(b"", &["/bin/sh"]);
        case(b"\x7fELF\x02", &[]);
    }

    #[test]
    fn what_the_dead_have_left_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let left = place.path().join(".refrain-1-0");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("job.sh"), "secret").unwrap();
        std::os::unix::fs::symlink("/etc", place.path().join(".refrain-2-0")).unwrap();
        fs::create_dir(place.path().join("other")).unwrap();
        let in_use = Placed::below(place.path(), "job.sh", b"exit 0").unwrap();
        remove_left_over(place.path());
        assert!(!left.exists() && in_use.path.exists());
        assert!(place.path().join("other").exists() && place.path().join(".refrain-2-0").exists());
    }

    #[test]
    fn a_program_is_private_and_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let placed = Placed::below(place.path(), "tools/../job.sh", b"exit 0").unwrap();
        let path = PathBuf::from(&placed.words()[1]);
        assert_eq!(path.file_name().unwrap(), "job.sh");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o700, 0o700));
        drop(placed);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
