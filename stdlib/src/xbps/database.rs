//! The package database of xbps, read without starting a program.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::system::View;
use serde::{Deserialize, Serialize};

use super::plist::{Part, PlistError, Reader};
use super::version;
use crate::remembered::{self, Last};

/// Where it is.
pub const PATH: &str = "/var/db/xbps/pkgdb-0.38.plist";
/// Stands among the packages for who provides what there are several of.
const ALTERNATIVES: &str = "_XBPS_ALTERNATIVES_";

/// A package on the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its version, with the revision: `4.6_1`.
    pub version: String,
    /// What it was built for. Empty when the database does not say.
    pub architecture: String,
    /// Whether it is only there because another package needs it.
    pub automatic: bool,
    /// Whether updates leave it alone.
    pub hold: bool,
    /// Whether updates come from the repository only that it came from.
    pub repolock: bool,
    /// Whether it is unpacked and was not configured.
    pub unpacked: bool,
    /// The names that it also satisfies, with versions: `ntp-daemon-0_1`.
    pub provides: Vec<String>,
}

/// All packages on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Database {
    /// The packages by name.
    pub packages: BTreeMap<String, Package>,
    /// For each group of alternatives its packages, the one that is in use first.
    pub alternatives: BTreeMap<String, Vec<String>>,
}

thread_local! {
    /// It is large, and nearly every call wants to know it.
    static LAST: Last<Database> = const { RefCell::new(None) };
}

impl Database {
    /// Reads the database of a host. Empty when there is none.
    ///
    /// # Errors
    /// It can't be read or is damaged, or check mode does not know what will be in it.
    pub fn look(host: &dyn View) -> Result<Rc<Self>, Failure> {
        remembered::read(&LAST, host, PATH, |text| Self::parse(text).map_err(damaged))
    }

    /// The database in a text.
    ///
    /// # Errors
    /// It is damaged.
    pub fn parse(text: &str) -> Result<Self, PlistError> {
        let mut reader = Reader::new(text);
        let mut database = Self::default();
        let Some(Part::Begin { dictionary: true }) = reader.part()? else {
            // A text without any list is what a parser complains about best.
            return super::plist::parse(text).map(|_| database);
        };
        while let Some((name, part)) = reader.entry()? {
            if name == ALTERNATIVES {
                database.alternatives = alternatives(reader.value(part)?);
            } else if let Some(package) = package(&mut reader, part)? {
                database.packages.insert(name.into_owned(), package);
            }
        }
        Ok(database)
    }

    /// The package of this name, or the one that provides it.
    pub fn providing(&self, name: &str) -> Option<(&str, &Package)> {
        if let Some((name, package)) = self.packages.get_key_value(name) {
            return Some((name, package));
        }
        let provides = |package: &Package| package.provides.iter().any(|provided| is_named(provided, name));
        self.packages
            .iter()
            .find(|(_, package)| provides(package))
            .map(|(name, package)| (name.as_str(), package))
    }

    /// The version in which a name is there: its own, or the one in which another package provides it.
    pub fn version_of(&self, name: &str) -> Option<&str> {
        let (found, package) = self.providing(name)?;
        if found == name {
            return Some(&package.version);
        }
        let provided = package.provides.iter().find(|provided| is_named(provided, name))?;
        Some(version::split(provided).map_or("", |(_, version)| version))
    }
}

fn is_named(package: &str, name: &str) -> bool {
    version::split(package).map_or(package, |(name, _)| name) == name
}

fn damaged(error: PlistError) -> Failure {
    Failure::state(format!("the package database `{PATH}` is damaged: {error}"))
        .advise("`xbps-pkgdb -a` says more; a copy of the file may be in a backup of the host")
}

