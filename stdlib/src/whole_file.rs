//! A file whose whole content a module decides: looking at it, and the steps that give it content and attributes.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::Plan;
use refrain_engine::step::Change;
use refrain_engine::system::path::resolve;
use refrain_engine::system::{Attributes, Content, Kind, Stat, View};

use crate::attributes::{AttributeOptions, AttributeRules};

/// A regular file as it is, or the place where one shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeFile {
    /// Where it really is: a link at the path that was given is followed.
    path: PathBuf,
    /// What it holds and has. Absent when there is no file.
    existing: Option<(Content, Attributes)>,
    /// What it shall have.
    attributes: Attributes,
}

impl WholeFile {
    /// Looks at the file at `path`, of which `options` tell the owner, group and mode that it shall have.
    ///
    /// Where `path` is a link, the file that it leads to is meant, whether that exists or not: the link stays.
    ///
    /// # Errors
    /// Something else is there, the directory that it belongs in is missing, or the options make no sense on this host.
    pub fn look(host: &dyn View, path: &Path, options: &AttributeOptions) -> Result<Self, Failure> {
        let rules = options.resolve(host)?;
        Self::look_by(host, path, &rules, |path| Ok(rules.of_new_file(parent(host, path)?)))
    }

    /// The same, where the attributes of a new file come from `of_new`.
    ///
    /// # Errors
    /// As [`WholeFile::look`].
    pub fn look_by(
        host: &dyn View,
        path: &Path,
        rules: &AttributeRules,
        of_new: impl FnOnce(&Path) -> Result<Attributes, Failure>,
    ) -> Result<Self, Failure> {
        let (path, stat) = follow(host, path)?;
        let (existing, attributes) = match stat {
            None => (None, of_new(&path)?),
            Some(stat) if stat.kind == Kind::File => {
                let content = host.read(&path)?.unwrap_or(Content::Known(Vec::new()));
                (Some((content, stat.attributes)), rules.of_existing(&stat))
            }
            Some(stat) => return Err(in_the_way(&path, stat.kind)),
        };
        Ok(Self { path, existing, attributes })
    }

    /// What it holds. Absent when there is no file.
    pub fn content(&self) -> Option<&Content> {
        self.existing.as_ref().map(|(content, _)| content)
    }

    /// The steps after which the file is there, with the content `after` and its attributes. None when it is so.
    ///
    /// The difference is hidden from people unless the content may be `shown`.
    pub fn plan(&self, after: Content, shown: bool) -> Plan {
        let mut plan = Plan::new();
        let attributes = self.attributes;
        // The attributes come first: a file that is to become private is so before it holds anything new.
        if let Some((_, before)) = self.existing.as_ref().filter(|(_, before)| *before != attributes) {
            let path = self.path.clone();
            plan.push(Change::SetAttributes { path, before: *before, after: attributes }.into());
        }
        let before = self.content().cloned();
        let same = before == Some(after.clone()) && after != Content::Unknown;
        if !same {
            plan.push(Change::Write { path: self.path.clone(), before, after, attributes, shown }.into());
        }
        plan
    }
}

/// Where a path leads, if it is a link, and what is there.
///
/// # Errors
/// The host can't be looked at, or the links run in a circle.
pub fn follow(host: &dyn View, path: &Path) -> Result<(PathBuf, Option<Stat>), Failure> {
    let stat = host.lstat(path)?;
    if stat.as_ref().is_none_or(|stat| stat.kind != Kind::Link) {
        return Ok((path.to_owned(), stat));
    }
    let path = resolve(path, true, |path| host.read_link(path))?;
    let stat = host.lstat(&path)?;
    Ok((path, stat))
}

/// The attributes of the directory that something new at `path` belongs in.
///
/// # Errors
/// There is no such directory, or it is not one.
pub fn parent(host: &dyn View, path: &Path) -> Result<Attributes, Failure> {
    let parent = path.parent().unwrap_or(path);
    match host.stat(parent)? {
        Some(stat) if stat.kind == Kind::Directory => Ok(stat.attributes),
        Some(stat) => {
            let (path, parent, word) = (path.display(), parent.display(), stat.kind.word());
            Err(Failure::state(format!("`{path}` can't be there: `{parent}` is a {word}")))
        }
        None => Err(Failure::state(format!("there is no directory `{}`", parent.display()))
            .advise(format!("make it first: file::directory(\"{}\")", parent.display()))),
    }
}

/// Where a file shall be is something else.
fn in_the_way(path: &Path, kind: Kind) -> Failure {
    let hint = match kind {
        Kind::Directory => "name the file, not its directory; or remove the directory with file::absent",
        _ => "only regular files are written; remove it with file::absent if a file shall be there",
    };
    Failure::state(format!("`{}` is a {}", path.display(), kind.word())).advise(hint)
}
