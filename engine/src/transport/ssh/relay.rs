//! Ways through a jump host: one connection to it carries those to all hosts behind it.
//!
//! A thread holds the session and copies between its channels and sockets within this machine, over which the sessions with the
//! hosts behind run. libssh2 opens one channel of a session after the other, so a host that does not answer keeps those behind
//! it waiting: who has waited for that takes a further connection, up to a bound.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use ssh2::Channel;

use super::socket::{self, Socket};
use super::wire::{LOOK, Trouble, Wire, code};
use crate::interrupt::Interrupt;

/// So much is read at once.
const CHUNK: usize = 32 * 1024;

/// How long a channel may take to be opened before others look for another connection.
const STALLED: Duration = Duration::from_secs(2);

/// A connection to a jump host, and the thread that holds it.
pub(super) struct Relay {
    requests: Mutex<Sender<Request>>,
    wake: Arc<OwnedFd>,
    state: Arc<State>,
}

/// What the thread says of itself.
#[derive(Default)]
struct State {
    /// Why it has ended.
    fate: Arc<OnceLock<String>>,
    /// Since when a channel is being opened.
    opening: Mutex<Option<Instant>>,
}

struct Request {
    host: String,
    port: u16,
    local: OwnedFd,
    answer: Sender<Result<(), String>>,
    /// Set when nobody waits for it any more.
    cancelled: Arc<AtomicBool>,
}

/// Why there is no way through.
pub(super) enum NoWay {
    /// The jump host says so.
    Refused(String),
    /// It has not said so in time.
    Late,
    /// This connection waits for the answer of another host.
    Stalled,
    /// The run shall stop.
    Interrupted,
}

impl Relay {
    /// Takes a session over, in a thread of its own.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn start(mut wire: Wire) -> io::Result<Self> {
        wire.may_give_up = false;
        let (requests, incoming) = mpsc::channel();
        let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let state = Arc::new(State::default());
        let own = (Arc::clone(&wake), Arc::clone(&state));
        thread::Builder::new().spawn(move || {
            let (wake, state) = own;
            let mut exchange = Exchange {
                wire,
                incoming,
                wake,
                state: Arc::clone(&state),
                waiting: VecDeque::new(),
                lanes: Vec::new(),
                stuck: None,
                abandoned: false,
            };
            let fate = exchange.run();
            // Before the sockets are let go, so that whoever notices that finds the reason.
            let _ = state.fate.set(fate);
        })?;
        Ok(Self { requests: Mutex::new(requests), wake, state })
    }

    pub(super) fn is_alive(&self) -> bool {
        self.state.fate.get().is_none()
    }

    /// Whether it waits for a host that does not answer.
    pub(super) fn is_stalled(&self) -> bool {
        let since = *self.state.opening.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() > STALLED)
    }

    /// A way to a host behind it.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn way_to(
        &self,
        host: &str,
        port: u16,
        patience: Duration,
        interrupt: &Interrupt,
    ) -> Result<Socket, NoWay> {
        let gone = || NoWay::Refused(self.state.fate.get().cloned().unwrap_or_default());
        let refused = |error: io::Error| NoWay::Refused(crate::failure::reason(&error));
        let (own, local) = socket::pair().map_err(refused)?;
        let (answer, answered) = mpsc::channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        let request =
            Request { host: host.to_owned(), port, local, answer, cancelled: Arc::clone(&cancelled) };
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).send(request).map_err(|_| gone())?;
        // It may be waking up already, and then this is not needed.
        let _ = rustix::io::write(&*self.wake, &1_u64.to_ne_bytes());
        let deadline = Instant::now() + patience;
        loop {
            let no_way = match answered.recv_timeout(LOOK) {
                Ok(Ok(())) => return Ok(Socket::relayed(own, Arc::clone(&self.state.fate))),
                Ok(Err(reason)) => NoWay::Refused(reason),
                Err(RecvTimeoutError::Disconnected) => gone(),
                Err(RecvTimeoutError::Timeout) if interrupt.is_set() => NoWay::Interrupted,
                Err(RecvTimeoutError::Timeout) if Instant::now() > deadline => NoWay::Late,
                Err(RecvTimeoutError::Timeout) if self.is_stalled() => NoWay::Stalled,
                Err(RecvTimeoutError::Timeout) => continue,
            };
            cancelled.store(true, Ordering::Relaxed);
            return Err(no_way);
        }
    }
}

/// Whether there is no connection any more.
fn gone(error: &ssh2::Error) -> bool {
    matches!(
        code(error),
        libssh2_sys::LIBSSH2_ERROR_SOCKET_DISCONNECT
            | libssh2_sys::LIBSSH2_ERROR_SOCKET_SEND
            | libssh2_sys::LIBSSH2_ERROR_SOCKET_RECV
    )
}

