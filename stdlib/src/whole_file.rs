//! A file whose whole content a module decides: looking at it, and the steps that give it content and attributes.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::Plan;
use refrain_engine::step::Change;
use refrain_engine::system::{Attributes, Content, View};

use crate::attributes::AttributeOptions;
use crate::directories::Directories;
use crate::file_target::{FileTarget, parent};

/// A regular file as it is, or the place where one shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeFile {
    target: FileTarget,
    /// What it holds. Absent when there is no file.
    content: Option<Content>,
    /// What it shall have if there is a secret in it.
    with_secret: Attributes,
}

impl WholeFile {
    /// Looks at the file at `path`, of which `options` tell the owner, group and mode that it shall have.
    ///
    /// # Errors
    /// As [`FileTarget::look`], the directory that it belongs in is missing, or the options make no sense on this host.
    pub fn look(host: &dyn View, path: &Path, options: &AttributeOptions) -> Result<Self, Failure> {
        Self::look_in(host, path, options, |path| parent(host, path))
    }

    /// The same where the directory that the file belongs in may be one that the call makes: `parent` says what it has.
    ///
    /// # Errors
    /// As [`WholeFile::look`], and what `parent` fails with.
    pub fn look_in(
        host: &dyn View,
        path: &Path,
        options: &AttributeOptions,
        parent: impl FnOnce(&Path) -> Result<Attributes, Failure>,
    ) -> Result<Self, Failure> {
        host.look_ahead(&[path]);
        let rules = options.resolve(host)?;
        let mut with_secret = None;
        let target = FileTarget::look(host, path, &rules, |path| {
            let parent = parent(path)?;
            with_secret = Some(rules.of_new_secret(parent));
            Ok(rules.of_new_file(parent))
        })?;
        let file = Self::read(host, target)?;
        Ok(Self { with_secret: with_secret.unwrap_or(file.with_secret), ..file })
    }

    /// The same for a file whose directory is made if it is missing: the changes that make it, and the file.
    ///
    /// # Errors
    /// As [`WholeFile::look`], or the directory can't be there.
    pub fn look_with_directory(
        host: &dyn View,
        path: &Path,
        options: &AttributeOptions,
    ) -> Result<(Vec<Change>, Self), Failure> {
        host.look_ahead(&[path]);
        if host.stat(path.parent().unwrap_or(path))?.is_some() {
            return Ok((Vec::new(), Self::look(host, path, options)?));
        }
        let mut directories = Directories::default();
        let (parent, rules) = (directories.parent(host, path)?, options.resolve(host)?);
        let attributes = rules.of_new_file(parent);
        let target = FileTarget { path: path.to_owned(), existing: None, attributes };
        let file = Self { target, content: None, with_secret: rules.of_new_secret(parent) };
        Ok((directories.changes().collect(), file))
    }

    /// Reads the file at a place that was looked at.
    ///
    /// # Errors
    /// It can't be read.
    pub fn read(host: &dyn View, target: FileTarget) -> Result<Self, Failure> {
        let content = match target.existing {
            Some(_) => Some(host.read(&target.path)?.unwrap_or(Content::Known(Vec::new()))),
            None => None,
        };
        let with_secret = target.attributes;
        Ok(Self { target, content, with_secret })
    }

    /// What it holds. Absent when there is no file.
    pub fn content(&self) -> Option<&Content> {
        self.content.as_ref()
    }

    /// The steps after which the file is there, with the content `after` and its attributes. None when it is so.
    ///
    /// The content may be `shown` to people unless a secret is in it.
    pub fn plan(&self, after: Content, shown: bool) -> Plan {
        // The attributes come first: a file that is to become private is so before it holds anything new.
        let mut plan = self.target.plan_attributes();
        let before = self.content.clone();
        let same = before == Some(after.clone()) && after != Content::Unknown;
        if !same {
            let attributes = if shown { self.target.attributes } else { self.with_secret };
            let path = self.target.path.clone();
            plan.push(Change::Write { path, before, after, attributes, shown }.into());
        }
        plan
    }
}
