//! The packages on a host.

use std::collections::{BTreeMap, BTreeSet};

use super::package::Package;

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
    /// Whether a package is there, in the version that is meant if one is.
    pub fn has(&self, package: &Package) -> bool {
        match (&package.version, self.versions.get(&package.name)) {
            (None, Some(_)) => true,
            (None, None) => self.provided.contains(&package.name),
            (Some(wanted), version) => version == Some(wanted),
        }
    }
}
