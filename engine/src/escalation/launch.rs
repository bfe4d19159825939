//! Starting an agent of another user, from that user's own cache.

use std::time::Duration;

use super::Escalation;
use super::conversation::Conversation;
use super::launched::Launched;
use crate::agent::frame::MAGIC;
use crate::diagnostic::Diagnostic;
use crate::interrupt::Interrupt;
use crate::transport::{AgentBinary, Stage, Unreachable, cache, find, printable};

/// How long a program may take to let somebody in, and an agent to say its first word.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts an agent of another user: this program, put into that user's cache where it is missing.
///
/// # Errors
/// The user could not be become, or has no place for the agent.
pub fn launch(
    escalation: &Escalation,
    binary: &AgentBinary,
    interrupt: &Interrupt,
) -> Result<Launched, Unreachable> {
    let hash = binary.hash().map_err(unreadable)?;
    if let Started::Agent(launched) = start(escalation, hash, interrupt)? {
        return Ok(launched);
    }
    // What is there and does not start is broken, and is replaced.
    put(escalation, binary, hash, interrupt)?;
    match start(escalation, hash, interrupt)? {
        Started::Agent(launched) => Ok(launched),
        Started::Broken(error) => Err(error),
        Started::Missing => Err(did_not_start("it was put there, and is gone again", &[])),
    }
}

/// What came of starting an agent.
enum Started {
    Agent(Launched),
    /// There is none.
    Missing,
    /// There is one that does not start.
    Broken(Unreachable),
}

fn start(escalation: &Escalation, hash: &str, interrupt: &Interrupt) -> Result<Started, Unreachable> {
    let mut conversation = Conversation::start(escalation, &cache::start(hash, false), PATIENCE, interrupt)?;
    conversation.listen(PATIENCE, |said| find(said, &MAGIC).is_some());
    if let Some(magic) = find(conversation.output(), &MAGIC) {
        let (running, early) = conversation.leave(magic);
        return Ok(Started::Agent(Launched::new(running, early)));
    }
    let (complaints, output, ending) = conversation.ending();
    if cache::missing(&output).is_some() {
        return Ok(Started::Missing);
    }
    Ok(Started::Broken(did_not_start(&ending, &[output, complaints].concat())))
}

fn put(
    escalation: &Escalation,
    binary: &AgentBinary,
    hash: &str,
    interrupt: &Interrupt,
) -> Result<(), Unreachable> {
    let content = binary.content().map_err(unreadable)?;
    let mut conversation = Conversation::start(escalation, &cache::put(hash, false), PATIENCE, interrupt)?;
    conversation.feed(content);
    conversation.listen(PATIENCE, |said| cache::stored(said).is_some());
    let stored = cache::stored(conversation.output());
    let (complaints, _, ending) = conversation.ending();
    stored.unwrap_or(Err(ending)).map_err(|reason| Unreachable {
        stage: Stage::Agent,
        error: Diagnostic::new(format!("could not put the agent where `{}` keeps it", escalation.user))
            .because(reason)
            .with_output(printable(&complaints)),
    })
}

fn did_not_start(reason: &str, said: &[u8]) -> Unreachable {
    let error = Diagnostic::new("the agent did not start").because(reason).with_output(printable(said));
    Unreachable { stage: Stage::Agent, error }
}

fn unreadable(reason: String) -> Unreachable {
    let error = Diagnostic::new("could not read this program's own file").because(reason);
    Unreachable { stage: Stage::Agent, error }
}
