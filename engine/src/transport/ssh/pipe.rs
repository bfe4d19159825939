//! A command on the far side: what goes in, what comes out, how it ends.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use ssh2::Channel;

use super::wire::{Trouble, Wire, code};

/// How long opening a channel and starting a command may take, and how long a host may take in nothing at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the far side may take to say how a command ended that has closed its output.
const LAST_WORD: Duration = Duration::from_secs(5);

/// So much is read by one call.
const CHUNK: usize = 64 * 1024;

/// So much is read before anything else is done.
const MOST_AT_ONCE: usize = 1024 * 1024;

/// So much may wait to be received. A host that says more while it takes in nothing has no good reason.
const MOST_WAITING: usize = 64 * 1024 * 1024;

/// How much of what a command complains about is kept: its end.
const MOST_COMPLAINTS: usize = 8 * 1024;

/// A command on the far side, in a channel of its own.
///
/// Its input is sent as soon as the host takes any, which may be before it says that the command has started. (OpenSSH says
/// both at once.)
pub(super) struct Pipe {
    channel: Channel,
    command: String,
    /// The host has not said yet whether it runs the command.
    asked: bool,
    /// What was sent since an answer was last waited for.
    sent: bool,
    /// A packet is on its way in part. Nothing else can be sent before the rest of it.
    within_packet: bool,
    output: Vec<u8>,
    /// Output up to here was taken.
    taken: usize,
    complaints: Vec<u8>,
}

impl Pipe {
    /// Asks for a command.
    ///
    /// # Errors
    /// The host gives no channel.
    pub(super) fn open(wire: &mut Wire, command: String) -> Result<Self, Trouble> {
        let session = wire.session.clone();
        let channel = wire.run(PATIENCE, || session.channel_session())?;
        let mut pipe = Self {
            channel,
            command,
            asked: true,
            sent: true,
            within_packet: false,
            output: Vec::new(),
            taken: 0,
            complaints: Vec::new(),
        };
        pipe.answered()?;
        Ok(pipe)
    }

    /// Asks for the command, or whether it was started.
    fn answered(&mut self) -> Result<(), Trouble> {
        if self.asked {
            match self.channel.exec(&self.command) {
                Err(error) if code(&error) == libssh2_sys::LIBSSH2_ERROR_EAGAIN => {}
                result => {
                    self.asked = false;
                    result?;
                }
            }
        }
        Ok(())
    }

