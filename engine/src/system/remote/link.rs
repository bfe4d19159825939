//! The controller's end of a connection over which calls travel.

use std::time::Duration;

use super::call::{Answer, Call};
use crate::agent::incoming::{Incoming, broken, lost};
use crate::agent::{ToAgent, ToController, frame, shape};
use crate::failure::Failure;
use crate::system::RootKind;
use crate::transport::{Connection, Unreachable};

/// A command on the host may take long and says nothing meanwhile: it is waited for as long as the connection stands.
const PATIENCE: Duration = Duration::from_secs(60);

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
}

impl Link {
    /// Asks the agent behind `connection` to serve calls. Does not wait for it.
    pub(super) fn open(
        mut connection: Box<dyn Connection>,
        root_kind: RootKind,
    ) -> Result<Self, Unreachable> {
        let greeting = frame::encode(&ToAgent::Serve(root_kind));
        greeting
            .and_then(|frame| connection.send(&frame))
            .map_err(|error| broken(&mut *connection, &error))?;
        Ok(Self { connection, incoming: Incoming::default(), number: 0, exchanges: 0 })
    }

    /// Makes calls in order, up to the first that fails.
    pub(super) fn exchange(&mut self, calls: Vec<Call>) -> Result<Vec<Result<Answer, Failure>>, Unreachable> {
        self.number += 1;
        self.exchanges += 1;
        let count = calls.len();
        let most = calls.iter().map(Call::largest_answer).sum();
        let frame = frame::encode(&ToAgent::Calls { number: self.number, calls });
        frame
            .and_then(|frame| self.connection.send(&frame))
            .map_err(|error| broken(&mut *self.connection, &error))?;
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

    /// The answers to the last calls, as they are written: at most so many bytes.
    fn receive(&mut self, most: usize) -> Result<Vec<u8>, Unreachable> {
        let mut bytes = Vec::new();
        loop {
            match self.incoming.next(&mut *self.connection, PATIENCE)? {
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
