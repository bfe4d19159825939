//! The journal on the host: every change before it is made, every notification, and what a run that did not reach its end
//! has left behind.
//!
//! It lives in one directory ([`state_directory`]) that only the agent's user can enter and that may be removed at any time;
//! what is lost then is the way back, never the host:
//!
//! ```text
//! lock            held by the run that is at work on this root
//! pending         handlers that still have to run, calls whose outcome nobody has acted upon
//! unfinished/     a link to each log whose run has not ended
//! journal/RUN/    a log for each play and host, and the contents of large files that were replaced
//! ```
//!
//! A run that changes nothing writes nothing but the lock.

mod calls;
mod history;
mod image;
pub mod lock;
mod log;
pub mod others;
mod pending;
mod recorder;
mod retention;
pub mod rollback;
pub mod state_directory;
pub mod turn;

use std::path::PathBuf;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::escalation::Whom;
use crate::failure::Failure;
use crate::step::{Step, Undo};
use crate::system::remote::Remote;
use crate::system::{Fingerprint, View};
pub use calls::Calls;
pub use history::Noted;
pub use pending::{Pending, PendingCall, PendingHandler, Settled};
pub(crate) use recorder::kept_content;
pub use recorder::{Opening, Recorder};

/// What a call is known by from one run to the next. Lines may move, and arguments may hold secrets: neither is part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallIdentity {
    /// The role that the call stands in, or the playbook's path in the project.
    pub place: String,
    /// The module function.
    pub function: String,
    /// What the call is about: a path, a package.
    pub subject: String,
    /// Tells several calls apart that agree in the rest: 0 for the first one of a play.
    pub number: u32,
}

/// What a handler is known by from one run to the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HandlerIdentity {
    /// The role that defines it, or the playbook's path in the project.
    pub place: String,
    /// Its name.
    pub name: String,
}

/// A step as a journal is told of it: data, so that it can be told over a wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepNote {
    /// The call that makes it.
    pub call: CallIdentity,
    /// What it does, in words, without secrets.
    pub text: String,
    /// How to take it back.
    pub undo: Undo,
    /// What is then at the paths that taking it back would restore, where the step knows that.
    pub leaves: Option<Vec<Fingerprint>>,
    /// Which step it is of a play of another user. Absent where the play is this user's own.
    pub serial: Option<u64>,
}

/// A step that a play makes as another user, as its own journal knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepByOther {
    /// The call that makes it.
    pub call: CallIdentity,
    /// As whom.
    pub whom: Whom,
    /// What it is known by in that user's journal.
    pub serial: u64,
}

impl StepNote {
    /// What there is to note about a step of `call`.
    pub fn new(call: &CallIdentity, step: &dyn Step) -> Self {
        Self {
            call: call.clone(),
            text: step.describe(),
            undo: step.undo(),
            leaves: step.leaves(),
            serial: None,
        }
    }
}

/// Keeps what is needed to lose nothing. It belongs to a host's root and to the user who acts there.
pub trait Journal {
    /// What earlier runs have left behind.
    ///
    /// # Errors
    /// It can't be read.
    fn pending(&self) -> Result<Pending, Failure>;

    /// Notes a step that is about to be made; `host` is looked at for what is there before it.
    ///
    /// # Errors
    /// It could not be noted; then the step must not be made.
    fn before(&self, step: &StepNote, host: &dyn View) -> Result<(), Failure>;

    /// Notes that the step that was noted last has been made.
    ///
    /// # Errors
    /// It could not be noted.
    fn after(&self, host: &dyn View) -> Result<(), Failure>;

    /// Notes that a step is about to be made as another user, in whose journal it is noted next.
    ///
    /// # Errors
    /// It could not be noted; then the step must not be made.
    fn by_other(&self, step: &StepByOther) -> Result<(), Failure>;

    /// Makes sure that all is noted by now what was told so far. Without that, it is by the time of the next call on the host.
    ///
    /// # Errors
    /// Something could not be noted.
    fn sync(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Notes that a call is about to do something that can't be taken back.
    ///
    /// # Errors
    /// It could not be noted; then it must not be done.
    fn action(&self, call: &CallIdentity) -> Result<(), Failure>;

    /// Notes that a handler has to run, and because of which call, if that is known.
    ///
    /// # Errors
    /// It could not be noted.
    fn notified(&self, handler: &HandlerIdentity, call: Option<&CallIdentity>) -> Result<(), Failure>;

    /// Notes that a handler has run.
    ///
    /// # Errors
    /// It could not be noted.
    fn handled(&self, handler: &HandlerIdentity) -> Result<(), Failure>;

    /// Notes that the play has ended. If it is `complete`, its body has come to its end, so that no outcome waits for being
    /// acted upon but those of calls that it has not `met`.
    ///
    /// # Errors
    /// It could not be noted.
    fn ended(&self, complete: bool, met: &[CallIdentity]) -> Result<(), Failure>;
}

/// Where the journal of a play comes from.
pub enum Source {
    /// It is kept on this machine.
    Kept {
        /// The directories that may hold it, the best one first ([`state_directory::candidates`]).
        directories: Vec<PathBuf>,
        /// Where the host's paths begin: `/`, or the directory of a sandbox.
        root: PathBuf,
        /// Whether it has to outlive a power cut. Not waiting for the disk is several times faster.
        lasts: bool,
    },
    /// It is kept on a remote host.
    Remote(Rc<Remote>),
    /// It is somewhere else.
    Given(Box<dyn Journal>),
}

impl Source {
    /// In the state directory of this process's user, in the root that the thread sees.
    pub fn of_this_process() -> Self {
        Self::Kept { directories: state_directory::of_this_process(), root: "/".into(), lasts: true }
    }
}

/// Keeps nothing.
pub struct NoJournal;

impl Journal for NoJournal {
    fn pending(&self) -> Result<Pending, Failure> {
        Ok(Pending::default())
    }

    fn before(&self, _step: &StepNote, _host: &dyn View) -> Result<(), Failure> {
        Ok(())
    }

    fn after(&self, _host: &dyn View) -> Result<(), Failure> {
        Ok(())
    }

    fn by_other(&self, _step: &StepByOther) -> Result<(), Failure> {
        Ok(())
    }

    fn action(&self, _call: &CallIdentity) -> Result<(), Failure> {
        Ok(())
    }

    fn notified(&self, _handler: &HandlerIdentity, _call: Option<&CallIdentity>) -> Result<(), Failure> {
        Ok(())
    }

    fn handled(&self, _handler: &HandlerIdentity) -> Result<(), Failure> {
        Ok(())
    }

    fn ended(&self, _complete: bool, _met: &[CallIdentity]) -> Result<(), Failure> {
        Ok(())
    }
}
