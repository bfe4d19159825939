//! Dependencies of the packages in a transaction.

use super::super::errno::Errno;
use super::super::handle::Xbps;
use super::super::package::{Package, State};
use super::super::plist::Value;
use super::super::version;
use super::{Action, Entry, Transaction, find_provider};

/// So deep may dependencies of dependencies go.
const MOST_DEPTH: usize = 512;

/// What a dependency needs.
enum Need {
    /// Nothing: it is there, or will be.
    Nothing,
    /// It can't be had.
    Missing,
    /// The installed package has to be configured.
    Configure(Package),
    /// A package from a repository.
    Package(Action, Option<Package>),
}

impl Transaction {
    /// Adds the dependencies of the first `requested` packages, and puts each package behind its dependencies.
    pub(super) fn add_dependencies(
        &mut self,
        xbps: &mut Xbps<'_, '_>,
        requested: usize,
    ) -> Result<(), Errno> {
        let mut moved = Vec::new();
        for at in 0..requested {
            let Some(entry) = self.entries.get(at).cloned() else { break };
            if matches!(entry.action, Action::Remove | Action::Hold) {
                continue;
            }
            moved.push(entry.package.pkgver().to_owned());
            self.add_dependencies_of(xbps, &entry.package, &mut Vec::new())?;
            self.entries.push(entry);
        }
        for pkgver in moved {
            if let Some(first) = self.entries.iter().position(|entry| entry.package.pkgver() == pkgver) {
                self.entries.remove(first);
            }
        }
        Ok(())
    }

    /// `queued` are the packages whose dependencies are being looked at, outermost first.
    fn add_dependencies_of(
        &mut self,
        xbps: &mut Xbps<'_, '_>,
        package: &Package,
        queued: &mut Vec<Package>,
    ) -> Result<(), Errno> {
        if queued.len() >= MOST_DEPTH {
            return Err(Errno::ELOOP);
        }
        for wanted in package.texts("run_depends") {
            let name = version::required_name(wanted).ok_or(Errno::ENXIO)?;
            if xbps.configuration.ignores(name) || package.provides(wanted) || self.has(xbps, wanted, queued)
            {
                continue;
            }
            match self.need(xbps, wanted, name) {
                Need::Nothing => {}
                Need::Missing => self.miss(wanted),
                Need::Configure(installed) => self.add(xbps, Entry::new(installed, Action::Configure)),
                Need::Package(action, installed) => {
                    self.add_dependency(xbps, package, wanted, (action, installed), queued)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a dependency is being dealt with.
    fn has(&self, xbps: &Xbps<'_, '_>, wanted: &str, queued: &[Package]) -> bool {
        if queued.iter().any(|package| package.is_called(wanted))
            || find_provider(queued.iter(), &xbps.providers, wanted).is_some()
        {
            return true;
        }
        let found = self.find(wanted).or_else(|| self.find_provider(&xbps.providers, wanted));
        found.is_some_and(|at| !matches!(self.entries[at].action, Action::Remove | Action::Hold))
    }

    fn need(&self, xbps: &Xbps<'_, '_>, wanted: &str, name: &str) -> Need {
        let real = xbps.database.get(name);
        let installed = real.or_else(|| xbps.database.provider(&xbps.providers, name));
        let Some(installed) = installed.filter(|_| !self.manner.download_only) else {
            return Need::Package(Action::Install, None);
        };
        if real.is_none() && installed.provides(wanted) {
            return Need::Nothing;
        }
        if version::matches(installed.pkgver(), wanted) {
            return match installed.state() {
                State::Unpacked => Need::Configure(installed.clone()),
                _ => Need::Nothing,
            };
        }
        if installed.has("hold") {
            return Need::Missing;
        }
        let action = if installed.name() == name { Action::Update } else { Action::Install };
        Need::Package(action, Some(installed.clone()))
    }

    /// Notes that a dependency can't be had. As xbps has it, one without a range is only noted if it is the first, and
    /// nothing is noted after it.
    fn miss(&mut self, wanted: &str) {
        let has_range = |wanted: &str| version::pattern_version(wanted).is_some();
        let is_first = self.missing.is_empty();
        if is_first || has_range(wanted) && self.missing.iter().all(|missing| has_range(missing)) {
            self.missing.push(format!("MISSING: {wanted}"));
        }
    }

    fn add_dependency(
        &mut self,
        xbps: &mut Xbps<'_, '_>,
        package: &Package,
        wanted: &str,
        (action, installed): (Action, Option<Package>),
        queued: &mut Vec<Package>,
    ) -> Result<(), Errno> {
        let Some(mut found) = from_repository(xbps, wanted, installed.as_ref())? else {
            self.miss(wanted);
            return Ok(());
        };
        if found.name() == package.name() {
            return Ok(());
        }
        if action == Action::Update
            && version::matches(found.pkgver(), wanted)
            && self.find_with(found.name(), Action::Update).is_some()
        {
            return Err(Errno::ENODEV);
        }
        queued.push(found.clone());
        self.add_dependencies_of(xbps, &found, queued)?;
        queued.pop();
        let is_automatic = match &installed {
            Some(installed) if action == Action::Update => installed.is("automatic-install"),
            _ => true,
        };
        if is_automatic {
            found.set("automatic-install", Value::Flag(true));
        }
        let action = match self.manner.download_only {
            true => Action::Download,
            false => action,
        };
        self.add(xbps, Entry::new(found, action));
        Ok(())
    }
}

/// A dependency as the repositories have it: only the one that the installed package is bound to, if it is.
fn from_repository(
    xbps: &mut Xbps<'_, '_>,
    wanted: &str,
    installed: Option<&Package>,
) -> Result<Option<Package>, Errno> {
    let Some(bound) = installed.filter(|installed| installed.has("repolock")) else {
        return xbps.available_or_provider(wanted);
    };
    let providers = xbps.configuration.providers.clone();
    let repository = xbps.pool.bound(bound.text("repository"));
    let found = repository.and_then(|repository| repository.get(&providers, wanted));
    xbps.tell_complaints();
    Ok(found)
}
