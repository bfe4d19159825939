//! A host played in a directory tree: no root rights, no commands of the machine, nothing outside the directory touched.
//!
//! The quickstart and tests of playbooks run on it. `DIR/root` is the host's root; owners and modes are kept beside it in
//! `DIR/attributes.log`, because a normal user can't give files away. Programs are simulated ([`Programs`]).

mod attribute_log;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::attribute_log::AttributeLog;
use super::entry::not_theirs;
use super::native::Native;
use super::{
    Attributes, Command, Content, Kind, Output, RootKind, Stat, System, Time, View, path::resolve, scratch,
};
use crate::failure::Failure;

/// The programs that a sandbox host has.
pub trait Programs {
    /// The files that a fresh host has because of them: paths below its root, and what they hold.
    fn files(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Whether there is a program of this name.
    fn has(&self, name: &str) -> bool;

    /// Plays `command` on the host `system`.
    ///
    /// # Errors
    /// [`Failure::Start`] where there is no such program.
    fn run(&self, command: &Command, system: &Sandbox) -> Result<Output, Failure>;
}

/// A host without any program.
pub struct NoPrograms;

impl Programs for NoPrograms {
    fn has(&self, _name: &str) -> bool {
        false
    }

    fn run(&self, command: &Command, _system: &Sandbox) -> Result<Output, Failure> {
        Err(Failure::Start {
            program: command.argv.first().cloned().unwrap_or_default(),
            reason: "the sandbox has no such program".to_owned(),
        })
    }
}

/// A host in a directory.
///
/// It belongs to one process at a time: owners and modes are read when it is opened.
pub struct Sandbox {
    root: PathBuf,
    attributes: RefCell<AttributeLog>,
    disk: Native,
    programs: Box<dyn Programs>,
}

impl Sandbox {
    /// Opens the host in `directory`, or makes a new one there: the usual empty directories, root's account.
    ///
    /// # Errors
    /// The directory can't be made or read.
    pub fn open(directory: &Path, programs: Box<dyn Programs>) -> io::Result<Self> {
        let root = directory.join("root");
        let mut attributes = AttributeLog::open(directory.join("attributes.log"))?;
        if !root.is_dir() {
            furnish(directory, &root, &mut attributes, programs.files())?;
        }
        let disk = Native::not_lasting(RootKind::Live);
        Ok(Self { root, attributes: RefCell::new(attributes), disk, programs })
    }

