//! The package database: what is installed.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::configuration::Providers;
use super::disk::Disk;
use super::errno::Errno;
use super::package::Package;
use super::plist::{self, Dictionary, Value};
use super::version;

/// The key under which the groups of alternatives are kept, beside the packages.
const ALTERNATIVES: &str = "_XBPS_ALTERNATIVES_";

/// What is installed.
#[derive(Debug, Default)]
pub struct Database {
    /// Packages by name.
    packages: BTreeMap<String, Package>,
    /// Groups of alternatives: the names of packages that provide it, the one in use first. Absent until the first package
    /// is unpacked.
    pub alternatives: Option<BTreeMap<String, Vec<String>>>,
    /// Whether there was no database.
    pub is_missing: bool,
    /// Which packages need a package, by its name.
    needed_by: OnceCell<BTreeMap<String, Vec<String>>>,
}

/// Where it is in the directory of the metadata.
pub fn place(meta: &Path) -> PathBuf {
    meta.join("pkgdb-0.38.plist")
}

/// Where the list of files of a package is in the directory of the metadata.
pub fn files_place(meta: &Path, name: &str) -> PathBuf {
    meta.join(format!(".{name}-files.plist"))
}

impl Database {
    /// Reads the database. It is empty where there is none.
    ///
    /// # Errors
    /// `EINVAL` for a broken one.
    pub fn read(disk: Disk<'_>, meta: &Path) -> Result<Self, Errno> {
        let text = match disk.read_text(&place(meta)) {
            Err(Errno::ENOENT) => return Ok(Self { is_missing: true, ..Self::default() }),
            text => text?,
        };
        let mut database = Self::default();
        for (name, value) in plist::parse(&text).ok_or(Errno::EINVAL)? {
            let Value::Dictionary(value) = value else { continue };
            if name == ALTERNATIVES {
                database.alternatives = Some(groups(&value));
                continue;
            }
            let mut package = Package(value);
            // The real one notes it, too, and it stays there when it is written.
            package.set("pkgname", Value::from(package.name().to_owned().as_str()));
            database.packages.insert(name, package);
        }
        Ok(database)
    }

