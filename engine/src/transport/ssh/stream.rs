//! The stream to an agent: started from the host's cache, put there first when it is missing.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pipe::Pipe;
use super::wire::{Trouble, Wire};
use super::{Client, Target};
use crate::agent::frame::MAGIC;
use crate::diagnostic::Diagnostic;
use crate::transport::cache::{self, Missing};
use crate::transport::{AgentBinary, Connection, Stage, Unreachable, find, printable};

/// How long the agent may take to say its first word, and the host to take in the agent.
const PATIENCE: Duration = Duration::from_secs(60);

/// Login shells may print so much before the agent's first word.
const MOST_NOISE: usize = 64 * 1024;

/// So much of it is shown when the agent does not start: its end.
const MOST_SHOWN: usize = 8 * 1024;

/// A connection to an agent over ssh.
pub(super) struct Stream {
    // Before the pipe, since what is declared first goes first: without a socket, a channel goes without waiting.
    wire: Wire,
    pipe: Pipe,
    client: Arc<Client>,
    /// For which host the wire is kept.
    target: Target,
    phase: Phase,
    /// What is to be sent, from the beginning until the agent has said its first word: it may have to be sent again.
    outgoing: Vec<u8>,
    sent: usize,
}

enum Phase {
    /// The agent has not said its first word.
    Starting { attempt: Attempt, since: Instant },
    /// It has.
    Running,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// With what is in the cache, if there is anything.
    Cached,
    /// Whatever is in the cache: it did not start.
    Anew,
    /// With what was put there.
    Put,
}

impl Stream {
    /// Starts the agent, without waiting for it. In the end, the client is given the wire back.
    pub(super) fn start(mut wire: Wire, client: &Arc<Client>, target: Target) -> Result<Self, Unreachable> {
        wire.may_give_up = true;
        let pipe = client
            .binary
            .hash()
            .map_err(unreadable)
            .and_then(|hash| {
                Pipe::open(&mut wire, cache::command(&cache::start(hash, false))).map_err(not_run)
            })
            .map_err(|error| Unreachable { stage: Stage::Agent, error })?;
        Ok(Self {
            wire,
            pipe,
            client: Arc::clone(client),
            target,
            phase: Phase::Starting { attempt: Attempt::Cached, since: Instant::now() },
            outgoing: Vec::new(),
            sent: 0,
        })
    }

    /// Sends what is to be sent.
    fn flush(&mut self) -> Result<(), Diagnostic> {
        while self.sent < self.outgoing.len() {
            let count = self.pipe.send(&mut self.wire, &self.outgoing[self.sent..]).map_err(not_run)?;
            self.sent += count;
            self.look()?;
            // The far side has ended without taking it all. Whoever receives next is told how.
            if count == 0 && self.pipe.ended() {
                break;
            }
        }
        if matches!(self.phase, Phase::Running) {
            self.outgoing.clear();
            self.sent = 0;
        }
        Ok(())
    }

    /// While the agent starts: looks at what has come so far, and does what is to be done about it.
    fn look(&mut self) -> Result<(), Diagnostic> {
        let Phase::Starting { attempt, since } = self.phase else { return Ok(()) };
        let said = self.pipe.output();
        if let Some(noise) = find(said, &MAGIC) {
            self.pipe.take(noise);
            self.wire.may_give_up = false;
            self.phase = Phase::Running;
        } else if !self.pipe.is_idle() {
            // What is within a packet has to be finished first.
        } else if let Some(missing) = cache::missing(said).filter(|_| attempt != Attempt::Put) {
            self.put(&missing)?;
            self.start_again(Attempt::Put)?;
        } else if self.pipe.ended() {
            self.ended_early(attempt)?;
        } else if said.len() > MOST_NOISE {
            return Err(self.did_not_start("the login shell prints without end"));
        } else if since.elapsed() > PATIENCE {
            return Err(self.did_not_start(&format!("no word from it in {} s", PATIENCE.as_secs())));
        }
        Ok(())
    }

    /// What was started has ended without a word. A cached agent may be broken, or be one for another kind of machine.
    fn ended_early(&mut self, attempt: Attempt) -> Result<(), Diagnostic> {
        match self.pipe.ending(&mut self.wire) {
            Some(_) if attempt == Attempt::Cached => self.start_again(Attempt::Anew),
            reason => Err(self.did_not_start(reason.as_deref().unwrap_or("it ended without a word"))),
        }
    }

