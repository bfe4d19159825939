//! The journal of a remote host: it is kept there, by whoever makes the changes; what is to be noted travels.
//!
//! What is noted waits for the next call and goes with it: a step and its note are one round trip. If it can't be noted, the
//! call is not made.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Remote;
use super::call::{Answer, Call};
use crate::failure::Failure;
use crate::journal;
use crate::journal::lock::{Holder, NoLock};
use crate::journal::{
    CallIdentity, HandlerIdentity, Journal, Noted, Opening, Pending, Recorder, Source, StepByOther, StepNote,
};
use crate::system::{Content, View};

/// How often a waiting run asks again.
const LOOK: Duration = Duration::from_millis(250);

/// Something to note in a journal: a method of [`Journal`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the trait's methods say what the fields are")]
pub enum Note {
    Before(Box<StepNote>),
    After,
    ByOther(StepByOther),
    Action(CallIdentity),
    Notified { handler: HandlerIdentity, call: Option<CallIdentity> },
    Handled(HandlerIdentity),
    Ended { complete: bool, met: Vec<CallIdentity> },
}

/// What a journal is opened for, as far as the controller says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Turn {
    /// The run.
    pub run: String,
    /// The host's name in the inventory.
    pub host: String,
    /// The play's name.
    pub play: String,
    /// Whether anything will be changed.
    pub writes: bool,
    /// Whether it goes on with what it has noted before, over another connection.
    pub continues: bool,
}

/// What came of asking for a turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Asked {
    /// The journal is open, and earlier runs have left this behind.
    Open(Pending),
    /// This run has to end first.
    Busy(Holder),
}

/// The journal of a play on a remote host.
pub struct RemoteJournal {
    host: Rc<Remote>,
    pending: Pending,
}

