//! The transport over ssh, by libssh2: one connection and one command for a whole play.
//!
//! The command looks for the agent in the host's cache and becomes it. Only when it is missing does it take more: the agent
//! travels once, compressed, and the command is given again.

mod algorithms;
pub(crate) mod config;
mod dial;
mod expand;
mod host_key;
mod jumps;
mod key_file;
mod known_hosts;
mod local_user;
mod login;
mod lookup;
mod passphrases;
mod pattern;
mod pipe;
mod relay;
mod shell;
mod socket;
mod target;
mod wire;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use known_hosts::{KnownHosts, Verdict};
use passphrases::Passphrases;
use shell::SshShell;
use wire::{Trouble, Wire};

pub use local_user::LocalUser;
pub use lookup::Wanted;
pub use passphrases::AskSecret;
pub use target::Target;

use config::Files;
use jumps::Jumps;
use target::KnownHostsFiles;

use super::agent_stream::AgentStream;
use super::{AgentBinary, Connection, Stage, Unreachable};
use crate::diagnostic::{Diagnostic, Location};
use crate::failure;
use crate::interrupt::Interrupt;

/// The hosts that a user knows, in `~/.ssh`.
const KNOWN_HOSTS: [&str; 2] = ["known_hosts", "known_hosts2"];

/// The hosts that all users of the controller know.
const SYSTEM_KNOWN_HOSTS: [&str; 2] = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

/// What the connections of a run share: who connects, what that user knows, and the agent that travels.
pub struct Client {
    user: LocalUser,
    passphrases: Passphrases,
    binary: Arc<AgentBinary>,
    configurations: Files,
    known_hosts: Mutex<HashMap<KnownHostsFiles, Arc<KnownHosts>>>,
    jumps: Jumps,
    /// Connections between two plays.
    idle: Mutex<Vec<(Target, Wire)>>,
    warnings: Mutex<Warnings>,
}

/// What a person should know of the ssh configuration: each thing once.
#[derive(Default)]
struct Warnings {
    known: HashSet<&'static str>,
    fresh: Vec<Diagnostic>,
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
            configurations: Files::default(),
            known_hosts: Mutex::default(),
            jumps: Jumps::default(),
            idle: Mutex::default(),
            warnings: Mutex::default(),
        }
    }

    /// Notes what is said in the ssh configuration and not honoured.
    fn warn(&self, unheeded: &[(&'static str, Location)]) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for (keyword, place) in unheeded {
            if warnings.known.insert(keyword) {
                let warning =
                    Diagnostic::new(format!("`{keyword}` of the ssh configuration is not honoured"));
                let warning = warning.at(place.clone());
                warnings.fresh.push(warning.hint("the connection `openssh` honours all that ssh does"));
            }
        }
    }

    /// What a person should know of the ssh configuration that nobody has taken yet.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner).fresh)
    }

    /// The agent that travels.
    pub(super) fn binary(&self) -> Arc<AgentBinary> {
        Arc::clone(&self.binary)
    }

    /// Who answers questions, if anybody.
    pub(super) fn ask(&self) -> Option<AskSecret> {
        self.passphrases.ask().cloned()
    }

    /// The path with `~/` at its beginning replaced by the home directory of who connects.
    pub(super) fn local_path(&self, path: &Path) -> PathBuf {
        self.user.expand(path)
    }

    /// Keeps a connection for the next play on its host.
    fn keep(&self, target: Target, wire: Wire) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push((target, wire));
        }
    }

    /// A connection that was kept.
    fn kept(&self, target: &Target) -> Option<Wire> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().position(|(kept, _)| kept == target)?;
        Some(idle.swap_remove(at).1)
    }

    /// The keys of hosts in some files, read once.
    fn known_hosts(&self, files: &KnownHostsFiles) -> Result<Arc<KnownHosts>, Unreachable> {
        let mut all = self.known_hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(files) {
            return Ok(Arc::clone(known));
        }
        let read = self.read_known_hosts(files);
        let read = read.map_err(|error| Unreachable { stage: Stage::HostKey, error })?;
        Ok(Arc::clone(all.entry(files.clone()).or_insert(Arc::new(read))))
    }

    fn read_known_hosts(&self, files: &KnownHostsFiles) -> Result<KnownHosts, Diagnostic> {
        let global = || SYSTEM_KNOWN_HOSTS.map(PathBuf::from).to_vec();
        let paths = [self.own_known_hosts(files), files.global.clone().unwrap_or_else(global)].concat();
        KnownHosts::read(&paths).map_err(|(path, error)| {
            let reason = failure::reason(&error);
            Diagnostic::new(format!("could not read the known hosts in `{}`: {reason}", path.display()))
        })
    }

    /// The files of the user, the first of which takes in new keys.
    fn own_known_hosts(&self, files: &KnownHostsFiles) -> Vec<PathBuf> {
        let usual = || KNOWN_HOSTS.iter().filter_map(|name| self.user.ssh_file(name)).collect();
        files.user.clone().unwrap_or_else(usual)
    }

    /// Takes down the key of a host that nobody knew.
    ///
    /// # Errors
    /// Somebody has taken down another one meanwhile, or it can't be written.
    fn take_down(&self, target: &Target, key: &[u8]) -> Result<(), Diagnostic> {
        // Two hosts may be the same one: only one of them is new.
        let mut all = self.known_hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.read_known_hosts(&target.known_hosts)?;
        let (name, port) = target.known_as();
        match known.check(name, port, key) {
            Verdict::Known => {}
            Verdict::Unknown { .. } => {
                let name = host_key::name_in_file(target);
                if let Some(file) = self.own_known_hosts(&target.known_hosts).first() {
                    known_hosts::append(file, &name, key, target.known_hosts.hashed).map_err(|error| {
                        let reason = failure::reason(&error);
                        let place = file.display();
                        Diagnostic::new(format!("could not write the key of `{name}` to `{place}`: {reason}"))
                    })?;
                }
            }
            Verdict::Changed { place, .. } | Verdict::Revoked { place } => {
                return Err(Diagnostic::new(format!(
                    "`{name}` has shown two host keys, the other one at {place}"
                )));
            }
        }
        all.clear();
        Ok(())
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
    let start = |wire: Wire| {
        let open = |script: &str| SshShell::open(wire, client, target.clone(), script);
        AgentStream::start(client.binary(), open)
    };
    if let Some(mut wire) = client.kept(target) {
        wire.forget_round_trips();
        // It may have ended meanwhile. Then it is as if there had been none.
        if let Ok(stream) = start(wire) {
            return Ok(Box::new(stream));
        }
    }
    let wire = open(target, client, interrupt)?;
    Ok(Box::new(start(wire)?))
}

