//! Running a command to its end: streams, deadline, and nothing left behind.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};

use super::placed::{PLACES, Placed};
use super::streams::Streams;
use super::{Command, Output};
use crate::failure::{self, Failure};
use crate::syscall;

/// How long a command that took too long has between being asked to end and being ended.
const GRACE: Duration = Duration::from_secs(2);

/// How often a process is looked at where the kernel can't tell of its end (Linux before 5.3).
const LOOK: Duration = Duration::from_millis(20);

/// Runs `command` to its end, with `environment` below what the command itself sets.
///
/// Its streams are pipes, so that nothing reaches the agent's own; `/dev/null` is not needed. It has a session of its own:
/// an interrupt at the terminal does not reach it, and a program that wants to ask a person fails instead of waiting
/// for an answer. It is over when the process itself has ended, even if a daemon that it left holds the pipes open; what
/// takes longer than its time is ended with all that it started.
///
/// # Errors
/// [`Failure::Start`] or [`Failure::Timeout`].
pub fn run(command: &Command, environment: &BTreeMap<String, String>) -> Result<Output, Failure> {
    match &command.program {
        None => execute(command, &command.argv, environment),
        Some(program) => execute_placed(command, program, environment),
    }
}

/// Runs a program that travels with the command from the first place that allows it.
fn execute_placed(
    command: &Command,
    program: &[u8],
    environment: &BTreeMap<String, String>,
) -> Result<Output, Failure> {
    let Some((name, arguments)) = command.argv.split_first() else { return Err(empty()) };
    let mut refused = None;
    for place in PLACES {
        let placed = match Placed::below(Path::new(place), name, program) {
            Ok(placed) => placed,
            Err(error) => {
                refused = Some(Failure::io("put a program into", Path::new(place), &error));
                continue;
            }
        };
        let mut words = placed.words();
        words.extend_from_slice(arguments);
        match execute(command, &words, environment) {
            Err(failure @ Failure::Start { .. }) if placed.is_binary() => refused = Some(failure),
            result => return result,
        }
    }
    Err(refused.unwrap_or_else(empty))
}

fn execute(
    command: &Command,
    argv: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<Output, Failure> {
    let mut child = start(command, argv, environment)?;
    let process = Process::of(&child);
    let streams = Streams::of(&mut child, command.stdin.as_deref().unwrap_or_default());
    let mut streams = match streams {
        Ok(streams) => streams,
        Err(error) => {
            process.end(&mut child);
            return Err(start_failure(command, argv, &error));
        }
    };
    let deadline = command.timeout.map(|timeout| Instant::now() + timeout);
    loop {
        let patience = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if patience == Some(Duration::ZERO) {
            process.stop(&mut child, &mut streams);
            return Err(late(command, streams));
        }
        process.wait(&streams, patience);
        let ended = child.try_wait().map_err(|error| start_failure(command, argv, &error))?;
        // After looking whether it has ended: then all that it wrote is in the pipes.
        streams.pump();
        if let Some(status) = ended {
            let status = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            return Ok(output(status, streams));
        }
    }
}

fn output(status: i32, streams: Streams<'_>) -> Output {
    Output {
        status,
        dropped: streams.stdout.dropped + streams.stderr.dropped,
        stdout: streams.stdout.kept,
        stderr: streams.stderr.kept,
    }
}

fn late(command: &Command, streams: Streams<'_>) -> Failure {
    // What is left of a task's time has many digits, none of which a person wants.
    let seconds = (command.timeout.unwrap_or_default().as_secs_f64() * 100.0).round() / 100.0;
    Failure::Timeout {
        what: format!("`{}`", command.to_shell()),
        seconds,
        output: output(0, streams).both_streams(),
    }
}

fn start(
    command: &Command,
    argv: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<Child, Failure> {
    let Some((program, arguments)) = argv.split_first() else { return Err(empty()) };
    let mut process = std::process::Command::new(program);
    process
        .args(arguments)
        .env_clear()
        .envs(environment)
        .envs(&command.environment)
        .current_dir(command.directory.as_deref().unwrap_or_else(|| Path::new("/")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    syscall::isolate(&mut process);
    let mut tries = 0;
    loop {
        match process.spawn() {
            // Another thread was starting a process while the program was being written, and that process holds the file
            // open until it has become another program: a moment.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < 100 => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result.map_err(|error| start_failure(command, argv, &error)),
        }
    }
}

fn empty() -> Failure {
    Failure::Argument { message: "the command is empty".to_owned(), argument: None, hint: None }
}

fn start_failure(command: &Command, argv: &[String], error: &std::io::Error) -> Failure {
    let reason = match (&command.directory, error.kind()) {
        (Some(directory), ErrorKind::NotFound) if !directory.is_dir() => {
            format!("no directory `{}`", directory.display())
        }
        (_, ErrorKind::NotFound) => "no such program".to_owned(),
        _ => failure::reason(error),
    };
    Failure::Start { program: argv.first().cloned().unwrap_or_default(), reason }
}

/// A running process with all that it started: the leader of its process group.
struct Process {
    pid: Pid,
    /// Becomes readable when the process ends. Absent on old kernels.
    pidfd: Option<OwnedFd>,
}

impl Process {
    fn of(child: &Child) -> Self {
        let pid = Pid::from_child(child);
        Self { pid, pidfd: rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok() }
    }

    /// Waits until a pipe can move, the process ends, or patience does.
    fn wait(&self, streams: &Streams<'_>, patience: Option<Duration>) {
        let patience = match self.pidfd {
            Some(_) => patience,
            None => Some(patience.unwrap_or(LOOK).min(LOOK)),
        };
        streams.wait(self.pidfd.as_ref().map(AsFd::as_fd), patience);
    }

    /// Whether it has ended. It stays a zombie, so that no other process can get its number.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(rustix::process::waitid(WaitId::Pid(self.pid), options), Ok(None))
    }

    /// Asks the process and all that it started to end, and ends what has not after a while.
    fn stop(&self, child: &mut Child, streams: &mut Streams<'_>) {
        // The group is there as long as its leader has not been waited for.
        let _ = rustix::process::kill_process_group(self.pid, Signal::TERM);
        let patience = Instant::now() + GRACE;
        while !self.has_ended() {
            let left = patience.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.wait(streams, Some(left));
            streams.pump();
        }
        self.end(child);
        streams.pump();
    }

    /// Ends the process and all that it started.
    fn end(&self, child: &mut Child) {
        let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
        let _ = child.wait();
    }
}

#[cfg(test)]
mod tests;
