//! Which package is meant, as an argument.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::choice::Manager;
use crate::argument_schema::text_argument;
use crate::one_or_many::OneOrMany;
use refrain_engine::failure::Failure;

/// A package: `curl`, or in one version, `curl=7.88.1-10`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// What the package manager calls it.
    pub name: String,
    /// The version that it shall have. Any when absent.
    pub version: Option<String>,
}

impl Package {
    /// The package in a text.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(text: &str) -> Result<Self, String> {
        let (name, version) = match text.split_once('=') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        let is_plain = |text: &str, signs: &str| {
            let mut letters = text.chars();
            letters.next().is_some_and(|first| first.is_ascii_alphanumeric())
                && letters.all(|letter| letter.is_ascii_alphanumeric() || signs.contains(letter))
        };
        if !is_plain(name, "+-_.:") {
            return Err(format!("`{name}` can't be the name of a package"));
        }
        if let Some(version) = version.filter(|version| !is_plain(version, "+-_.:~^")) {
            return Err(format!("`{version}` can't be the version of a package"));
        }
        Ok(Self { name: name.to_owned(), version: version.map(str::to_owned) })
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.version.as_ref().map_or(Ok(()), |version| write!(f, "={version}"))
    }
}

text_argument!(Package, Package::new);

/// What packages are called by those package managers that call them otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// By that of Void Linux.
    xbps: Option<OneOrMany<Package>>,
    /// By that of Debian and its children.
    apt: Option<OneOrMany<Package>>,
    /// By that of Alpine Linux.
    apk: Option<OneOrMany<Package>>,
    /// By that of Arch Linux.
    pacman: Option<OneOrMany<Package>>,
    /// By that of Fedora and its relatives.
    dnf: Option<OneOrMany<Package>>,
}

impl Names {
    /// The packages that `manager` is asked for in place of `packages`.
    pub fn of<'a>(names: Option<&'a Self>, manager: Manager, packages: &'a [Package]) -> &'a [Package] {
        let own = names.and_then(|names| match manager {
            Manager::Xbps => names.xbps.as_ref(),
            Manager::Apt => names.apt.as_ref(),
            Manager::Apk => names.apk.as_ref(),
            Manager::Pacman => names.pacman.as_ref(),
            Manager::Dnf => names.dnf.as_ref(),
        });
        own.map_or(packages, |own| &own.0)
    }
}

/// The packages without versions, where those make no sense.
///
/// # Errors
/// One has a version.
pub fn names(packages: &[Package]) -> Result<Vec<String>, Failure> {
    if let Some(package) = packages.iter().find(|package| package.version.is_some()) {
        let message = format!("a name without a version is meant here: `{}`", package.name);
        return Err(Failure::argument("packages", message));
    }
    Ok(packages.iter().map(|package| package.name.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_may_have_a_version() {
        let package = |text: &str| Package::new(text).map(|package| (package.name, package.version));
        assert_eq!(package("g++"), Ok(("g++".to_owned(), None)));
        assert_eq!(package("libc6:i386"), Ok(("libc6:i386".to_owned(), None)));
        assert_eq!(package("curl=1:7.88~rc1-2"), Ok(("curl".to_owned(), Some("1:7.88~rc1-2".to_owned()))));
        for wrong in ["", "-y", "a b", "a=", "a=-1", "/tmp/x.deb", "a;b", "@group"] {
            assert!(package(wrong).is_err(), "{wrong}");
        }
    }
}
