//! The files of a host, with the errors that xbps names.

use std::path::{Path, PathBuf};

use refrain_engine::system::{Attributes, Content, Stat, System};
use sha2::{Digest, Sha256};

use super::errno::Errno;

/// The files of a host.
#[derive(Clone, Copy)]
pub struct Disk<'a>(pub &'a dyn System);

impl Disk<'_> {
    /// What a path itself is, a link not followed.
    pub fn lstat(self, path: &Path) -> Option<Stat> {
        self.0.lstat(path).ok().flatten()
    }

    /// Whether there is anything, links followed.
    pub fn exists(self, path: &Path) -> bool {
        matches!(self.0.stat(path), Ok(Some(_)))
    }

    /// The content of a file.
    pub fn read(self, path: &Path) -> Result<Vec<u8>, Errno> {
        match self.0.read(path)? {
            Some(Content::Known(content)) => Ok(content),
            Some(Content::Unknown) => Err(Errno::EIO),
            None => Err(Errno::ENOENT),
        }
    }

    /// The content of a file as text.
    pub fn read_text(self, path: &Path) -> Result<String, Errno> {
        String::from_utf8(self.read(path)?).map_err(|_| Errno::EINVAL)
    }

    /// Puts a file of this user in place.
    pub fn write(self, path: &Path, content: &[u8], mode: u32) -> Result<(), Errno> {
        Ok(self.0.write(path, content, self.attributes(mode))?)
    }

    /// Makes a directory and those that it is in.
    pub fn make_directories(self, path: &Path) -> Result<(), Errno> {
        if self.exists(path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make_directories(parent)?;
        }
        Ok(self.0.make_directory(path, self.attributes(0o755))?)
    }

    /// Puts a link in place of whatever file or link there is.
    pub fn link(self, path: &Path, target: &str) -> Result<(), Errno> {
        Ok(self.0.make_link(path, Path::new(target))?)
    }

    /// Removes a file, a link or an empty directory.
    pub fn remove(self, path: &Path) -> Result<(), Errno> {
        if self.lstat(path).is_none() {
            return Err(Errno::ENOENT);
        }
        if !self.list(path).is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        Ok(self.0.remove(path)?)
    }

    /// Where a link points.
    pub fn read_link(self, path: &Path) -> Option<PathBuf> {
        self.0.read_link(path).ok().flatten()
    }

    /// The names in a directory, sorted. None for a link to one.
    pub fn list(self, path: &Path) -> Vec<String> {
        let is_link = self.read_link(path).is_some();
        let names = if is_link { Vec::new() } else { self.0.list(path).unwrap_or_default() };
        names.into_iter().filter_map(|name| name.into_string().ok()).collect()
    }

    /// The SHA256 of a file, in hexadecimal digits.
    pub fn sha256(self, path: &Path) -> Result<String, Errno> {
        self.read(path).map(|content| sha256(&content))
    }

    /// Whether a file has this SHA256.
    ///
    /// # Errors
    /// `ERANGE` if it has another.
    pub fn check(self, path: &Path, expected: &str) -> Result<(), Errno> {
        if self.sha256(path)? == expected { Ok(()) } else { Err(Errno::ERANGE) }
    }

    fn attributes(self, mode: u32) -> Attributes {
        let (uid, gid) = self.0.identity();
        Attributes { mode, uid, gid }
    }
}

/// A SHA256 in hexadecimal digits.
pub fn sha256(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}

/// Bytes as lower case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
