//! A program of this machine whose input and output are those of a script on a host.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Target;
use super::askpass::Askpass;
use crate::diagnostic::Diagnostic;
use crate::failure;
use crate::interrupt::Interrupt;
use crate::transport::shell::Shell;
use crate::transport::ssh::Client;
use crate::transport::{Stage, Unreachable, printable};

/// How long the host may take in nothing at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a program may take to end that has closed its output.
const LAST_WORD: Duration = Duration::from_secs(5);

/// How often a wait looks whether the run shall stop.
const LOOK: Duration = Duration::from_millis(100);

/// So much is read by one call.
const CHUNK: usize = 64 * 1024;

/// So much may wait to be received. A host that says more while it takes in nothing has no good reason.
const MOST_WAITING: usize = 64 * 1024 * 1024;

/// How much of what a program complains about is kept: its end.
const MOST_COMPLAINTS: usize = 8 * 1024;

/// A host behind a program: each script in a process of its own.
pub(super) struct ProcessShell {
    target: Target,
    askpass: Option<Askpass>,
    interrupt: Arc<Interrupt>,
    running: Running,
    /// Whether waits end when the run shall stop.
    may_give_up: bool,
}

/// A program at work.
struct Running {
    child: Child,
    input: Option<File>,
    from: Option<File>,
    errors: Option<File>,
    output: Vec<u8>,
    taken: usize,
    complaints: Vec<u8>,
}

impl ProcessShell {
    /// Runs a script.
    ///
    /// # Errors
    /// The program can't be started.
    pub(super) fn open(
        target: Target,
        client: &Client,
        interrupt: &Arc<Interrupt>,
        script: &str,
    ) -> Result<Self, Unreachable> {
        let unreachable = |error| Unreachable { stage: Stage::Connection, error };
        let askpass = match &target {
            Target::OpenSsh(ssh) => ssh.askpass(client).map_err(unreachable)?,
            Target::Command(_) => None,
        };
        let running = Running::start(&target, askpass.as_ref(), script);
        let running = running.map_err(|error| unreachable(not_started(&target, script, &error)))?;
        Ok(Self { target, askpass, interrupt: Arc::clone(interrupt), running, may_give_up: true })
    }

    /// Takes in what comes before the deadline; `false` if nothing does.
    fn wait_until(&mut self, deadline: Instant) -> Result<bool, String> {
        loop {
            let now = Instant::now();
            if self.running.exchange(&mut None, deadline.min(now + LOOK))? || self.ended() {
                return Ok(true);
            }
            if self.may_give_up && self.interrupt.is_set() {
                return Err("interrupted".to_owned());
            }
            if now >= deadline {
                return Ok(false);
            }
        }
    }
}

fn not_started(target: &Target, script: &str, error: &io::Error) -> Diagnostic {
    let program = target.program(script).get_program().to_string_lossy().into_owned();
    Diagnostic::new(format!("could not start `{program}`")).because(failure::reason(error))
}

impl Running {
    fn start(target: &Target, askpass: Option<&Askpass>, script: &str) -> io::Result<Self> {
        let mut command = target.program(script);
        if let Some(askpass) = askpass {
            askpass.let_ask(&mut command);
        }
        // Ctrl-C at the terminal ends the run gently, and that needs the connection.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn()?;
        let input = child.stdin.take().map(|stdin| ready(stdin.into())).transpose();
        let from = child.stdout.take().map(|stdout| ready(stdout.into())).transpose();
        let errors = child.stderr.take().map(|stderr| ready(stderr.into())).transpose();
        Ok(Self {
            child,
            input: input?,
            from: from?,
            errors: errors?,
            output: Vec::new(),
            taken: 0,
            complaints: Vec::new(),
        })
    }

