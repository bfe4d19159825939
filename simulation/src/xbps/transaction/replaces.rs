//! Packages that take the place of others.

use super::super::handle::Xbps;
use super::super::package::Package;
use super::{Action, Entry, Transaction};

impl Transaction {
    /// Adds what is removed because a package of the transaction replaces it: in front of all others.
    pub(super) fn add_replaced(&mut self, xbps: &mut Xbps<'_, '_>) {
        let mut at = 0;
        while at < self.entries.len() {
            let package = &self.entries[at].package;
            let patterns: Vec<String> = package.texts("replaces").map(str::to_owned).collect();
            // So that it also replaces what only provides it.
            let itself = format!("{}>=0", package.name());
            for pattern in patterns.iter().chain([&itself]) {
                at += usize::from(self.replace(xbps, at, pattern));
            }
            at += 1;
        }
    }

    /// Lets the package `at` replace what a pattern asks for. Whether something was put in front.
    fn replace(&mut self, xbps: &mut Xbps<'_, '_>, at: usize, pattern: &str) -> bool {
        let Some(replaced) = self.replaced_by(xbps, pattern) else { return false };
        if replaced.is("hold") || replaced.name() == self.entries[at].package.name() {
            return false;
        }
        let is_automatic = replaced.is("automatic-install");
        let provides = self.entries[at].package.provides(pattern);
        if let Some(other) = self.find(replaced.name()) {
            let entry = &mut self.entries[other];
            let is_meant =
                entry.package.provides(pattern) || super::version::matches(entry.package.pkgver(), pattern);
            if matches!(entry.action, Action::Remove | Action::Hold) || !is_meant {
                return false;
            }
            entry.action = Action::Remove;
            entry.is_replaced = true;
        }
        let is_new = self.find(replaced.name()).is_none();
        if !is_automatic && (provides || !is_new) {
            self.entries[at].package.0.remove("automatic-install");
        }
        let told = format!(
            "Package `{}' will be replaced by `{}'",
            replaced.pkgver(),
            self.entries[at].package.pkgver()
        );
        if xbps.is_verbose {
            xbps.complain(told);
        }
        if is_new {
            let entry = Entry { is_replaced: true, ..Entry::new(replaced, Action::Remove) };
            self.entries.insert(0, entry);
        }
        is_new
    }

    /// What a pattern means: something installed, or about to be.
    fn replaced_by(&self, xbps: &Xbps<'_, '_>, pattern: &str) -> Option<Package> {
        let installed = xbps.database.get(pattern);
        let installed = installed.or_else(|| xbps.database.provider(&xbps.providers, pattern));
        installed.cloned().or_else(|| {
            let at = self.find_with(pattern, Action::Install)?;
            Some(self.entries[at].package.clone())
        })
    }
}
