//! The controller's side: a play for a host behind a connection.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::frame::{self, Assembler, LARGEST_FROM_AGENT, MAGIC};
use super::{Ended, PROTOCOL, ToAgent, ToController};
use crate::bundle::Bundle;
use crate::diagnostic::Diagnostic;
use crate::event::EventKind;
use crate::transport::{Connection, Stage, Unreachable};

/// How often a waiting controller looks whether it was told to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Gives the content of a file that the agent asks for. Only files that its bundle lists are ever looked for.
pub type Serve<'a> = dyn Fn(&str) -> Result<Vec<u8>, String> + 'a;

/// Runs a play on the host behind `connection`.
///
/// # Errors
/// The agent ended before the play did, or said something that makes no sense.
pub fn run(
    connection: &mut dyn Connection,
    bundle: Bundle,
    serve: &Serve<'_>,
    emit: &dyn Fn(EventKind),
    interrupted: &AtomicBool,
) -> Result<Ended, Unreachable> {
    let sources = std::sync::Arc::clone(&bundle.sources);
    let frame = frame::encode(&ToAgent::Run(Box::new(bundle)));
    frame.and_then(|frame| connection.send(&frame)).map_err(|error| broken(connection, &error))?;
    let mut assembler = Assembler::default();
    let mut magic = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut told = false;
    loop {
        if !told && interrupted.load(Ordering::Relaxed) {
            told = true;
            // If it can't be told, the stream is gone, and it knows.
            let _ = frame::encode(&ToAgent::Interrupt).and_then(|frame| connection.send(&frame));
        }
        let received = connection.receive(&mut buffer, LOOK).map_err(|error| broken(connection, &error))?;
        let mut bytes = match received {
            None => continue,
            Some(0) => return Err(lost(connection, "the connection was closed")),
            Some(count) => &buffer[..count],
        };
        // The stream begins with the magic bytes.
        while magic.len() < MAGIC.len() {
            let Some((first, rest)) = bytes.split_first() else { break };
            magic.push(*first);
            bytes = rest;
        }
        if !MAGIC.starts_with(&magic) {
            return Err(lost(connection, "what answers there is not an agent"));
        }
        assembler.push(bytes);
        loop {
            let message = assembler
                .next::<ToController>(LARGEST_FROM_AGENT)
                .map_err(|error| lost(connection, &format!("the agent sent {error}")))?;
            match message {
                None => break,
                Some(ToController::Hello(protocol)) if protocol == PROTOCOL => {}
                Some(ToController::Hello(_)) => {
                    return Err(lost(connection, "the agent is of another release"));
                }
                Some(ToController::Event(event)) => emit(*event),
                Some(ToController::Need(path)) => {
                    let content = if sources.files.contains_key(&path) {
                        serve(&path)
                    } else {
                        Err("the bundle lists no such file".to_owned())
                    };
                    let content = content.map(serde_bytes::ByteBuf::from);
                    frame::encode(&ToAgent::File { path, content })
                        .and_then(|frame| connection.send(&frame))
                        .map_err(|error| broken(connection, &error))?;
                }
                Some(ToController::Ended(ended)) => return Ok(ended),
            }
        }
    }
}

/// The stream is broken: in the connection's own words, if it has more than a line.
fn broken(connection: &mut dyn Connection, error: &io::Error) -> Unreachable {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Diagnostic>()) {
        Some(error) => Unreachable { stage: Stage::Agent, error: error.clone() },
        None => lost(connection, &error.to_string()),
    }
}

fn lost(connection: &mut dyn Connection, reason: &str) -> Unreachable {
    let error = Diagnostic::new("lost the agent before the play had ended")
        .because(reason)
        .with_output(connection.complaints());
    Unreachable { stage: Stage::Agent, error }
}
