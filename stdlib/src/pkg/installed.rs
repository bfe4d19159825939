//! The packages on a host.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::system::View;

use super::package::Package;
use crate::remembered::{self, Last};

thread_local! {
    static LAST: Last<Installed> = const { RefCell::new(None) };
}

/// What is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    /// The version of each package, by its name.
    pub versions: BTreeMap<String, String>,
    /// Names that a package satisfies beside its own.
    pub provided: BTreeSet<String>,
    /// Packages that are gone, but whose configuration files have stayed.
    pub configured: BTreeSet<String>,
}

impl Installed {
    /// What `parse` reads in the database at `path`. Nothing is installed where there is none.
    ///
    /// # Errors
    /// It can't be read.
    pub fn read(host: &dyn View, path: &str, parse: fn(&str) -> Self) -> Result<Rc<Self>, Failure> {
        remembered::read(&LAST, host, path, |text| Ok(parse(text)))
    }

    /// Whether a package is there, in the version that is meant if one is.
    pub fn has(&self, package: &Package) -> bool {
        match (&package.version, self.versions.get(&package.name)) {
            (None, Some(_)) => true,
            (None, None) => self.provided.contains(&package.name),
            (Some(wanted), version) => version == Some(wanted),
        }
    }
}
