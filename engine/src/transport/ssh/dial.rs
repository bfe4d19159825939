//! From a name to a TCP connection.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use super::config::AddressFamily as Wanted;
use super::socket::Socket;
use super::target::Route;
use super::wire::LOOK;
use super::{Client, Target, jumps};
use crate::diagnostic::Diagnostic;
use crate::failure;
use crate::interrupt::Interrupt;
use crate::transport::{Stage, Unreachable};

/// After so much silence, the kernel asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// So many questions without an answer mean that it isn't.
const KEEPALIVES: u32 = 4;

/// Connects to a host, on its way.
pub(super) fn dial(
    target: &Target,
    client: &Client,
    interrupt: &Arc<Interrupt>,
) -> Result<Socket, Unreachable> {
    match &target.route {
        Route::Direct => directly(target, interrupt).map(Socket::tcp),
        Route::Through(jump) => jumps::through(jump, target, client, interrupt),
        Route::Command(line) => Socket::command(line).map_err(|error| {
            let reason = failure::reason(&error);
            let error = Diagnostic::new(format!("could not start the `ProxyCommand` for `{}`", target.host));
            Unreachable { stage: Stage::Connection, error: error.because(reason) }
        }),
    }
}

/// Connects to the first address of the target's name that answers, unless the run shall stop.
fn directly(target: &Target, interrupt: &Interrupt) -> Result<TcpStream, Unreachable> {
    let addresses = resolve(target, interrupt)?;
    let deadline = Instant::now() + target.timeout;
    let mut refusals: Vec<String> = Vec::new();
    for (tried, address) in addresses.iter().enumerate() {
        // Each gets its share of the time: an address that does not answer must not use up that of the next.
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let patience = (deadline.saturating_duration_since(Instant::now()) / left).max(SHORTEST);
        let connected = connect(*address, target.bind_address.as_deref(), patience, interrupt);
        match connected.and_then(|socket| prepared(socket, target.keepalive)) {
            Ok(socket) => return Ok(socket),
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                refusals.push(format!("{}: no answer in {} s", address.ip(), seconds(patience)));
            }
            Err(error) => refusals.push(format!("{}: {}", address.ip(), failure::reason(&error))),
        }
    }
    let error = Diagnostic::new(format!("no connection to `{}` port {}", target.host, target.port));
    let error = refusals.into_iter().fold(error, Diagnostic::because);
    Err(Unreachable { stage: Stage::Connection, error })
}

/// Connects to one address, with a socket that does not block.
fn connect(
    address: SocketAddr,
    from: Option<&str>,
    patience: Duration,
    interrupt: &Interrupt,
) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    if let Some(from) = from {
        let from: IpAddr = from.parse().map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("`BindAddress {from}` is no address"))
        })?;
        rustix::net::bind(&socket, &SocketAddr::new(from, 0))?;
    }
    match rustix::net::connect(&socket, &address) {
        Ok(()) => return Ok(socket.into()),
        Err(Errno::INPROGRESS | Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    connected(&socket, Instant::now() + patience, interrupt)?;
    sockopt::socket_error(&socket)??;
    Ok(socket.into())
}

/// Waits until a socket is connected, or has failed to.
fn connected(socket: &OwnedFd, deadline: Instant, interrupt: &Interrupt) -> io::Result<()> {
    loop {
        if interrupt.is_set() {
            return Err(interrupted());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left.min(LOOK)).ok();
        match poll(&mut [PollFd::new(socket, PollFlags::OUT)], timeout.as_ref()) {
            Ok(0) | Err(Errno::INTR) if left.is_zero() => return Err(io::ErrorKind::TimedOut.into()),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What comes of waiting when the run shall stop.
fn interrupted() -> io::Error {
    io::Error::new(io::ErrorKind::Interrupted, "interrupted")
}

/// No address gets less time than this.
const SHORTEST: Duration = Duration::from_millis(100);

/// Seconds with at most one decimal.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10.0).round() / 10.0
}

fn resolve(target: &Target, interrupt: &Interrupt) -> Result<Vec<SocketAddr>, Unreachable> {
    let unresolved = |reason: &str| Unreachable {
        stage: Stage::Name,
        error: Diagnostic::new(format!("could not resolve the name `{}`", target.host))
            .because(reason)
            .hint("`ansible_host` in the inventory says at which address a host is"),
    };
    let addresses = match addresses(&target.host, target.port, interrupt) {
        Ok(addresses) => addresses,
        Err(error) => {
            let reason = failure::reason(&error);
            let reason = reason.strip_prefix("failed to lookup address information: ").unwrap_or(&reason);
            return Err(unresolved(&lower(reason)));
        }
    };
    let fits = |address: &SocketAddr| match target.address_family {
        Wanted::Any => true,
        Wanted::Inet => address.is_ipv4(),
        Wanted::Inet6 => address.is_ipv6(),
    };
    let addresses: Vec<SocketAddr> = addresses.into_iter().filter(fits).collect();
    if addresses.is_empty() { Err(unresolved("it has no address")) } else { Ok(addresses) }
}

/// The addresses of a name.
fn addresses(host: &str, port: u16, interrupt: &Interrupt) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    // Nothing ends a question to a name server before its time; whoever asks needn't wait for the answer.
    thread::Builder::new().spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody hears it if the run has stopped meanwhile.
        let _ = sender.send(found);
    })?;
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(found) => return found,
            Err(RecvTimeoutError::Timeout) if !interrupt.is_set() => {}
            Err(_) => return Err(interrupted()),
        }
    }
}

