//! The host that this process runs on, by syscalls.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, FileType, OFlags, StatxFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::account_files::{self, AccountFile};
use super::entry::Entry;
use super::namespaces;
use super::ownership::{self, Owner};
use super::remote::Remote;
use super::{
    Attributes, Command, Content, Kind, Output, RootKind, Stat, System, Time, View, environment, process,
};
use crate::accounts;
use crate::escalation::{self, Escalation};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::transport::{AgentBinary, Unreachable};

/// The root that this thread sees, live or not.
pub struct Native {
    root_kind: RootKind,
    identity: (u32, u32),
    /// Whether what is written has to outlive a power cut.
    lasting: bool,
    /// Numbers the temporary files of this process.
    serial: Cell<u32>,
    /// What commands start with, made when the first one does.
    environment: OnceCell<BTreeMap<String, String>>,
    /// Ends running commands.
    interrupt: Arc<Interrupt>,
}

impl Native {
    /// The calling thread's root. The caller knows what kind of root that is.
    pub fn new(root_kind: RootKind) -> Self {
        let identity = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Self {
            root_kind,
            identity,
            lasting: true,
            serial: Cell::new(0),
            environment: OnceCell::new(),
            interrupt: Arc::default(),
        }
    }

    /// The same, whose commands are ended when `interrupt` says that the run shall stop now.
    #[must_use]
    pub fn interrupted_by(self, interrupt: Arc<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    /// The same for files that need not outlive a power cut: not waiting for the disk is several times faster.
    pub(super) fn not_lasting(root_kind: RootKind) -> Self {
        Self { lasting: false, ..Self::new(root_kind) }
    }

    /// Does something with a file. What the kernel keeps for each namespace is that of the host, also from inside a container.
    fn on_host<T: Send>(&self, path: &Path, act: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        if self.root_kind == RootKind::LiveThroughContainer && path.starts_with("/proc/sys") {
            return namespaces::in_those_of_the_host(act);
        }
        act()
    }

    fn environment(&self) -> &BTreeMap<String, String> {
        self.environment.get_or_init(|| {
            let uid = self.identity.0;
            // Without accounts commands still start; they get a plain environment.
            let users = accounts::users(self).unwrap_or_default();
            let user = users.iter().find(|user| user.uid == uid);
            environment::environment(uid, user, |name| std::env::var(name).ok())
        })
    }

    /// A name beside an entry that nobody uses: hidden, and with the process in it so that leftovers can be told.
    fn temporary(&self, entry: &Entry<'_>) -> OsString {
        self.serial.set(self.serial.get() + 1);
        let mut name = temporary_name(Path::new(entry.name()), std::process::id()).unwrap_or_default();
        name.push(self.serial.get().to_string());
        name
    }

    /// Makes something beside an entry, and puts it in its place.
    fn replace(&self, entry: &Entry<'_>, make: impl FnOnce(&OsStr) -> io::Result<()>) -> io::Result<()> {
        let temporary = self.temporary(entry);
        make(&temporary).and_then(|()| entry.replace_by(&temporary)).inspect_err(|_| {
            // The error that counts is the first one; what was made is of no use.
            let _ = entry.remove(&temporary);
        })
    }

    fn write_beside(
        &self,
        entry: &Entry<'_>,
        temporary: &OsStr,
        content: &[u8],
        attributes: Attributes,
    ) -> io::Result<()> {
        let mut file = entry.create_beside(temporary)?;
        file.write_all(content)?;
        // In a set-group-ID directory a new file has another group than its maker.
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (attributes.uid, attributes.gid) {
            rustix::fs::fchown(
                &file,
                Some(Uid::from_raw(attributes.uid)),
                Some(Gid::from_raw(attributes.gid)),
            )?;
        }
        rustix::fs::fchmod(&file, mode(attributes))?;
        if self.lasting { file.sync_all() } else { Ok(()) }
    }
}

/// Gives owner, group and mode to an entry; to a link itself, owner and group.
///
/// In a user's directory, a file that is not the user's may have a name elsewhere, from where the user has linked it here: that
/// is not given away.
fn give_attributes(entry: &Entry<'_>, attributes: Attributes) -> io::Result<()> {
    let held = entry.hold()?;
    let now = rustix::fs::fstat(&held)?;
    let directory_owner = entry.directory_owner()?;
    let is_linked = FileType::from_raw_mode(now.st_mode) != FileType::Directory && now.st_nlink > 1;
    if is_linked && directory_owner != 0 && now.st_uid != directory_owner && now.st_uid != attributes.uid {
        return Err(io::Error::other(format!("it has other names, and belongs to user {}", now.st_uid)));
    }
    give_held(&held, attributes, || {
        rustix::fs::chmodat(entry, entry.name(), mode(attributes), AtFlags::empty())
    })
}

/// The root directory, which is no entry of any.
fn hold_root() -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open("/", flags, rustix::fs::Mode::empty())?)
}

