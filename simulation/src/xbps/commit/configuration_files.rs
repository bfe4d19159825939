//! What becomes of a configuration file that is there already.

use super::super::disk::sha256;
use super::super::errno::Errno;
use super::super::package::Package;
use super::super::plist::{Dictionary, Value};
use super::Commit;

/// What becomes of a file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The new one takes its place.
    Written,
    /// It stays.
    Left,
    /// It stays, and the new one comes beside it under this name.
    Beside(String),
}

/// A decision: by what the file was as the package put it there, what it is, and what it would be.
fn decide(original: &str, current: &str, new: &str, keep: bool) -> Decision {
    match (original == current, original == new, current == new) {
        (true, true, _) | (false, false, true) => Decision::Same,
        (true, false, _) if !keep => Decision::Update,
        (false, true, _) => Decision::KeepChanged,
        _ => Decision::Beside,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Same,
    Update,
    KeepChanged,
    Beside,
}

impl Commit<'_, '_, '_> {
    pub(super) fn configuration_file(
        &mut self,
        package: &Package,
        path: &str,
        content: &[u8],
        before: Option<&Dictionary>,
        is_link: bool,
    ) -> Result<Fate, Errno> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let beside = || Fate::Beside(format!("{name}.new-{}", package.version()));
        let new_path = format!(".{path}.new-{}", package.version());
        let Some(before) = before.filter(|_| !is_link) else {
            self.tell(format!("File `.{path}' exists, installing configuration file to `{new_path}'."));
            return Ok(beside());
        };
        let Some(original) = original(before, path) else { return Ok(Fate::Written) };
        let current = match self.xbps.disk.sha256(&self.xbps.inside(path)) {
            Err(Errno::ENOENT) => return Ok(Fate::Written),
            current => current?,
        };
        let keep = self.xbps.configuration.keep_configuration;
        Ok(match decide(original, &current, &sha256(content), keep) {
            Decision::Same => Fate::Left,
            Decision::Update => {
                let pkgver = package.pkgver();
                self.tell(format!("Updating configuration file `{path}' provided by `{pkgver}'."));
                Fate::Written
            }
            Decision::KeepChanged => {
                self.tell(format!("Keeping modified configuration file `{path}'."));
                Fate::Left
            }
            Decision::Beside => {
                self.tell(format!("File `{path}' exists, installing configuration file to `{new_path}'."));
                beside()
            }
        })
    }
}

/// The SHA256 of a configuration file as the package put it there.
fn original<'a>(before: &'a Dictionary, path: &str) -> Option<&'a str> {
    let files = before.get("conf_files").and_then(Value::list)?.iter().filter_map(Value::dictionary);
    let mut meant = files.filter(|file| file.get("file").and_then(Value::text) == Some(path));
    meant.next()?.get("sha256")?.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_changed_is_never_overwritten() {
        let cases = [
            (["x", "x", "x"], false, Decision::Same),
            (["x", "x", "y"], false, Decision::Update),
            (["x", "x", "y"], true, Decision::Beside),
            (["x", "y", "x"], false, Decision::KeepChanged),
            (["x", "y", "y"], false, Decision::Same),
            (["x", "y", "z"], false, Decision::Beside),
            (["x", "y", "z"], true, Decision::Beside),
        ];
        for ([original, current, new], keep, expected) in cases {
            assert_eq!(decide(original, current, new, keep), expected, "{original}{current}{new} {keep}");
        }
    }
}
