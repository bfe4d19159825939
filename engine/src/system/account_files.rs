//! The files that hold the accounts: replaced together, while no other program edits them.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::{Attributes, System};
use crate::failure::Failure;

/// What lckpwdf(3) locks.
const LOCK: &str = "/etc/.pwd.lock";
/// How long lckpwdf(3) waits.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is tried.
const PAUSE: Duration = Duration::from_millis(50);

/// One of the files, as it was looked at and as it shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFile {
    /// Where.
    pub path: PathBuf,
    /// What it held when it was looked at.
    #[serde(with = "serde_bytes")]
    pub before: Vec<u8>,
    /// What it shall hold.
    #[serde(with = "serde_bytes")]
    pub after: Vec<u8>,
    /// Owner, group and mode, which stay as they are.
    pub attributes: Attributes,
}

/// Writes all files, or none: if one can't be written, those before it get back what they held.
///
/// # Errors
/// One of them is not what it was when it was looked at, or can't be written.
pub fn replace<S: System + ?Sized>(system: &S, files: &[AccountFile]) -> Result<(), Failure> {
    for file in files {
        let now = system.read(&file.path)?;
        if now.as_ref().and_then(|content| content.known()) != Some(&file.before) {
            let message = format!("`{}` was changed by somebody else just now", file.path.display());
            return Err(Failure::state(message).advise("run it again"));
        }
    }
    for (index, file) in files.iter().enumerate() {
        if let Err(failure) = system.write(&file.path, &file.after, file.attributes) {
            for written in files[..index].iter().rev() {
                // The error that counts is the first one.
                let _ = system.write(&written.path, &written.before, written.attributes);
            }
            return Err(failure);
        }
    }
    Ok(())
}

/// Keeps other programs from editing the accounts until it is dropped.
///
/// As the shadow tools do it: by lckpwdf(3)'s lock, and by a file `passwd.lock` beside each file, which is all that they have
/// where the C library knows no such lock (musl).
pub struct Lock {
    /// The lock ends when it is closed.
    _file: File,
    beside: Vec<LockFile>,
}

impl Lock {
    /// Waits for the lock, up to 15 seconds.
    ///
    /// # Errors
    /// Somebody else has it all the time, or it can't be made.
    pub fn take(files: &[AccountFile]) -> Result<Self, Failure> {
        let deadline = Instant::now() + PATIENCE;
        let path = Path::new(LOCK);
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
        let file = file.map_err(|error| Failure::io("open", path, &error))?;
        wait(deadline, path, || {
            match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => Ok(Some(())),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })?;
        let mut lock = Self { _file: file, beside: Vec::new() };
        for file in files {
            let path = with_suffix(&file.path, "lock");
            lock.beside.push(wait(deadline, &path, || LockFile::take(&file.path, &path))?);
        }
        Ok(lock)
    }
}

/// Tries until it works or time is up.
fn wait<T>(
    deadline: Instant,
    path: &Path,
    mut attempt: impl FnMut() -> io::Result<Option<T>>,
) -> Result<T, Failure> {
    loop {
        match attempt() {
            Ok(Some(taken)) => return Ok(taken),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            Ok(None) => {
                let message =
                    format!("another program is editing the accounts: it holds `{}`", path.display());
                return Err(
                    Failure::state(message).advise("is somebody in `vipw`, or a package being installed?")
                );
            }
            Err(error) => return Err(Failure::io("lock", path, &error)),
        }
    }
}

/// `passwd.lock`: holds the number of the process that made it.
struct LockFile(PathBuf);

impl LockFile {
    /// Makes it, unless a process that still runs has made it.
    fn take(of: &Path, path: &Path) -> io::Result<Option<Self>> {
        // A link appears with its content, so that nobody finds the file empty.
        let own = with_suffix(of, &format!("refrain-{}", std::process::id()));
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&own)?;
        let linked = write!(file, "{}\0", std::process::id()).and_then(|()| fs::hard_link(&own, path));
        fs::remove_file(&own)?;
        match linked {
            Ok(()) => Ok(Some(Self(path.to_owned()))),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if !holder_runs(path)? {
                    fs::remove_file(path)?;
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Nowhere to report to from here; a lock of a process that is gone is overcome by everybody.
        let _ = fs::remove_file(&self.0);
    }
}

/// Whether the process that made a lock file still runs. One that says nothing is taken for held.
fn holder_runs(path: &Path) -> io::Result<bool> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        text => text?,
    };
    let holder = text.trim_matches(['\0', '\n', ' ']).parse().ok().and_then(Pid::from_raw);
    Ok(holder.is_none_or(|holder| {
        !matches!(rustix::process::test_kill_process(holder), Err(rustix::io::Errno::SRCH))
    }))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::{NoPrograms, Sandbox};
    use super::super::{Content, View};
    use super::*;

    fn file(path: &str, before: &str, after: &str) -> AccountFile {
        let attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };
        AccountFile { path: path.into(), before: before.into(), after: after.into(), attributes }
    }

    #[test]
    fn all_files_are_written_or_none() {
        let directory = tempfile::tempdir().unwrap();
        let host = Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap();
        let root = "root:x:0:\n";
        let text = |path: &str| match host.read(Path::new(path)).unwrap() {
            Some(Content::Known(bytes)) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        };
        std::fs::write(directory.path().join("root/etc/gshadow"), "root:*::\n").unwrap();

        let stale = [file("/etc/group", root, "new\n"), file("/etc/gshadow", "root:!::\n", "new\n")];
        let failure = replace(&host, &stale).unwrap_err();
        assert_eq!(failure.to_string(), "`/etc/gshadow` was changed by somebody else just now");
        assert_eq!(text("/etc/group"), root);

        // A directory can't be replaced by a file: the second write fails.
        std::fs::create_dir_all(directory.path().join("root/etc/broken/x")).unwrap();
        let mut broken = file("/etc/broken", "", "new\n");
        broken.before = Vec::new();
        assert!(replace(&host, &[file("/etc/group", root, "new\n"), broken]).is_err());
        assert_eq!(text("/etc/group"), root);

        replace(&host, &[file("/etc/group", root, "new\n"), file("/etc/gshadow", "root:*::\n", "")]).unwrap();
        assert_eq!((text("/etc/group").as_str(), text("/etc/gshadow").as_str()), ("new\n", ""));
    }

    #[test]
    fn a_lock_file_belongs_to_a_process_that_runs() {
        let directory = tempfile::tempdir().unwrap();
        let passwd = directory.path().join("passwd");
        let path = directory.path().join("passwd.lock");
        let lock = LockFile::take(&passwd, &path).unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\0", std::process::id()));
        assert!(LockFile::take(&passwd, &path).unwrap().is_none(), "it is held");
        drop(lock);
        assert!(!path.exists());

        // As a program leaves it behind that was killed; no process has such a number.
        std::fs::write(&path, format!("{}\0", i32::MAX)).unwrap();
        assert!(LockFile::take(&passwd, &path).unwrap().is_none(), "it is cleared away");
        assert!(LockFile::take(&passwd, &path).unwrap().is_some());
        std::fs::write(&path, "").unwrap();
        assert!(LockFile::take(&passwd, &path).unwrap().is_none(), "nobody knows whose it is");
    }
}