    /// Sends as much of `bytes` as the host takes in, and at least something, unless it is about to end: then nothing.
    /// Reads meanwhile, so that neither side waits for the other for ever.
    ///
    /// # Errors
    /// The connection is gone, or the host takes in nothing.
    pub(super) fn send(&mut self, wire: &mut Wire, bytes: &[u8]) -> Result<usize, Trouble> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(count) = self.try_send(wire, bytes)? {
                return Ok(count);
            }
            self.pull()?;
            if self.ended() && !self.within_packet {
                return Ok(0);
            }
            if self.output.len() - self.taken > MOST_WAITING {
                return Err(Trouble::Flood);
            }
            // Among what was read may have been the leave to send more, after which nothing would come that ends a wait.
            if let Some(count) = self.try_send(wire, bytes)? {
                return Ok(count);
            }
            if self.has_more() && !wire.is_sending() {
                continue;
            }
            if !wire.wait_or_give_up(deadline)? {
                return Err(Trouble::Late(PATIENCE));
            }
        }
    }

    /// Sends what can be sent now; `None` if that is nothing.
    fn try_send(&mut self, wire: &Wire, bytes: &[u8]) -> Result<Option<usize>, Trouble> {
        match self.channel.write(bytes) {
            Ok(count) if count > 0 => {
                self.within_packet = false;
                self.sent = true;
                return Ok(Some(count));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.within_packet |= wire.is_sending();
            }
            Err(_) if self.ended() => return Ok(Some(0)),
            Err(_) => return Err(Trouble::Lost),
        }
        if wire.is_sending() {
            // A packet is on its way in part, and libssh2 reads for nobody who would have to send. But the host may want to
            // be rid of something before it takes in the rest.
            let _ = self.channel.wait_eof();
        }
        Ok(None)
    }

    /// Whether something was taken off the socket and not read yet.
    fn has_more(&self) -> bool {
        self.channel.read_window().available > 0
    }

    /// Says that no more will be sent.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) fn end_input(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        self.sent = true;
        let channel = &mut self.channel;
        wire.run(PATIENCE, || channel.send_eof())
    }

    /// Takes in what has come, without waiting; `true` if there was anything.
    ///
    /// # Errors
    /// The connection is gone, or the host does not run commands.
    pub(super) fn pull(&mut self) -> Result<bool, Trouble> {
        if self.taken == self.output.len() {
            self.output.clear();
            self.taken = 0;
        }
        let mut chunk = [0; CHUNK];
        let (mut total, mut vain) = (0, 0);
        loop {
            let count = self.pull_output(&mut chunk)? + self.pull_complaints(&mut chunk)?;
            self.answered()?;
            total += count;
            vain += u32::from(count == 0);
            // What is read for one stream takes everything off the socket. Where that was something for the other stream,
            // nothing would come that ends a wait. A host that always has more to say must not keep us here, though, nor a
            // packet that has to be sent before there can be more.
            if !self.has_more() || total >= MOST_AT_ONCE || vain > 1 {
                return Ok(total > 0);
            }
        }
    }

    /// Reads what there is of the standard output; returns how much.
    fn pull_output(&mut self, chunk: &mut [u8]) -> Result<usize, Trouble> {
        let before = self.output.len();
        while let Some(count) = read(&mut self.channel, chunk)? {
            self.output.extend_from_slice(&chunk[..count]);
            if self.output.len() - before >= MOST_AT_ONCE {
                break;
            }
        }
        Ok(self.output.len() - before)
    }

    /// Reads what there is of the standard error; returns how much.
    fn pull_complaints(&mut self, chunk: &mut [u8]) -> Result<usize, Trouble> {
        let mut stderr = self.channel.stderr();
        let mut total = 0;
        while let Some(count) = read(&mut stderr, chunk)? {
            total += count;
            self.complaints.extend_from_slice(&chunk[..count]);
            let surplus = self.complaints.len().saturating_sub(MOST_COMPLAINTS);
            self.complaints.drain(..surplus);
            if total >= MOST_AT_ONCE {
                break;
            }
        }
        Ok(total)
    }

    /// Waits for something to come; `false` when nothing did before the deadline.
    ///
    /// # Errors
    /// As [`Pipe::pull`].
    pub(super) fn wait(&mut self, wire: &mut Wire, deadline: Instant) -> Result<bool, Trouble> {
        self.wait_by(wire, |wire| wire.wait(deadline))
    }

    /// As [`Pipe::wait`], until the run shall stop.
    ///
    /// # Errors
    /// As [`Pipe::pull`], or the run shall stop.
    pub(super) fn wait_or_give_up(&mut self, wire: &mut Wire, deadline: Instant) -> Result<bool, Trouble> {
        self.wait_by(wire, |wire| wire.wait_or_give_up(deadline))
    }

    fn wait_by(
        &mut self,
        wire: &mut Wire,
        wait: impl Fn(&Wire) -> Result<bool, Trouble>,
    ) -> Result<bool, Trouble> {
        loop {
            if self.pull()? || self.ended() {
                return Ok(true);
            }
            if std::mem::take(&mut self.sent) {
                wire.count_round_trip();
            }
            if !wait(wire)? {
                return Ok(false);
            }
        }
    }

    /// What has come and was not taken yet.
    pub(super) fn output(&self) -> &[u8] {
        &self.output[self.taken..]
    }

    /// Takes the first `count` bytes off what has come.
    pub(super) fn take(&mut self, count: usize) {
        self.taken += count;
    }

    /// The end of what the command has written to its standard error.
    pub(super) fn complaints(&self) -> &[u8] {
        &self.complaints
    }

    /// Whether no more will come.
    pub(super) fn ended(&self) -> bool {
        self.channel.eof()
    }

    /// Whether it can be left, so that the wire can be used for something else.
    pub(super) fn is_idle(&self) -> bool {
        !self.within_packet
    }

    /// How a command that has ended ended: `None` in good order, else in words.
    pub(super) fn ending(&mut self, wire: &mut Wire) -> Option<String> {
        let channel = &mut self.channel;
        if wire.run(LAST_WORD, || channel.wait_close()).is_err() {
            return Some("the connection was closed".to_owned());
        }
        let signal = self.channel.exit_signal().ok().and_then(|signal| signal.exit_signal);
        match (signal, self.channel.exit_status()) {
            (Some(signal), _) => Some(format!("it was ended by the signal {signal}")),
            (None, Ok(0)) => None,
            (None, Ok(status)) => Some(format!("it exited with status {status}")),
            (None, Err(error)) => Some(error.message().to_lowercase()),
        }
    }
}

/// Reads what there is of a stream; `None` when there is nothing, now or any more.
fn read(stream: &mut impl Read, chunk: &mut [u8]) -> Result<Option<usize>, Trouble> {
    match stream.read(chunk) {
        Ok(0) => Ok(None),
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        // There are no other errors here than those of the connection.
        Err(_) => Err(Trouble::Lost),
    }
}
