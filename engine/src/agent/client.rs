//! The controller's side: a play for a host behind a connection.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::incoming::{Incoming, broken, lost};
use super::{ToAgent, ToController, Work, frame};
use crate::bundle::Sources;
use crate::ended::{Ended, Foretold};
use crate::escalation::Escalation;
use crate::event::{EventKind, Recap};
use crate::interrupt::{Interrupt, Urgency};
use crate::raw_path::RawPath;
use crate::transport::{Connection, Unreachable};

/// How often a waiting controller looks whether it was told to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How long an agent that is just starting may take to say its first word once the run shall stop: it may have begun.
const FIRST_WORD: Duration = Duration::from_secs(1);

/// How long an agent that shall stop now may take to end: its commands have two seconds to end in good order.
const LAST_WORD: Duration = Duration::from_secs(5);

/// An agent may say so much in one play: whatever it says is kept or shown by somebody.
const MOST_EVENTS: u32 = 1_000_000;

/// The same in bytes.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// An agent may ask for files so often in one play.
const MOST_WISHES: u32 = 100_000;

/// Gives the content of a file that the agent asks for. Only files that its bundle lists are ever looked for.
pub type Serve<'a> = dyn Fn(&str) -> Result<Vec<u8>, String> + 'a;

/// Has the agent behind `connection` do its work.
///
/// # Errors
/// The agent ended before the play did, or said something that makes no sense or is not its to say.
pub fn run(
    connection: &mut dyn Connection,
    work: Work,
    serve: &Serve<'_>,
    emit: &dyn Fn(EventKind),
    interrupt: &Interrupt,
) -> Result<Ended, Unreachable> {
    let (sources, foretells, first) = match work {
        Work::Play(bundle) => (Arc::clone(&bundle.sources), bundle.settings.check, ToAgent::Run(bundle)),
        Work::RollBack(order) => (Arc::default(), false, ToAgent::RollBack(order)),
    };
    let incoming = Incoming::default();
    let mut talk = Talk { connection, incoming, sources, foretells, serve, emit, events: 0, wishes: 0 };
    let result = talk.send(&first).and_then(|()| talk.listen(interrupt));
    match result {
        // Nobody has begun there, as far as anybody knows, and nobody shall.
        Err(_) if !talk.incoming.is_greeted() && interrupt.is_set() => Ok(not_begun(emit)),
        result => result,
    }
}

/// Has the agent behind `connection` let an agent of another user do what it is told next. An answer is not waited for. That
/// agent may be told the same, to become a further user.
///
/// # Errors
/// The connection is gone.
pub fn escalate(connection: &mut dyn Connection, escalation: &Escalation) -> Result<(), Unreachable> {
    let frame = frame::encode(&ToAgent::Become(escalation.clone()));
    frame.and_then(|frame| connection.send(&frame)).map_err(|error| broken(connection, &error))
}

/// Has the agent behind `connection` make `root`, an absolute path, its root directory. An answer is not waited for.
///
/// # Errors
/// The connection is gone.
pub fn enter(connection: &mut dyn Connection, root: &Path) -> Result<(), Unreachable> {
    let frame = frame::encode(&ToAgent::Enter(RawPath(root.to_owned())));
    frame.and_then(|frame| connection.send(&frame)).map_err(|error| broken(connection, &error))
}

/// Ends a play that has not begun, because the run shall stop.
pub(crate) fn not_begun(emit: &dyn Fn(EventKind)) -> Ended {
    let recap = Recap { interrupted: true, ..Recap::default() };
    emit(EventKind::HostFinished { recap });
    Ended::of(recap)
}

/// A conversation with an agent about one play.
struct Talk<'a> {
    connection: &'a mut dyn Connection,
    incoming: Incoming,
    sources: Arc<Sources>,
    /// Whether it is a play in check mode.
    foretells: bool,
    serve: &'a Serve<'a>,
    emit: &'a dyn Fn(EventKind),
    events: u32,
    wishes: u32,
}