    /// Starts once more, and sends everything from the beginning.
    fn start_again(&mut self, attempt: Attempt) -> Result<(), Diagnostic> {
        let hash = self.client.binary.hash().map_err(unreadable)?;
        let command = cache::command(&cache::start(hash, attempt == Attempt::Anew));
        self.pipe = Pipe::open(&mut self.wire, command).map_err(not_run)?;
        self.phase = Phase::Starting { attempt, since: Instant::now() };
        self.sent = 0;
        Ok(())
    }

    /// Puts the agent into the host's cache.
    fn put(&mut self, missing: &Missing) -> Result<(), Diagnostic> {
        let machine = AgentBinary::machine();
        if missing.machine != machine {
            let error = format!(
                "the host is a `{}`, and this program is one for `{machine}`",
                printable(missing.machine.as_bytes())
            );
            return Err(Diagnostic::new(error).hint("run it from a machine of the same kind"));
        }
        let hash = self.client.binary.hash().map_err(unreadable)?;
        let command = cache::command(&cache::put(hash, missing.gzip));
        let content;
        let content = if missing.gzip {
            self.client.binary.compressed().map_err(unreadable)?
        } else {
            content = self.client.binary.content().map_err(unreadable)?;
            &content
        };
        let mut pipe = Pipe::open(&mut self.wire, command).map_err(not_run)?;
        let result = put_through(&mut pipe, &mut self.wire, content);
        result.map_err(|reason| {
            let error = Diagnostic::new("could not put the agent on the host").because(reason);
            error.with_output(printable(pipe.complaints()))
        })
    }

    fn did_not_start(&mut self, reason: &str) -> Diagnostic {
        Diagnostic::new("the agent did not start").because(reason).with_output(self.complaints())
    }
}

/// Sends the agent to a command that stores it, and waits for its word that it has.
fn put_through(pipe: &mut Pipe, wire: &mut Wire, mut content: &[u8]) -> Result<(), String> {
    while !content.is_empty() {
        match pipe.send(wire, content).map_err(|trouble| trouble.words())? {
            0 => break,
            count => content = &content[count..],
        }
    }
    if content.is_empty() {
        pipe.end_input(wire).map_err(|trouble| trouble.words())?;
    }
    while !pipe.ended() {
        let deadline = Instant::now() + PATIENCE;
        if !pipe.wait_or_give_up(wire, deadline).map_err(|trouble| trouble.words())? {
            return Err(format!("no word from the host in {} s", PATIENCE.as_secs()));
        }
        if pipe.output().len() > MOST_NOISE {
            return Err("the host prints without end".to_owned());
        }
    }
    let ending = pipe.ending(wire);
    cache::stored(pipe.output()).unwrap_or_else(|| {
        Err(ending.unwrap_or_else(|| "the host's shell did not understand what to do".to_owned()))
    })
}

impl Connection for Stream {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.outgoing.extend_from_slice(bytes);
        self.flush().map_err(io::Error::other)
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<Option<usize>> {
        let deadline = Instant::now() + patience;
        loop {
            self.look().and_then(|()| self.flush()).map_err(io::Error::other)?;
            if matches!(self.phase, Phase::Running) {
                let waiting = self.pipe.output();
                let count = waiting.len().min(buffer.len());
                if count > 0 {
                    buffer[..count].copy_from_slice(&waiting[..count]);
                    self.pipe.take(count);
                    return Ok(Some(count));
                }
                if self.pipe.ended() {
                    return match self.pipe.ending(&mut self.wire) {
                        None => Ok(Some(0)),
                        Some(reason) => Err(io::Error::other(reason)),
                    };
                }
            }
            match self.pipe.wait(&mut self.wire, deadline) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(trouble) => return Err(io::Error::other(trouble.words())),
            }
        }
    }

    fn complaints(&mut self) -> String {
        let noise = match self.phase {
            Phase::Starting { .. } => self.pipe.output(),
            Phase::Running => &[],
        };
        let noise = &noise[noise.len().saturating_sub(MOST_SHOWN)..];
        [printable(noise), printable(self.pipe.complaints())].concat()
    }

    fn round_trips(&self) -> u32 {
        self.wire.round_trips()
    }

    fn finish(self: Box<Self>) {
        let Self { wire, pipe, client, target, .. } = *self;
        if pipe.is_idle() {
            // The channel's end is said, and not waited for.
            drop(pipe);
            client.keep(target, wire);
        }
    }
}

fn unreadable(reason: String) -> Diagnostic {
    Diagnostic::new("could not read this program's own file").because(reason)
}

/// A command that the host did not run.
fn not_run(trouble: Trouble) -> Diagnostic {
    let reason = if trouble.code() == libssh2_sys::LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED {
        "the host runs no commands for this user".to_owned()
    } else {
        trouble.words()
    };
    Diagnostic::new("could not start the agent").because(reason)
}
