//! What a transport has of a host before there is an agent: a shell that runs scripts.

use std::time::Instant;

use super::Unreachable;

/// A host that runs one script after the other. Everything that can go wrong is said in words that follow "because".
pub(super) trait Shell: Send {
    /// Runs a script of the agent's cache. What ran before is let go.
    ///
    /// # Errors
    /// The host is gone, or does not run it.
    fn run(&mut self, script: &str) -> Result<(), String>;

    /// Sends as much of `bytes` as the script takes in, and at least something, unless it is about to end: then nothing.
    ///
    /// # Errors
    /// The connection is gone, or the host takes in nothing.
    fn send(&mut self, bytes: &[u8]) -> Result<usize, String>;

    /// Says that no more will be sent.
    ///
    /// # Errors
    /// The connection is gone.
    fn end_input(&mut self) -> Result<(), String>;

    /// Waits for something to come, or for the end; `false` when nothing did before the deadline.
    ///
    /// # Errors
    /// The connection is gone.
    fn wait(&mut self, deadline: Instant) -> Result<bool, String>;

    /// As [`wait`](Self::wait), until the run shall stop.
    ///
    /// # Errors
    /// As [`wait`](Self::wait), or the run shall stop.
    fn wait_or_give_up(&mut self, deadline: Instant) -> Result<bool, String>;

    /// What has come and was not taken yet.
    fn output(&self) -> &[u8];

    /// Takes the first `count` bytes off what has come.
    fn take(&mut self, count: usize);

    /// The end of what the script has written to its standard error.
    fn complaints(&self) -> &[u8];

    /// Whether no more will come.
    fn ended(&self) -> bool;

    /// Whether another script can be run: nothing is on its way in part.
    fn is_idle(&self) -> bool {
        true
    }

    /// How a script that has ended ended: `None` in good order, else in words.
    fn ending(&mut self) -> Option<String>;

    /// What the ending of a script says of the way to the host, when it never ran there. `again` is set when it is not the
    /// first that has ended so.
    fn no_way(&mut self, _ending: &str, _again: bool) -> Option<Unreachable> {
        None
    }

    /// An agent has said its first word: from now on, waits last as long as it does.
    fn began(&mut self) {}

    /// How often an answer was waited for, when it is counted.
    fn round_trips(&self) -> u32 {
        0
    }

    /// Ends the connection in good order, or keeps it for the next play.
    fn finish(self: Box<Self>) {}
}