impl RemoteJournal {
    /// Opens the journal as [`Recorder::open`] does.
    ///
    /// # Errors
    /// See [`NoLock`].
    pub fn open(
        host: Rc<Remote>,
        turn: &Turn,
        patience: Duration,
        waits: impl Fn(&Holder),
        interrupted: impl Fn() -> bool,
    ) -> Result<Self, NoLock> {
        let deadline = Instant::now() + patience;
        let mut told = false;
        loop {
            match host.take_turn(turn) {
                Ok(Asked::Open(pending)) => return Ok(Self { host, pending }),
                // Who has the connection says so.
                Err(Failure::Lost(_)) => return Err(NoLock::Interrupted),
                Err(failure) => return Err(NoLock::Io(std::io::Error::other(failure))),
                Ok(Asked::Busy(holder)) if Instant::now() >= deadline => return Err(NoLock::Busy(holder)),
                Ok(Asked::Busy(holder)) => {
                    if !std::mem::replace(&mut told, true) {
                        waits(&holder);
                    }
                }
            }
            if interrupted() {
                return Err(NoLock::Interrupted);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Has something noted, together with the next call.
    fn note(&self, note: Note) -> Result<(), Failure> {
        self.host.defer(Call::Note(note));
        Ok(())
    }
}

impl Journal for RemoteJournal {
    fn pending(&self) -> Result<Pending, Failure> {
        Ok(self.pending.clone())
    }

    fn before(&self, step: &StepNote, _host: &dyn View) -> Result<(), Failure> {
        self.note(Note::Before(Box::new(step.clone())))
    }

    fn after(&self, _host: &dyn View) -> Result<(), Failure> {
        self.note(Note::After)
    }

    fn by_other(&self, step: &StepByOther) -> Result<(), Failure> {
        self.note(Note::ByOther(step.clone()))
    }

    fn sync(&self) -> Result<(), Failure> {
        self.host.make_deferred()
    }

    fn action(&self, call: &CallIdentity) -> Result<(), Failure> {
        self.note(Note::Action(call.clone()))
    }

    fn notified(&self, handler: &HandlerIdentity, call: Option<&CallIdentity>) -> Result<(), Failure> {
        self.note(Note::Notified { handler: handler.clone(), call: call.cloned() })
    }

    fn handled(&self, handler: &HandlerIdentity) -> Result<(), Failure> {
        self.note(Note::Handled(handler.clone()))
    }

    fn ended(&self, complete: bool, met: &[CallIdentity]) -> Result<(), Failure> {
        self.host.done(Call::Note(Note::Ended { complete, met: met.to_vec() }))
    }
}

impl Remote {
    /// What plays of another user have had noted in the journal there.
    ///
    /// # Errors
    /// It can't be read, or the host is lost.
    pub fn noted(&self, run: &str, host: &str) -> Result<Noted, Failure> {
        self.ask(Call::Noted { run: run.to_owned(), host: host.to_owned() }, |answer| match answer {
            Answer::Noted(noted) => Some(noted),
            _ => None,
        })
    }

    /// A content that is kept in the journal there, by its name.
    ///
    /// # Errors
    /// It is gone, or the host is lost.
    pub fn kept_content(&self, run: &str, name: &str) -> Result<Vec<u8>, Failure> {
        let call = Call::Kept { run: run.to_owned(), name: name.to_owned() };
        self.ask(call, |answer| match answer {
            Answer::Content(Some(Content::Known(content))) => Some(content),
            _ => None,
        })
    }

    /// Asks for a turn. It is asked for again after each new connection.
    fn take_turn(&self, turn: &Turn) -> Result<Asked, Failure> {
        let asked = self.ask(Call::Open(turn.clone()), |answer| match answer {
            Answer::Asked(asked) => Some(asked),
            _ => None,
        })?;
        self.turn.replace(Some(Turn { continues: true, ..turn.clone() }));
        Ok(asked)
    }

    /// Goes on with the journal over a new connection.
    pub(super) fn resume(&self) -> Result<(), Failure> {
        let Some(turn) = self.turn.borrow().clone() else { return Ok(()) };
        match self.take_turn(&turn)? {
            Asked::Open(_) => Ok(()),
            Asked::Busy(holder) => Err(Failure::state(format!("the run {} is at work there", holder.run))),
        }
    }
}

/// The journal on the host's side.
pub(super) struct Kept {
    source: Source,
    recorder: RefCell<Option<Recorder>>,
}

impl Kept {
    pub(super) fn new(source: Source) -> Self {
        Self { source, recorder: RefCell::default() }
    }

    /// Opens it, if no other run is at work. A journal that was open is closed.
    pub(super) fn open(&self, turn: &Turn) -> Result<Asked, Failure> {
        let Source::Kept { directories, root, lasts } = &self.source else {
            return Err(Failure::state("no journal is kept here"));
        };
        let opening = Opening {
            directories: directories.clone(),
            root: root.clone(),
            lasts: *lasts,
            run: turn.run.clone(),
            host: turn.host.clone(),
            play: turn.play.clone(),
            writes: turn.writes,
            continues: turn.continues,
            patience: Duration::ZERO,
        };
        self.recorder.take();
        match Recorder::open(opening, |_| {}, || false) {
            Ok(recorder) => {
                let pending = recorder.pending()?;
                self.recorder.replace(Some(recorder));
                Ok(Asked::Open(pending))
            }
            Err(NoLock::Busy(holder)) => Ok(Asked::Busy(holder)),
            Err(NoLock::Interrupted) => Err(Failure::Interrupted),
            Err(NoLock::Io(error)) => Err(Failure::state(crate::failure::reason(&error))),
        }
    }

    /// What a play of another user has had noted here.
    pub(super) fn noted(&self, run: &str, host: &str) -> Result<Noted, Failure> {
        let Source::Kept { directories, .. } = &self.source else { return Ok(Noted::default()) };
        Noted::read(directories, run, host)
    }

    /// A content that is kept here.
    pub(super) fn content(&self, run: &str, name: &str) -> Result<Vec<u8>, Failure> {
        let Source::Kept { directories, .. } = &self.source else {
            return Err(Failure::state("no journal is kept here"));
        };
        journal::kept_content(directories, run, name)
    }

    /// Notes something.
    pub(super) fn note(&self, note: &Note, host: &dyn View) -> Result<(), Failure> {
        let recorder = self.recorder.borrow();
        let Some(journal) = &*recorder else {
            return Err(Failure::state("there is no open journal to note anything in"));
        };
        match note {
            Note::Before(step) => journal.before(step, host),
            Note::After => journal.after(host),
            Note::ByOther(step) => journal.by_other(step),
            Note::Action(call) => journal.action(call),
            Note::Notified { handler, call } => journal.notified(handler, call.as_ref()),
            Note::Handled(handler) => journal.handled(handler),
            Note::Ended { complete, met } => journal.ended(*complete, met),
        }
    }
}
