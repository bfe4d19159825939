//! A connection over two pipes of this machine: to a child, or within a process.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::Connection;

/// An agent at the other end of two pipes (or a socket, twice).
pub struct Pipes {
    from: File,
    to: File,
}

impl Pipes {
    /// Receives what comes out of `from`, and sends into `to`. Both block.
    pub fn new(from: impl Into<OwnedFd>, to: impl Into<OwnedFd>) -> Self {
        Self { from: File::from(from.into()), to: File::from(to.into()) }
    }
}

impl Connection for Pipes {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<Option<usize>> {
        let mut waiting = [PollFd::new(&self.from, PollFlags::IN)];
        let patience = Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(patience.subsec_nanos()),
        };
        match rustix::event::poll(&mut waiting, Some(&patience)) {
            // A signal only makes the caller look again.
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
            result => result?,
        };
        match self.from.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
            result => result.map(Some),
        }
    }

    fn complaints(&mut self) -> String {
        String::new()
    }
}
