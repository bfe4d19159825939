//! A file whose whole content a module decides: looking at it, and the steps that give it content and attributes.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::Plan;
use refrain_engine::step::Change;
use refrain_engine::system::{Attributes, Content, Kind, View};

use crate::attributes::{AttributeOptions, AttributeRules};
use crate::links::follow;

/// A regular file as it is, or the place where one shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeFile {
    /// Where it really is: a link at the path that was given is followed.
    path: PathBuf,
    /// What it holds and has. Absent when there is no file.
    existing: Option<(Content, Attributes)>,
    /// What it shall have.
    attributes: Attributes,
    /// What it shall have if there is a secret in it.
    with_secret: Attributes,
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
        let mut with_secret = None;
        let file = Self::look_by(host, path, &rules, |path| {
            let parent = parent(host, path)?;
            with_secret = Some(rules.of_new_secret(parent));
            Ok(rules.of_new_file(parent))
        })?;
        Ok(Self { with_secret: with_secret.unwrap_or(file.with_secret), ..file })
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
        Ok(Self { path, existing, attributes, with_secret: attributes })
    }

    /// What it holds. Absent when there is no file.
    pub fn content(&self) -> Option<&Content> {
        self.existing.as_ref().map(|(content, _)| content)
    }

    /// The steps after which the file is there, with the content `after` and its attributes. None when it is so.
    ///
    /// The content may be `shown` to people unless a secret is in it.
    pub fn plan(&self, after: Content, shown: bool) -> Plan {
        // The attributes come first: a file that is to become private is so before it holds anything new.
        let mut plan = self.plan_attributes();
        let before = self.content().cloned();
        let same = before == Some(after.clone()) && after != Content::Unknown;
        if !same {
            let attributes = if shown { self.attributes } else { self.with_secret };
            plan.push(Change::Write { path: self.path.clone(), before, after, attributes, shown }.into());
        }
        plan
    }

    /// The steps after which the file has its attributes and the content that it has now.
    pub fn plan_attributes(&self) -> Plan {
        let after = self.attributes;
        match &self.existing {
            Some((_, before)) if *before != after => {
                vec![Change::SetAttributes { path: self.path.clone(), before: *before, after }.into()]
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
