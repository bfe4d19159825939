//! The stream to an agent: started from the host's cache, put there first when it is missing.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cache::{self, Missing};
use super::shell::Shell;
use super::{AgentBinary, Connection, Stage, Unreachable, find, printable};
use crate::agent::frame::MAGIC;
use crate::diagnostic::Diagnostic;

/// How long the agent may take to say its first word, and the host to take in the agent.
const PATIENCE: Duration = Duration::from_secs(60);

/// Login shells may print so much before the agent's first word.
const MOST_NOISE: usize = 64 * 1024;

/// So much of it is shown when the agent does not start: its end.
const MOST_SHOWN: usize = 8 * 1024;

/// How often a script is repeated that ended in good order and without a word. None does that; but what a container prints is
/// lost now and then (by `podman exec`, when it ends before podman listens), and then nothing has reached it either.
const MOST_REPEATS: u8 = 3;

/// A connection to an agent that a shell has started.
pub(super) struct AgentStream<S> {
    shell: Box<S>,
    binary: Arc<AgentBinary>,
    phase: Phase,
    /// What is to be sent, from the beginning until the agent has said its first word: it may have to be sent again.
    outgoing: Vec<u8>,
    sent: usize,
    repeats: u8,
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

impl<S: Shell> AgentStream<S> {
    /// Starts the agent, without waiting for it: `open` runs the first script.
    pub(super) fn start(
        binary: Arc<AgentBinary>,
        open: impl FnOnce(&str) -> Result<S, Unreachable>,
    ) -> Result<Self, Unreachable> {
        let hash = binary.hash().map_err(unreadable)?;
        let shell = open(&cache::start(hash, false))?;
        Ok(Self {
            shell: Box::new(shell),
            binary,
            phase: Phase::Starting { attempt: Attempt::Cached, since: Instant::now() },
            outgoing: Vec::new(),
            sent: 0,
            repeats: 0,
        })
    }

