//! An entry of a directory that is held open while it is changed.
//!
//! The agent is root as a rule, and some directories that it works in belong to users. Between looking and changing, such a
//! user can put a link in the place of a directory on the way. So the way is walked once, by the rule that looking goes by: a
//! link of an ordinary user counts only where it leads to what is that user's. What is changed is an entry of the directory
//! that was found, wherever paths lead by then.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::path::{MOST_LINKS, names};

/// A name in an open directory.
pub struct Entry<'p> {
    directory: OwnedFd,
    name: &'p OsStr,
}

impl<'p> Entry<'p> {
    /// Opens the directory that `path` is in, for an agent of the user `agent`.
    ///
    /// # Errors
    /// It can't be opened, or a user's link on the way leads to what is not that user's.
    pub fn open(path: &'p Path, agent: u32) -> io::Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::other("is not in a directory"));
        };
        let opened = rustix::fs::openat2(CWD, parent, way(), Mode::empty(), ResolveFlags::NO_SYMLINKS);
        let directory = match opened {
            // There are links, or the kernel is older than Linux 5.6, or a container's filter does not know the call.
            Err(Errno::LOOP | Errno::NOSYS | Errno::PERM) => walk(parent, name, agent)?,
            opened => opened?,
        };
        Ok(Self { directory, name })
    }

    /// Its name.
    pub fn name(&self) -> &OsStr {
        self.name
    }

    /// Who owns the directory.
    ///
    /// # Errors
    /// It can't be looked at.
    pub fn directory_owner(&self) -> io::Result<u32> {
        Ok(rustix::fs::fstat(&self.directory)?.st_uid)
    }

    /// Makes a new file beside it, which only the agent's user can read.
    ///
    /// # Errors
    /// There is something of that name.
    pub fn create_beside(&self, name: &OsStr) -> io::Result<fs::File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(rustix::fs::openat(&self.directory, name, flags, mode)?.into())
    }

    /// Puts what is beside it in its place.
    ///
    /// # Errors
    /// It can't be.
    pub fn replace_by(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.directory, name, &self.directory, self.name)?)
    }

    /// Makes a new link beside it.
    ///
    /// # Errors
    /// There is something of that name.
    pub fn link_beside(&self, name: &OsStr, target: &Path) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(target, &self.directory, name)?)
    }

    /// Removes a file or link beside it, or itself.
    ///
    /// # Errors
    /// There is none.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.directory, name, AtFlags::empty())?)
    }

    /// Makes it a directory that only the agent's user can enter.
    ///
    /// # Errors
    /// There is something already.
    pub fn make_directory(&self) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.directory, self.name, Mode::RWXU)?)
    }

    /// Removes it if it is an empty directory.
    ///
    /// # Errors
    /// It is not.
    pub fn remove_directory(&self) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.directory, self.name, AtFlags::REMOVEDIR)?)
    }

    /// Opens it only to look at it and to change what it is like; a link is opened itself.
    ///
    /// # Errors
    /// There is nothing.
    pub fn hold(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.directory, self.name, flags, Mode::empty())?)
    }

    /// Opens it to read it, unless it is a link.
    ///
    /// # Errors
    /// There is nothing, or a link.
    pub fn open_file(&self) -> io::Result<fs::File> {
        // A pipe would be waited for.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.directory, self.name, flags, Mode::empty())?.into())
    }

    /// Makes changes of the directory outlive a power cut, where that can be done.
    pub fn sync_directory(&self) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if let Ok(directory) = rustix::fs::openat(&self.directory, c".", flags, Mode::empty()) {
            // Some file systems can't sync a directory; the file itself is safe by then.
            let _ = rustix::fs::fsync(directory);
        }
    }
}

impl AsFd for Entry<'_> {
    /// The directory.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

