//! Package files are fetched and verified.

use std::path::PathBuf;

use super::super::definition::Definition;
use super::super::errno::Errno;
use super::super::handle::Xbps;
use super::super::network::{FetchError, is_remote, local_file};
use super::super::package::Package;
use super::super::progress;
use super::super::transaction::Action;
use super::Commit;

impl Xbps<'_, '_> {
    /// Where the file of a package is once it is there: in the repository, or fetched from it.
    pub fn kept_file(&self, package: &Package) -> PathBuf {
        let repository = package.text("repository");
        let directory = if is_remote(repository) { self.cache.clone() } else { PathBuf::from(repository) };
        directory.join(package.file_name())
    }

    /// Where the signature of a fetched file is.
    fn signature_file(&self, package: &Package) -> PathBuf {
        self.cache.join(format!("{}.sig2", package.file_name()))
    }

    /// The file of a package that is there.
    ///
    /// # Errors
    /// It is not there.
    pub fn read_archive(&self, package: &Package) -> Result<Vec<u8>, Errno> {
        let file = self.kept_file(package);
        let directory = file.parent().unwrap_or(&file);
        local_file(self.disk, directory, &package.file_name())
    }

    /// The file of a package, fetched if it is not there, and not kept.
    ///
    /// # Errors
    /// It can't be had.
    pub fn archive(&self, package: &Package) -> Result<Vec<u8>, Errno> {
        let kept = self.read_archive(package);
        let repository = package.text("repository");
        if kept == Err(Errno::ENOENT) && is_remote(repository) {
            let fetched = self.pool.opener.network.fetch(repository, &package.file_name());
            return fetched.map_err(FetchError::errno);
        }
        kept
    }

    /// Fetches a file of a repository into the cache.
    fn download(&mut self, package: &Package, name: &str) -> Result<(), FetchError> {
        let content = self.pool.opener.network.fetch(package.text("repository"), name)?;
        progress::begin(self, name, content.len() as u64);
        let kept = self.disk.write(&self.cache.join(name), &content, 0o644);
        kept.map_err(FetchError::Unkept)?;
        progress::end(self, name, content.len() as u64);
        Ok(())
    }

    /// Whether a fetched file is signed with the key of its repository, and that is trusted.
    fn is_signature_valid(&self, package: &Package) -> bool {
        let signature = self.disk.read(&self.signature_file(package));
        let (Ok(signature), Ok(archive)) = (signature, self.read_archive(package)) else { return false };
        let key = self.pool.get(package.text("repository")).and_then(|repository| repository.key.clone());
        let trusted = |key: &super::super::key::Key| {
            key.place(&self.meta).is_some_and(|place| self.disk.exists(&place))
        };
        key.is_some_and(|key| trusted(&key) && key.sign(&archive) == signature)
    }
}

impl Commit<'_, '_, '_> {
    /// What is in the file of a package.
    pub(super) fn definition(&self, package: &Package) -> Option<Definition> {
        Definition::from_archive(&self.xbps.read_archive(package).ok()?)
    }

    /// Fetches what is missing and verifies all.
    pub(super) fn fetch(&mut self) -> Result<(), Errno> {
        let transaction = self.transaction;
        let entries = transaction.entries.iter();
        let unpacked = entries.filter(|entry| entry.action.unpacks() || entry.action == Action::Download);
        let (fetched, kept): (Vec<_>, Vec<_>) = unpacked.map(|entry| &entry.package).partition(|package| {
            let disk = self.xbps.disk;
            let is_kept =
                disk.exists(&self.xbps.signature_file(package)) && disk.exists(&self.xbps.kept_file(package));
            is_remote(package.text("repository")) && !is_kept
        });
        if !fetched.is_empty() {
            self.heading("Downloading packages");
        }
        fetched.into_iter().try_for_each(|package| self.fetch_package(package))?;
        if !kept.is_empty() {
            self.heading("Verifying package integrity");
        }
        kept.into_iter().try_for_each(|package| self.verify(package))
    }

    fn fetch_package(&mut self, package: &Package) -> Result<(), Errno> {
        let name = package.file_name();
        for (name, what) in [(format!("{name}.sig2"), "signature"), (name, "package")] {
            let is_there = what == "signature" && self.xbps.disk.exists(&self.xbps.signature_file(package));
            if is_there {
                continue;
            }
            if let Err(error) = self.xbps.download(package, &name) {
                let (pkgver, url) = (package.pkgver(), package.text("repository"));
                self.xbps
                    .error(format!("[trans] failed to download `{pkgver}' {what} from `{url}': {error}"));
                return Err(error.code());
            }
        }
        self.verify_signature(package)
    }

    fn verify_signature(&mut self, package: &Package) -> Result<(), Errno> {
        let pkgver = package.pkgver();
        self.tell(format!("{pkgver}: verifying RSA signature..."));
        if self.xbps.is_signature_valid(package) {
            return Ok(());
        }
        self.xbps.error(format!("{pkgver}: the RSA signature is not valid!"));
        self.xbps.error(format!("{pkgver}: removed pkg archive and its signature."));
        for file in [self.xbps.kept_file(package), self.xbps.signature_file(package)] {
            // What is not there is removed.
            let _ = self.xbps.disk.remove(&file);
        }
        Err(Errno::EPERM)
    }

    fn verify(&mut self, package: &Package) -> Result<(), Errno> {
        if is_remote(package.text("repository")) {
            return self.verify_signature(package);
        }
        let pkgver = package.pkgver();
        self.tell(format!("{pkgver}: verifying SHA256 hash..."));
        let archive = match self.xbps.read_archive(package) {
            Ok(archive) => archive,
            Err(errno) => {
                self.xbps.error(format!("{pkgver}: failed to checksum: {errno}"));
                return Err(errno);
            }
        };
        if super::super::disk::sha256(&archive) != package.text("filename-sha256") {
            self.xbps.error(format!("{pkgver}: checksum does not match repository index"));
            return Err(Errno::ERANGE);
        }
        Ok(())
    }
}
