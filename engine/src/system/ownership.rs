//! Giving what a user owns in a directory to another number: the user's own new one.

use std::ffi::CStr;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::process::{Gid, Uid};
use serde::{Deserialize, Serialize};

use super::{Attributes, Kind, View};
use crate::failure::Failure;

/// A user with the primary group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Numeric user.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
}

impl Owner {
    /// The user and group that something of `uid` and `gid` gets when `self` becomes `to`: only what the user owns, and the group
    /// only where it is the user's.
    fn becomes(self, to: Self, uid: u32, gid: u32) -> Option<Self> {
        let after = Self { uid: to.uid, gid: if gid == self.gid { to.gid } else { gid } };
        (uid == self.uid && after != Self { uid, gid }).then_some(after)
    }
}

/// What in `directory` would get other attributes when `from` becomes `to`, itself included; links are not followed.
///
/// # Errors
/// The host can't be looked at.
pub fn given(
    host: &(impl View + ?Sized),
    directory: &Path,
    from: Owner,
    to: Owner,
) -> Result<Vec<(PathBuf, Attributes)>, Failure> {
    let mut given = Vec::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(path) = todo.pop() {
        let Some(stat) = host.lstat(&path)? else { continue };
        let Attributes { mode, uid, gid } = stat.attributes;
        if stat.kind == Kind::Directory {
            todo.extend(host.list(&path)?.into_iter().map(|name| path.join(name)));
        }
        if let Some(Owner { uid, gid }) = from.becomes(to, uid, gid) {
            given.push((path, Attributes { mode, uid, gid }));
        }
    }
    Ok(given)
}

/// Gives what `from` owns in `directory` to `to`, by syscalls.
///
/// The directory is the user's own, who may move things about in it meanwhile. So nothing is named by a path: each entry is
/// opened in its directory without following links, and what was opened is what is looked at and given away.
pub fn give(directory: &Path, from: Owner, to: Owner) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = rustix::fs::open(directory, flags, Mode::empty())?;
    give_one(&top, from, to)?;
    // As deep as the directories are nested, one descriptor each.
    let mut open = vec![Dir::new(top)?];
    while let Some(directory) = open.last_mut() {
        let Some(entry) = directory.read() else {
            open.pop();
            continue;
        };
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let below = give_entry(directory.fd()?, name, from, to)?;
        open.extend(below);
    }
    Ok(())
}

/// Gives an entry away. Returns it opened for reading if it is a directory.
fn give_entry(parent: impl AsFd, name: &CStr, from: Owner, to: Owner) -> io::Result<Option<Dir>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let entry = match rustix::fs::openat(&parent, name, flags, Mode::empty()) {
        // Removed meanwhile.
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        entry => entry?,
    };
    let is_directory = give_one(&entry, from, to)?;
    if !is_directory {
        return Ok(None);
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(&entry, c".", flags, Mode::empty())?;
    Ok(Some(Dir::new(directory)?))
}

/// Gives away what is open. Returns whether it is a directory.
fn give_one(entry: impl AsFd, from: Owner, to: Owner) -> io::Result<bool> {
    let stat = rustix::fs::fstat(&entry)?;
    if let Some(Owner { uid, gid }) = from.becomes(to, stat.st_uid, stat.st_gid) {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        rustix::fs::chownat(&entry, c"", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
    }
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, lchown, symlink};

    use super::super::RootKind;
    use super::super::as_root::is_root;
    use super::super::native::Native;
    use super::*;

    const OLD: Owner = Owner { uid: 4001, gid: 4002 };
    const NEW: Owner = Owner { uid: 4003, gid: 4004 };

    /// A home with its owner's and other people's things, and what everything shall belong to afterwards.
    fn furnish(home: &Path) -> Vec<(&'static str, u32, u32)> {
        fs::create_dir_all(home.join("deep/er")).unwrap();
        fs::write(home.join("deep/er/file"), "").unwrap();
        fs::write(home.join("shared"), "").unwrap();
        fs::write(home.join("roots"), "").unwrap();
        symlink("/etc/passwd", home.join("link")).unwrap();
        for name in ["", "deep", "deep/er", "deep/er/file", "link"] {
            lchown(home.join(name), Some(OLD.uid), Some(OLD.gid)).unwrap();
        }
        lchown(home.join("shared"), Some(OLD.uid), Some(9)).unwrap();
        lchown(home.join("roots"), Some(0), Some(OLD.gid)).unwrap();
        vec![
            ("", NEW.uid, NEW.gid),
            ("deep", NEW.uid, NEW.gid),
            ("deep/er", NEW.uid, NEW.gid),
            ("deep/er/file", NEW.uid, NEW.gid),
            ("link", NEW.uid, NEW.gid),
            ("shared", NEW.uid, 9),
            ("roots", 0, OLD.gid),
        ]
    }

    #[test]
    fn a_user_gets_what_is_the_users_own() {
        if !is_root("giving files away") {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        let expected = furnish(&home);
        let passwd = fs::metadata("/etc/passwd").unwrap().uid();

        let mut predicted = given(&Native::new(RootKind::Live), &home, OLD, NEW).unwrap();
        predicted.sort_by(|a, b| a.0.cmp(&b.0));
        give(&home, OLD, NEW).unwrap();
        for (name, uid, gid) in expected {
            let metadata = fs::symlink_metadata(home.join(name)).unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (uid, gid), "{name}");
            let foretold = predicted.iter().find(|(path, _)| *path == home.join(name));
            assert_eq!(foretold.is_some(), uid == NEW.uid, "{name}");
            assert!(foretold.is_none_or(|(_, to)| (to.uid, to.gid) == (uid, gid)), "{name}");
        }
        assert_eq!(predicted.len(), 6);
        assert_eq!(fs::metadata("/etc/passwd").unwrap().uid(), passwd, "links are not followed");
        assert_eq!(given(&Native::new(RootKind::Live), &home, OLD, NEW).unwrap(), []);
    }
}
