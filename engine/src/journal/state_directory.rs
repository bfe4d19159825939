//! Where an agent keeps what has to outlive it.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Says another directory than the usual one, absolute and as the agent sees it.
pub const VARIABLE: &str = "REFRAIN_STATE_DIRECTORY";

/// The directory of root.
const OF_ROOT: &str = "/var/lib/refrain";

/// The directories that may serve the user with the number `uid`, the best one first. `variable` reads the environment.
///
/// Root's is `/var/lib/refrain`. Another user's is in their home; service users often have none, or can't write it.
pub fn candidates(uid: u32, variable: impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(said) = absolute(VARIABLE) {
        return vec![said];
    }
    if uid == 0 {
        return vec![OF_ROOT.into()];
    }
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    let own = state.map(|state| state.join("refrain"));
    own.into_iter().chain([format!("/var/tmp/refrain-state-{uid}").into()]).collect()
}

/// The candidates of this process.
pub fn of_this_process() -> Vec<PathBuf> {
    candidates(rustix::process::geteuid().as_raw(), |name| std::env::var(name).ok())
}

/// Makes sure that a directory is there which only this user can enter.
///
/// # Errors
/// It can't be made, or it is another user's, or a link that somebody could turn elsewhere.
pub fn prepare(directory: &Path) -> io::Result<()> {
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let found = fs::symlink_metadata(directory)?;
    if !found.is_dir() {
        return Err(io::Error::other("is not a directory"));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other(format!("belongs to the user {}", found.uid())));
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_without_a_home_have_a_place_too() {
        let none = |_: &str| None;
        let home = |name: &str| (name == "HOME").then(|| "/home/ada".to_owned());
        let said = |name: &str| (name == VARIABLE).then(|| "/srv/state".to_owned());
        let relative = |name: &str| (name == "HOME").then(|| "ada".to_owned());
        let fallback = PathBuf::from("/var/tmp/refrain-state-7");
        assert_eq!(candidates(0, home), [PathBuf::from(OF_ROOT)]);
        assert_eq!(candidates(0, said), [PathBuf::from("/srv/state")]);
        assert_eq!(candidates(7, home), ["/home/ada/.local/state/refrain".into(), fallback.clone()]);
        assert_eq!(candidates(7, none), std::slice::from_ref(&fallback));
        assert_eq!(candidates(7, relative), [fallback]);
    }

    #[test]
    fn it_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("var/lib/refrain");
        prepare(&state).unwrap();
        assert_eq!(fs::metadata(&state).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).unwrap();
        prepare(&state).unwrap();
        assert_eq!(fs::metadata(&state).unwrap().mode() & 0o777, 0o700);
        std::os::unix::fs::symlink(&state, directory.path().join("link")).unwrap();
        let error = prepare(&directory.path().join("link")).unwrap_err();
        assert_eq!(error.to_string(), "is not a directory");
    }
}
