//! Running a command to its end: streams, deadline, and nothing left behind.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::{Command, Output};
use crate::failure::{self, Failure};

/// Where programs are when the agent's own environment does not say.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs `command` to its end.
///
/// Its streams are pipes, so that nothing reaches the agent's own; `/dev/null` is not needed. It is over when the process
/// itself has ended, even if a daemon that it left holds the pipes open.
pub fn run(command: &Command) -> Result<Output, Failure> {
    let mut child = start(command)?;
    let deadline = command.timeout.map(|timeout| Instant::now() + timeout);
    let mut streams = Streams::of(&mut child, command.stdin.as_deref().unwrap_or_default())?;
    let pid = Pid::from_child(&child);
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok();
    loop {
        let patience = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            Some(Duration::ZERO) => return Err(stop(&mut child, pid, command)),
            patience => patience,
        };
        // Without a pidfd (Linux before 5.3) the end is seen by looking every now and then.
        let patience = if pidfd.is_some() {
            patience
        } else {
            Some(patience.unwrap_or(Duration::MAX).min(Duration::from_millis(20)))
        };
        streams.wait(pidfd.as_ref().map(AsFd::as_fd), patience);
        let ended = child.try_wait().map_err(|error| start_failure(command, &error))?;
        streams.pump();
        if let Some(status) = ended {
            let status = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            return Ok(Output { status, stdout: streams.stdout, stderr: streams.stderr });
        }
    }
}

/// Starts the process in a process group of its own.
fn start(command: &Command) -> Result<Child, Failure> {
    let Some((program, arguments)) = command.argv.split_first() else {
        return Err(Failure::Argument {
            message: "the command is empty".to_owned(),
            argument: None,
            hint: None,
        });
    };
    let mut process = std::process::Command::new(program);
    process.args(arguments);
    if std::env::var_os("PATH").is_none() {
        process.env("PATH", PATH);
    }
    process
        .envs(&command.environment)
        .current_dir(command.directory.as_deref().unwrap_or_else(|| std::path::Path::new("/")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| start_failure(command, &error))
}

fn start_failure(command: &Command, error: &std::io::Error) -> Failure {
    let reason = if error.kind() == ErrorKind::NotFound {
        match &command.directory {
            Some(directory) if !directory.is_dir() => format!("no directory `{}`", directory.display()),
            _ => "no such program".to_owned(),
        }
    } else {
        failure::reason(error)
    };
    Failure::Start { program: command.argv.first().cloned().unwrap_or_default(), reason }
}

/// Ends a command that took too long, with all that it started.
fn stop(child: &mut Child, pid: Pid, command: &Command) -> Failure {
    // The group may be gone already; then there is nothing to end.
    let _ = rustix::process::kill_process_group(pid, Signal::TERM);
    let patience = Instant::now() + Duration::from_secs(2);
    while Instant::now() < patience && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    let _ = child.wait();
    let seconds = command.timeout.unwrap_or_default().as_secs_f64();
    Failure::Timeout { what: format!("`{}`", command.to_shell()), seconds }
}

/// The three pipes of a running command.
struct Streams<'a> {
    stdin: Option<(ChildStdin, &'a [u8])>,
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl<'a> Streams<'a> {
    fn of(child: &mut Child, input: &'a [u8]) -> Result<Self, Failure> {
        let streams = Self {
            // Dropped at once where there is nothing to say, so that the command sees the end of its input.
            stdin: child.stdin.take().filter(|_| !input.is_empty()).map(|pipe| (pipe, input)),
            out: child.stdout.take(),
            err: child.stderr.take(),
            stdout: Vec::new(),
            stderr: Vec::new(),
        };
        let unblock = |fd: std::os::fd::BorrowedFd<'_>| ioctl_fionbio(fd, true);
        let result = streams
            .stdin
            .as_ref()
            .map_or(Ok(()), |(pipe, _)| unblock(pipe.as_fd()))
            .and_then(|()| streams.out.as_ref().map_or(Ok(()), |pipe| unblock(pipe.as_fd())))
            .and_then(|()| streams.err.as_ref().map_or(Ok(()), |pipe| unblock(pipe.as_fd())));
        result.map_err(|error| Failure::Start {
            program: "pipe".to_owned(),
            reason: failure::reason(&error.into()),
        })?;
        Ok(streams)
    }

    /// Waits until a pipe can move, the process ends, or patience does.
    fn wait(&self, pidfd: Option<std::os::fd::BorrowedFd<'_>>, patience: Option<Duration>) {
        let mut fds = Vec::with_capacity(4);
        fds.extend(pidfd.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        fds.extend(self.stdin.as_ref().map(|(pipe, _)| PollFd::new(pipe, PollFlags::OUT)));
        fds.extend(self.out.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(self.err.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let patience = patience.map(|patience| Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(patience.subsec_nanos()),
        });
        // A signal only makes the loop look again.
        let _ = rustix::event::poll(&mut fds, patience.as_ref());
    }

    /// Moves what can be moved without waiting.
    fn pump(&mut self) {
        if let Some((pipe, rest)) = &mut self.stdin {
            while !rest.is_empty() {
                match pipe.write(rest) {
                    Ok(count) => *rest = &rest[count..],
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    // The command closed its input: that is its right.
                    Err(_) => *rest = &[],
                }
            }
            if rest.is_empty() {
                self.stdin = None;
            }
        }
        if drain(self.out.as_mut(), &mut self.stdout) {
            self.out = None;
        }
        if drain(self.err.as_mut(), &mut self.stderr) {
            self.err = None;
        }
    }
}

/// Reads what is there. Returns whether the pipe has come to its end.
fn drain(pipe: Option<&mut impl Read>, into: &mut Vec<u8>) -> bool {
    let Some(pipe) = pipe else { return false };
    let mut buffer = [0; 16 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return true,
            Ok(count) => into.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}
