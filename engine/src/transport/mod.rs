//! Ways to reach a host: each opens a byte stream to an agent there, and says in plain words which stage failed.

mod agent_binary;
mod agent_stream;
pub(crate) mod cache;
mod pipes;
pub mod process;
mod shell;
pub mod ssh;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use agent_binary::AgentBinary;
pub use pipes::Pipes;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::failure;
use crate::interrupt::Interrupt;
use crate::printable;

/// A byte stream to an agent, driven by one thread: what the controller has of a remote host.
///
/// Errors that have more to say than one line carry a [`Diagnostic`].
pub trait Connection: Send {
    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The stream is closed or broken.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Receives what has arrived, waiting at most `patience` for something.
    ///
    /// Returns `None` when nothing came in time, `Some(0)` when the stream has ended.
    ///
    /// # Errors
    /// The stream is broken (as opposed to closed in good order).
    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<Option<usize>>;

    /// What the far side wrote to its standard error so far, or the end of it, for the error message when it ends too early.
    /// Before the agent has said its first word, also what the login shell has printed.
    fn complaints(&mut self) -> String;

    /// How often this side has waited for the far side, when it is counted. Used by tests and `-vv`.
    fn round_trips(&self) -> u32 {
        0
    }

    /// Ends the stream after the agent's last frame. What it took to get there may be kept for the next play on this host.
    fn finish(self: Box<Self>) {}
}

/// Another machine, or something that is like one.
#[derive(Clone, Debug, PartialEq)]
pub enum Remote {
    /// By libssh2.
    Ssh(Box<ssh::Target>),
    /// By a program of this machine.
    Process(Box<process::Target>),
}

impl Remote {
    /// Connects to the host and starts the agent there. The agent's first word is not waited for.
    ///
    /// # Errors
    /// Something on the way did not work out, as far as it is known yet. Or `interrupt` said that the run shall stop.
    pub fn connect(
        &self,
        client: &Arc<ssh::Client>,
        interrupt: &Arc<Interrupt>,
    ) -> Result<Box<dyn Connection>, Unreachable> {
        match self {
            Self::Ssh(target) => ssh::connect(target, client, interrupt),
            Self::Process(target) => process::connect(target, client, interrupt),
        }
    }

    /// The user who is logged in, when that is said.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::Ssh(target) => Some(&target.user),
            Self::Process(target) => target.user(),
        }
    }

    /// The host itself, whoever logs in there.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Ssh(target) => format!("ssh {}", target.place()),
            Self::Process(target) => target.to_string(),
        }
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ssh(target) => write!(f, "ssh {target}"),
            Self::Process(target) => target.fmt(f),
        }
    }
}

/// Where `needle` begins in `hay`.
pub(crate) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

/// What a host has said as text that can be shown.
pub(crate) fn printable(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    said.lines().map(printable::line).collect::<Vec<_>>().join("\n")
}

/// The stage at which a host could not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// The name could not be resolved to an address.
    Name,
    /// No connection to the address and port.
    Connection,
    /// The host key is unknown or has changed.
    HostKey,
    /// The host refused the login.
    Login,
    /// The play's user could not be become.
    Become,
    /// The agent could not be put there or started.
    Agent,
}

impl Stage {
    /// The word that stands in front of the error: `host key`, `login`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connection => "connection",
            Self::HostKey => "host key",
            Self::Login => "login",
            Self::Become => "become",
            Self::Agent => "agent",
        }
    }
}

/// A host that could not be reached: the stage, and what there is to say about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unreachable {
    /// Where on the way it failed.
    pub stage: Stage,
    /// What happened, and what to do about it.
    pub error: Diagnostic,
}

impl std::error::Error for Unreachable {}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stage.word(), self.error)
    }
}

impl Unreachable {
    /// A root that can't be entered.
    pub fn no_root(root: &Path, error: &io::Error) -> Self {
        let reason = failure::reason(error);
        let mut diagnostic =
            Diagnostic::new(format!("could not enter the root `{}`: {reason}", root.display()));
        if error.kind() == io::ErrorKind::PermissionDenied {
            diagnostic =
                diagnostic.hint("only root may enter another root; `--become` makes the play root's");
        }
        Self { stage: Stage::Connection, error: diagnostic }
    }
}
