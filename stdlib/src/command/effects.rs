//! What a playbook declares about the effects of a command: files that it makes, and files that it removes.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Attributes, Content, View};

use crate::glob;

/// The paths that are declared, as they were written, and the directory that relative ones are meant from.
pub struct Effects<'a> {
    /// The working directory.
    pub directory: &'a Path,
    /// What it makes.
    pub creates: &'a [String],
    /// What it removes.
    pub removes: &'a [String],
}

impl Effects<'_> {
    /// Why the command need not be run: all that it makes is there, or all that it removes is gone.
    ///
    /// # Errors
    /// The host can't be looked at.
    pub fn needless(&self, host: &dyn View) -> Result<Option<String>, Failure> {
        let made = self.all(self.creates, |path| Ok(!glob::expand(host, path)?.is_empty()))?;
        let gone = self.all(self.removes, |path| Ok(glob::expand(host, path)?.is_empty()))?;
        Ok(match (made, gone) {
            (true, _) => Some(format!("{} there", listed(self.creates))),
            (_, true) => Some(format!("{} not there", listed(self.removes))),
            _ => None,
        })
    }

    /// Lays the effects over the host. Returns whether all that is declared could be: which file a pattern will stand for,
    /// only the command knows.
    ///
    /// # Errors
    /// The host can't be looked at.
    pub fn predict(&self, overlay: &Overlay) -> Result<bool, Failure> {
        for text in self.removes {
            for path in glob::expand(overlay, &self.place(text))? {
                overlay.remove(&path)?;
            }
        }
        let mut declared = !self.creates.is_empty() || !self.removes.is_empty();
        for text in self.creates {
            let path = self.place(text);
            if glob::is_pattern(&path) {
                declared = false;
            } else if overlay.lstat(&path)?.is_none() {
                create(overlay, &path, text.ends_with('/'))?;
            }
        }
        Ok(declared)
    }

    /// Whether something is declared, and all of it holds.
    fn all(&self, paths: &[String], holds: impl Fn(&Path) -> Result<bool, Failure>) -> Result<bool, Failure> {
        for text in paths {
            if !holds(&self.place(text))? {
                return Ok(false);
            }
        }
        Ok(!paths.is_empty())
    }

    fn place(&self, text: &str) -> PathBuf {
        self.directory.join(text)
    }
}

/// Predicts a file of unknown content, or a directory, and the directories above it.
fn create(overlay: &Overlay, path: &Path, is_directory: bool) -> Result<(), Failure> {
    let (uid, gid) = overlay.identity();
    let directory = Attributes { mode: 0o755, uid, gid };
    let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.reverse();
    for parent in above {
        if overlay.stat(parent)?.is_none() {
            overlay.make_directory(parent, directory)?;
        }
    }
    if is_directory {
        overlay.make_directory(path, directory)
    } else {
        overlay.write(path, Content::Unknown, Attributes { mode: 0o644, uid, gid })
    }
}

/// `a` is, `a` and `b` are.
fn listed(paths: &[String]) -> String {
    let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    match names.as_slice() {
        [only] => format!("{only} is"),
        names => format!("{} are", names.join(", ")),
    }
}
