//! Running a command to its end: streams, deadline, and nothing left behind.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};

use super::children::Spawned;
use super::guardian::{self, Guarded};
use super::placed::Placed;
use super::private_directory::PLACES;
use super::streams::Streams;
use super::{Command, Output, scratch};
use crate::failure::{self, Failure};
use crate::interrupt::Interrupt;
use crate::syscall;

/// How long a command that took too long, or that must not go on, has between being asked to end and being ended.
const GRACE: Duration = Duration::from_secs(2);

/// How often a waiting agent looks whether it was told to stop now.
const LISTEN: Duration = Duration::from_millis(100);

/// How often a process is looked at where the kernel can't tell of its end (Linux before 5.3).
const LOOK: Duration = Duration::from_millis(20);

/// Runs `command` to its end, with `environment` below what the command itself sets.
///
/// Its streams are pipes, so that nothing reaches the agent's own; `/dev/null` is not needed. It has a session of its own:
/// an interrupt at the terminal does not reach it, and a program that wants to ask a person fails instead of waiting
/// for an answer. It is over when the process itself has ended, even if a daemon that it left holds the pipes open; what
/// takes longer than its time is ended with all that it started, and so is what runs when `interrupt` says that it be now.
///
/// # Errors
/// [`Failure::Start`], [`Failure::Timeout`] or [`Failure::Stopped`].
pub fn run(
    command: &Command,
    environment: &BTreeMap<String, String>,
    interrupt: &Interrupt,
) -> Result<Output, Failure> {
    if let Some(files) = &command.scratch {
        let directory = files.somewhere()?;
        return scratch::run_in(command, directory.path(), |command| run(command, environment, interrupt));
    }
    let start = Start { command, environment, interrupt };
    match &command.program {
        None => start.execute(&command.argv),
        Some(program) => start.execute_placed(program),
    }
}

/// A command that is to be run, and what it is run with.
struct Start<'a> {
    command: &'a Command,
    environment: &'a BTreeMap<String, String>,
    interrupt: &'a Interrupt,
}

impl Start<'_> {
    /// Runs a program that travels with the command from the first place that allows it.
    fn execute_placed(&self, program: &[u8]) -> Result<Output, Failure> {
        let Some((name, arguments)) = self.command.argv.split_first() else { return Err(empty()) };
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
            match self.execute(&words) {
                Err(failure @ Failure::Start { .. }) if placed.is_binary() => refused = Some(failure),
                result => return result,
            }
        }
        Err(refused.unwrap_or_else(empty))
    }

    fn execute(&self, argv: &[String]) -> Result<Output, Failure> {
        let command = self.command;
        if self.interrupt.is_now() {
            return Err(Failure::Stopped { command: command.to_shell(), output: String::new() });
        }
        guardian::prepare();
        let mut child = spawn(command, argv, self.environment)?;
        let process = Process::of(&child);
        // Until the command itself has ended: daemons that it leaves are left.
        let _guarded = Guarded::group(child.id());
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
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                process.stop(&mut child, &mut streams);
                return Err(late(command, streams));
            }
            if self.interrupt.is_now() {
                process.stop(&mut child, &mut streams);
                let output = output(0, streams).both_streams();
                return Err(Failure::Stopped { command: command.to_shell(), output });
            }
            process.wait(&streams, left.unwrap_or(LISTEN).min(LISTEN));
            let ended = child.try_wait().map_err(|error| start_failure(command, argv, &error))?;
            // After looking whether it has ended: then all that it wrote is in the pipes.
            streams.pump();
            if let Some(status) = ended {
                let status = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
                return Ok(output(status, streams));
            }
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

fn spawn(
    command: &Command,
    argv: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<Spawned, Failure> {
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
        match Spawned::by(&mut process) {
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
    fn of(child: &Spawned) -> Self {
        let pid = Pid::from_child(child);
        Self { pid, pidfd: rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok() }
    }

    /// Waits until a pipe can move, the process ends, or patience does.
    fn wait(&self, streams: &Streams<'_>, patience: Duration) {
        let patience = if self.pidfd.is_some() { patience } else { patience.min(LOOK) };
        streams.wait(self.pidfd.as_ref().map(AsFd::as_fd), patience);
    }

    /// Whether it has ended. It stays a zombie, so that no other process can get its number.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(rustix::process::waitid(WaitId::Pid(self.pid), options), Ok(None))
    }

    /// Asks the process and all that it started to end, and ends what has not after a while.
    fn stop(&self, child: &mut Spawned, streams: &mut Streams<'_>) {
        // The group is there as long as its leader has not been waited for.
        let _ = rustix::process::kill_process_group(self.pid, Signal::TERM);
        let patience = Instant::now() + GRACE;
        while !self.has_ended() {
            let left = patience.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.wait(streams, left);
            streams.pump();
        }
        self.end(child);
        streams.pump();
    }

    /// Ends the process and all that it started.
    fn end(&self, child: &mut Spawned) {
        let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
        let _ = child.wait();
    }
}

#[cfg(test)]
mod tests;
