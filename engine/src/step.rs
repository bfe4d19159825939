//! Steps: the changes that a plan consists of, as data.
//!
//! A step knows four things: how to say what it does, what it would bring about, how to do it, and how to take it back. The
//! engine owns the common ones ([`Change`]); a module whose change is a command or an API call brings its own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::diff;
use crate::event::StepReport;
use crate::failure::Failure;
use crate::system::preview::Overlay;
use crate::system::{Attributes, Command, Content, Fingerprint, Kind, System, Time, View};

/// What the kernel's files have.
const KERNELS: Attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };

/// One change of a host, planned but not made.
pub trait Step {
    /// What it does, as a short imperative: `write`, `start the service`.
    fn describe(&self) -> String;

    /// The difference in a text, in unified format. Absent where there is no text, or it must not be seen.
    fn diff(&self) -> Option<String> {
        None
    }

    /// Whether check mode knows that it would be made. A step that writes something unknown may turn out to be nothing.
    fn certain(&self) -> bool {
        true
    }

    /// Lays over the host what the step would bring about.
    ///
    /// # Errors
    /// The host can't be looked at.
    fn predict(&self, overlay: &Overlay) -> Result<(), Failure>;

    /// Makes the change.
    ///
    /// # Errors
    /// Why it could not be made; what it had begun is undone or described.
    fn act(&self, system: &dyn System) -> Result<(), Failure>;

    /// How to take it back.
    fn undo(&self) -> Undo;

    /// What is at the paths that [`Step::undo`] restores once the step is made, in that order. Absent where the step does not
    /// know; then the journal looks afterwards, and can't tell what a run that died in between has left there.
    fn leaves(&self) -> Option<Vec<Fingerprint>> {
        None
    }

    /// The step in words, for the event: one report for each thing that it changes, where a person wants to see them one by one.
    fn reports(&self) -> Vec<StepReport> {
        vec![StepReport { text: self.describe(), diff: self.diff() }]
    }
}

/// A plan may share its steps with what was found: the contents of files can be large.
impl<S: Step> Step for Rc<S> {
    fn describe(&self) -> String {
        S::describe(self)
    }

    fn diff(&self) -> Option<String> {
        S::diff(self)
    }

    fn certain(&self) -> bool {
        S::certain(self)
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        S::predict(self, overlay)
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        S::act(self, system)
    }

    fn undo(&self) -> Undo {
        S::undo(self)
    }

    fn leaves(&self) -> Option<Vec<Fingerprint>> {
        S::leaves(self)
    }

    fn reports(&self) -> Vec<StepReport> {
        S::reports(self)
    }
}

/// How to take a step back. Data, so that a journal on the host can keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// These paths get back what they were before the step: content, kind, owner, mode, time. The journal saves that. Of a
    /// directory, what is in it is not part of that.
    Restore(Vec<PathBuf>),
    /// The same for one path with all that was below it.
    RestoreTree(PathBuf),
    /// These commands, one after the other.
    Run {
        /// The commands.
        commands: Vec<Command>,
        /// What stays as it is all the same, and why. Absent when they take back everything.
        kept: Option<String>,
    },
    /// This value for a file that the kernel keeps.
    KernelValue {
        /// The file, below `/proc/sys`.
        path: PathBuf,
        /// What it held.
        value: String,
    },
    /// It can't be taken back, for this reason.
    Irreversible(String),
}

impl Undo {
    /// This one command, which takes back everything.
    pub fn command(command: Command) -> Self {
        Self::Run { commands: vec![command], kept: None }
    }
}

/// The steps that the engine owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Puts a whole file in place.
    Write {
        /// Where.
        path: PathBuf,
        /// What was there before: `None` for nothing (or not a file).
        before: Option<Content>,
        /// What shall be there.
        after: Content,
        /// Owner, group and mode that it shall have.
        attributes: Attributes,
        /// Whether the content may be shown.
        shown: bool,
    },
    /// Makes one directory; its parent exists by then.
    MakeDirectory {
        /// Where.
        path: PathBuf,
        /// Owner, group and mode.
        attributes: Attributes,
    },
    /// Puts a symbolic link in place.
    MakeLink {
        /// Where.
        path: PathBuf,
        /// What it points to, verbatim.
        target: PathBuf,
        /// What it pointed to before. Absent when there was no link.
        before: Option<PathBuf>,
    },
    /// Removes a file, a link or a whole directory.
    Remove {
        /// What.
        path: PathBuf,
        /// What it is: `file`, `directory`, `link`.
        what: &'static str,
    },
    /// Sets owner, group and mode.
    SetAttributes {
        /// Of what.
        path: PathBuf,
        /// As they are.
        before: Attributes,
        /// As they shall be.
        after: Attributes,
    },
    /// Sets the time of the last change of the content.
    SetModified {
        /// Of what.
        path: PathBuf,
        /// When.
        modified: Time,
    },
    /// Gives a value to a file that the kernel keeps.
    SetKernelValue {
        /// The file, below `/proc/sys`.
        path: PathBuf,
        /// The value as it is. Absent where the kernel does not tell.
        before: Option<String>,
        /// The value as it shall be.
        after: String,
    },
}

impl Change {
    /// The path that it changes.
    pub fn path(&self) -> &Path {
        match self {
            Self::Write { path, .. }
            | Self::MakeDirectory { path, .. }
            | Self::MakeLink { path, .. }
            | Self::Remove { path, .. }
            | Self::SetAttributes { path, .. }
            | Self::SetModified { path, .. }
            | Self::SetKernelValue { path, .. } => path,
        }
    }
}