/// The package whose dictionary begins with `part`. `None` for what is no installed package.
fn package<'a>(reader: &mut Reader<'a>, part: Part<'a>) -> Result<Option<Package>, PlistError> {
    if part != (Part::Begin { dictionary: true }) {
        reader.skip(&part)?;
        return Ok(None);
    }
    let mut package = Package::default();
    while let Some((key, part)) = reader.entry()? {
        match (&*key, part) {
            ("pkgver", Part::Text(text)) => package.version = version_in(&text),
            ("architecture", Part::Text(text)) => package.architecture = text.into_owned(),
            ("state", Part::Text(text)) => package.unpacked = text == "unpacked",
            ("automatic-install", Part::Flag(flag)) => package.automatic = flag,
            ("hold", Part::Flag(flag)) => package.hold = flag,
            ("repolock", Part::Flag(flag)) => package.repolock = flag,
            ("provides", part) => package.provides = texts(reader.value(part)?),
            (_, part) => reader.skip(&part)?,
        }
    }
    Ok((!package.version.is_empty()).then_some(package))
}

fn version_in(pkgver: &str) -> String {
    version::split(pkgver).map_or("", |(_, version)| version).to_owned()
}

fn alternatives(value: serde_json::Value) -> BTreeMap<String, Vec<String>> {
    let serde_json::Value::Object(groups) = value else { return BTreeMap::new() };
    groups.into_iter().map(|(group, packages)| (group, texts(packages))).collect()
}

fn texts(value: serde_json::Value) -> Vec<String> {
    let serde_json::Value::Array(items) = value else { return Vec::new() };
    items.into_iter().filter_map(|item| item.as_str().map(ToOwned::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use refrain_engine::system::sandbox::{NoPrograms, Sandbox};
    use refrain_engine::system::{Attributes, System, changes};

    use super::*;

    /// A database as xbps 0.60 writes it.
    const TEXT: &str = include_str!("database_test.plist");

    #[test]
    fn what_xbps_wrote_is_read() {
        let database = Database::parse(TEXT).unwrap();
        let names: Vec<&str> = database.packages.keys().map(String::as_str).collect();
        assert_eq!(names, ["chrony", "libseccomp", "nvi", "vim"]);
        let chrony = Package {
            version: "4.6_1".to_owned(),
            architecture: "x86_64".to_owned(),
            hold: true,
            provides: vec!["ntp-daemon-0_1".to_owned()],
            ..Package::default()
        };
        assert_eq!(database.packages["chrony"], chrony);
        let seccomp = &database.packages["libseccomp"];
        assert!(seccomp.automatic && !seccomp.hold && !seccomp.unpacked);
        assert!(database.packages["vim"].unpacked && database.packages["vim"].repolock);
        assert_eq!(database.alternatives["vi"], ["vim", "nvi"]);
        assert_eq!(database.version_of("chrony"), Some("4.6_1"));
        assert_eq!(database.version_of("ntp-daemon"), Some("0_1"));
        assert_eq!(database.version_of("chron"), None);
        assert_eq!(database.version_of("ntp"), None);
    }

    #[test]
    fn what_breaks_off_is_damaged() {
        let end = TEXT.rfind("\n</plist>").unwrap();
        for length in (0..end).step_by(7) {
            assert!(Database::parse(&TEXT[..length]).is_err(), "{length} bytes");
        }
        assert!(Database::parse("").is_err());
    }

    #[test]
    fn it_is_read_again_when_it_is_another_one() {
        let directory = tempfile::tempdir().unwrap();
        let host = Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap();
        assert_eq!(*Database::look(&host).unwrap(), Database::default());
        let attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };
        std::fs::create_dir_all(directory.path().join("root/var/db/xbps")).unwrap();
        host.write(Path::new(PATH), TEXT.as_bytes(), attributes).unwrap();
        let first = Database::look(&host).unwrap();
        assert!(Rc::ptr_eq(&first, &Database::look(&host).unwrap()), "nothing has changed");
        let other = TEXT.replace("chrony-4.6_1", "chrony-4.7_1");
        host.write(Path::new(PATH), other.as_bytes(), attributes).unwrap();
        changes::note();
        assert_eq!(Database::look(&host).unwrap().version_of("chrony"), Some("4.7_1"));
        host.write(Path::new(PATH), b"<plist>", attributes).unwrap();
        changes::note();
        let failure = Database::look(&host).unwrap_err();
        assert!(failure.to_string().contains("is damaged"), "{failure}");
    }
}
