//! A host played in a directory tree: no root rights, no commands of the machine, nothing outside the directory touched.
//!
//! The quickstart and tests of playbooks run on it. `DIR/root` is the host's root; owners and modes are kept beside it in
//! `DIR/attributes.json`, because a normal user can't give files away. Programs are simulated ([`Programs`]).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::native::Native;
use super::{Attributes, Command, Content, Kind, Output, RootKind, Stat, System, View, path::resolve};
use crate::failure::Failure;

/// The programs that a sandbox host has.
pub trait Programs {
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
pub struct Sandbox {
    root: PathBuf,
    sidecar: PathBuf,
    attributes: RefCell<BTreeMap<PathBuf, Attributes>>,
    disk: Native,
    programs: Box<dyn Programs>,
}

/// What a file is like that was put into the tree by hand.
const UNRECORDED: Attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };

impl Sandbox {
    /// Opens the host in `directory`, or makes a new one there: the usual empty directories, root's account.
    ///
    /// # Errors
    /// The directory can't be made or read.
    pub fn open(directory: &Path, programs: Box<dyn Programs>) -> io::Result<Self> {
        let root = directory.join("root");
        let sidecar = directory.join("attributes.json");
        if !root.is_dir() {
            furnish(&root, directory.file_name().and_then(|name| name.to_str()).unwrap_or("sandbox"))?;
        }
        let attributes = match fs::read(&sidecar) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(_) => BTreeMap::new(),
        };
        Ok(Self {
            root,
            sidecar,
            attributes: RefCell::new(attributes),
            disk: Native::new(RootKind::Live),
            programs,
        })
    }

    /// Where the path is on this machine.
    fn place(&self, path: &Path, follow_last: bool) -> Result<(PathBuf, PathBuf), Failure> {
        let inside = resolve(path, follow_last, |link| self.disk.read_link(&self.root.join(relative(link))))?;
        Ok((self.root.join(relative(&inside)), inside))
    }

    fn look(&self, path: &Path, follow_last: bool) -> Result<Option<Stat>, Failure> {
        let (place, inside) = self.place(path, follow_last)?;
        let Some(mut stat) = self.disk.lstat(&place)? else { return Ok(None) };
        if follow_last && stat.kind == Kind::Link {
            return Ok(None);
        }
        stat.attributes = self.attributes.borrow().get(&inside).copied().unwrap_or(match stat.kind {
            Kind::File if stat.attributes.mode & 0o111 == 0 => UNRECORDED,
            Kind::Link => Attributes { mode: 0o777, ..UNRECORDED },
            _ => Attributes { mode: 0o755, ..UNRECORDED },
        });
        Ok(Some(stat))
    }

    /// Notes what a real root would have been told.
    fn note(&self, inside: PathBuf, attributes: Option<Attributes>) {
        let mut all = self.attributes.borrow_mut();
        match attributes {
            Some(attributes) => {
                all.insert(inside, attributes);
            }
            None => all.retain(|path, _| !path.starts_with(&inside)),
        }
    }

    /// Ours on disk: with these permissions the sandbox itself can still read and change it.
    fn on_disk(&self, attributes: Attributes, least: u32) -> Attributes {
        let (uid, gid) = self.disk.identity();
        Attributes { mode: (attributes.mode & 0o777) | least, uid, gid }
    }

    fn save(&self) -> io::Result<()> {
        let text = serde_json::to_vec(&*self.attributes.borrow())?;
        let attributes = self.on_disk(UNRECORDED, 0o600);
        self.disk.write(&self.sidecar, &text, attributes).map_err(io::Error::other)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Nowhere to report to from here; a sandbox whose sidecar is lost shows default owners and modes.
        let _ = self.save();
    }
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

/// The least that a fresh system has.
fn furnish(root: &Path, name: &str) -> io::Result<()> {
    for directory in ["etc", "usr/bin", "usr/sbin", "var/log", "var/lib", "root", "home", "tmp", "run"] {
        fs::create_dir_all(root.join(directory))?;
    }
    fs::set_permissions(root.join("root"), fs::Permissions::from_mode(0o700))?;
    fs::write(root.join("etc/hostname"), format!("{name}\n"))?;
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    fs::write(root.join("etc/group"), "root:x:0:\n")?;
    fs::write(root.join("etc/shadow"), "root:*:20000::::::\n")?;
    fs::write(root.join("etc/hosts"), "127.0.0.1 localhost\n::1 localhost\n")?;
    fs::write(root.join("etc/os-release"), "NAME=\"Sandbox\"\nID=sandbox\nPRETTY_NAME=\"A sandbox\"\n")
}

impl View for Sandbox {
    fn lstat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        self.look(path, false)
    }

    fn stat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        self.look(path, true)
    }

    fn read(&self, path: &Path) -> Result<Option<Content>, Failure> {
        self.disk.read(&self.place(path, true)?.0)
    }

    fn read_link(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        self.disk.read_link(&self.place(path, false)?.0)
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, Failure> {
        self.disk.list(&self.place(path, true)?.0)
    }

    fn probe(&self, command: &Command) -> Result<Output, Failure> {
        self.programs.run(command, self)
    }

    fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.programs.has(name).then(|| Path::new("/usr/bin").join(name))
    }

    fn root_kind(&self) -> RootKind {
        RootKind::Live
    }

    fn identity(&self) -> (u32, u32) {
        (0, 0)
    }
}

impl System for Sandbox {
    fn write(&self, path: &Path, content: &[u8], attributes: Attributes) -> Result<(), Failure> {
        let (place, inside) = self.place(path, false)?;
        self.disk.write(&place, content, self.on_disk(attributes, 0o600))?;
        self.note(inside, Some(attributes));
        Ok(())
    }

    fn make_directory(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        let (place, inside) = self.place(path, false)?;
        self.disk.make_directory(&place, self.on_disk(attributes, 0o700))?;
        self.note(inside, Some(attributes));
        Ok(())
    }

    fn make_link(&self, path: &Path, target: &Path) -> Result<(), Failure> {
        let (place, inside) = self.place(path, false)?;
        self.disk.make_link(&place, target)?;
        self.note(inside, None);
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<(), Failure> {
        let (place, inside) = self.place(path, false)?;
        self.disk.remove(&place)?;
        self.note(inside, None);
        Ok(())
    }

    fn set_attributes(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        let (place, inside) = self.place(path, false)?;
        if let Some(stat) = self.disk.lstat(&place)?.filter(|stat| stat.kind != Kind::Link) {
            let least = if stat.kind == Kind::Directory { 0o700 } else { 0o600 };
            self.disk.set_attributes(&place, self.on_disk(attributes, least))?;
        }
        self.note(inside, Some(attributes));
        Ok(())
    }

    fn set_times(&self, path: &Path, accessed: i64, modified: i64) -> Result<(), Failure> {
        self.disk.set_times(&self.place(path, false)?.0, accessed, modified)
    }

    fn run(&self, command: &Command) -> Result<Output, Failure> {
        self.programs.run(command, self)
    }
}