/// The thread's own.
struct Exchange {
    wire: Wire,
    incoming: Receiver<Request>,
    wake: Arc<OwnedFd>,
    state: Arc<State>,
    /// What is to be opened; the first one is being.
    waiting: VecDeque<Request>,
    lanes: Vec<Lane>,
    /// Who has a packet on its way in part: nobody else may send before the rest of it.
    stuck: Option<Stuck>,
    /// Nobody can ask for more.
    abandoned: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Stuck {
    Opening,
    Lane(usize),
}

/// A channel and the socket that it is copied to and from.
struct Lane {
    channel: Channel,
    local: OwnedFd,
    outward: Buffer,
    inward: Buffer,
    /// The host here has said its last word.
    local_ended: bool,
    /// The far side knows that.
    end_said: bool,
    /// The socket takes nothing any more.
    local_closed: bool,
    closing: bool,
    closed: bool,
    /// A packet that reading has begun to send is on its way in part.
    within_read: bool,
}

/// What was read and not written yet.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    done: usize,
}

impl Buffer {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.done..]
    }

    fn is_empty(&self) -> bool {
        self.done == self.bytes.len()
    }

    fn fill(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.done = 0;
    }
}

impl Exchange {
    /// Copies until nobody needs it any more. Returns why that is.
    fn run(&mut self) -> String {
        loop {
            self.take_in();
            if self.abandoned && self.lanes.is_empty() && self.waiting.is_empty() {
                return "it is no longer needed".to_owned();
            }
            match self.sweep() {
                Ok(true) => {}
                Ok(false) => {
                    if let Err(trouble) = self.wait() {
                        return trouble.words();
                    }
                }
                Err(trouble) => return trouble.words(),
            }
        }
    }

    fn take_in(&mut self) {
        loop {
            match self.incoming.try_recv() {
                Ok(request) => self.waiting.push_back(request),
                Err(mpsc::TryRecvError::Empty) => return,
                Err(mpsc::TryRecvError::Disconnected) => {
                    self.abandoned = true;
                    return;
                }
            }
        }
    }

    /// Does what can be done without waiting; `true` if there may be more.
    fn sweep(&mut self) -> Result<bool, Trouble> {
        let mut moved = false;
        for number in 0..self.lanes.len() {
            if self.stuck.is_some_and(|stuck| stuck != Stuck::Lane(number)) {
                continue;
            }
            moved |= self.lanes[number].step(&self.wire)?;
            self.stuck = self.wire.is_sending().then_some(Stuck::Lane(number));
        }
        if self.stuck.is_none_or(|stuck| stuck == Stuck::Opening) {
            moved |= self.open()?;
            self.stuck = (self.wire.is_sending() && !self.waiting.is_empty()).then_some(Stuck::Opening);
        }
        if self.stuck.is_none() {
            self.lanes.retain(|lane| !lane.closed);
            // What one reads off the socket may be for another.
            moved |= self.lanes.iter().any(Lane::has_more);
        }
        Ok(moved)
    }

    /// Goes on opening the first channel that was asked for.
    fn open(&mut self) -> Result<bool, Trouble> {
        let is_opening = self.state.opening.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if !is_opening {
            while self.waiting.front().is_some_and(|next| next.cancelled.load(Ordering::Relaxed)) {
                self.waiting.pop_front();
            }
        }
        let Some(next) = self.waiting.front() else { return Ok(false) };
        let opened = self.wire.session.channel_direct_tcpip(&next.host, next.port, None);
        let mut opening = self.state.opening.lock().unwrap_or_else(PoisonError::into_inner);
        match opened {
            Err(error) if code(&error) == libssh2_sys::LIBSSH2_ERROR_EAGAIN => {
                opening.get_or_insert_with(Instant::now);
                return Ok(false);
            }
            Err(error) if code(&error) != libssh2_sys::LIBSSH2_ERROR_CHANNEL_FAILURE => {
                return Err(Trouble::Ssh(error));
            }
            Err(error) => {
                let reason = Trouble::Ssh(error).words();
                let reason = reason.strip_prefix("channel open failure ").unwrap_or(&reason).to_owned();
                // Whoever asked may have gone.
                let _ = next.answer.send(Err(reason.trim_matches(['(', ')']).to_owned()));
                self.waiting.pop_front();
            }
            Ok(channel) => {
                if let Some(request) = self.waiting.pop_front() {
                    let _ = request.answer.send(Ok(()));
                    self.lanes.push(Lane::new(channel, request.local));
                }
            }
        }
        *opening = None;
        Ok(true)
    }

