//! The user who runs the controller, as ssh sees them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::accounts;

/// The user who runs the controller: whose keys, key agent and known hosts are used.
#[derive(Clone, Debug, Default)]
pub struct LocalUser {
    /// Login name; the name to log in with elsewhere when nothing else is said. May be empty when nothing tells it.
    pub name: String,
    /// Home directory. Without one there are no keys and no known hosts of one's own.
    pub home: Option<PathBuf>,
    /// The socket of ssh-agent.
    pub key_agent: Option<PathBuf>,
}

impl LocalUser {
    /// The user of this process, by its environment and `/etc/passwd`.
    pub fn current() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let account = accounts::parse_users(&passwd).into_iter().find(|user| user.uid == uid);
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
        let name = match &account {
            Some(account) => account.name.clone(),
            // Known to a directory service only.
            None => env::var("LOGNAME").or_else(|_| env::var("USER")).unwrap_or_default(),
        };
        let home = variable("HOME").map(PathBuf::from);
        Self {
            name,
            home: home.or_else(|| account.map(|account| account.home.into())),
            key_agent: variable("SSH_AUTH_SOCK").map(PathBuf::from),
        }
    }

    /// `~/.ssh`.
    pub(super) fn ssh_directory(&self) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(".ssh"))
    }

    /// A file in `~/.ssh`.
    pub(super) fn ssh_file(&self, name: &str) -> Option<PathBuf> {
        self.ssh_directory().map(|directory| directory.join(name))
    }

    /// The path with `~/` at its beginning replaced by the home directory.
    pub(super) fn expand(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.home) {
            (Ok(below), Some(home)) => home.join(below),
            _ => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_stands_for_the_home_directory() {
        let user = LocalUser { home: Some("/home/me".into()), ..LocalUser::default() };
        assert_eq!(user.expand(Path::new("~/.ssh/key")), Path::new("/home/me/.ssh/key"));
        assert_eq!(user.expand(Path::new("~other/key")), Path::new("~other/key"));
        assert_eq!(user.expand(Path::new("keys/~")), Path::new("keys/~"));
        assert_eq!(LocalUser::default().expand(Path::new("~/key")), Path::new("~/key"));
    }

    #[test]
    fn this_process_has_a_user() {
        let user = LocalUser::current();
        assert!(user.home.is_some());
        assert!(!user.name.is_empty());
    }
}
