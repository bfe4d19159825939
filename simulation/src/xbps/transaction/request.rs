//! Packages that are asked for on the command line.

use super::super::errno::Errno;
use super::super::handle::Xbps;
use super::super::package::Package;
use super::super::version;
use super::{Action, Entry, Transaction};

/// Whether there is something to update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updates {
    /// There is.
    Some,
    /// Nothing.
    None,
    /// The package manager itself has to be updated first.
    OfXbpsItself,
}

impl Transaction {
    /// Asks for all updates of what is installed.
    ///
    /// # Errors
    /// Something in the repositories is broken.
    pub fn update_all(&mut self, xbps: &mut Xbps<'_, '_>) -> Result<Updates, Errno> {
        if self.update_xbps(xbps)? {
            return Ok(Updates::OfXbpsItself);
        }
        let names: Vec<String> = xbps.database.packages().map(|package| package.name().to_owned()).collect();
        let mut updates = Updates::None;
        for name in names {
            if self.request_if_possible(xbps, &name)? {
                updates = Updates::Some;
            }
        }
        Ok(updates)
    }

    /// Asks for a package: to be installed, or updated along with what needs it.
    ///
    /// # Errors
    /// `EBUSY` if the package manager has to be updated first, `ENOENT` if there is no such package, `EEXIST` if it is there.
    pub fn request(&mut self, xbps: &mut Xbps<'_, '_>, wanted: &str, force: bool) -> Result<(), Errno> {
        if self.update_xbps(xbps)? {
            return if wanted == "xbps" { Ok(()) } else { Err(Errno::EBUSY) };
        }
        if !self.manner.download_only {
            let name = xbps.database.get(wanted).map(|package| package.name().to_owned());
            self.request_dependants(xbps, name.as_deref())?;
        }
        self.request_one(xbps, wanted, force)
    }

    /// Asks for a newer version of the package manager, if it is installed and there is one.
    fn update_xbps(&mut self, xbps: &mut Xbps<'_, '_>) -> Result<bool, Errno> {
        let installed = xbps.database.get("xbps").or_else(|| xbps.database.provider(&xbps.providers, "xbps"));
        let Some(name) = installed.map(|package| package.name().to_owned()) else { return Ok(false) };
        if !self.request_if_possible(xbps, &name)? || self.manner.download_only {
            return Ok(false);
        }
        self.request_dependants(
            xbps,
            xbps.database.get("xbps").map(|package| package.name().to_owned()).as_deref(),
        )?;
        // What is broken by it will be mended by the update of everything else.
        self.manner.breaks_others = true;
        Ok(true)
    }

    fn request_dependants(&mut self, xbps: &mut Xbps<'_, '_>, name: Option<&str>) -> Result<(), Errno> {
        let Some(name) = name else { return Ok(()) };
        for dependant in xbps.database.needing(&xbps.providers, name).to_vec() {
            let dependant = version::name(&dependant).unwrap_or_default();
            self.request_if_possible(xbps, dependant)?;
        }
        Ok(())
    }

    /// Whether a package could be asked for: there is such a package, and it is not there yet.
    fn request_if_possible(&mut self, xbps: &mut Xbps<'_, '_>, name: &str) -> Result<bool, Errno> {
        match self.request_one(xbps, name, false) {
            Ok(()) => Ok(true),
            Err(Errno::ENOENT | Errno::EEXIST | Errno::ENODEV) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    fn request_one(&mut self, xbps: &mut Xbps<'_, '_>, wanted: &str, force: bool) -> Result<(), Errno> {
        let (installed, wanted) = self.installed(xbps, wanted)?;
        let mut package = found(xbps, installed.as_ref(), &wanted)?;
        let mut action = match &installed {
            Some(_) if force => Action::Reinstall,
            Some(_) => Action::Update,
            None => Action::Install,
        };
        if let Some(installed) = &installed {
            let order = version::compare(package.pkgver(), installed.pkgver());
            if action == Action::Update && order.is_le() && !package.reverts(installed.pkgver()) {
                return Err(Errno::EEXIST);
            }
            if action == Action::Reinstall && order.is_gt() {
                action = Action::Update;
            }
            ["automatic-install", "hold", "repolock"]
                .iter()
                .for_each(|kept| package.inherit(kept, installed));
        }
        if action == Action::Update && self.find(package.pkgver()).is_some() {
            return Err(Errno::EEXIST);
        }
        if xbps.database.get(package.name()).is_none() {
            action = Action::Install;
        }
        if !force && package.has("hold") {
            action = Action::Hold;
        }
        if action == Action::Install && self.manner.automatic {
            package.set("automatic-install", super::super::plist::Value::Flag(true));
        }
        self.add(xbps, Entry::new(package, action));
        Ok(())
    }

    /// What is installed of what is asked for, and what to look for in the repositories.
    fn installed(&self, xbps: &mut Xbps<'_, '_>, wanted: &str) -> Result<(Option<Package>, String), Errno> {
        let name = version::name(wanted).unwrap_or(wanted);
        let installed = xbps.database.get(name).cloned();
        let provider = match installed {
            None => xbps.database.provider(&xbps.providers, name).cloned(),
            Some(_) => None,
        };
        if let Some(provider) = provider
            && !matches!(xbps.available(wanted), Ok(Some(_)))
        {
            // There is no real package of that name: what provides it is kept up to date.
            let name = provider.name().to_owned();
            return Ok((Some(provider), name));
        }
        let installed = installed.filter(|_| !self.manner.download_only);
        Ok((installed, wanted.to_owned()))
    }
}

/// What is asked for, as the repositories have it.
fn found(xbps: &mut Xbps<'_, '_>, installed: Option<&Package>, wanted: &str) -> Result<Package, Errno> {
    let found = match installed {
        Some(installed) if installed.has("repolock") => {
            let providers = xbps.configuration.providers.clone();
            let bound = xbps.pool.bound(installed.text("repository"));
            let found = bound.and_then(|repository| repository.get(&providers, wanted));
            xbps.tell_complaints();
            found
        }
        Some(_) => xbps.available(wanted).unwrap_or(None),
        None => xbps.available_or_provider(wanted).unwrap_or(None),
    };
    found.ok_or(Errno::ENOENT)
}

impl Transaction {
    /// Asks for the removal of a package; with `recursive`, also of what only it needed.
    ///
    /// # Errors
    /// `ENOENT` if it is not installed.
    pub fn request_removal(
        &mut self,
        xbps: &mut Xbps<'_, '_>,
        wanted: &str,
        recursive: bool,
    ) -> Result<(), Errno> {
        let package = xbps.database.get(wanted).ok_or(Errno::ENOENT)?;
        let removed = match recursive {
            true => xbps.database.with_orphans(&xbps.providers, package),
            false => vec![package.clone()],
        };
        removed.into_iter().for_each(|package| self.add(xbps, Entry::new(package, Action::Remove)));
        Ok(())
    }

    /// Asks for the removal of what nobody needs any more.
    pub fn request_orphans(&mut self, xbps: &mut Xbps<'_, '_>) {
        let orphans: Vec<Package> = xbps.database.orphans(&xbps.providers).into_iter().cloned().collect();
        orphans.into_iter().for_each(|orphan| self.add(xbps, Entry::new(orphan, Action::Remove)));
    }
}
