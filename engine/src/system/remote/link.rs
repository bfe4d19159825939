//! The controller's end of a connection over which calls travel.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call::{Answer, Call};
use crate::agent::frame::{self, LARGEST_FROM_CONTROLLER};
use crate::agent::incoming::{Incoming, broken, lost};
use crate::agent::{ToAgent, ToController, shape};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::system::RootKind;
use crate::transport::{Connection, Unreachable};

/// How often a waiting controller looks whether it was told to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How long a host that shall stop now may take to answer: its commands have two seconds to end in good order.
const LAST_WORD: Duration = Duration::from_secs(5);

fn unsendable(reason: &str) -> Failure {
    Failure::state(format!("what is to be done can't be sent to the host: {reason}"))
}

/// Answers, one behind the other.
fn read(mut bytes: &[u8]) -> Result<Vec<Result<Answer, Failure>>, rmp_serde::decode::Error> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        answers.push(rmp_serde::from_read(&mut bytes)?);
    }
    Ok(answers)
}

/// Calls go out, answers come in. What it has got to say after an error makes no sense any more.
pub(super) struct Link {
    connection: Box<dyn Connection>,
    incoming: Incoming,
    /// That of the last calls.
    number: u64,
    /// How often answers were waited for.
    exchanges: u64,
    interrupt: Arc<Interrupt>,
    /// When the host was told to stop now.
    told: Option<Instant>,
}

impl Link {
    /// Asks the agent behind `connection` to serve calls. Does not wait for it.
    pub(super) fn open(
        mut connection: Box<dyn Connection>,
        root_kind: RootKind,
        interrupt: Arc<Interrupt>,
    ) -> Result<Self, Unreachable> {
        let greeting = frame::encode(&ToAgent::Serve(root_kind));
        greeting
            .and_then(|frame| connection.send(&frame))
            .map_err(|error| broken(&mut *connection, &error))?;
        let incoming = Incoming::default();
        Ok(Self { connection, incoming, number: 0, exchanges: 0, interrupt, told: None })
    }

    /// Makes calls in order, up to the first that fails.
    pub(super) fn exchange(&mut self, calls: Vec<Call>) -> Result<Vec<Result<Answer, Failure>>, Unreachable> {
        self.number += 1;
        self.exchanges += 1;
        let count = calls.len();
        let most = calls.iter().map(Call::largest_answer).sum();
        let frame = match frame::encode(&ToAgent::Calls { number: self.number, calls }) {
            Ok(frame) if frame.len() <= LARGEST_FROM_CONTROLLER => frame,
            Ok(frame) => return Ok(vec![Err(unsendable(&format!("{} bytes are too many", frame.len())))]),
            Err(error) => return Ok(vec![Err(unsendable(&error.to_string()))]),
        };
        self.connection.send(&frame).map_err(|error| broken(&mut *self.connection, &error))?;
        let bytes = self.receive(most)?;
        let shaped = shape::check_all(&bytes);
        shaped.map_err(|reason| self.senseless(&format!("an answer without sense: {reason}")))?;
        let answers =
            read(&bytes).map_err(|error| self.senseless(&format!("an answer without sense: {error}")))?;
        // A call that failed is the last one that was made.
        let whole = answers.len() == count || answers.last().is_some_and(Result::is_err);
        if answers.len() > count || !whole {
            return Err(self.senseless(&format!("{} answers to {count} calls", answers.len())));
        }
        Ok(answers)
    }

    /// Has the host end what it does, where that shall be now. A command is waited for otherwise as long as the connection
    /// stands: it may take long and say nothing meanwhile.
    fn hurry(&mut self) -> Result<(), Unreachable> {
        if !self.incoming.is_greeted() && self.interrupt.is_set() {
            // Nothing has begun there, and nothing shall.
            return Err(lost(&mut *self.connection, "interrupted"));
        }
        match self.told {
            None if self.interrupt.is_now() => {
                self.told = Some(Instant::now());
                // If it can't be told, the stream is gone, which is seen at the next look.
                let _ = frame::encode(&ToAgent::Stop).and_then(|frame| self.connection.send(&frame));
                Ok(())
            }
            Some(since) if since.elapsed() > LAST_WORD => {
                let reason = format!("it did not stop in {} s", LAST_WORD.as_secs());
                Err(lost(&mut *self.connection, &reason))
            }
            _ => Ok(()),
        }
    }

    /// The answers to the last calls, as they are written: at most so many bytes.
    fn receive(&mut self, most: usize) -> Result<Vec<u8>, Unreachable> {
        let mut bytes = Vec::new();
        loop {
            self.hurry()?;
            match self.incoming.next(&mut *self.connection, LOOK)? {
                None => {}
                Some(ToController::Answers { number, piece, last }) => {
                    if number != self.number {
                        let words = format!("answer {number} where answer {} was due", self.number);
                        return Err(self.senseless(&words));
                    }
                    bytes.extend_from_slice(&piece);
                    if bytes.len() > most {
                        return Err(self.senseless(&format!("an answer of more than {most} bytes")));
                    }
                    if last {
                        return Ok(bytes);
                    }
                }
                Some(other) => {
                    return Err(self.senseless(&format!("{} where an answer was due", other.word())));
                }
            }
        }
    }

    /// The agent said something that makes no sense: it is not believed any further.
    pub(super) fn senseless(&mut self, what: &str) -> Unreachable {
        lost(&mut *self.connection, &format!("the agent sent {what}"))
    }

    /// How often answers were waited for.
    pub(super) fn exchanges(&self) -> u64 {
        self.exchanges
    }

    /// Ends it in good order.
    pub(super) fn finish(self) {
        self.connection.finish();
    }
}