/// Gives owner, group and mode to what is open: a path may lead to something else meanwhile. `by_name` gives it the mode in
/// another way.
fn give_held(
    held: &OwnedFd,
    attributes: Attributes,
    by_name: impl FnOnce() -> Result<(), Errno>,
) -> io::Result<()> {
    let now = rustix::fs::fstat(held)?;
    if (now.st_uid, now.st_gid) != (attributes.uid, attributes.gid) {
        let (uid, gid) = (Uid::from_raw(attributes.uid), Gid::from_raw(attributes.gid));
        rustix::fs::chownat(held, c"", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
    }
    if FileType::from_raw_mode(now.st_mode) == FileType::Symlink {
        return Ok(());
    }
    // After the owner: chown clears the set-user-ID and set-group-ID bits. Only Linux 6.6 changes the mode of an opened
    // path itself; where there is no `/proc` (an install target), nobody else is at work.
    let opened = format!("/proc/self/fd/{}", held.as_raw_fd());
    match rustix::fs::chmod(opened, mode(attributes)) {
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(by_name()?),
        result => Ok(result?),
    }
}

/// Removes the temporary files that a process, which has ended, has left beside `path`.
pub(crate) fn remove_temporaries(path: &Path, process: u32) {
    let Some(name) = temporary_name(path, process).and_then(|name| name.into_string().ok()) else { return };
    let entries = path.parent().map(fs::read_dir).into_iter().flatten().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(|it| it.starts_with(&name))) {
        // What can't be removed is hidden, private and of no harm.
        let _ = fs::remove_file(entry.path());
    }
}

/// What the names of a process's temporary files beside `path` begin with. Absent where the path has no name.
fn temporary_name(path: &Path, process: u32) -> Option<OsString> {
    let mut name = OsString::from(".");
    // A file name may be 255 bytes long; ours must not push it over.
    let stem = path.file_name()?.as_bytes();
    name.push(std::ffi::OsStr::from_bytes(&stem[..stem.len().min(200)]));
    name.push(format!(".refrain-{process}-"));
    Some(name)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.read_to_end(&mut content)?;
    Ok(content)
}

fn holds(path: &Path, size: u64, hash: &str) -> io::Result<bool> {
    let file = open(path)?;
    if file.metadata()?.len() != size {
        return Ok(false);
    }
    let mut hasher = blake3::Hasher::new();
    // A file that grows meanwhile is another one.
    hasher.update_reader(file.take(size + 1))?;
    Ok(hasher.count() == size && hasher.finalize().to_hex().as_str() == hash)
}

/// Opens a file to read it as a whole. What can't be read so is refused: a pipe would be waited for, a device never ends.
fn open(path: &Path) -> io::Result<fs::File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::File::from(rustix::fs::open(path, flags, rustix::fs::Mode::empty())?);
    let kind = file.metadata()?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::other("is a special file"));
    }
    Ok(file)
}

fn mode(attributes: Attributes) -> rustix::fs::Mode {
    rustix::fs::Mode::from_raw_mode(attributes.mode)
}

/// Turns "there is nothing" into `None`.
fn absent<T>(act: &'static str, path: &Path, result: io::Result<T>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Failure::io(act, path, &error)),
    }
}

