//! The controller's side: a play for a host behind a connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::incoming::{Incoming, broken, lost};
use super::{Ended, ToAgent, ToController, frame};
use crate::bundle::Bundle;
use crate::event::EventKind;
use crate::transport::{Connection, Unreachable};

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
    let mut incoming = Incoming::default();
    let mut told = false;
    loop {
        if !told && interrupted.load(Ordering::Relaxed) {
            told = true;
            // If it can't be told, the stream is gone, and it knows.
            let _ = frame::encode(&ToAgent::Interrupt).and_then(|frame| connection.send(&frame));
        }
        match incoming.next(connection, LOOK)? {
            None => {}
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
            Some(other @ (ToController::Hello(_) | ToController::Answers { .. })) => {
                let reason = format!("the agent sent {} in the middle of a play", other.word());
                return Err(lost(connection, &reason));
            }
        }
    }
}
