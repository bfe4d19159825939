//! An ssh session over its socket, never blocking: every wait is made here, with an end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use ssh2::{BlockDirections, ErrorCode, MethodType, Session};

use super::algorithms;
use super::socket::Socket;
use super::target::Algorithms;
use crate::failure;
use crate::interrupt::Interrupt;

/// What keys are exchanged with. Curve25519 first: it is safe, and costs a hundredth of a second less than what OpenSSH
/// prefers.
const KEY_EXCHANGE: &str = "curve25519-sha256,curve25519-sha256@libssh.org,mlkem768x25519-sha256,\
    ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group16-sha512,\
    diffie-hellman-group18-sha512,diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256";

/// What is encrypted with: first what processors have instructions for.
const CIPHERS: &str = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,\
    aes256-ctr,aes192-ctr,aes128-ctr";

/// What the ciphers that don't authenticate are authenticated with.
const MACS: &str = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";

/// What login keys sign with, where a type of key has several ways.
const SIGNATURES: &str = "rsa-sha2-512,rsa-sha2-256";

/// The messages of libssh2's handshake that each wait for an answer: version, proposal, key, service.
const HANDSHAKE_TRIPS: u32 = 4;

/// How often a wait looks whether the run shall stop.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// What is said of a connection that is gone.
const LOST: &str = "the host closed the connection";

/// A session and its socket.
pub(super) struct Wire {
    /// The session. Whatever may wait goes through [`Wire::run`].
    pub session: Session,
    socket: Socket,
    round_trips: u32,
    interrupt: Arc<Interrupt>,
    /// Whether waits end when the run shall stop: until a play has begun at the other end.
    pub may_give_up: bool,
}

/// Why something on the wire did not work out.
#[derive(Debug)]
pub(super) enum Trouble {
    /// libssh2 has an error for it.
    Ssh(ssh2::Error),
    /// It took longer than it was given.
    Late(Duration),
    /// The socket itself failed.
    Socket(io::Error),
    /// A stream broke off.
    Lost,
    /// The far side says more and more, and listens to nothing.
    Flood,
    /// The run shall stop.
    Interrupted,
}

impl Trouble {
    /// libssh2's number for the error; 0 when it is not one of its errors.
    pub(super) fn code(&self) -> i32 {
        match self {
            Self::Ssh(error) => code(error),
            Self::Late(_) | Self::Socket(_) | Self::Lost | Self::Flood | Self::Interrupted => 0,
        }
    }

    /// Whether the connection is gone.
    pub(super) fn is_lost(&self) -> bool {
        let gone = matches!(
            self.code(),
            libssh2_sys::LIBSSH2_ERROR_SOCKET_DISCONNECT
                | libssh2_sys::LIBSSH2_ERROR_SOCKET_SEND
                | libssh2_sys::LIBSSH2_ERROR_SOCKET_RECV
        );
        // Whatever else libssh2 calls it: an answer for which it waited did not come.
        let unanswered = |error: &ssh2::Error| error.message().starts_with("Waiting for ");
        gone || matches!(self, Self::Lost) || matches!(self, Self::Ssh(error) if unanswered(error))
    }

    /// In words, lower case.
    pub(super) fn words(&self) -> String {
        match self {
            _ if self.is_lost() => LOST.to_owned(),
            Self::Lost => LOST.to_owned(),
            Self::Ssh(error) => error.message().to_lowercase(),
            Self::Late(patience) => format!("no answer in {} s", patience.as_secs_f64()),
            Self::Socket(error) => failure::reason(error),
            Self::Flood => "the host says more and more, and listens to nothing".to_owned(),
            Self::Interrupted => "interrupted".to_owned(),
        }
    }
}

impl From<ssh2::Error> for Trouble {
    fn from(error: ssh2::Error) -> Self {
        Self::Ssh(error)
    }
}

/// libssh2's number for an error.
pub(super) fn code(error: &ssh2::Error) -> i32 {
    match error.code() {
        ErrorCode::Session(code) | ErrorCode::SFTP(code) => code,
    }
}