    /// Sends what is to be sent.
    fn flush(&mut self) -> Result<(), Unreachable> {
        while self.sent < self.outgoing.len() {
            let count = self.shell.send(&self.outgoing[self.sent..]).map_err(not_run)?;
            self.sent += count;
            self.look()?;
            // The far side has ended without taking it all. Whoever receives next is told how.
            if count == 0 && self.shell.ended() {
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
    fn look(&mut self) -> Result<(), Unreachable> {
        let Phase::Starting { attempt, since } = self.phase else { return Ok(()) };
        let said = self.shell.output();
        if let Some(noise) = find(said, &MAGIC) {
            self.shell.take(noise);
            self.shell.began();
            self.phase = Phase::Running;
        } else if !self.shell.is_idle() {
            // What is within a packet has to be finished first.
        } else if let Some(missing) = cache::missing(said).filter(|_| attempt != Attempt::Put) {
            self.put(&missing).map_err(at_the_agent)?;
            self.start_again(Attempt::Put)?;
        } else if self.shell.ended() {
            self.ended_early(attempt)?;
        } else if said.len() > MOST_NOISE {
            return Err(self.did_not_start("the login shell prints without end"));
        } else if since.elapsed() > PATIENCE {
            return Err(self.did_not_start(&format!("no word from it in {} s", PATIENCE.as_secs())));
        }
        Ok(())
    }

    /// What was started has ended without a word. A cached agent may be broken, or be one for another kind of machine.
    fn ended_early(&mut self, attempt: Attempt) -> Result<(), Unreachable> {
        let reason = self.shell.ending();
        if let Some(reason) = &reason {
            if let Some(unreachable) = self.shell.no_way(reason, attempt != Attempt::Cached) {
                return Err(unreachable);
            }
            if attempt == Attempt::Cached {
                return self.start_again(Attempt::Anew);
            }
        } else if self.shell.output().is_empty() && self.repeats < MOST_REPEATS {
            self.repeats += 1;
            return self.start_again(attempt);
        }
        Err(self.did_not_start(reason.as_deref().unwrap_or("it ended without a word")))
    }

    /// Starts once more, and sends everything from the beginning.
    fn start_again(&mut self, attempt: Attempt) -> Result<(), Unreachable> {
        let hash = self.binary.hash().map_err(unreadable)?;
        self.shell.run(&cache::start(hash, attempt == Attempt::Anew)).map_err(not_run)?;
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
        let binary = Arc::clone(&self.binary);
        let hash = binary.hash().map_err(|reason| unreadable(reason).error)?;
        let content;
        let content = if missing.gzip {
            binary.compressed().map_err(|reason| unreadable(reason).error)?
        } else {
            content = binary.content().map_err(|reason| unreadable(reason).error)?;
            &content
        };
        let put = self.shell.run(&cache::put(hash, missing.gzip));
        let put = put.and_then(|()| put_through(&mut *self.shell, content));
        put.map_err(|reason| {
            let error = Diagnostic::new("could not put the agent on the host").because(reason);
            error.with_output(printable(self.shell.complaints()))
        })
    }

    fn did_not_start(&mut self, reason: &str) -> Unreachable {
        let error = Diagnostic::new("the agent did not start").because(reason);
        at_the_agent(error.with_output(self.complaints()))
    }
}

/// Sends the agent to a script that stores it, and waits for its word that it has.
fn put_through(shell: &mut impl Shell, mut content: &[u8]) -> Result<(), String> {
    while !content.is_empty() {
        match shell.send(content)? {
            0 => break,
            count => content = &content[count..],
        }
    }
    if content.is_empty() {
        shell.end_input()?;
    }
    while !shell.ended() {
        let deadline = Instant::now() + PATIENCE;
        if !shell.wait_or_give_up(deadline)? {
            return Err(format!("no word from the host in {} s", PATIENCE.as_secs()));
        }
        if shell.output().len() > MOST_NOISE {
            return Err("the host prints without end".to_owned());
        }
    }
    let ending = shell.ending();
    cache::stored(shell.output()).unwrap_or_else(|| match ending {
        Some(reason) => Err(reason),
        // The word is lost; whether the agent is there shows when it is started.
        None if shell.output().is_empty() => Ok(()),
        None => Err("the host's shell did not understand what to do".to_owned()),
    })
}

impl<S: Shell> Connection for AgentStream<S> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.outgoing.extend_from_slice(bytes);
        self.flush().map_err(io::Error::other)
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<Option<usize>> {
        let deadline = Instant::now() + patience;
        loop {
            self.look().and_then(|()| self.flush()).map_err(io::Error::other)?;
            if matches!(self.phase, Phase::Running) {
                let waiting = self.shell.output();
                let count = waiting.len().min(buffer.len());
                if count > 0 {
                    buffer[..count].copy_from_slice(&waiting[..count]);
                    self.shell.take(count);
                    return Ok(Some(count));
                }
                if self.shell.ended() {
                    return match self.shell.ending() {
                        None => Ok(Some(0)),
                        Some(reason) => Err(io::Error::other(reason)),
                    };
                }
            }
            match self.shell.wait(deadline) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(reason) => return Err(io::Error::other(reason)),
            }
        }
    }

    fn complaints(&mut self) -> String {
        let noise = match self.phase {
            Phase::Starting { .. } => self.shell.output(),
            Phase::Running => &[],
        };
        let noise = &noise[noise.len().saturating_sub(MOST_SHOWN)..];
        [printable(noise), printable(self.shell.complaints())].concat()
    }

    fn round_trips(&self) -> u32 {
        self.shell.round_trips()
    }

    fn finish(self: Box<Self>) {
        self.shell.finish();
    }
}

fn at_the_agent(error: Diagnostic) -> Unreachable {
    Unreachable { stage: Stage::Agent, error }
}

fn unreadable(reason: String) -> Unreachable {
    at_the_agent(Diagnostic::new("could not read this program's own file").because(reason))
}

/// A script that the host did not run.
pub(super) fn not_run(reason: String) -> Unreachable {
    at_the_agent(Diagnostic::new("could not start the agent").because(reason))
}