/// The system's words with a small first letter.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Sets what a connection needs that is to be quick, and to end when the other side is gone.
fn prepared(socket: TcpStream, keepalive: Option<(Duration, u32)>) -> std::io::Result<TcpStream> {
    let (interval, count) = keepalive.unwrap_or((KEEPALIVE, KEEPALIVES));
    // Small packets are sent at once. Waiting for company costs 40 ms each.
    socket.set_nodelay(true)?;
    sockopt::set_socket_keepalive(&socket, true)?;
    sockopt::set_tcp_keepidle(&socket, interval)?;
    sockopt::set_tcp_keepintvl(&socket, interval)?;
    sockopt::set_tcp_keepcnt(&socket, count)?;
    // What was sent and is not acknowledged must not wait for longer than a question.
    let patience = interval.saturating_mul(count.saturating_add(1));
    sockopt::set_tcp_user_timeout(&socket, u32::try_from(patience.as_millis()).unwrap_or(u32::MAX))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn target(host: &str, port: u16) -> Target {
        let mut target = Target::new(host.to_owned());
        target.port = port;
        target.timeout = Duration::from_millis(300);
        target
    }

    #[test]
    fn names_and_addresses_lead_to_a_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost"] {
            let socket = directly(&target(host, port), &Interrupt::default()).unwrap();
            assert!(socket.nodelay().unwrap());
            assert!(sockopt::socket_keepalive(&socket).unwrap());
        }
    }

    #[test]
    fn an_address_in_the_new_format_needs_no_brackets() {
        let Ok(listener) = TcpListener::bind("[::1]:0") else {
            eprintln!("skipped: this machine has no IPv6");
            return;
        };
        directly(&target("::1", listener.local_addr().unwrap().port()), &Interrupt::default()).unwrap();
    }

    #[test]
    fn each_way_to_fail_has_its_words() {
        // Bound and not listening: nobody else can be there, and connections are refused.
        let taken =
            rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)
                .unwrap();
        rustix::net::bind(&taken, &"127.0.0.1:0".parse::<SocketAddr>().unwrap()).unwrap();
        let address: SocketAddr = rustix::net::getsockname(&taken).unwrap().try_into().unwrap();
        let refused = directly(&target("127.0.0.1", address.port()), &Interrupt::default()).unwrap_err();
        assert_eq!(refused.stage, Stage::Connection);
        assert_eq!(
            refused.error.to_string(),
            format!(
                "no connection to `127.0.0.1` port {}\ncaused by: 127.0.0.1: connection refused",
                address.port()
            )
        );
        let unresolved = directly(&target("name.invalid", 22), &Interrupt::default()).unwrap_err();
        assert_eq!(unresolved.stage, Stage::Name);
        assert!(unresolved.error.message.contains("`name.invalid`"));
    }
}