    /// Writes the database, unless it is there like this.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, disk: Disk<'_>, meta: &Path) -> Result<(), Errno> {
        let text = self.to_plist();
        let place = place(meta);
        if disk.read_text(&place).is_ok_and(|before| before == text) {
            return Ok(());
        }
        disk.make_directories(meta)?;
        disk.write(&place, text.as_bytes(), 0o644)
    }

    fn to_plist(&self) -> String {
        let packages = self.packages.iter().map(|(name, package)| (name.clone(), package.0.clone()));
        let mut all: Dictionary =
            packages.map(|(name, package)| (name, Value::Dictionary(package))).collect();
        if let Some(groups) = &self.alternatives {
            let groups = groups
                .iter()
                .map(|(group, names)| (group.clone(), Value::texts(names.iter().map(String::as_str))));
            all.insert(ALTERNATIVES.to_owned(), Value::Dictionary(groups.collect()));
        }
        plist::write(&all)
    }

    /// The packages, sorted by name.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    /// The package that a name, a pattern or a name with its version asks for.
    pub fn get(&self, wanted: &str) -> Option<&Package> {
        find(&self.packages, wanted)
    }

    /// The package that provides the virtual one that is asked for.
    pub fn provider(&self, providers: &Providers, wanted: &str) -> Option<&Package> {
        find_provider(&self.packages, providers, wanted)
    }

    /// The package of a name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Package> {
        self.packages.get_mut(name)
    }

    /// Notes that a package is installed.
    pub fn insert(&mut self, package: Package) {
        self.needed_by.take();
        self.packages.insert(package.name().to_owned(), package);
    }

    /// Forgets a package.
    pub fn remove(&mut self, name: &str) {
        self.needed_by.take();
        self.packages.remove(name);
    }

    /// Names and versions of the packages that need a package.
    pub fn needing(&self, providers: &Providers, name: &str) -> &[String] {
        let all = self.needed_by.get_or_init(|| self.all_needing(providers));
        all.get(name).map_or(&[], Vec::as_slice)
    }

    fn all_needing(&self, providers: &Providers) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::<_, Vec<String>>::new();
        for package in self.packages.values() {
            for name in package.texts("run_depends").filter_map(version::required_name) {
                let provider = providers.choose(name).unwrap_or(name);
                let needing = all.entry(provider.to_owned()).or_default();
                // One package after the other is looked at.
                if needing.last().is_none_or(|last| last != package.pkgver()) {
                    needing.push(package.pkgver().to_owned());
                }
            }
        }
        all
    }

    /// Packages that were only installed because others needed them, which are gone.
    pub fn orphans(&self, providers: &Providers) -> Vec<&Package> {
        let mut orphans = Vec::new();
        let mut known = BTreeSet::new();
        loop {
            let before = orphans.len();
            for package in self.packages.values().filter(|package| package.is("automatic-install")) {
                let mut needing = self.needing(providers, package.name()).iter();
                if !known.contains(package.pkgver())
                    && needing.all(|needing| known.contains(needing.as_str()))
                {
                    known.insert(package.pkgver());
                    orphans.push(package);
                }
            }
            if orphans.len() == before {
                return orphans;
            }
        }
    }

    /// A package, and what would be without need if it was removed.
    pub fn with_orphans(&self, providers: &Providers, package: &Package) -> Vec<Package> {
        let mut removed = vec![package.clone()];
        let mut at = 0;
        while at < removed.len() {
            let dependencies = self.all_dependencies(providers, &removed[at]);
            for dependency in dependencies.iter().filter_map(|name| self.packages.get(version::name(name)?)) {
                let is_removed =
                    |pkgver: &str, removed: &[Package]| removed.iter().any(|one| one.pkgver() == pkgver);
                let mut needing = self.needing(providers, dependency.name()).iter();
                if dependency.is("automatic-install")
                    && !is_removed(dependency.pkgver(), &removed)
                    && needing.all(|needing| is_removed(needing, &removed))
                {
                    removed.push(dependency.clone());
                }
            }
            at += 1;
        }
        removed
    }

    /// All dependencies of a package, also those of its dependencies, as `--fulldeptree` orders them.
    pub fn all_dependencies(&self, providers: &Providers, package: &Package) -> Vec<String> {
        let find = |wanted: &str| self.get(wanted).or_else(|| self.provider(providers, wanted)).cloned();
        // What is missing is not looked at: it may be ignored by the configuration.
        super::dependency_tree::of(package, find, true).unwrap_or_default()
    }

    /// The list of files of a package.
    pub fn files(&self, disk: Disk<'_>, meta: &Path, name: &str) -> Option<Dictionary> {
        plist::parse(&disk.read_text(&files_place(meta, name)).ok()?)
    }
}

fn groups(alternatives: &Dictionary) -> BTreeMap<String, Vec<String>> {
    let names = |names: &Value| -> Vec<String> {
        let names = names.list().unwrap_or_default().iter();
        names.filter_map(Value::text).map(str::to_owned).collect()
    };
    alternatives.iter().map(|(group, providers)| (group.clone(), names(providers))).collect()
}

/// The package that a name, a pattern or a name with its version asks for.
pub fn find<'a>(packages: &'a BTreeMap<String, Package>, wanted: &str) -> Option<&'a Package> {
    let name = version::required_name(wanted).unwrap_or(wanted);
    packages.get(name).filter(|package| name == wanted || package.is_called(wanted))
}

/// The package that provides the virtual one that is asked for: the chosen one, or the first.
pub fn find_provider<'a>(
    packages: &'a BTreeMap<String, Package>,
    providers: &Providers,
    wanted: &str,
) -> Option<&'a Package> {
    let chosen = providers.choose(wanted).and_then(|provider| find(packages, provider));
    chosen.or_else(|| packages.values().find(|package| package.provides(wanted)))
}
