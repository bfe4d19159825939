//! Between the controller and an agent of another user.

use std::io::{self, Read, Write};
use std::thread;

use super::launched::Launched;
use crate::agent::frame::{self, MAGIC};
use crate::agent::{PROTOCOL, ToController};
use crate::transport::Connection;

/// Passes everything on, in both directions, until the agent has ended.
///
/// When `input` ends, so does what the agent reads; it then finishes the step in hand and leaves.
///
/// # Errors
/// The agent did not end in good order.
pub fn relay(
    mut agent: Launched,
    mut input: impl Read + Send + 'static,
    mut output: impl Write,
) -> io::Result<()> {
    if let Some(mut to_agent) = agent.input() {
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = input.read(&mut buffer) {
                if to_agent.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
        });
    }
    greet(&mut agent)?;
    let mut listening = true;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = agent.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        // What nobody listens to any more is still taken, so that the agent can finish.
        listening = listening && output.write_all(&buffer[..count]).and_then(|()| output.flush()).is_ok();
    }
    let complaints = agent.complaints();
    match agent.ending() {
        None => Ok(()),
        Some(ending) => Err(io::Error::other(format!("the agent that was started: {ending}\n{complaints}"))),
    }
}

/// Takes in the greeting of the agent: the controller has had that of the one that it started.
fn greet(agent: &mut Launched) -> io::Result<()> {
    let greeting = [&MAGIC[..], &frame::encode(&ToController::Hello(PROTOCOL.to_owned()))?].concat();
    let mut heard = vec![0; greeting.len()];
    let mut count = 0;
    while count < heard.len() {
        match agent.read(&mut heard[count..])? {
            0 => break,
            more => count += more,
        }
    }
    if heard == greeting {
        Ok(())
    } else {
        Err(io::Error::other("what was started is no agent of this release"))
    }
}
