//! Files of a package are put in place.

use std::path::Path;

use refrain_engine::system::{Attributes, Kind, Stat};

use super::super::alternatives;
use super::super::database::files_place;
use super::super::definition::{Definition, Unpacked};
use super::super::errno::Errno;
use super::super::package::Package;
use super::super::plist::{self, Dictionary};
use super::Commit;
use super::configuration_files::Fate;

impl Commit<'_, '_, '_> {
    pub(super) fn unpack(&mut self, package: &Package) -> Result<(), Errno> {
        let pkgver = package.pkgver();
        self.tell(format!("{pkgver}: unpacking ..."));
        let definition = self.definition(package).ok_or(Errno::EINVAL)?;
        if let Err(errno) = self.unpack_files(package, &definition) {
            self.xbps.error(format!("{pkgver}: [unpack] failed to extract files: {errno}"));
            self.xbps.error(format!("{pkgver}: [unpack] failed to unpack files from archive: {errno}"));
            return Err(errno);
        }
        alternatives::join(self.xbps, package);
        Ok(())
    }

    fn unpack_files(&mut self, package: &Package, definition: &Definition) -> Result<(), Errno> {
        self.remove_obsolete(package);
        let files = definition.file_list();
        let before = self.xbps.database.files(self.xbps.disk, &self.xbps.meta, package.name());
        for (path, unpacked) in definition.unpack() {
            if let Err(errno) = self.unpack_one(package, path, &unpacked, before.as_ref()) {
                let pkgver = package.pkgver();
                self.xbps.error(format!("{pkgver}: [unpack] failed to extract file `.{path}': {errno}"));
                return Err(errno);
            }
        }
        let place = files_place(&self.xbps.meta, package.name());
        match files {
            Some(files) => {
                self.xbps.disk.make_directories(&self.xbps.meta)?;
                self.xbps.disk.write(&place, plist::write(&files).as_bytes(), 0o644)
            }
            None => {
                // Nothing there is fine.
                let _ = self.xbps.disk.remove(&place);
                Ok(())
            }
        }
    }

    fn remove_obsolete(&mut self, package: &Package) {
        if package.is("preserve") {
            return;
        }
        let pkgver = package.pkgver();
        for path in self.obsolete.get(package.name()).cloned().unwrap_or_default() {
            match self.xbps.disk.remove(&self.xbps.inside(&path)) {
                Ok(()) => self.tell_removed(&format!("{pkgver}: removed obsolete entry: .{path}")),
                Err(Errno::ENOTEMPTY | Errno::EBUSY) => {}
                Err(errno) => {
                    self.xbps.error(format!("{pkgver}: failed to remove obsolete entry `.{path}': {errno}"));
                }
            }
        }
    }

    fn unpack_one(
        &mut self,
        package: &Package,
        path: &str,
        unpacked: &Unpacked,
        before: Option<&Dictionary>,
    ) -> Result<(), Errno> {
        let pkgver = package.pkgver();
        if !self.xbps.configuration.extracts(path) {
            self.tell(format!(
                "{pkgver}: file `.{path}' won't be extracted, it matches a noextract pattern."
            ));
            return Ok(());
        }
        let place = self.xbps.inside(path);
        let there = self.xbps.disk.lstat(&place);
        if there.is_some() && self.xbps.configuration.preserved.iter().any(|preserved| preserved == path) {
            self.tell(format!("{pkgver}: file `.{path}' won't be extracted, it's preserved."));
            return Ok(());
        }
        let is_kept_configuration = unpacked.is_configuration() && !self.manner.overwrites;
        if let Some(there) = &there
            && !is_kept_configuration
            && there.kind != kind(unpacked)
        {
            // Something that can't be removed is found out when the new one is put in place.
            let _ = self.xbps.disk.remove(&place);
        }
        match unpacked {
            Unpacked::Link(target) => {
                self.put(&place, |disk| disk.link(&place, target))?;
                self.tell_unpacked(pkgver, path, 0, false);
                Ok(())
            }
            Unpacked::File { content, mode, .. } => {
                let there = there.filter(|there| matches!(there.kind, Kind::File | Kind::Link));
                let fate = match there {
                    Some(_) if self.manner.overwrites => Fate::Written,
                    Some(ref there) if is_kept_configuration => {
                        let is_link = there.kind == Kind::Link;
                        self.configuration_file(package, path, content, before, is_link)?
                    }
                    Some(ref there) => self.other_file(&place, content, there),
                    None => Fate::Written,
                };
                self.settle(&place, &fate, content, *mode)?;
                let was_configuration = is_kept_configuration && there.is_some();
                match fate {
                    Fate::Written => self.tell_unpacked(pkgver, path, content.len(), was_configuration),
                    Fate::Beside(name) => {
                        let path = format!(
                            "{}{name}",
                            &path[..path.len() - path.rsplit('/').next().map_or(0, str::len)]
                        );
                        self.tell_unpacked(pkgver, &path, content.len(), was_configuration);
                    }
                    Fate::Left => {}
                }
                Ok(())
            }
        }
    }

    /// A file that is no configuration file is written unless it is there like this.
    fn other_file(&self, place: &Path, content: &[u8], there: &Stat) -> Fate {
        let is_same = there.kind == Kind::File && self.xbps.disk.read(place).is_ok_and(|now| now == content);
        if is_same { Fate::Left } else { Fate::Written }
    }

    fn settle(&mut self, place: &Path, fate: &Fate, content: &[u8], mode: u32) -> Result<(), Errno> {
        match fate {
            Fate::Written => self.put(place, |disk| disk.write(place, content, mode)),
            Fate::Beside(name) => {
                let place = place.with_file_name(name);
                self.put(&place, |disk| disk.write(&place, content, mode))
            }
            Fate::Left => {
                let (uid, gid) = self.xbps.disk.0.identity();
                let attributes = Attributes { mode, uid, gid };
                match self.xbps.disk.lstat(place) {
                    Some(there) if there.attributes != attributes => {
                        Ok(self.xbps.disk.0.set_attributes(place, attributes)?)
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// Tells of a file that was put in place, if more is to be told.
    fn tell_unpacked(&mut self, pkgver: &str, path: &str, size: usize, is_configuration: bool) {
        if self.xbps.is_verbose {
            let what = if is_configuration { "configuration file" } else { "file" };
            self.tell(format!("{pkgver}: unpacked {what} `.{path}' ({size} bytes)"));
        }
    }

    fn put(
        &self,
        place: &Path,
        put: impl FnOnce(super::super::disk::Disk<'_>) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        if let Some(parent) = place.parent() {
            self.xbps.disk.make_directories(parent)?;
        }
        put(self.xbps.disk)
    }
}

fn kind(unpacked: &Unpacked) -> Kind {
    match unpacked {
        Unpacked::File { .. } => Kind::File,
        Unpacked::Link(_) => Kind::Link,
    }
}