    /// Waits until something can be sent of `bytes`, or has come, and does that. Returns whether anything was done; how much was
    /// sent is taken off `bytes`.
    fn exchange(&mut self, bytes: &mut Option<&[u8]>, deadline: Instant) -> Result<bool, String> {
        let mut waits = Vec::with_capacity(3);
        let sending = self.input.as_ref().filter(|_| bytes.is_some());
        waits.extend(sending.map(|input| PollFd::new(input, PollFlags::OUT)));
        waits.extend(
            [&self.from, &self.errors].into_iter().flatten().map(|from| PollFd::new(from, PollFlags::IN)),
        );
        if waits.is_empty() {
            return Ok(false);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        match poll(&mut waits, Timespec::try_from(left).ok().as_ref()) {
            Ok(0) | Err(Errno::INTR) => return Ok(false),
            Err(error) => return Err(failure::reason(&error.into())),
            Ok(_) => {}
        }
        let before = (self.output.len(), self.complaints.len(), self.from.is_some(), self.errors.is_some());
        if self.output.len() - self.taken > MOST_WAITING {
            return Err("the host says more and more, and listens to nothing".to_owned());
        }
        pull(&mut self.from, &mut self.output);
        pull(&mut self.errors, &mut self.complaints);
        let mut done =
            before != (self.output.len(), self.complaints.len(), self.from.is_some(), self.errors.is_some());
        let surplus = self.complaints.len().saturating_sub(MOST_COMPLAINTS);
        self.complaints.drain(..surplus);
        if let (Some(rest), Some(input)) = (bytes.as_mut(), &mut self.input) {
            match input.write(rest) {
                Ok(count) => {
                    *rest = &rest[count..];
                    done = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Nobody reads it any more. How the program ended tells why.
                Err(_) => self.input = None,
            }
        }
        Ok(done)
    }
}

/// A descriptor that does not block.
fn ready(fd: OwnedFd) -> io::Result<File> {
    let flags = rustix::fs::fcntl_getfl(fd.as_fd())?;
    rustix::fs::fcntl_setfl(fd.as_fd(), flags | OFlags::NONBLOCK)?;
    Ok(File::from(fd))
}

/// Reads what there is; at its end, there is no stream any more.
fn pull(from: &mut Option<File>, into: &mut Vec<u8>) {
    let mut chunk = [0; CHUNK];
    while let Some(stream) = from {
        match stream.read(&mut chunk) {
            Ok(count @ 1..) => into.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => *from = None,
        }
        if into.len() > MOST_WAITING {
            return;
        }
    }
}

impl Shell for ProcessShell {
    fn run(&mut self, script: &str) -> Result<(), String> {
        let running = Running::start(&self.target, self.askpass.as_ref(), script);
        self.running = running.map_err(|error| not_started(&self.target, script, &error).to_string())?;
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut rest = Some(bytes);
            self.running.exchange(&mut rest, deadline.min(Instant::now() + LOOK))?;
            let sent = bytes.len() - rest.map_or(0, <[u8]>::len);
            if sent > 0 {
                return Ok(sent);
            }
            if self.running.input.is_none() && self.ended() {
                return Ok(0);
            }
            if self.may_give_up && self.interrupt.is_set() {
                return Err("interrupted".to_owned());
            }
            if Instant::now() > deadline {
                return Err(format!("no answer in {} s", PATIENCE.as_secs()));
            }
        }
    }

    fn end_input(&mut self) -> Result<(), String> {
        self.running.input = None;
        Ok(())
    }

    fn wait(&mut self, deadline: Instant) -> Result<bool, String> {
        let may_give_up = std::mem::replace(&mut self.may_give_up, false);
        let waited = self.wait_until(deadline);
        self.may_give_up = may_give_up;
        waited
    }

    fn wait_or_give_up(&mut self, deadline: Instant) -> Result<bool, String> {
        self.wait_until(deadline)
    }

    fn output(&self) -> &[u8] {
        &self.running.output[self.running.taken..]
    }

    fn take(&mut self, count: usize) {
        let running = &mut self.running;
        running.taken += count;
        if running.taken == running.output.len() {
            running.output.clear();
            running.taken = 0;
        }
    }

    fn complaints(&self) -> &[u8] {
        &self.running.complaints
    }

    fn ended(&self) -> bool {
        self.running.from.is_none()
    }

    fn ending(&mut self) -> Option<String> {
        let deadline = Instant::now() + LAST_WORD;
        // A program that is asked for its end hears the end of its input first.
        self.running.input = None;
        loop {
            pull(&mut self.running.errors, &mut self.running.complaints);
            match self.running.child.try_wait() {
                Ok(Some(status)) => {
                    pull(&mut self.running.errors, &mut self.running.complaints);
                    return match (status.signal(), status.code()) {
                        (Some(signal), _) => Some(format!("it was ended by the signal {signal}")),
                        (None, Some(0)) => None,
                        (None, code) => Some(format!("it exited with status {}", code.unwrap_or(-1))),
                    };
                }
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
                Ok(None) => return Some("it closed its output and did not end".to_owned()),
                Err(error) => return Some(failure::reason(&error)),
            }
        }
    }

    fn no_way(&mut self, ending: &str, again: bool) -> Option<Unreachable> {
        let refusal = self.askpass.as_ref().and_then(Askpass::refusal);
        let said = printable(&self.running.complaints);
        let unreachable = self.target.no_way(ending, said.trim_end(), again)?;
        let error = refusal.into_iter().fold(unreachable.error, Diagnostic::because);
        Some(Unreachable { error, ..unreachable })
    }

    fn began(&mut self) {
        self.may_give_up = false;
        self.askpass = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The end of its input is the word; the agent finishes what it has in hand by itself.
        self.input = None;
        let deadline = Instant::now() + LOOK;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                // It may have ended this moment.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}
