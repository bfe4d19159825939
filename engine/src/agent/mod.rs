//! The agent: the other end of a connection, where a play is evaluated.
//!
//! The two ends are the same source, so there is no negotiation of versions: the agent says which protocol it speaks, and the
//! controller goes on or says that it is the wrong one. `docs/architecture.md` has a page on the frames.

pub mod client;
pub mod frame;
pub mod server;

use serde::{Deserialize, Serialize};

use crate::bundle::Bundle;
use crate::event::{EventKind, Recap};

/// The protocol that this build speaks.
pub const PROTOCOL: &str = concat!("refrain ", env!("CARGO_PKG_VERSION"), " frames 1");

/// What the controller sends.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToAgent {
    /// Run this play. Sent once, first.
    Run(Box<Bundle>),
    /// A file that the agent asked for.
    File {
        /// Its path in the project.
        path: String,
        /// Its content, or why there is none.
        content: Result<serde_bytes::ByteBuf, String>,
    },
    /// Finish the step in hand and end.
    Interrupt,
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
}

/// How a play ended on a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// What happened.
    pub recap: Recap,
    /// `end_host()`: it takes no part in later plays.
    pub host_done: bool,
    /// `end_play()`: hosts that have not begun yet don't.
    pub play_done: bool,
    /// What `--start-at` names was met, here or in an earlier play; true without `--start-at`.
    pub started: bool,
    /// It stopped because it was told to.
    pub interrupted: bool,
}
