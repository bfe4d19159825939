//! What was looked at, as long as it is believed.

use std::collections::HashMap;
use std::ffi::OsString;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::call::{Seen, SeenContent};
use crate::failure::Failure;
use crate::system::changes;

/// Something else than the play may change the host too: what was looked at is believed for so long at most.
const LIFETIME: Duration = Duration::from_secs(1);

/// What is known of a host, until the play changes anything, on whatever way, or time is up.
#[derive(Default)]
pub(super) struct Beliefs {
    /// The count of changes when the first of it was looked at.
    changes: u64,
    seen: Table<PathBuf, Seen>,
    names: Table<PathBuf, Result<Vec<OsString>, Failure>>,
    programs: Table<String, Option<PathBuf>>,
}

type Table<K, V> = HashMap<K, (Instant, V)>;

impl Beliefs {
    /// What is believed of a path.
    pub(super) fn seen(&mut self, path: &Path) -> Option<&Seen> {
        self.refresh();
        fresh(&self.seen, path)
    }

    /// What is believed to be in a directory.
    pub(super) fn names(&mut self, path: &Path) -> Option<&Result<Vec<OsString>, Failure>> {
        self.refresh();
        fresh(&self.names, path)
    }

    /// Where a program is believed to be.
    pub(super) fn program(&mut self, name: &str) -> Option<&Option<PathBuf>> {
        self.refresh();
        fresh(&self.programs, name)
    }

    /// Believes what was said of a path.
    pub(super) fn believe(&mut self, seen: Seen) {
        self.refresh();
        // What is on the way to a path is told without its content, which may be known from before.
        let known = self.seen.get(&seen.path).is_some_and(|(since, old)| {
            let told = |seen: &Seen| seen.content != SeenContent::Untold;
            since.elapsed() < LIFETIME && told(old) && !told(&seen)
        });
        if !known {
            self.seen.insert(seen.path.clone(), (Instant::now(), seen));
        }
    }

    /// Believes what was said to be in a directory.
    pub(super) fn believe_names(&mut self, path: &Path, names: &Result<Vec<OsString>, Failure>) {
        self.refresh();
        self.names.insert(path.to_owned(), (Instant::now(), names.clone()));
    }

    /// Believes where a program was said to be.
    pub(super) fn believe_program(&mut self, name: &str, path: Option<&Path>) {
        self.refresh();
        self.programs.insert(name.to_owned(), (Instant::now(), path.map(ToOwned::to_owned)));
    }

    fn refresh(&mut self) {
        if self.changes != changes::count() {
            *self = Self { changes: changes::count(), ..Self::default() };
        }
    }
}

fn fresh<'a, K, Q, V>(table: &'a Table<K, V>, key: &Q) -> Option<&'a V>
where
    K: std::borrow::Borrow<Q> + Eq + Hash,
    Q: Eq + Hash + ?Sized,
{
    table.get(key).filter(|(since, _)| since.elapsed() < LIFETIME).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_ends_all_beliefs() {
        let mut beliefs = Beliefs::default();
        beliefs.believe_program("sv", Some(Path::new("/bin/sv")));
        beliefs.believe_names(Path::new("/etc"), &Ok(Vec::new()));
        assert_eq!(beliefs.program("sv"), Some(&Some(PathBuf::from("/bin/sv"))));
        assert_eq!(beliefs.program("other"), None);
        changes::note();
        assert_eq!(beliefs.program("sv"), None);
        assert!(beliefs.names(Path::new("/etc")).is_none());
    }
}