impl Wire {
    /// A session over `socket`, which must not block, that prefers hosts to show keys by `host_key_algorithms`. It is
    /// given up when `interrupt` says so before a play has begun.
    ///
    /// # Errors
    /// libssh2 knows none of the algorithms.
    pub(super) fn new(
        socket: Socket,
        wanted: &Algorithms,
        host_key_algorithms: &str,
        interrupt: &Arc<Interrupt>,
    ) -> Result<Self, Trouble> {
        let mut session = Session::new()?;
        let ciphers = algorithms::chosen(wanted.ciphers.as_deref(), CIPHERS);
        let macs = algorithms::chosen(wanted.macs.as_deref(), MACS);
        for (kind, methods) in [
            (MethodType::Kex, &*algorithms::chosen(wanted.key_exchanges.as_deref(), KEY_EXCHANGE)),
            (MethodType::HostKey, host_key_algorithms),
            (MethodType::CryptCs, &ciphers),
            (MethodType::CryptSc, &ciphers),
            (MethodType::MacCs, &macs),
            (MethodType::MacSc, &macs),
            (MethodType::SignAlgo, SIGNATURES),
        ] {
            session.method_pref(kind, methods)?;
        }
        session.set_blocking(false);
        let shared = socket.shared().map_err(Trouble::Socket)?;
        session.set_tcp_stream(shared);
        // Connecting was the first round trip.
        Ok(Self { session, socket, round_trips: 1, interrupt: Arc::clone(interrupt), may_give_up: true })
    }

    /// Agrees on keys.
    ///
    /// # Errors
    /// The two sides have no algorithm in common, the host says nothing in time, or it hangs up.
    pub(super) fn handshake(&mut self, patience: Duration) -> Result<(), Trouble> {
        let mut session = self.session.clone();
        self.run(patience, || session.handshake())?;
        self.round_trips += HANDSHAKE_TRIPS - 1;
        Ok(())
    }

    /// Whether the far side has said that it speaks ssh.
    pub(super) fn speaks_ssh(&self) -> bool {
        self.session.banner_bytes().is_some_and(|banner| banner.starts_with(b"SSH-"))
    }

    /// Does something that may have to wait for the far side: `act` is called again until it no longer would block.
    ///
    /// # Errors
    /// What `act` says, or it took longer than `patience`, or the run shall stop.
    pub(super) fn run<T>(
        &mut self,
        patience: Duration,
        mut act: impl FnMut() -> Result<T, ssh2::Error>,
    ) -> Result<T, Trouble> {
        let deadline = Instant::now() + patience;
        let mut waited = false;
        loop {
            match act() {
                Err(error) if code(&error) == libssh2_sys::LIBSSH2_ERROR_EAGAIN => {
                    if !self.wait_or_give_up(deadline)? {
                        return Err(Trouble::Late(patience));
                    }
                    waited = true;
                }
                result => {
                    self.round_trips += u32::from(waited);
                    return Ok(result?);
                }
            }
        }
    }

    /// As [`Wire::wait`], until the run shall stop.
    pub(super) fn wait_or_give_up(&self, deadline: Instant) -> Result<bool, Trouble> {
        loop {
            if self.may_give_up && self.interrupt.is_set() {
                return Err(Trouble::Interrupted);
            }
            let now = Instant::now();
            if self.wait(deadline.min(now + LOOK))? {
                return Ok(true);
            }
            if now >= deadline {
                return Ok(false);
            }
        }
    }

    /// Waits until the session can go on; `false` when it can't before the deadline.
    pub(super) fn wait(&self, deadline: Instant) -> Result<bool, Trouble> {
        // The kernel forgets this one with every packet. Without it, a server that waits for the acknowledgement of one
        // small packet before it sends the next one waits 40 ms.
        self.acknowledge_quickly()?;
        let events = match self.session.block_directions() {
            BlockDirections::None | BlockDirections::Inbound => PollFlags::IN,
            BlockDirections::Outbound => PollFlags::OUT,
            BlockDirections::Both => PollFlags::IN | PollFlags::OUT,
        };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(&self.socket, events)], timeout.as_ref()) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(Trouble::Socket(error.into())),
                Ok(ready) => return Ok(ready > 0),
            }
        }
    }

    /// Keeps the kernel from waiting with acknowledgements, until the next packet.
    pub(super) fn acknowledge_quickly(&self) -> Result<(), Trouble> {
        self.socket.acknowledge_quickly().map_err(Trouble::Socket)
    }

    /// What is known of why the connection has ended, beyond that it has.
    pub(super) fn fate(&mut self) -> Option<String> {
        self.socket.fate()
    }

    /// Whether a packet waits for the socket to take in the rest of it.
    pub(super) fn is_sending(&self) -> bool {
        matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
    }

    /// Counts a wait for an answer that was made outside of [`Wire::run`].
    pub(super) fn count_round_trip(&mut self) {
        self.round_trips += 1;
    }

    /// Begins to count anew.
    pub(super) fn forget_round_trips(&mut self) {
        self.round_trips = 0;
    }

    /// How often an answer was waited for.
    pub(super) fn round_trips(&self) -> u32 {
        self.round_trips
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // In good order as far as that costs no time: the word, then the end of the stream, which ends whatever the
        // host still does for this session. Without a socket, libssh2 frees its memory without waiting for answers.
        let _ = self.session.disconnect(None, "done", None);
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
    }
}
