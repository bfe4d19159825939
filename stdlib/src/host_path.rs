//! Paths on the host, as arguments.

use std::fmt;
use std::ops::Deref;
use std::path::{Component, Path, PathBuf};

use crate::argument_schema::text_argument;

/// An absolute path on the host. A slash at its end, `.` and doubled slashes don't count.
///
/// `..` is refused: where it leads depends on what is a link, so that `file::absent("/srv/app/..")` could be anything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPath(PathBuf);

impl HostPath {
    /// The path of this text.
    ///
    /// # Errors
    /// Why it is none: it is relative, goes up, or holds a zero byte.
    pub fn new(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err(format!("a path on the host has to be absolute, got `{text}`"));
        }
        if text.contains('\0') {
            return Err("a path can't hold a zero byte".to_owned());
        }
        if Path::new(text).components().any(|component| component == Component::ParentDir) {
            return Err(format!("a path on the host can't have `..` in it, got `{text}`"));
        }
        // Collecting the components drops what does not count.
        Ok(Self(Path::new(text).components().collect()))
    }
}

impl Deref for HostPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

text_argument!(HostPath, HostPath::new);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute() {
        assert_eq!(HostPath::new("/etc//sv/./web/").unwrap().to_string(), "/etc/sv/web");
        assert_eq!(HostPath::new("/").unwrap().to_string(), "/");
        assert_eq!(HostPath::new("/a/..b/...").unwrap().to_string(), "/a/..b/...");
        assert!(HostPath::new("/etc/..").unwrap_err().contains("`/etc/..`"));
        assert!(HostPath::new("etc").unwrap_err().contains("`etc`"));
        assert!(HostPath::new("/a\0b").is_err());
    }
}