fn stat_of(metadata: &fs::Metadata) -> Stat {
    let kind = metadata.file_type();
    Stat {
        kind: if kind.is_file() {
            Kind::File
        } else if kind.is_dir() {
            Kind::Directory
        } else if kind.is_symlink() {
            Kind::Link
        } else {
            Kind::Other
        },
        attributes: Attributes { mode: metadata.mode() & 0o7777, uid: metadata.uid(), gid: metadata.gid() },
        size: metadata.size(),
        modified: Time {
            seconds: metadata.mtime(),
            nanoseconds: u32::try_from(metadata.mtime_nsec()).unwrap_or_default(),
        },
    }
}

impl View for Native {
    fn lstat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        Ok(absent("look at", path, fs::symlink_metadata(path))?.as_ref().map(stat_of))
    }

    fn stat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        Ok(absent("look at", path, fs::metadata(path))?.as_ref().map(stat_of))
    }

    fn read(&self, path: &Path) -> Result<Option<Content>, Failure> {
        Ok(absent("read", path, self.on_host(path, || read(path)))?.map(Content::Known))
    }

    fn read_in_place(&self, path: &Path) -> Result<Option<(Stat, Content)>, Failure> {
        let found = Entry::open(path, self.identity.0).and_then(|entry| {
            let mut file = entry.open_file()?;
            let stat = stat_of(&file.metadata()?);
            if stat.kind == Kind::Other {
                return Err(io::Error::other("is a special file"));
            }
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            Ok((stat, Content::Known(content)))
        });
        absent("read", path, found)
    }

    fn holds(&self, path: &Path, size: u64, hash: &str) -> Result<bool, Failure> {
        Ok(absent("read", path, holds(path, size, hash))?.unwrap_or(false))
    }

    fn read_link(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        match fs::read_link(path) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(None),
            result => absent("read the link", path, result),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, Failure> {
        let Some(entries) = absent("list", path, fs::read_dir(path))? else { return Ok(Vec::new()) };
        let mut names = entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(|error| Failure::io("list", path, &error))?;
        names.sort();
        Ok(names)
    }

    fn probe(&self, command: &Command) -> Result<Output, Failure> {
        process::run(command, self.environment(), &self.interrupt)
    }

    fn find_program(&self, name: &str) -> Option<PathBuf> {
        let path = &self.environment()["PATH"];
        let executable = |path: &Path| {
            fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
        };
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|path| executable(path));
        }
        std::env::split_paths(path).map(|directory| directory.join(name)).find(|path| executable(path))
    }

    fn root_kind(&self) -> RootKind {
        self.root_kind
    }

    fn identity(&self) -> (u32, u32) {
        self.identity
    }
}

impl System for Native {
    fn escalate(&self, escalation: &Escalation) -> Result<Rc<Remote>, Failure> {
        let refused = |unreachable: Unreachable| Failure::Become(Box::new(unreachable.error));
        let agent = escalation::launch(escalation, &AgentBinary::default(), &self.interrupt);
        let system = agent
            .and_then(|agent| Remote::open(Box::new(agent), self.root_kind, Arc::clone(&self.interrupt)));
        Ok(Rc::new(system.map_err(refused)?))
    }

    fn write(&self, path: &Path, content: &[u8], attributes: Attributes) -> Result<(), Failure> {
        Entry::open(path, self.identity.0)
            .and_then(|entry| {
                self.replace(&entry, |name| self.write_beside(&entry, name, content, attributes))?;
                if self.lasting {
                    entry.sync_directory();
                }
                Ok(())
            })
            .map_err(|error| Failure::io("write", path, &error))
    }

    fn make_directory(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        let made = Entry::open(path, self.identity.0).and_then(|entry| {
            entry.make_directory()?;
            give_attributes(&entry, attributes).inspect_err(|_| {
                // The error that counts is the first one; a directory that is not as it shall be is of no use.
                let _ = entry.remove_directory();
            })
        });
        made.map_err(|error| Failure::io("make the directory", path, &error))
    }

    fn make_link(&self, path: &Path, target: &Path) -> Result<(), Failure> {
        Entry::open(path, self.identity.0)
            .and_then(|entry| self.replace(&entry, |name| entry.link_beside(name, target)))
            .map_err(|error| Failure::io("make the link", path, &error))
    }

