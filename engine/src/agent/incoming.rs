//! What an agent says, message by message.

use std::io;
use std::time::Duration;

use super::frame::{Assembler, LARGEST_FROM_AGENT, MAGIC};
use super::{PROTOCOL, ToController};
use crate::diagnostic::Diagnostic;
use crate::transport::{Connection, Stage, Unreachable};

/// Puts an agent's messages together. The magic bytes and the greeting in front of them are checked and not passed on.
pub struct Incoming {
    magic: Vec<u8>,
    assembler: Assembler,
    buffer: Vec<u8>,
    greeted: bool,
    received: u64,
}

impl Default for Incoming {
    fn default() -> Self {
        Self {
            magic: Vec::new(),
            assembler: Assembler::default(),
            buffer: vec![0; 64 * 1024],
            greeted: false,
            received: 0,
        }
    }
}

impl Incoming {
    /// Whether the agent has said its first word.
    pub fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The next message, waiting at most `patience` for something to arrive. `None` when nothing did that makes one.
    ///
    /// # Errors
    /// The stream has ended or broken, what arrives is not from an agent of this release, or the agent could not become who it
    /// should.
    pub fn next(
        &mut self,
        connection: &mut dyn Connection,
        patience: Duration,
    ) -> Result<Option<ToController>, Unreachable> {
        if let Some(message) = self.whole(connection)? {
            return Ok(Some(message));
        }
        let received = connection.receive(&mut self.buffer, patience);
        let mut bytes = match received.map_err(|error| broken(connection, &error))? {
            None => return Ok(None),
            Some(0) => return Err(lost(connection, "the connection was closed")),
            Some(count) => &self.buffer[..count],
        };
        self.received += bytes.len() as u64;
        // The stream begins with the magic bytes.
        while self.magic.len() < MAGIC.len() {
            let Some((first, rest)) = bytes.split_first() else { break };
            self.magic.push(*first);
            bytes = rest;
        }
        if !MAGIC.starts_with(&self.magic) {
            return Err(lost(connection, "what answers there is not an agent"));
        }
        self.assembler.push(bytes);
        self.whole(connection)
    }

    /// The next message, if all of it is there.
    fn whole(&mut self, connection: &mut dyn Connection) -> Result<Option<ToController>, Unreachable> {
        loop {
            let message = self.assembler.next(LARGEST_FROM_AGENT);
            match message.map_err(|error| lost(connection, &format!("the agent sent {error}")))? {
                Some(ToController::Hello(_)) if self.greeted => {
                    return Err(lost(connection, "the agent sent its greeting again"));
                }
                Some(ToController::Hello(protocol)) if protocol == PROTOCOL => self.greeted = true,
                Some(ToController::Hello(_)) => {
                    return Err(lost(connection, "the agent is of another release"));
                }
                Some(other) if !self.greeted => {
                    let reason = format!("the agent sent {} before its greeting", other.word());
                    return Err(lost(connection, &reason));
                }
                Some(ToController::Refused(unreachable)) => return Err(*unreachable),
                message => return Ok(message),
            }
        }
    }
}

/// The stream is broken: in the connection's own words, if it has more than a line.
pub fn broken(connection: &mut dyn Connection, error: &io::Error) -> Unreachable {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Unreachable>()) {
        Some(unreachable) => unreachable.clone(),
        None => lost(connection, &error.to_string()),
    }
}

/// The agent is gone, or can't be believed, for this reason.
pub fn lost(connection: &mut dyn Connection, reason: &str) -> Unreachable {
    let error = Diagnostic::new("lost the agent before the play had ended")
        .because(reason)
        .with_output(connection.complaints());
    Unreachable { stage: Stage::Agent, error }
}