impl Talk<'_> {
    fn send(&mut self, message: &ToAgent) -> Result<(), Unreachable> {
        let sent = frame::encode(message).and_then(|frame| self.connection.send(&frame));
        sent.map_err(|error| broken(self.connection, &error))
    }

    /// Takes in what the agent says, to its last frame.
    fn listen(&mut self, interrupt: &Interrupt) -> Result<Ended, Unreachable> {
        let mut told = Told { urgency: Urgency::None, since: Instant::now() };
        loop {
            self.tell(&mut told, interrupt)?;
            let message = self.incoming.next(self.connection, LOOK)?;
            if self.incoming.received() > MOST_BYTES {
                return Err(lost(self.connection, &format!("the agent sent more than {MOST_BYTES} bytes")));
            }
            match message {
                None => {}
                Some(ToController::Event(event)) => self.pass_on(*event)?,
                Some(ToController::Need(path)) => self.give(path)?,
                Some(ToController::Ended(ended)) => return Ok(self.judge(ended)),
                Some(other) => {
                    let reason = format!("the agent sent {} in the middle of a play", other.word());
                    return Err(lost(self.connection, &reason));
                }
            }
        }
    }

    /// Tells the agent how soon to stop, when that has changed, and gives it up when it does not.
    fn tell(&mut self, told: &mut Told, interrupt: &Interrupt) -> Result<(), Unreachable> {
        let urgency = interrupt.urgency();
        if urgency > told.urgency {
            *told = Told { urgency, since: Instant::now() };
            let word = if urgency == Urgency::Now { ToAgent::Stop } else { ToAgent::Interrupt };
            // If it can't be told, the stream is gone, and it knows.
            let _ = frame::encode(&word).and_then(|frame| self.connection.send(&frame));
        }
        let patience = match urgency {
            Urgency::None => return Ok(()),
            _ if !self.incoming.is_greeted() => FIRST_WORD,
            Urgency::AfterStep => return Ok(()),
            Urgency::Now => LAST_WORD,
        };
        if told.since.elapsed() < patience {
            return Ok(());
        }
        Err(lost(self.connection, &format!("it did not stop in {} s", patience.as_secs())))
    }

    /// Passes on an event, if it is a host's to tell.
    fn pass_on(&mut self, event: EventKind) -> Result<(), Unreachable> {
        self.events += 1;
        if self.events > MOST_EVENTS {
            return Err(lost(self.connection, &format!("the agent sent more than {MOST_EVENTS} events")));
        }
        if !event.is_told_by_hosts() {
            return Err(lost(self.connection, "the agent sent an event that is not a host's to tell"));
        }
        (self.emit)(event);
        Ok(())
    }

    /// What is believed of the end of a play. One that has no `end_play()` can't end for other hosts, and one that makes its
    /// changes foretells none.
    fn judge(&self, ended: Ended) -> Ended {
        let can_end = self.sources.scripts.values().any(|script| script.contains("end_play"));
        let foretold = if self.foretells { ended.foretold } else { Foretold::default() };
        Ended { play_done: ended.play_done && can_end, foretold, ..ended }
    }

    /// Gives the agent a file that its bundle lists.
    fn give(&mut self, path: String) -> Result<(), Unreachable> {
        self.wishes += 1;
        if self.wishes > MOST_WISHES {
            let reason = format!("the agent asked for files more than {MOST_WISHES} times");
            return Err(lost(self.connection, &reason));
        }
        let content = if self.sources.files.contains_key(&path) {
            (self.serve)(&path)
        } else {
            Err("the bundle lists no such file".to_owned())
        };
        let content = content.map(serde_bytes::ByteBuf::from);
        self.send(&ToAgent::File { path, content })
    }
}

/// How soon an agent was told to stop, and when.
struct Told {
    urgency: Urgency,
    since: Instant,
}