    fn remove(&self, path: &Path) -> Result<(), Failure> {
        let removed = Entry::open(path, self.identity.0).and_then(|entry| {
            if FileType::from_raw_mode(rustix::fs::fstat(entry.hold()?)?.st_mode) == FileType::Directory {
                remove_tree(&entry, path)
            } else {
                entry.remove(entry.name())
            }
        });
        absent("remove", path, removed).map(drop)
    }

    fn set_attributes(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        let set = match path.parent() {
            Some(_) => {
                Entry::open(path, self.identity.0).and_then(|entry| give_attributes(&entry, attributes))
            }
            None => hold_root()
                .and_then(|root| give_held(&root, attributes, || rustix::fs::chmod("/", mode(attributes)))),
        };
        set.map_err(|error| Failure::io("set the owner and mode of", path, &error))
    }

    fn set_modified(&self, path: &Path, modified: Time) -> Result<(), Failure> {
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanoseconds.into() },
        };
        let set = match path.parent() {
            Some(_) => Entry::open(path, self.identity.0).and_then(|entry| {
                Ok(rustix::fs::utimensat(&entry, entry.name(), &times, AtFlags::SYMLINK_NOFOLLOW)?)
            }),
            None => rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(Into::into),
        };
        set.map_err(|error| Failure::io("set the time of", path, &error))
    }

    fn set_kernel_value(&self, path: &Path, value: &str) -> Result<(), Failure> {
        // In one piece: each piece would be a value.
        let write =
            || fs::OpenOptions::new().write(true).truncate(true).open(path)?.write_all(value.as_bytes());
        self.on_host(path, write).map_err(|error| Failure::io("set", path, &error))
    }

    fn write_accounts(&self, files: &[AccountFile]) -> Result<(), Failure> {
        let _lock = account_files::Lock::take(files)?;
        account_files::replace(self, files)
    }

    fn give(&self, directory: &Path, from: Owner, to: Owner) -> Result<(), Failure> {
        ownership::give(directory, from, to)
            .map_err(|error| Failure::io("give to another user what is in", directory, &error))
    }

    fn run(&self, command: &Command) -> Result<Output, Failure> {
        process::run(command, self.environment(), &self.interrupt)
    }
}

/// Removes a directory with all that is in it.
fn remove_tree(entry: &Entry<'_>, path: &Path) -> io::Result<()> {
    let held = Path::new("/proc/self/fd").join(entry.as_fd().as_raw_fd().to_string()).join(entry.name());
    let place = match fs::symlink_metadata(&held) {
        Ok(_) => held,
        // Where there is no `/proc` (an install target), nobody else is at work. The way may lead through a link that is in the
        // directory, and goes with it.
        Err(_) => fs::canonicalize(path)?,
    };
    refuse_mounts(mount_of(entry, Path::new(""))?, &place, path)?;
    fs::remove_dir_all(place)
}

/// Fails if a directory is a mount point, or one is below it: what is mounted there belongs to something else. `name` is what
/// the directory is called.
fn refuse_mounts(mount: Mount, directory: &Path, name: &Path) -> io::Result<()> {
    let mut todo = vec![directory.to_owned()];
    while let Some(found) = todo.pop() {
        if mount_of(CWD, &found)? != mount {
            let below = found.strip_prefix(directory).unwrap_or(&found);
            let mounted = if below.as_os_str().is_empty() { name.to_owned() } else { name.join(below) };
            return Err(io::Error::other(format!("something is mounted on {}", mounted.display())));
        }
        for entry in fs::read_dir(&found)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                todo.push(entry.path());
            }
        }
    }
    Ok(())
}

/// Tells one mount from another: its number, and the device where the kernel (before Linux 5.8) does not number mounts.
type Mount = (u64, u32, u32);

