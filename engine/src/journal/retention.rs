//! How long the way back is kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::recorder::plain;

/// What is older is removed by the next run that changes something.
pub(super) const OLDEST: Duration = Duration::from_secs(30 * 86_400);

/// So many bytes are kept at most: the oldest runs go first.
const MOST: u64 = 512 * 1024 * 1024;

/// Removes the journals of runs that are too old, or too much. `run` is not among them.
///
/// What can't be removed stays: that must be no reason for not doing what a run is for.
pub(super) fn prune(state: &Path, run: &str) {
    let own = plain(run);
    let unfinished = names(&state.join("unfinished"));
    let is_unfinished = |name: &str| unfinished.iter().any(|marker| marker.starts_with(&format!("{name}.")));
    let mut runs: Vec<(SystemTime, PathBuf)> = names(&state.join("journal"))
        .into_iter()
        .filter(|name| *name != own && !is_unfinished(name))
        .filter_map(|name| {
            let path = state.join("journal").join(name);
            Some((fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()?, path))
        })
        .collect();
    runs.sort_by(|a, b| b.cmp(a));
    let oldest = SystemTime::now().checked_sub(OLDEST).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut kept = 0;
    for (modified, path) in runs {
        kept += size(&path).unwrap_or(0);
        if modified < oldest || kept > MOST {
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn size(directory: &Path) -> io::Result<u64> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_runs_go_and_unfinished_ones_stay() {
        let state = tempfile::tempdir().unwrap();
        let journal = state.path().join("journal");
        for (run, days) in [("1-old", 31), ("2-died", 32), ("3-new", 2), ("4-own", 40)] {
            fs::create_dir_all(journal.join(run)).unwrap();
            let then = SystemTime::now() - Duration::from_secs(days * 86_400);
            fs::File::open(journal.join(run)).unwrap().set_modified(then).unwrap();
        }
        fs::create_dir(state.path().join("unfinished")).unwrap();
        fs::write(state.path().join("unfinished/2-died.web.0.log"), "").unwrap();
        prune(state.path(), "4-own");
        let mut left = names(&journal);
        left.sort();
        assert_eq!(left, ["2-died", "3-new", "4-own"]);
    }
}
