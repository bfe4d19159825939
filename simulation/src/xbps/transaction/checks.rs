//! What may be in the way of a transaction.

use std::collections::BTreeSet;

use super::super::handle::Xbps;
use super::super::package::Package;
use super::super::version;
use super::{Action, Entry, Transaction};

impl Transaction {
    /// Notes which installed packages would miss a dependency.
    pub(super) fn check_dependants(&mut self, xbps: &Xbps<'_, '_>) {
        let mut broken = Vec::new();
        for entry in &self.entries {
            let is_checked = !matches!(entry.action, Action::Hold | Action::Install);
            if !is_checked || xbps.configuration.ignores(entry.package.pkgver()) {
                continue;
            }
            for dependant in xbps.database.needing(&xbps.providers, entry.package.name()) {
                broken.extend(self.broken_dependant(xbps, entry, dependant));
            }
        }
        self.missing.extend(broken);
    }

    /// What is broken about a package that needs the one of `entry`.
    fn broken_dependant(&self, xbps: &Xbps<'_, '_>, entry: &Entry, dependant: &str) -> Vec<String> {
        let package = &entry.package;
        let breaks =
            || vec![format!("{} in transaction breaks installed pkg `{dependant}'", package.pkgver())];
        let name = version::name(dependant).unwrap_or_default();
        let in_transaction = self.find(name).map(|at| &self.entries[at]);
        if in_transaction.is_some_and(|other| other.action == Action::Remove) {
            return Vec::new();
        }
        if entry.action == Action::Remove {
            return if entry.is_replaced { Vec::new() } else { breaks() };
        }
        let Some(other) = in_transaction.map(|other| &other.package).or_else(|| xbps.database.get(dependant))
        else {
            return Vec::new();
        };
        let unmet = unmet_virtual(package, other);
        if !unmet.is_empty() {
            return unmet;
        }
        let mut wanted = other.texts("run_depends");
        let is_needed = wanted.any(|wanted| version::required_name(wanted) == Some(package.name()));
        let is_met = other.texts("run_depends").any(|wanted| version::matches(package.pkgver(), wanted));
        let is_updated = self.find_with(name, Action::Update).is_some();
        if is_needed && !is_met && !is_updated { breaks() } else { Vec::new() }
    }

    /// Which packages of the transaction don't go with others, or installed ones with them.
    pub(super) fn conflicts(&self, xbps: &Xbps<'_, '_>) -> Vec<String> {
        let mut conflicts = Vec::new();
        for entry in &self.entries {
            if !matches!(entry.action, Action::Hold | Action::Remove) {
                let patterns = entry.package.texts("conflicts");
                conflicts.extend(patterns.filter_map(|pattern| self.conflict(xbps, &entry.package, pattern)));
            }
        }
        for package in xbps.database.packages().filter(|package| self.find(package.name()).is_none()) {
            let patterns = package.texts("conflicts");
            conflicts.extend(patterns.filter_map(|pattern| self.conflict_inside(xbps, package, pattern)));
        }
        conflicts
    }

    fn conflict(&self, xbps: &Xbps<'_, '_>, package: &Package, pattern: &str) -> Option<String> {
        let installed = xbps.database.get(pattern);
        let installed = installed.or_else(|| xbps.database.provider(&xbps.providers, pattern));
        let Some(installed) = installed else { return self.conflict_inside(xbps, package, pattern) };
        let other = self.find(installed.name()).map(|at| self.entries[at].action);
        let is_dealt_with = other.is_some_and(|action| action.unpacks() && action != Action::Reinstall)
            || matches!(other, Some(Action::Remove | Action::Hold));
        if installed.has("hold") || installed.name() == package.name() || is_dealt_with {
            return None;
        }
        let (package, installed) = (package.pkgver(), installed.pkgver());
        Some(format!("CONFLICT: {package} with installed pkg {installed} (matched by {pattern})"))
    }

    fn conflict_inside(&self, xbps: &Xbps<'_, '_>, package: &Package, pattern: &str) -> Option<String> {
        let other = self.find(pattern).or_else(|| self.find_provider(&xbps.providers, pattern))?;
        let other = &self.entries[other];
        if matches!(other.action, Action::Remove | Action::Hold) || other.package.name() == package.name() {
            return None;
        }
        let (package, other) = (package.pkgver(), other.package.pkgver());
        Some(format!("CONFLICT: {package} with {other} in transaction (matched by {pattern})"))
    }

    /// Which shared libraries would be needed and not be there.
    pub(super) fn missing_libraries(&self, xbps: &Xbps<'_, '_>) -> Vec<String> {
        let touched = self.entries.iter().filter(|entry| entry.action != Action::Hold);
        let touched: BTreeSet<&str> = touched.map(|entry| entry.package.name()).collect();
        let staying = xbps.database.packages().filter(|package| !touched.contains(package.name()));
        let coming =
            self.entries.iter().filter(|entry| !matches!(entry.action, Action::Hold | Action::Remove));
        let after: Vec<&Package> = coming.map(|entry| &entry.package).chain(staying).collect();
        let provided: BTreeSet<&str> =
            after.iter().flat_map(|package| package.texts("shlib-provides")).collect();
        let missing = |package: &Package| -> Vec<String> {
            let missing = package.texts("shlib-requires").filter(|library| !provided.contains(library));
            missing
                .map(|library| format!("{}: broken, unresolvable shlib `{library}'", package.pkgver()))
                .collect()
        };
        after.iter().flat_map(|package| missing(package)).collect()
    }
}

/// What another package needs of the virtual ones that this one provides, and does not get.
fn unmet_virtual(package: &Package, other: &Package) -> Vec<String> {
    let mut unmet = Vec::new();
    for provided in package.texts("provides") {
        for wanted in other.texts("run_depends") {
            if version::required_name(wanted) == version::name(provided)
                && !version::matches(provided, wanted)
            {
                let other = other.pkgver();
                unmet.push(format!("{other} broken, needs '{wanted}' virtual pkg (got `{provided}')"));
            }
        }
    }
    unmet
}