    /// Where a path inside, which holds no links, is on this machine.
    fn place(&self, inside: &Path) -> PathBuf {
        self.root.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// Does something at the place that a path leads to. A failure names the path and not the place.
    fn at<T>(
        &self,
        path: &Path,
        follow_last: bool,
        act: impl FnOnce(&Path, &Path) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        resolve(path, follow_last, |link| self.disk.read_link(&self.place(link)))
            .and_then(|inside| act(&self.place(&inside), &inside))
            .map_err(|failure| about(path, failure))
    }

    /// Does something to the entry of a directory that a path leads to. `what` is what, as a verb. As on a real host, an ordinary
    /// user's link on the way counts only where it leads to what is that user's.
    fn change<T>(
        &self,
        what: &'static str,
        path: &Path,
        act: impl FnOnce(&Path, &Path) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut owners = Vec::new();
        let owner = |inside: &Path| {
            self.look(&self.place(inside), inside).map(|stat| stat.map(|stat| stat.attributes.uid))
        };
        let resolved = resolve(path, false, |link| {
            let target = self.disk.read_link(&self.place(link))?;
            if target.is_some() {
                owners.extend(owner(link)?.filter(|uid| *uid != 0));
            }
            Ok(target)
        });
        let changed = resolved.and_then(|inside| {
            if !owners.is_empty() {
                let (above, here) = (owner(inside.parent().unwrap_or(&inside))?, owner(&inside)?);
                if let Some(uid) = owners.iter().find(|uid| above != Some(**uid) && here != Some(**uid)) {
                    return Err(Failure::io(what, &inside, &not_theirs(*uid)));
                }
            }
            act(&self.place(&inside), &inside)
        });
        changed.map_err(|failure| about(path, failure))
    }

    /// Has a program played, with its scratch files in the sandbox's own `/tmp`.
    fn play(&self, command: &Command) -> Result<Output, Failure> {
        let Some(files) = &command.scratch else { return self.programs.run(command, self) };
        let place = Path::new("/tmp");
        let directory = files
            .below(&self.place(place))
            .map_err(|error| Failure::io("put the files of a command into", place, &error))?;
        let inside = place.join(directory.path().file_name().unwrap_or_default());
        scratch::run_in(command, &inside, |command| self.programs.run(command, self))
    }

    fn look(&self, place: &Path, inside: &Path) -> Result<Option<Stat>, Failure> {
        let Some(stat) = self.disk.lstat(place)? else { return Ok(None) };
        let recorded = self.attributes.borrow().get(inside);
        Ok(Some(Stat { attributes: recorded.unwrap_or(unrecorded(&stat)), ..stat }))
    }

    /// Notes what a real root would have been told.
    fn note(&self, inside: &Path, attributes: Attributes) -> Result<(), Failure> {
        let noted = self.attributes.borrow_mut().set(inside, attributes);
        noted.map_err(|error| Failure::io("record the owner and mode of", inside, &error))
    }

    /// Ours on disk: with these permissions the sandbox itself can still read and change it.
    fn on_disk(&self, attributes: Attributes, least: u32) -> Attributes {
        let (uid, gid) = self.disk.identity();
        Attributes { mode: (attributes.mode & 0o777) | least, uid, gid }
    }
}

/// What something is like that was put into the tree by hand. The umask of whoever did that does not count.
fn unrecorded(stat: &Stat) -> Attributes {
    let mode = match stat.kind {
        Kind::Link => 0o777,
        Kind::File if stat.attributes.mode & 0o111 == 0 => 0o644,
        _ => 0o755,
    };
    Attributes { mode, uid: 0, gid: 0 }
}

/// The directories that a fresh system has.
const DIRECTORIES: [&str; 17] = [
    "etc/sv",
    "etc/runit/core-services",
    "etc/runit/runsvdir/default",
    "etc/xbps.d",
    "usr/bin",
    "usr/local/bin",
    "usr/local/sbin",
    "usr/share/xbps.d",
    "usr/share/zoneinfo",
    "var/db/xbps",
    "var/log",
    "var/lib",
    "var/tmp",
    "root",
    "home",
    "tmp",
    "run/runit/runsvdir",
];

/// Its links. Those of runit lead to where services are enabled, as they do while a Void Linux system runs.
const LINKS: [(&str, &str); 6] = [
    ("bin", "usr/bin"),
    ("sbin", "usr/bin"),
    ("usr/sbin", "bin"),
    ("etc/runit/runsvdir/current", "default"),
    ("run/runit/runsvdir/current", "/etc/runit/runsvdir/current"),
    ("var/service", "/run/runit/runsvdir/current"),
];

/// The least that a fresh Void Linux system has.
fn furnish(
    directory: &Path,
    root: &Path,
    attributes: &mut AttributeLog,
    files: &[(&str, &str)],
) -> io::Result<()> {
    // Put in place when it is complete: half a host would never be completed.
    let new = directory.join("root.new");
    match fs::remove_dir_all(&new) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        removed => removed?,
    }
    for directory in DIRECTORIES {
        fs::create_dir_all(new.join(directory))?;
    }
    for (link, target) in LINKS {
        std::os::unix::fs::symlink(target, new.join(link))?;
    }
    let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or("sandbox");
    fs::write(new.join("etc/hostname"), format!("{name}\n"))?;
    fs::write(new.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    fs::write(new.join("etc/group"), "root:x:0:\n")?;
    fs::write(new.join("etc/shadow"), "root:*:20000::::::\n")?;
    fs::write(new.join("etc/hosts"), "127.0.0.1 localhost\n::1 localhost\n")?;
    fs::write(
        new.join("etc/os-release"),
        "NAME=\"Void\"\nID=\"void\"\nPRETTY_NAME=\"Void Linux (a sandbox)\"\nVARIANT_ID=sandbox\n",
    )?;
    for (path, text) in files {
        fs::create_dir_all(new.join(path).parent().unwrap_or(&new))?;
        fs::write(new.join(path), text)?;
    }
    for (path, mode) in [("/root", 0o700), ("/tmp", 0o1777), ("/var/tmp", 0o1777), ("/etc/shadow", 0o600)] {
        attributes.set(Path::new(path), Attributes { mode, uid: 0, gid: 0 })?;
    }
    fs::rename(new, root)
}

/// The failure with the path that was named, and not the place to which that leads.
fn about(path: &Path, failure: Failure) -> Failure {
    match failure {
        Failure::Io { act, reason, .. } => Failure::Io { act, path: path.to_owned(), reason },
        other => other,
    }
}

impl View for Sandbox {
    fn lstat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        self.at(path, false, |place, inside| self.look(place, inside))
    }

