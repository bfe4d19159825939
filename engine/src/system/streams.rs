//! The three pipes of a running command.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::ioctl_fionbio;

/// As much of each stream is kept. A command that prints without end must not take the agent's memory with it.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// As much is read from a pipe before looking at the clock and the other pipes again: what a pipe can hold at most, unless
/// root has raised that limit.
const AT_ONCE: usize = 1024 * 1024;

/// The pipes, and what came out of them so far.
pub struct Streams<'a> {
    stdin: Option<(ChildStdin, &'a [u8])>,
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    /// What the command printed, up to [`LARGEST`].
    pub stdout: Capture,
    /// What it complained.
    pub stderr: Capture,
}

/// The beginning of a stream.
#[derive(Default)]
pub struct Capture {
    /// What is kept.
    pub kept: Vec<u8>,
    /// How many bytes came after that.
    pub dropped: u64,
}

impl Capture {
    fn take(&mut self, bytes: &[u8]) {
        let room = LARGEST - self.kept.len();
        let (kept, rest) = bytes.split_at(room.min(bytes.len()));
        self.kept.extend_from_slice(kept);
        self.dropped += rest.len() as u64;
    }
}

impl<'a> Streams<'a> {
    /// Takes the pipes of `child`, which shall read `input`.
    pub fn of(child: &mut Child, input: &'a [u8]) -> std::io::Result<Self> {
        let streams = Self {
            // Dropped at once where there is nothing to say, so that the command sees the end of its input.
            stdin: child.stdin.take().filter(|_| !input.is_empty()).map(|pipe| (pipe, input)),
            out: child.stdout.take(),
            err: child.stderr.take(),
            stdout: Capture::default(),
            stderr: Capture::default(),
        };
        let pipes = [
            streams.stdin.as_ref().map(|(pipe, _)| pipe.as_fd()),
            streams.out.as_ref().map(AsFd::as_fd),
            streams.err.as_ref().map(AsFd::as_fd),
        ];
        for pipe in pipes.into_iter().flatten() {
            ioctl_fionbio(pipe, true)?;
        }
        Ok(streams)
    }

    /// Waits until a pipe can move, the process ends, or patience does.
    pub fn wait(&self, process: Option<BorrowedFd<'_>>, patience: Duration) {
        let mut fds = Vec::with_capacity(4);
        fds.extend(process.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        fds.extend(self.stdin.as_ref().map(|(pipe, _)| PollFd::new(pipe, PollFlags::OUT)));
        fds.extend(self.out.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(self.err.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let patience = Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(patience.subsec_nanos()),
        };
        // A signal only makes the caller look again.
        let _ = rustix::event::poll(&mut fds, Some(&patience));
    }

    /// Moves what can be moved without waiting.
    pub fn pump(&mut self) {
        if let Some((pipe, rest)) = &mut self.stdin {
            while !rest.is_empty() {
                match pipe.write(rest) {
                    Ok(count) => *rest = &rest[count..],
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
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
fn drain(pipe: Option<&mut impl Read>, into: &mut Capture) -> bool {
    let Some(pipe) = pipe else { return false };
    let mut buffer = [0; 64 * 1024];
    let mut total = 0;
    while total < AT_ONCE {
        match pipe.read(&mut buffer) {
            Ok(0) => return true,
            Ok(count) => {
                into.take(&buffer[..count]);
                total += count;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_is_kept() {
        let mut capture = Capture::default();
        let block = vec![b'x'; LARGEST / 2 + 1];
        capture.take(&block);
        capture.take(&block);
        capture.take(b"more");
        assert_eq!((capture.kept.len(), capture.dropped), (LARGEST, 6));
    }
}