    /// Waits until something can be done.
    fn wait(&self) -> Result<(), Trouble> {
        self.wire.acknowledge_quickly()?;
        let mut events = PollFlags::IN;
        if self.wire.is_sending() {
            events |= PollFlags::OUT;
        }
        let mut waits = vec![PollFd::new(&self.wire, events), PollFd::new(&*self.wake, PollFlags::IN)];
        if self.stuck.is_none() {
            waits.extend(self.lanes.iter().filter_map(|lane| {
                let mut events = PollFlags::empty();
                events.set(PollFlags::IN, lane.outward.is_empty() && !lane.local_ended);
                events.set(PollFlags::OUT, !lane.inward.is_empty() && !lane.local_closed);
                (!events.is_empty()).then(|| PollFd::new(&lane.local, events))
            }));
        }
        // How a channel is closed is not seen from outside: so this is also a look at those.
        let timeout = Timespec::try_from(LOOK).ok();
        match poll(&mut waits, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Trouble::Socket(error.into())),
        }
        let mut count = [0; 8];
        // Nothing in it is nothing to take out.
        let _ = rustix::io::read(&*self.wake, &mut count);
        Ok(())
    }
}

impl Lane {
    fn new(channel: Channel, local: OwnedFd) -> Self {
        Self {
            channel,
            local,
            outward: Buffer::default(),
            inward: Buffer::default(),
            local_ended: false,
            end_said: false,
            local_closed: false,
            closing: false,
            closed: false,
            within_read: false,
        }
    }

    /// Whether something has come for it, or leave to send, that it has not used.
    fn has_more(&self) -> bool {
        let more = self.inward.is_empty() && !self.local_closed && self.channel.read_window().available > 0;
        let leave = !self.outward.is_empty() && self.channel.write_window().remaining > 0;
        !self.closing && (more || leave)
    }

    /// Copies what can be copied; `true` if something moved.
    fn step(&mut self, wire: &Wire) -> Result<bool, Trouble> {
        if self.closing {
            return self.close();
        }
        let mut moved = false;
        if !self.within_read {
            moved = self.outward(wire)?;
            if wire.is_sending() {
                return Ok(moved);
            }
        }
        moved |= self.inward()?;
        self.within_read = wire.is_sending();
        if self.within_read {
            return Ok(moved);
        }
        let all_said =
            self.channel.eof() && self.inward.is_empty() && self.channel.read_window().available == 0;
        if all_said || (self.local_closed && self.outward.is_empty()) {
            self.closing = true;
            // Whoever reads here sees the end now.
            let _ = rustix::net::shutdown(&self.local, rustix::net::Shutdown::Both);
            return Ok(true);
        }
        Ok(moved)
    }

    fn close(&mut self) -> Result<bool, Trouble> {
        match self.channel.close() {
            Err(error) if code(&error) == libssh2_sys::LIBSSH2_ERROR_EAGAIN => Ok(false),
            Err(error) if gone(&error) => Err(Trouble::Lost),
            _ => {
                self.closed = true;
                Ok(true)
            }
        }
    }

    /// From here to there.
    fn outward(&mut self, wire: &Wire) -> Result<bool, Trouble> {
        let mut moved = false;
        loop {
            if self.outward.is_empty() && !self.local_ended && !wire.is_sending() {
                let mut chunk = [0; CHUNK];
                match recv(&self.local, &mut chunk, RecvFlags::DONTWAIT) {
                    Ok((_, 0)) => self.local_ended = true,
                    Ok((_, count)) => self.outward.fill(&chunk[..count]),
                    Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                    Err(_) => self.local_ended = true,
                }
            }
            if !self.outward.is_empty() {
                match self.channel.write(self.outward.rest()) {
                    Ok(0) => return Ok(moved),
                    Ok(count) => self.outward.done += count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(moved),
                    Err(_) if self.channel.eof() => {
                        self.outward.fill(&[]);
                        self.local_ended = true;
                    }
                    Err(_) => return Err(Trouble::Lost),
                }
                moved = true;
                continue;
            }
            if self.local_ended && !self.end_said {
                match self.channel.send_eof() {
                    Err(error) if code(&error) == libssh2_sys::LIBSSH2_ERROR_EAGAIN => return Ok(moved),
                    _ => self.end_said = true,
                }
                // The session at this end is over: what comes now is for nobody.
                self.local_closed = true;
                moved = true;
            }
            return Ok(moved);
        }
    }

    /// From there to here.
    fn inward(&mut self) -> Result<bool, Trouble> {
        let mut moved = false;
        loop {
            if self.inward.is_empty() {
                let mut chunk = [0; CHUNK];
                match self.channel.read(&mut chunk) {
                    Ok(0) => return Ok(moved),
                    Ok(count) => self.inward.fill(&chunk[..count]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(moved),
                    Err(_) => return Err(Trouble::Lost),
                }
                moved = true;
            }
            if self.local_closed {
                self.inward.fill(&[]);
                continue;
            }
            match send(&self.local, self.inward.rest(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => self.inward.done += count,
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Ok(moved),
                Err(_) => self.local_closed = true,
            }
            moved = true;
        }
    }
}