impl Step for Change {
    fn describe(&self) -> String {
        self.to_string()
    }

    fn diff(&self) -> Option<String> {
        match self {
            Self::Write { path, before, after, shown, .. } => {
                let before = before.as_ref().map_or(Some(&[][..]), Content::known)?;
                let after = after.known()?;
                (before != after).then(|| {
                    if *shown { diff::unified(path, before, after) } else { diff::hidden(before, after) }
                })
            }
            _ => None,
        }
    }

    fn certain(&self) -> bool {
        !matches!(
            self,
            Self::Write { before: Some(_), after: Content::Unknown, .. }
                | Self::Write { before: Some(Content::Unknown), .. }
        )
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        match self {
            Self::Write { path, after, attributes, .. } => overlay.write(path, after.clone(), *attributes),
            Self::MakeDirectory { path, attributes } => overlay.make_directory(path, *attributes),
            Self::MakeLink { path, target, .. } => overlay.make_link(path, target),
            Self::Remove { path, .. } => overlay.remove(path),
            Self::SetAttributes { path, after, .. } => overlay.set_attributes(path, *after),
            Self::SetModified { path, modified } => overlay.set_modified(path, *modified),
            Self::SetKernelValue { path, after, .. } => {
                let stat = overlay.stat(path)?;
                let attributes = stat.map_or(KERNELS, |stat| stat.attributes);
                overlay.write(path, Content::Known(format!("{after}\n").into_bytes()), attributes)
            }
        }
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        match self {
            Self::Write { path, after, attributes, .. } => {
                let Some(content) = after.known() else {
                    return Err(Failure::state(format!(
                        "the content of `{}` is still unknown",
                        path.display()
                    )));
                };
                system.write(path, content, *attributes)
            }
            Self::MakeDirectory { path, attributes } => system.make_directory(path, *attributes),
            Self::MakeLink { path, target, .. } => system.make_link(path, target),
            Self::Remove { path, .. } => system.remove(path),
            Self::SetAttributes { path, after, .. } => system.set_attributes(path, *after),
            Self::SetModified { path, modified } => system.set_modified(path, *modified),
            Self::SetKernelValue { path, after, .. } => system.set_kernel_value(path, &format!("{after}\n")),
        }
    }

    fn undo(&self) -> Undo {
        match self {
            Self::Remove { path, what } if *what == Kind::Directory.word() => Undo::RestoreTree(path.clone()),
            Self::SetKernelValue { path, before: Some(before), .. } => {
                Undo::KernelValue { path: path.clone(), value: before.clone() }
            }
            Self::SetKernelValue { path, before: None, .. } => {
                Undo::Irreversible(format!("the kernel does not tell what `{}` was", path.display()))
            }
            change => Undo::Restore(vec![change.path().to_owned()]),
        }
    }

    fn leaves(&self) -> Option<Vec<Fingerprint>> {
        let print = match self {
            Self::Write { after, attributes, .. } => Fingerprint::of_file(after.known()?, *attributes),
            Self::MakeDirectory { attributes, .. } => Fingerprint::Directory { attributes: *attributes },
            Self::MakeLink { target, .. } => Fingerprint::Link { target: target.clone() },
            Self::Remove { .. } => Fingerprint::Nothing,
            Self::SetAttributes { .. } | Self::SetModified { .. } | Self::SetKernelValue { .. } => {
                return None;
            }
        };
        Some(vec![print])
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path().display();
        match self {
            Self::Write { before: None, attributes, .. } => {
                write!(f, "create {path} (mode {:04o})", attributes.mode)
            }
            Self::Write { before: Some(Content::Unknown), .. }
            | Self::Write { after: Content::Unknown, .. } => {
                write!(f, "write {path}, if its content differs")
            }
            Self::Write { .. } => write!(f, "write {path}"),
            Self::MakeDirectory { attributes, .. } => {
                write!(f, "make directory {path} (mode {:04o})", attributes.mode)
            }
            Self::MakeLink { target, before: None, .. } => write!(f, "link {path} -> {}", target.display()),
            Self::MakeLink { target, before: Some(before), .. } => {
                write!(f, "link {path} -> {} (was {})", target.display(), before.display())
            }
            Self::Remove { what, .. } => write!(f, "remove {what} {path}"),
            Self::SetAttributes { before, after, .. } => {
                let mut changes = Vec::new();
                if before.mode != after.mode {
                    changes.push(format!("mode {:04o} (was {:04o})", after.mode, before.mode));
                }
                if before.uid != after.uid {
                    changes.push(format!("owner {} (was {})", after.uid, before.uid));
                }
                if before.gid != after.gid {
                    changes.push(format!("group {} (was {})", after.gid, before.gid));
                }
                write!(f, "set {} of {path}", changes.join(", "))
            }
            Self::SetKernelValue { before: Some(before), after, .. } => {
                write!(f, "set {path} to {after} (was {before})")
            }
            Self::SetKernelValue { before: None, after, .. } => write!(f, "set {path} to {after}"),
            Self::SetModified { modified, .. } => write!(f, "set the time of {path} to {}", modified.seconds),
        }
    }
}

impl From<Change> for Box<dyn Step> {
    fn from(change: Change) -> Self {
        Box::new(change)
    }
}