/// How directories on the way are opened.
fn way() -> OFlags {
    OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Opens a directory as [`Entry::open`] does, link by link.
fn walk(directory: &Path, name: &OsStr, agent: u32) -> io::Result<OwnedFd> {
    let root = rustix::fs::open("/", way(), Mode::empty())?;
    let mut here = root.try_clone()?;
    let mut todo = names(directory);
    let mut owners = Vec::new();
    let mut links = 0;
    while let Some(next) = todo.pop() {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let entry = rustix::fs::openat(&here, &next, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&entry)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            here = entry;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(Errno::LOOP.into());
        }
        owners.extend(Some(stat.st_uid).filter(|uid| *uid != 0 && *uid != agent));
        let target = rustix::fs::readlinkat(&entry, c"", Vec::new())?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            here = root.try_clone()?;
        }
        todo.extend(names(&target));
    }
    let here = rustix::fs::openat(&here, c".", way(), Mode::empty())?;
    refuse_others(&here, name, &owners)?;
    Ok(here)
}

/// Refuses what the owners of links on the way do not own: neither the directory nor what is in it by this name.
fn refuse_others(directory: &OwnedFd, name: &OsStr, owners: &[u32]) -> io::Result<()> {
    if owners.is_empty() {
        return Ok(());
    }
    let directory_owner = rustix::fs::fstat(directory)?.st_uid;
    let entry = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
    let entry_owner = entry.ok().map(|stat| stat.st_uid);
    match owners.iter().find(|uid| directory_owner != **uid && entry_owner != Some(**uid)) {
        None => Ok(()),
        Some(uid) => Err(not_theirs(*uid)),
    }
}

/// A link of the user `uid` leads to what is somebody else's.
pub fn not_theirs(uid: u32) -> io::Error {
    io::Error::other(format!("a link of user {uid} leads there, who does not own it"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{lchown, symlink};

    use super::super::as_root::is_root;
    use super::*;

    const EVE: u32 = 4001;

    #[test]
    fn links_of_ordinary_users_lead_only_to_what_is_theirs() {
        if !is_root("giving files away") {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        for name in ["system", "home", "home/own"] {
            fs::create_dir(top.join(name)).unwrap();
        }
        fs::write(top.join("system/mail"), "").unwrap();
        for (link, target) in [
            ("home/out", "../system"),
            ("home/absolute", top.join("system").to_str().unwrap()),
            ("home/in", "own"),
            ("system/through", "../home/out"),
            ("system/roots", "../home/own"),
        ] {
            symlink(target, top.join(link)).unwrap();
        }
        for name in ["home", "home/own", "home/out", "home/absolute", "home/in", "system/mail"] {
            lchown(top.join(name), Some(EVE), Some(EVE)).unwrap();
        }
        for (path, fine) in [
            ("home/own/new", true),
            ("home/in/new", true),
            ("home/out/new", false),
            ("home/absolute/new", false),
            ("home/out/mail", true),
            ("system/through/new", false),
            ("system/roots/new", true),
            ("system/new", true),
            ("home/nothing/new", false),
        ] {
            let path = top.join(path);
            assert_eq!(Entry::open(&path, 0).is_ok(), fine, "{}", path.display());
        }
        assert!(
            Entry::open(&top.join("home/out/new"), EVE).is_ok(),
            "to the user's own agent they are its own"
        );
    }

    #[test]
    fn a_path_that_leads_elsewhere_by_then_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        fs::create_dir(top.join("ssh")).unwrap();
        fs::create_dir(top.join("other")).unwrap();
        let path = top.join("ssh/authorized_keys");
        let entry = Entry::open(&path, 0).unwrap();
        fs::rename(top.join("ssh"), top.join("moved")).unwrap();
        symlink("other", top.join("ssh")).unwrap();
        drop(entry.create_beside(OsStr::new("new")).unwrap());
        entry.replace_by(OsStr::new("new")).unwrap();
        assert!(top.join("moved/authorized_keys").exists());
        assert_eq!(fs::read_dir(top.join("other")).unwrap().count(), 0);
    }

    #[test]
    fn loops_and_files_on_the_way_are_errors() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        symlink("loop", top.join("loop")).unwrap();
        fs::write(top.join("file"), "").unwrap();
        let failure = |name: &str| Entry::open(&top.join(name), 0).map(drop).unwrap_err();
        assert_eq!(failure("loop/x").raw_os_error(), Some(Errno::LOOP.raw_os_error()));
        assert_eq!(failure("file/x").raw_os_error(), Some(Errno::NOTDIR.raw_os_error()));
        assert_eq!(failure("none/x").kind(), io::ErrorKind::NotFound);
        assert!(Entry::open(Path::new("/"), 0).is_err());
    }
}
