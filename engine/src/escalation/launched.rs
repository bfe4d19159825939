//! An agent of another user, as a connection.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::conversation::{Input, Running};
use crate::transport::{Connection, printable};

/// So much of what an agent complains is kept: its end.
const MOST_COMPLAINTS: usize = 8 * 1024;

/// An agent of another user on this machine, and the program that made it one.
pub struct Launched {
    running: Running,
    /// What it has said already.
    early: Vec<u8>,
    complaints: Arc<Mutex<Vec<u8>>>,
}

impl Launched {
    pub(super) fn new(running: Running, early: Vec<u8>) -> Self {
        let complaints = Arc::default();
        attend(&running, Arc::clone(&complaints));
        Self { running, early, complaints }
    }

    /// Where it reads.
    pub(super) fn input(&mut self) -> Option<Input> {
        self.running.input.take()
    }

    /// What has come since it was last asked, waiting for something. Nothing at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.early.len().min(buffer.len());
        if count > 0 {
            buffer[..count].copy_from_slice(&self.early[..count]);
            self.early.drain(..count);
            return Ok(count);
        }
        self.running.output.read(buffer)
    }

    /// Waits for its end. Gives in words what was wrong with it.
    pub(super) fn ending(mut self) -> Option<String> {
        match self.running.ending() {
            Some(status) if status.success() => None,
            status => Some(super::conversation::words(status)),
        }
    }
}

/// Listens to what an agent complains, so that it never has to wait for that.
fn attend(running: &Running, into: Arc<Mutex<Vec<u8>>>) {
    let Ok(mut complaints) = running.complaints.try_clone() else { return };
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = complaints.read(&mut buffer) {
            let mut kept = into.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(&buffer[..count]);
            let surplus = kept.len().saturating_sub(MOST_COMPLAINTS);
            kept.drain(..surplus);
        }
    });
}

impl Connection for Launched {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.running.input {
            Some(input) => input.write_all(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<Option<usize>> {
        if self.early.is_empty() {
            let mut waited = [PollFd::from_borrowed_fd(self.running.output.as_fd(), PollFlags::IN)];
            let timeout = Timespec::try_from(patience).ok();
            // A signal only makes the caller look again.
            if poll(&mut waited, timeout.as_ref()).unwrap_or(0) == 0 {
                return Ok(None);
            }
        }
        self.read(buffer).map(Some)
    }

    fn complaints(&mut self) -> String {
        printable(&self.complaints.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn finish(mut self: Box<Self>) {
        self.running.ending();
    }
}