/// The mount that a path is in; the empty one is the directory itself that it begins at.
fn mount_of(from: impl AsFd, path: &Path) -> io::Result<Mount> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
    let stat = rustix::fs::statx(from, path, flags, StatxFlags::MNT_ID)?;
    Ok((stat.stx_mnt_id, stat.stx_dev_major, stat.stx_dev_minor))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::as_root::is_root;
    use super::*;

    #[test]
    fn attributes_of_a_link_are_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        let host = Native::new(RootKind::Live);
        let (uid, gid) = host.identity();
        host.set_attributes(&link, Attributes { mode: 0o777, uid, gid }).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        host.set_attributes(&file, Attributes { mode: 0o4700, uid, gid }).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o4700);
    }

    #[test]
    fn what_a_user_has_linked_is_not_given_away() {
        let host = Native::new(RootKind::Live);
        if !is_root("giving files away") {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        let (system, home) = (top.join("shadow"), top.join("home"));
        fs::write(&system, "").unwrap();
        fs::create_dir(&home).unwrap();
        std::os::unix::fs::chown(&home, Some(4001), Some(4001)).unwrap();
        fs::hard_link(&system, home.join("mine")).unwrap();
        let failure =
            host.set_attributes(&home.join("mine"), Attributes { mode: 0o600, uid: 4001, gid: 4001 });
        assert!(failure.unwrap_err().to_string().ends_with("it has other names, and belongs to user 0"));
        assert_eq!(fs::metadata(&system).unwrap().uid(), 0);
        host.set_attributes(&system, Attributes { mode: 0o600, uid: 4001, gid: 4001 }).unwrap();
        host.set_attributes(&top, Attributes { mode: 0o755, uid: 0, gid: 0 }).unwrap();
    }

    #[test]
    fn what_is_read_in_place_is_no_link() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        fs::write(top.join("file"), "x").unwrap();
        symlink("file", top.join("link")).unwrap();
        let host = Native::new(RootKind::Live);
        let (stat, content) = host.read_in_place(&top.join("file")).unwrap().unwrap();
        assert_eq!((stat.size, content), (1, Content::Known(b"x".to_vec())));
        assert!(host.read_in_place(&top.join("link")).is_err());
        assert_eq!(host.read_in_place(&top.join("none")).unwrap(), None);
    }

    #[test]
    fn a_directory_that_is_elsewhere_by_then_is_the_one_that_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        for name in ["home/cache/deep", "other/cache/deep"] {
            fs::create_dir_all(top.join(name)).unwrap();
        }
        let path = top.join("home/cache");
        let entry = Entry::open(&path, 0).unwrap();
        fs::rename(top.join("home"), top.join("moved")).unwrap();
        symlink("other", top.join("home")).unwrap();
        remove_tree(&entry, &path).unwrap();
        assert!(!top.join("moved/cache").exists());
        assert!(top.join("other/cache/deep").exists());
    }

    #[test]
    fn a_directory_is_removed_through_a_link_that_is_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().join("top");
        fs::create_dir(&top).unwrap();
        symlink("..", top.join("up")).unwrap();
        Native::new(RootKind::Live).remove(&top.join("up/top")).unwrap();
        assert!(!top.exists());
    }

    #[test]
    fn only_whole_files_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, 0o600.into(), 0).unwrap();
        let host = Native::new(RootKind::Live);
        for (path, reason) in [
            (pipe.as_path(), "is a special file"),
            (Path::new("/dev/zero"), "is a special file"),
            (directory.path(), "is a directory"),
        ] {
            let failure = host.read(path).unwrap_err();
            assert!(failure.to_string().ends_with(reason), "{failure}");
        }
        let process = host.read(Path::new("/proc/self/status")).unwrap().unwrap();
        assert!(process.known().is_some_and(|text| text.starts_with(b"Name:")), "its size is said to be 0");
    }

    #[test]
    fn what_is_mounted_is_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("root/proc");
        fs::create_dir_all(&inside).unwrap();
        fs::write(directory.path().join("root/file"), "").unwrap();
        let host = Native::new(RootKind::Live);
        // A bind mount has the device of what is around it; only its number tells.
        let bind = rustix::mount::mount_bind(directory.path().join("root"), &inside);
        if bind.is_err() {
            assert!(std::env::var_os("CI").is_none(), "CI may mount");
            eprintln!("skipped: mounting is not allowed");
            return;
        }
        let refused = host.remove(&directory.path().join("root")).unwrap_err();
        rustix::mount::unmount(&inside, rustix::mount::UnmountFlags::DETACH).unwrap();
        assert!(refused.to_string().contains("is mounted on"), "{refused}");
        assert!(directory.path().join("root/file").exists());
        host.remove(&directory.path().join("root")).unwrap();
        assert!(!directory.path().join("root").exists());
    }
}
