//! A host to log in to, and how.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::config::{AddressFamily, HostKeyChecking};
use super::known_hosts::DEFAULT_PORT;

/// How long connecting and agreeing on keys may take, each, unless something else is said.
const PATIENCE: Duration = Duration::from_secs(10);

/// A host to log in to, and how.
#[derive(Clone, PartialEq)]
pub struct Target {
    /// Name or address.
    pub host: String,
    /// Port. 22 by default.
    pub port: u16,
    /// The user to log in as.
    pub user: String,
    /// Key files to log in with; `~/` is the local user's home. Those of the usual names when empty.
    pub keys: Vec<PathBuf>,
    /// The password to log in with, after all keys.
    pub password: Option<String>,
    /// What happens when the host's key is not known. It is refused by default.
    pub(crate) host_key_checking: HostKeyChecking,
    /// How long connecting and agreeing on keys may take, each. 10 s by default.
    pub timeout: Duration,
    /// The name by which its key is known, when that is not its own.
    pub(crate) host_key_alias: Option<String>,
    /// The files with the keys of hosts: those of the user, the first of which takes in new ones, and those of all users.
    pub(crate) known_hosts: KnownHostsFiles,
    /// Files with certificates of the keys.
    pub(crate) certificates: Vec<PathBuf>,
    /// Whether keys of ssh-agent are used that belong to no key file.
    pub(crate) identities_only: bool,
    /// Which ssh-agent is asked.
    pub(crate) key_agent: KeyAgent,
    /// The ways to log in, in their order. All of them by default.
    pub(crate) methods: Vec<LoginMethod>,
    /// What is agreed on.
    pub(crate) algorithms: Algorithms,
    /// Which addresses of the name are tried. Any by default.
    pub(crate) address_family: AddressFamily,
    /// The address of this machine to connect from.
    pub(crate) bind_address: Option<String>,
    /// After how much silence the kernel asks whether the host is still there, and how often.
    pub(crate) keepalive: Option<(Duration, u32)>,
    /// What lies between.
    pub(crate) route: Route,
}

/// The files with the keys of hosts. What is absent has its usual place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct KnownHostsFiles {
    pub user: Option<Vec<PathBuf>>,
    pub global: Option<Vec<PathBuf>>,
    /// Whether the names of new ones are hashed.
    pub hashed: bool,
}

/// Which ssh-agent is asked for keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum KeyAgent {
    /// That of the local user.
    #[default]
    Usual,
    /// None.
    Nobody,
    /// The one at this socket.
    At(PathBuf),
}

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginMethod {
    Key,
    Password,
    /// Questions, which a password answers.
    Keyboard,
}

/// The algorithms that are offered, as ssh_config(5) spells lists of them: with `+`, `-` or `^` in front, the usual ones
/// are changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Algorithms {
    pub key_exchanges: Option<String>,
    pub ciphers: Option<String>,
    pub macs: Option<String>,
    pub host_keys: Option<String>,
}

/// What lies between this machine and a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Route {
    #[default]
    Direct,
    /// A host that connects further.
    Through(Arc<Target>),
    /// A command for a shell, whose input and output are the connection.
    Command(String),
}

impl Target {
    /// The host of this name or address, by defaults. Who logs in has to be said yet.
    pub fn new(host: String) -> Self {
        Self {
            host,
            port: DEFAULT_PORT,
            user: String::new(),
            keys: Vec::new(),
            password: None,
            host_key_checking: HostKeyChecking::Strict,
            timeout: PATIENCE,
            host_key_alias: None,
            known_hosts: KnownHostsFiles::default(),
            certificates: Vec::new(),
            identities_only: false,
            key_agent: KeyAgent::Usual,
            methods: vec![LoginMethod::Key, LoginMethod::Password, LoginMethod::Keyboard],
            algorithms: Algorithms::default(),
            address_family: AddressFamily::Any,
            bind_address: None,
            keepalive: None,
            route: Route::Direct,
        }
    }

    /// The name and port by which its key is known.
    pub(super) fn known_as(&self) -> (&str, u16) {
        match &self.host_key_alias {
            Some(alias) => (alias, DEFAULT_PORT),
            None => (&self.host, self.port),
        }
    }

    /// The host itself, whoever logs in there: where it is, and on which way.
    pub(crate) fn place(&self) -> String {
        let place = format!("{} port {}", self.host, self.port);
        match &self.route {
            Route::Direct => place,
            Route::Through(jump) => format!("{place} through {}", jump.place()),
            Route::Command(command) => format!("{place} by {command}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)?;
        if self.port != DEFAULT_PORT {
            write!(f, " port {}", self.port)?;
        }
        match &self.route {
            Route::Direct | Route::Command(_) => Ok(()),
            Route::Through(jump) => write!(f, " through {jump}"),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        write!(f, "Target({self})")
    }
}
