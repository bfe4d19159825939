//! Paths inside a host's root, walked by hand where no kernel does it: in predictions and in the sandbox.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use crate::failure::Failure;

/// As many links as Linux follows in one path.
pub(super) const MOST_LINKS: usize = 40;

/// The path with every link in it followed, as the kernel would do it in a root where `read_link` tells the links.
///
/// The last component is followed only with `follow_last`. What does not exist is kept as it is written. The result never
/// leaves the root: `..` at the top stays there.
///
/// # Errors
/// What `read_link` fails with, or a loop of links.
pub fn resolve(
    path: &Path,
    follow_last: bool,
    mut read_link: impl FnMut(&Path) -> Result<Option<PathBuf>, Failure>,
) -> Result<PathBuf, Failure> {
    let mut done = PathBuf::from("/");
    let mut todo = names(path);
    let mut links = 0;
    while let Some(name) = todo.pop() {
        if name == ".." {
            done.pop();
            continue;
        }
        let next = done.join(&name);
        if todo.is_empty() && !follow_last {
            return Ok(next);
        }
        match read_link(&next)? {
            None => done = next,
            Some(target) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Failure::Io {
                        act: "follow".into(),
                        path: path.to_owned(),
                        reason: "too many levels of symbolic links".to_owned(),
                    });
                }
                if target.is_absolute() {
                    done = PathBuf::from("/");
                }
                todo.extend(names(&target));
            }
        }
    }
    Ok(done)
}

/// The components of a path, last one first, without the root and without `.`.
pub(super) fn names(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn walk(path: &str, follow_last: bool) -> Result<PathBuf, Failure> {
        let links: HashMap<&str, &str> =
            [("/var/service", "/run/sv"), ("/up", "../../etc"), ("/loop", "loop"), ("/etc/a", "b")].into();
        resolve(Path::new(path), follow_last, |path| {
            Ok(path.to_str().and_then(|path| links.get(path)).map(PathBuf::from))
        })
    }

    #[test]
    fn links_stay_inside_the_root() {
        assert_eq!(walk("/var/service/nginx", true).unwrap(), Path::new("/run/sv/nginx"));
        assert_eq!(walk("/up/passwd", true).unwrap(), Path::new("/etc/passwd"));
        assert_eq!(walk("/../../etc/./x", true).unwrap(), Path::new("/etc/x"));
        assert_eq!(walk("/etc/a", true).unwrap(), Path::new("/etc/b"));
        assert_eq!(walk("/etc/a", false).unwrap(), Path::new("/etc/a"));
        assert_eq!(walk("/up/a", false).unwrap(), Path::new("/etc/a"));
        assert!(walk("/loop", true).unwrap_err().to_string().contains("too many levels"));
    }
}
