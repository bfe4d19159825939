//! A package is removed.

use super::super::database::files_place;
use super::super::errno::Errno;
use super::super::package::{Package, State};
use super::super::{alternatives, handle::Xbps};
use super::{Commit, Tool};

/// Takes back the line before, as `xbps-install` does it even where nobody can see it.
pub const LINE_UP: &str = "\x1b[1A\x1b[K";

impl Commit<'_, '_, '_> {
    pub(super) fn remove(&mut self, package: &Package) -> Result<(), Errno> {
        let (name, pkgver) = (package.name(), package.pkgver());
        let Some(installed) = self.xbps.database.get(name).cloned() else { return Err(Errno::ENOENT) };
        match self.manner.tool {
            Tool::Install => self.xbps.say(format!("{pkgver}: removing ...")),
            Tool::Remove => self.xbps.say(format!("Removing `{pkgver}' ...")),
        }
        // Of a package that is half removed, nothing is left but the entry.
        if installed.state() != State::HalfRemoved {
            alternatives::leave(self.xbps, &installed, false);
            self.remove_files(name, pkgver);
        }
        // Nothing there is fine.
        let _ = self.xbps.disk.remove(&files_place(&self.xbps.meta, name));
        self.xbps.database.remove(name);
        match self.manner.tool {
            Tool::Install => self.xbps.say(format!("{pkgver}: removed successfully.")),
            Tool::Remove => self.xbps.say(format!("Removed `{pkgver}' successfully.")),
        }
        Ok(())
    }

    fn remove_files(&mut self, name: &str, pkgver: &str) {
        for path in self.obsolete.get(name).cloned().unwrap_or_default() {
            let removed = self.xbps.disk.remove(&self.xbps.inside(&path));
            match removed {
                Ok(()) => self.tell_removed(&format!("Removed `.{path}'")),
                Err(Errno::ENOTEMPTY | Errno::EBUSY) => {}
                Err(Errno::ENOENT) if self.manner.tool == Tool::Remove => {}
                Err(errno) => self.xbps.error(format!("{pkgver}: failed to remove `.{path}': {errno}")),
            }
        }
    }

    /// Tells of a file that was removed.
    pub(super) fn tell_removed(&mut self, line: &str) {
        match (self.manner.tool, self.xbps.is_verbose) {
            (_, true) => self.xbps.say(line),
            (Tool::Install, false) => self.xbps.print(format!("{line}\n{LINE_UP}")),
            (Tool::Remove, false) => {}
        }
    }
}

impl Xbps<'_, '_> {
    /// Where a link inside the root points, as lists of files have it: seen from the root if `recorded` is. `None` when
    /// there is no link.
    pub fn link_target(&self, path: &str, recorded: &str) -> Option<String> {
        let place = self.inside(path);
        let target = self.disk.read_link(&place)?.to_str()?.to_owned();
        if !recorded.starts_with('/') || target.starts_with('/') {
            return Some(target);
        }
        if target.contains("./") && !self.disk.exists(&place) {
            // It leads nowhere, and what is meant can't be told.
            return Some(recorded.to_owned());
        }
        Some(super::super::definition::absolute(path, &target))
    }
}
