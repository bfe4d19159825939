//! Which entries of an archive are unpacked, and where.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::error::ArchiveError;
use crate::glob;

/// What the call says about names.
#[derive(Debug)]
pub struct Selection<'a> {
    /// How many leading directories are taken off every name.
    pub strip: usize,
    /// What is left out, as patterns of paths below the directory.
    pub exclude: &'a [PathBuf],
}

impl Selection<'_> {
    /// Where the entry with this name goes, below the directory. Absent when it is left out.
    ///
    /// # Errors
    /// The name leads out of the directory. That is also an error for what would be left out.
    pub fn place(&self, name: &[u8]) -> Result<Option<PathBuf>, ArchiveError> {
        let place: PathBuf = clean(name)?.components().skip(self.strip).collect();
        let left_out = self.exclude.iter().any(|pattern| glob::covers(pattern, &place));
        Ok(Some(place).filter(|place| !place.as_os_str().is_empty() && !left_out))
    }
}

/// A name as a relative path without detours. Empty for the directory itself.
fn clean(name: &[u8]) -> Result<PathBuf, ArchiveError> {
    if name.contains(&0) {
        return Err(ArchiveError::name(name, "holds a zero byte"));
    }
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err(ArchiveError::name(name, "has `..` in it")),
            Component::RootDir | Component::Prefix(_) => {
                return Err(ArchiveError::name(name, "is absolute"));
            }
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(strip: usize, exclude: &[&str], name: &str) -> Result<Option<String>, String> {
        let exclude: Vec<PathBuf> = exclude.iter().map(PathBuf::from).collect();
        let place = Selection { strip, exclude: &exclude }.place(name.as_bytes());
        let place = place.map_err(|error| error.to_string())?;
        Ok(place.map(|path| path.display().to_string()))
    }

    #[test]
    fn names_stay_below_the_directory() {
        let cases: [(usize, &[&str], &str, Option<&str>); 12] = [
            (0, &[], "a/b", Some("a/b")),
            (0, &[], "./a//b/.", Some("a/b")),
            (0, &[], "./", None),
            (0, &[], "...", Some("...")),
            (1, &[], "app-1.0/bin/app", Some("bin/app")),
            (1, &[], "app-1.0/", None),
            (2, &[], "a/b", None),
            (0, &["doc"], "doc/man/a.1", None),
            (0, &["doc"], "docs", Some("docs")),
            (0, &["*/man"], "doc/man/a.1", None),
            (1, &["LICENSE*"], "app/LICENSE.txt", None),
            (0, &["man"], "doc/man", Some("doc/man")),
        ];
        for (strip, exclude, name, expected) in cases {
            assert_eq!(place(strip, exclude, name), Ok(expected.map(ToOwned::to_owned)), "{name}");
        }
    }

    #[test]
    fn names_that_lead_out_are_errors() {
        for name in ["/etc/passwd", "../x", "a/../../x", "a/..", "..", "//x", "a\0b"] {
            for exclude in [&[] as &[&str], &["*", "etc"]] {
                assert!(place(0, exclude, name).is_err(), "{name}");
            }
            assert!(place(3, &[], name).is_err(), "{name}");
        }
    }
}