    fn stat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        self.at(path, true, |place, inside| self.look(place, inside))
    }

    fn read(&self, path: &Path) -> Result<Option<Content>, Failure> {
        self.at(path, true, |place, _| self.disk.read(place))
    }

    fn holds(&self, path: &Path, size: u64, hash: &str) -> Result<bool, Failure> {
        self.at(path, true, |place, _| self.disk.holds(place, size, hash))
    }

    fn read_link(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        self.at(path, false, |place, _| self.disk.read_link(place))
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, Failure> {
        self.at(path, true, |place, _| self.disk.list(place))
    }

    fn probe(&self, command: &Command) -> Result<Output, Failure> {
        self.play(command)
    }

    fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.programs.has(name).then(|| Path::new("/usr/bin").join(name))
    }

    fn root_kind(&self) -> RootKind {
        RootKind::Live
    }

    fn is_sandbox(&self) -> bool {
        true
    }

    fn identity(&self) -> (u32, u32) {
        (0, 0)
    }
}

impl System for Sandbox {
    fn write(&self, path: &Path, content: &[u8], attributes: Attributes) -> Result<(), Failure> {
        self.change("write", path, |place, inside| {
            self.disk.write(place, content, self.on_disk(attributes, 0o600))?;
            self.note(inside, attributes)
        })
    }

    fn make_directory(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        self.change("make the directory", path, |place, inside| {
            self.disk.make_directory(place, self.on_disk(attributes, 0o700))?;
            self.note(inside, attributes)
        })
    }

    fn make_link(&self, path: &Path, target: &Path) -> Result<(), Failure> {
        self.change("make the link", path, |place, inside| {
            self.disk.make_link(place, target)?;
            let parent = self.stat(inside.parent().unwrap_or(inside))?;
            self.note(
                inside,
                Attributes::of_new_link(self.identity(), parent.map(|parent| parent.attributes)),
            )
        })
    }

    fn remove(&self, path: &Path) -> Result<(), Failure> {
        if self.lstat(path)?.is_none() {
            return Ok(());
        }
        self.change("remove", path, |place, inside| {
            self.disk.remove(place)?;
            let forgotten = self.attributes.borrow_mut().remove(inside);
            forgotten.map_err(|error| Failure::io("forget the owner and mode of", inside, &error))
        })
    }

    fn set_attributes(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        self.change("set the owner and mode of", path, |place, inside| {
            let kind = self.disk.lstat(place)?.map(|stat| stat.kind);
            if kind == Some(Kind::Link) {
                return self.note(inside, Attributes { mode: 0o777, ..attributes });
            }
            let least = if kind == Some(Kind::Directory) { 0o700 } else { 0o600 };
            self.disk.set_attributes(place, self.on_disk(attributes, least))?;
            self.note(inside, attributes)
        })
    }

    fn set_modified(&self, path: &Path, modified: Time) -> Result<(), Failure> {
        self.change("set the time of", path, |place, _| self.disk.set_modified(place, modified))
    }

    fn set_kernel_value(&self, path: &Path, value: &str) -> Result<(), Failure> {
        let attributes = self.stat(path)?;
        self.at(path, true, |place, _| self.disk.set_kernel_value(place, value))?;
        // The kernel's files have no time of a last change.
        attributes.map_or(Ok(()), |stat| self.set_modified(path, stat.modified))
    }

    fn run(&self, command: &Command) -> Result<Output, Failure> {
        self.play(command)
    }
}
