//! Directories that shall be there: looking at them, and what has to be made or changed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::step::Change;
use refrain_engine::system::{Attributes, Kind, View};

use crate::attributes::AttributeRules;
use crate::whole_file::{follow, parent};

/// What several directories need that belong to one call.
#[derive(Debug, Default)]
pub struct Directories {
    /// The changes so far, a directory before what is in it.
    pub changes: Vec<Change>,
    /// The directories that the changes make.
    made: HashMap<PathBuf, Attributes>,
}

impl Directories {
    /// Looks at a directory that shall be at `path` and be as `rules` say, and at those above it that have to be there.
    ///
    /// Returns whether it is there already.
    ///
    /// # Errors
    /// Something else is in the way.
    pub fn look(&mut self, host: &dyn View, path: &Path, rules: &AttributeRules) -> Result<bool, Failure> {
        if self.made.contains_key(path) {
            return Ok(false);
        }
        let (place, stat) = follow(host, path)?;
        match stat {
            Some(stat) if stat.kind == Kind::Directory => {
                let after = rules.of_existing(&stat);
                if after != stat.attributes {
                    self.changes.push(Change::SetAttributes { path: place, before: stat.attributes, after });
                }
                Ok(true)
            }
            Some(stat) => Err(in_the_way(&place, stat.kind)),
            None => {
                let attributes = rules.of_new_directory(self.parent(host, &place)?);
                self.make(place, attributes);
                Ok(false)
            }
        }
    }

    /// The attributes of the directory that `path` is in, which is made if it is missing.
    ///
    /// # Errors
    /// As [`Directories::look`].
    pub fn parent(&mut self, host: &dyn View, path: &Path) -> Result<Attributes, Failure> {
        let Some(above) = path.parent() else { return parent(host, path) };
        if let Some(attributes) = self.made.get(above) {
            return Ok(*attributes);
        }
        if host.lstat(above)?.is_some() {
            return parent(host, path);
        }
        let attributes = AttributeRules::new(host.identity()).of_new_directory(self.parent(host, above)?);
        self.make(above.to_owned(), attributes);
        Ok(attributes)
    }

    fn make(&mut self, path: PathBuf, attributes: Attributes) {
        self.made.insert(path.clone(), attributes);
        self.changes.push(Change::MakeDirectory { path, attributes });
    }
}

fn in_the_way(path: &Path, kind: Kind) -> Failure {
    Failure::state(format!("`{}` is a {}, not a directory", path.display(), kind.word()))
        .advise("remove it first with file::absent if a directory shall be there")
}
