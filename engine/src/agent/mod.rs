//! The agent: the other end of a connection, where a play is evaluated.
//!
//! The two ends are the same source, so there is no negotiation of versions: the agent says which protocol it speaks, and the
//! controller goes on or says that it is the wrong one. `docs/architecture.md` has a page on the frames.

pub mod client;
pub mod frame;
pub mod in_process;
pub mod incoming;
pub mod server;
pub mod shape;

use serde::{Deserialize, Serialize};

use crate::bundle::Bundle;
use crate::ended::Ended;
use crate::escalation::Escalation;
use crate::event::EventKind;
use crate::journal::rollback::Order;
use crate::raw_path::RawPath;
use crate::system::RootKind;
use crate::system::remote::Call;
use crate::transport::Unreachable;

/// The protocol that this build speaks.
pub const PROTOCOL: &str = concat!("refrain ", env!("CARGO_PKG_VERSION"), " frames 4");

/// What the controller sends.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToAgent {
    /// Let an agent of another user do what follows. Sent before anything else; again for that agent to do the same.
    Become(Escalation),
    /// Make this, an absolute path, the root directory. Sent before anything else but `Become`.
    Enter(RawPath),
    /// Run this play. Sent once, first.
    Run(Box<Bundle>),
    /// Take back what a run has changed. Sent once, first.
    RollBack(Order),
    /// Make the calls that follow, in a root of this kind. Sent once, first, by a controller that evaluates the play itself.
    Serve(RootKind),
    /// Make these calls, in order. After one that fails the rest is left out.
    Calls {
        /// Counts up from 1. The next calls are sent when these have been answered.
        number: u64,
        /// What to do.
        calls: Vec<Call>,
    },
    /// A file that the agent asked for.
    File {
        /// Its path in the project.
        path: String,
        /// Its content, or why there is none.
        content: Result<serde_bytes::ByteBuf, String>,
    },
    /// Finish the step in hand and end.
    Interrupt,
    /// End running commands, with all that they started, and end.
    Stop,
}

/// What the agent sends. The controller believes none of it further than it has to.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToController {
    /// The first frame: the protocol that it speaks.
    Hello(String),
    /// Something happened.
    Event(Box<EventKind>),
    /// It needs a file of its bundle.
    Need(String),
    /// The play has ended. The last frame.
    Ended(Ended),
    /// A piece of the answers to calls: put together they are one `Result<Answer, Failure>` behind the other, as many as calls
    /// were made.
    Answers {
        /// That of the calls.
        number: u64,
        /// What follows the pieces before.
        piece: serde_bytes::ByteBuf,
        /// Whether it is the last one.
        last: bool,
    },
    /// There will be nothing, since the user can't be become who is to do it. The last frame.
    Refused(Box<Unreachable>),
}

impl ToController {
    /// What it is, for an error about one that makes no sense.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Hello(_) => "its greeting",
            Self::Event(_) => "an event",
            Self::Need(_) => "a wish for a file",
            Self::Ended(_) => "the end of a play",
            Self::Answers { .. } => "an answer",
            Self::Refused(_) => "a refusal",
        }
    }
}

/// What an agent is to do on its host.
pub enum Work {
    /// Run this play.
    Play(Box<Bundle>),
    /// Take back what a run has changed.
    RollBack(Order),
}
