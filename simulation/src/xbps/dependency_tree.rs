//! All dependencies of a package.

use std::collections::BTreeMap;

use super::package::Package;
use super::version;

/// All dependencies of a package by name and version, in the order of `--fulldeptree`: what was looked at last comes first.
///
/// `None` if one is missing, unless `skip_missing` is set.
pub fn of(
    package: &Package,
    find: impl Fn(&str) -> Option<Package>,
    skip_missing: bool,
) -> Option<Vec<String>> {
    let mut walk = Walk { find, skip_missing, known: BTreeMap::new(), reversed: Vec::new() };
    walk.visit(package, 0)?;
    walk.reversed.reverse();
    Some(walk.reversed)
}

struct Walk<F> {
    find: F,
    skip_missing: bool,
    /// What was looked at, by name: its name with version and its dependencies' names, the last one first.
    known: BTreeMap<String, (String, Vec<String>)>,
    reversed: Vec<String>,
}

impl<F: Fn(&str) -> Option<Package>> Walk<F> {
    fn visit(&mut self, package: &Package, depth: usize) -> Option<()> {
        let name = package.name().to_owned();
        if self.known.contains_key(&name) {
            self.add_known(&name, depth == 0);
            return Some(());
        }
        self.known.insert(name.clone(), (package.pkgver().to_owned(), Vec::new()));
        for wanted in package.texts("run_depends") {
            let Some(dependency) = (self.find)(wanted) else {
                if self.skip_missing {
                    continue;
                }
                return None;
            };
            let wanted = version::required_name(wanted).unwrap_or(wanted);
            if package.texts("provides").any(|provided| version::name(provided) == Some(wanted)) {
                continue;
            }
            if self.known.contains_key(wanted) {
                self.add_known(wanted, false);
                continue;
            }
            self.visit(&dependency, depth + 1)?;
            if let Some((_, dependencies)) = self.known.get_mut(&name) {
                dependencies.insert(0, dependency.name().to_owned());
            }
        }
        if depth > 0 {
            self.add(package.pkgver().to_owned());
        }
        Some(())
    }

    fn add(&mut self, pkgver: String) {
        if !self.reversed.contains(&pkgver) {
            self.reversed.push(pkgver);
        }
    }

    fn add_known(&mut self, name: &str, first: bool) {
        let Some((pkgver, dependencies)) = self.known.get(name).cloned() else { return };
        if self.reversed.contains(&pkgver) {
            return;
        }
        for dependency in &dependencies {
            self.add_known(dependency, false);
        }
        if !first {
            self.add(pkgver);
        }
    }
}
