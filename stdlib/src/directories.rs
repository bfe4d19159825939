//! Directories that shall be there: looking at them, and what has to be made or changed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use refrain_engine::failure::Failure;
use refrain_engine::step::Change;
use refrain_engine::system::{Attributes, Kind, View};

use crate::attributes::AttributeRules;
use crate::file_target::parent;
use crate::links::real;

/// What several directories need that belong to one call.
#[derive(Debug, Default)]
pub struct Directories {
    /// One change for each place, links followed; a directory before what is in it.
    changes: IndexMap<PathBuf, Change>,
    /// The paths that were looked at, and whether a directory is there.
    looked: HashMap<PathBuf, bool>,
}

impl Directories {
    /// Looks at a directory that shall be at `path` and be as `rules` say, and at those above it that have to be there.
    ///
    /// Returns whether it is there already.
    ///
    /// # Errors
    /// Something else is in the way.
    pub fn look(&mut self, host: &dyn View, path: &Path, rules: &AttributeRules) -> Result<bool, Failure> {
        if let Some(exists) = self.looked.get(path) {
            return Ok(*exists);
        }
        let (place, stat) = real(host, path)?;
        let exists = stat.is_some();
        match stat {
            Some(stat) if stat.kind == Kind::Directory => {
                let after = rules.of_existing(&stat);
                if after != stat.attributes {
                    self.add(Change::SetAttributes { path: place, before: stat.attributes, after });
                }
            }
            Some(stat) => return Err(in_the_way(&place, stat.kind)),
            None => {
                let attributes = rules.of_new_directory(self.parent(host, &place)?);
                // It may have been made on the way to another one; now it is one that is named.
                self.add(Change::MakeDirectory { path: place, attributes });
            }
        }
        self.looked.insert(path.to_owned(), exists);
        Ok(exists)
    }

    /// The attributes of the directory that `path` is in, which is made if it is missing.
    ///
    /// # Errors
    /// As [`Directories::look`].
    pub fn parent(&mut self, host: &dyn View, path: &Path) -> Result<Attributes, Failure> {
        let Some(above) = path.parent() else { return parent(host, path) };
        if let Some(attributes) = self.made(above) {
            return Ok(attributes);
        }
        let (place, stat) = real(host, above)?;
        match (self.made(&place), stat) {
            (Some(attributes), _) => Ok(attributes),
            (None, Some(_)) => parent(host, path),
            (None, None) => {
                let rules = AttributeRules::new(host.identity());
                let attributes = rules.of_new_directory(self.parent(host, &place)?);
                self.add(Change::MakeDirectory { path: place, attributes });
                Ok(attributes)
            }
        }
    }

    /// Adds a change. One of the same path gives way to it, in its place.
    pub fn add(&mut self, change: Change) {
        self.changes.insert(change.path().to_owned(), change);
    }

    /// The changes, in the order in which they can be made.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        self.changes.values().cloned()
    }

    /// Whether a directory is made at a path.
    pub fn makes(&self, path: &Path) -> bool {
        self.made(path).is_some()
    }

    fn made(&self, path: &Path) -> Option<Attributes> {
        match self.changes.get(path) {
            Some(Change::MakeDirectory { attributes, .. }) => Some(*attributes),
            _ => None,
        }
    }
}

fn in_the_way(path: &Path, kind: Kind) -> Failure {
    Failure::state(format!("`{}` is a {}, not a directory", path.display(), kind.word()))
        .advise("remove it first with file::absent if a directory shall be there")
}
