//! Where a regular file shall be: its place, its owner, group and mode, whatever it holds.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::Plan;
use refrain_engine::step::Change;
use refrain_engine::system::{Attributes, Kind, View};

use crate::attributes::AttributeRules;
use crate::links::follow;

/// A regular file that is there, or the place where one shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTarget {
    /// Where it really is: a link at the path that was given is followed.
    pub path: PathBuf,
    /// What it has. Absent when there is no file.
    pub existing: Option<Attributes>,
    /// What it shall have.
    pub attributes: Attributes,
}

impl FileTarget {
    /// Looks at the place at `path`. Where nothing is, a new file gets its attributes from `of_new`.
    ///
    /// Where `path` is a link, the file that it leads to is meant, whether that exists or not: the link stays.
    ///
    /// # Errors
    /// Something else is there, or what `of_new` fails with.
    pub fn look(
        host: &dyn View,
        path: &Path,
        rules: &AttributeRules,
        of_new: impl FnOnce(&Path) -> Result<Attributes, Failure>,
    ) -> Result<Self, Failure> {
        let (path, stat) = follow(host, path)?;
        match stat {
            None => {
                let attributes = of_new(&path)?;
                Ok(Self { path, existing: None, attributes })
            }
            Some(stat) if stat.kind == Kind::File => {
                Ok(Self { path, existing: Some(stat.attributes), attributes: rules.of_existing(&stat) })
            }
            Some(stat) => Err(in_the_way(&path, stat.kind)),
        }
    }

    /// The steps after which a file that is there has its attributes.
    pub fn plan_attributes(&self) -> Plan {
        let after = self.attributes;
        match self.existing {
            Some(before) if before != after => {
                vec![Change::SetAttributes { path: self.path.clone(), before, after }.into()]
            }
            _ => Plan::new(),
        }
    }
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
