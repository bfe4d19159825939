//! Transports by a program of this machine: the system's ssh, and any command that gives a shell on a host.

mod askpass;
mod command;
mod openssh;
mod shell;

pub use askpass::answer as answer_as_askpass;
pub use command::CommandLine;
pub use openssh::OpenSsh;

use std::fmt;
use std::process::Command;
use std::sync::Arc;

use self::shell::ProcessShell;
use super::agent_stream::AgentStream;
use super::ssh::Client;
use super::{Connection, Unreachable};
use crate::interrupt::Interrupt;

/// A host that a program reaches.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The system's ssh.
    OpenSsh(OpenSsh),
    /// A command that gives a shell.
    Command(CommandLine),
}

impl Target {
    /// The program that runs a script on the host.
    fn program(&self, script: &str) -> Command {
        match self {
            Self::OpenSsh(target) => target.program(script),
            Self::Command(line) => line.program(script),
        }
    }

    /// Why a script was never run on the host, by how the program ended and what it has said. `again` is set when it is not the
    /// first that has ended so.
    fn no_way(&self, ending: &str, said: &str, again: bool) -> Option<Unreachable> {
        match self {
            Self::OpenSsh(target) => target.no_way(ending, said),
            Self::Command(line) => again.then(|| line.no_way(ending, said)),
        }
    }

    /// The user who is logged in, when that is said.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::OpenSsh(target) => target.user.as_deref(),
            Self::Command(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenSsh(target) => write!(f, "openssh {target}"),
            Self::Command(line) => write!(f, "command {line}"),
        }
    }
}

/// Starts the program and the agent behind it. The agent's first word is not waited for.
///
/// # Errors
/// The program can't be started.
pub(super) fn connect(
    target: &Target,
    client: &Client,
    interrupt: &Arc<Interrupt>,
) -> Result<Box<dyn Connection>, Unreachable> {
    let open = |script: &str| ProcessShell::open(target.clone(), client, interrupt, script);
    Ok(Box::new(AgentStream::start(client.binary(), open)?))
}
