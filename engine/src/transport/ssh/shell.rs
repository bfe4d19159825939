//! The shell of a host that was logged in to.

use std::sync::Arc;
use std::time::Instant;

use super::pipe::Pipe;
use super::wire::{Trouble, Wire};
use super::{Client, Target};
use crate::transport::agent_stream::not_run;
use crate::transport::shell::Shell;
use crate::transport::{Unreachable, cache};

/// The login shell of a host: each script in a channel of its own.
pub(super) struct SshShell {
    // Before the pipe, since what is declared first goes first: without a socket, a channel goes without waiting.
    wire: Wire,
    pipe: Pipe,
    client: Arc<Client>,
    /// For which host the wire is kept.
    target: Target,
}

impl SshShell {
    /// Runs a script over a session that was logged in. In the end, the client is given the wire back.
    ///
    /// # Errors
    /// The host does not run it.
    pub(super) fn open(
        mut wire: Wire,
        client: &Arc<Client>,
        target: Target,
        script: &str,
    ) -> Result<Self, Unreachable> {
        wire.may_give_up = true;
        let pipe = Pipe::open(&mut wire, cache::command(script)).map_err(words).map_err(not_run)?;
        Ok(Self { wire, pipe, client: Arc::clone(client), target })
    }
}

fn words(trouble: Trouble) -> String {
    if trouble.code() == libssh2_sys::LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED {
        "the host runs no commands for this user".to_owned()
    } else {
        trouble.words()
    }
}

impl Shell for SshShell {
    fn run(&mut self, script: &str) -> Result<(), String> {
        self.pipe = Pipe::open(&mut self.wire, cache::command(script)).map_err(words)?;
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<usize, String> {
        self.pipe.send(&mut self.wire, bytes).map_err(words)
    }

    fn end_input(&mut self) -> Result<(), String> {
        self.pipe.end_input(&mut self.wire).map_err(words)
    }

    fn wait(&mut self, deadline: Instant) -> Result<bool, String> {
        self.pipe.wait(&mut self.wire, deadline).map_err(words)
    }

    fn wait_or_give_up(&mut self, deadline: Instant) -> Result<bool, String> {
        self.pipe.wait_or_give_up(&mut self.wire, deadline).map_err(words)
    }

    fn output(&self) -> &[u8] {
        self.pipe.output()
    }

    fn take(&mut self, count: usize) {
        self.pipe.take(count);
    }

    fn complaints(&self) -> &[u8] {
        self.pipe.complaints()
    }

    fn ended(&self) -> bool {
        self.pipe.ended()
    }

    fn is_idle(&self) -> bool {
        self.pipe.is_idle()
    }

    fn ending(&mut self) -> Option<String> {
        self.pipe.ending(&mut self.wire)
    }

    fn began(&mut self) {
        self.wire.may_give_up = false;
    }

    fn round_trips(&self) -> u32 {
        self.wire.round_trips()
    }

    fn finish(self: Box<Self>) {
        let Self { wire, pipe, client, target } = *self;
        if pipe.is_idle() {
            // The channel's end is said, and not waited for.
            drop(pipe);
            client.keep(target, wire);
        }
    }
}
