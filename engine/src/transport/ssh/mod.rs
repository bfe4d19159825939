//! The transport over ssh, by libssh2: one connection and one command for a whole play.
//!
//! The command looks for the agent in the host's cache and becomes it. Only when it is missing does it take more: the agent
//! travels once, compressed, and the command is given again.

pub(crate) mod config;
mod dial;
mod host_key;
mod key_file;
mod known_hosts;
mod local_user;
mod login;
mod passphrases;
mod pattern;
mod pipe;
mod stream;
mod wire;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use known_hosts::{DEFAULT_PORT, KnownHosts};
use passphrases::Passphrases;
use stream::Stream;
use wire::{Trouble, Wire};

pub use local_user::LocalUser;
pub use passphrases::AskSecret;

use super::{AgentBinary, Connection, Stage, Unreachable};
use crate::diagnostic::Diagnostic;
use crate::failure;
use crate::interrupt::Interrupt;

/// The hosts that all users of the controller know.
const SYSTEM_KNOWN_HOSTS: &str = "/etc/ssh/ssh_known_hosts";

/// How long connecting and agreeing on keys may take, each, unless something else is said.
const PATIENCE: Duration = Duration::from_secs(10);

/// A host to log in to, and how.
#[derive(Clone)]
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
    /// Whether the host has to show a key that is known. True by default.
    pub check_host_key: bool,
    /// How long connecting and agreeing on keys may take, each. 10 s by default.
    pub timeout: Duration,
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
            check_host_key: true,
            timeout: PATIENCE,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)?;
        if self.port == DEFAULT_PORT { Ok(()) } else { write!(f, " port {}", self.port) }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        write!(f, "Target({self})")
    }
}

/// What the connections of a run share: who connects, what that user knows, and the agent that travels.
pub struct Client {
    user: LocalUser,
    passphrases: Passphrases,
    binary: Arc<AgentBinary>,
    known_hosts: OnceLock<Result<KnownHosts, Diagnostic>>,
    /// Connections between two plays, by the names of their targets.
    idle: Mutex<Vec<(String, Wire)>>,
}

/// So many connections are kept from one play to the next: each takes two file descriptors.
const MOST_IDLE: usize = 128;

impl Client {
    /// Connections of `user`, of whom `ask` asks the passphrases of keys.
    pub fn new(user: LocalUser, ask: Option<AskSecret>) -> Self {
        Self {
            user,
            passphrases: Passphrases::new(ask),
            binary: AgentBinary::own(),
            known_hosts: OnceLock::new(),
            idle: Mutex::default(),
        }
    }

    /// Keeps a connection for the next play on its host.
    fn keep(&self, name: String, wire: Wire) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push((name, wire));
        }
    }

    /// A connection that was kept.
    fn kept(&self, name: &str) -> Option<Wire> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().position(|(kept, _)| kept == name)?;
        Some(idle.swap_remove(at).1)
    }

    /// The keys of hosts, read once.
    fn known_hosts(&self) -> Result<&KnownHosts, Unreachable> {
        let known = self.known_hosts.get_or_init(|| {
            let own = self.user.ssh_file("known_hosts");
            let files: Vec<PathBuf> = own.into_iter().chain([SYSTEM_KNOWN_HOSTS.into()]).collect();
            KnownHosts::read(&files).map_err(|(path, error)| {
                let reason = failure::reason(&error);
                Diagnostic::new(format!("could not read the known hosts in `{}`: {reason}", path.display()))
            })
        });
        known.as_ref().map_err(|error| Unreachable { stage: Stage::HostKey, error: error.clone() })
    }
}

/// Connects to a host, logs in, and starts the agent there. The agent's first word is not waited for.
///
/// Where an earlier play has left its connection, that one is used.
///
/// # Errors
/// Something on the way did not work out; the error says what, and at which stage. Or `interrupt` said that the run shall stop.
pub fn connect(
    target: &Target,
    client: &Arc<Client>,
    interrupt: &Arc<Interrupt>,
) -> Result<Box<dyn Connection>, Unreachable> {
    let name = target.to_string();
    if let Some(mut wire) = client.kept(&name) {
        wire.forget_round_trips();
        // It may have ended meanwhile. Then it is as if there had been none.
        if let Ok(stream) = Stream::start(wire, client, name.clone()) {
            return Ok(Box::new(stream));
        }
    }
    let wire = open(target, client, interrupt)?;
    Ok(Box::new(Stream::start(wire, client, name)?))
}

/// Connects to a host and logs in.
fn open(target: &Target, client: &Client, interrupt: &Arc<Interrupt>) -> Result<Wire, Unreachable> {
    let known = client.known_hosts()?;
    let socket = dial::dial(target, interrupt)?;
    let mut wire = Wire::new(socket, &host_key::algorithms(known, target), interrupt)
        .map_err(|trouble| no_session(target, &trouble, true))?;
    wire.handshake(target.timeout).map_err(|trouble| no_session(target, &trouble, wire.speaks_ssh()))?;
    let may_send_password = host_key::check(&wire.session, known, target)?;
    login::log_in(&mut wire, target, client, may_send_password)?;
    Ok(wire)
}

/// A connection over which no keys could be agreed on.
fn no_session(target: &Target, trouble: &Trouble, speaks_ssh: bool) -> Unreachable {
    let error = Diagnostic::new(format!("no ssh connection to `{}` port {}", target.host, target.port))
        .because(trouble.words());
    let error = match trouble.code() {
        libssh2_sys::LIBSSH2_ERROR_KEX_FAILURE | libssh2_sys::LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE => {
            error.hint("the host may offer only algorithms that are no longer safe")
        }
        _ if !speaks_ssh => error.hint("either it is no ssh server, or it has too many connections at once"),
        _ => error,
    };
    Unreachable { stage: Stage::Connection, error }
}