/// Connects to a host and logs in.
fn open(target: &Target, client: &Client, interrupt: &Arc<Interrupt>) -> Result<Wire, Unreachable> {
    let known = client.known_hosts(&target.known_hosts)?;
    let socket = dial::dial(target, client, interrupt)?;
    let host_keys = host_key::algorithms(&known, target);
    let mut wire = Wire::new(socket, &target.algorithms, &host_keys, interrupt)
        .map_err(|trouble| no_algorithm(target, &trouble))?;
    if let Err(trouble) = wire.handshake(target.timeout) {
        return Err(no_session(target, &trouble, &mut wire));
    }
    let may_send_password = host_key::check(&wire.session, &known, target, client)?;
    login::log_in(&mut wire, target, client, may_send_password)?;
    Ok(wire)
}

/// A connection over which no keys could be agreed on.
fn no_session(target: &Target, trouble: &Trouble, wire: &mut Wire) -> Unreachable {
    let error = Diagnostic::new(format!("no ssh connection to `{}` port {}", target.host, target.port))
        .because(trouble.words());
    let error = match trouble.code() {
        libssh2_sys::LIBSSH2_ERROR_KEX_FAILURE | libssh2_sys::LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE => {
            error.hint("the host may offer only algorithms that are no longer safe")
        }
        _ if wire.fate().is_some() => wire.fate().into_iter().fold(error, Diagnostic::because),
        _ if !wire.speaks_ssh() => {
            error.hint("either it is no ssh server, or it has too many connections at once")
        }
        _ => error,
    };
    Unreachable { stage: Stage::Connection, error }
}

/// A session for which there are no algorithms.
fn no_algorithm(target: &Target, trouble: &Trouble) -> Unreachable {
    let error =
        Diagnostic::new(format!("none of the algorithms that `{}` shall be asked for is there", target.host))
            .because(trouble.words())
            .hint("the ssh configuration says which: the connection `openssh` may have them");
    Unreachable { stage: Stage::Connection, error }
}
