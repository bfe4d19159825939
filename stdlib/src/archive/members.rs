//! What goes into an archive.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::{Attributes, Content, Kind, Stat, View};

use crate::glob;

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A directory.
    Directory,
    /// A file with this content.
    File(Vec<u8>),
    /// A link to this.
    Link(PathBuf),
}

/// Something in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name there: a relative path.
    pub name: PathBuf,
    /// What it is.
    pub body: Body,
    /// Owner, group and mode.
    pub attributes: Attributes,
    /// Last change of its content, in seconds since 1970; of a link and of a directory 0, since they have none that counts.
    pub modified: u64,
}

/// Collects members.
pub struct Members<'a> {
    /// The host that has them.
    pub host: &'a dyn View,
    /// What their names are relative to.
    pub base: &'a Path,
    /// The archive itself, which is no part of it.
    pub archive: &'a Path,
    /// Patterns of names that are left out, with all that is below them.
    pub exclude: &'a [String],
    /// How many bytes there may be in all.
    pub left: u64,
    /// What was found, in the order of names.
    pub found: Vec<Member>,
    /// Whether there is content that check mode can't know.
    pub is_unknown: bool,
}

impl Members<'_> {
    /// Takes what is at a path, and all that is below it.
    ///
    /// # Errors
    /// It can't be read, is no file, directory or link, or there is too much of it.
    pub fn take(&mut self, path: &Path) -> Result<(), Failure> {
        let nothing = || Failure::argument("source", format!("there is no `{}` on the host", path.display()));
        let stat = self.host.lstat(path)?.ok_or_else(nothing)?;
        self.add(path, &stat)
    }

    fn add(&mut self, path: &Path, stat: &Stat) -> Result<(), Failure> {
        let name = path.strip_prefix(self.base).unwrap_or(path).to_owned();
        let is_excluded = self.exclude.iter().any(|pattern| glob::covers(Path::new(pattern), &name));
        if is_excluded || path == self.archive {
            return Ok(());
        }
        let (body, modified) = match stat.kind {
            Kind::Directory => (Body::Directory, 0),
            Kind::Link => (Body::Link(self.host.read_link(path)?.unwrap_or_default()), 0),
            Kind::File => {
                let content = match self.host.read(path)? {
                    Some(Content::Known(content)) => content,
                    _ => {
                        self.is_unknown = true;
                        Vec::new()
                    }
                };
                let too_much = || {
                    Failure::state("there is too much to be packed")
                        .advise("if that is right, say so with `max_size`")
                };
                self.left = self.left.checked_sub(content.len() as u64).ok_or_else(too_much)?;
                (Body::File(content), u64::try_from(stat.modified.seconds).unwrap_or(0))
            }
            Kind::Other => return Ok(()),
        };
        let is_directory = body == Body::Directory;
        if !name.as_os_str().is_empty() {
            self.found.push(Member { name, body, attributes: stat.attributes, modified });
        }
        if is_directory {
            let mut inside: Vec<PathBuf> =
                self.host.list(path)?.into_iter().map(|entry| path.join(entry)).collect();
            inside.sort();
            let paths: Vec<&Path> = inside.iter().map(PathBuf::as_path).collect();
            self.host.look_ahead(&paths);
            for path in inside {
                if let Some(stat) = self.host.lstat(&path)? {
                    self.add(&path, &stat)?;
                }
            }
        }
        Ok(())
    }
}
