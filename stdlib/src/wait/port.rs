//! `wait::port`.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use refrain_engine::failure::{Failure, reason};
use refrain_engine::module::Context;
use refrain_engine::syscall::resolve_without_plugins;
use refrain_engine::system::{RootKind, View};
use schemars::JsonSchema;
use serde::Deserialize;

use super::condition::{Condition, Patience, Seen};

/// Where the kernel lists the TCP sockets of IPv4 and IPv6.
const SOCKETS: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// The state of a socket that listens, as the kernel spells it.
const LISTENS: &str = "0A";

/// How long one attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Waits until something listens on a TCP port, or until nothing does any more.
///
/// ```rhai
/// wait::port(9, #{ gone: true });
/// ```
/// ```rhai,no_run
/// wait::port(4646);
/// wait::port(5432, #{ host: "db1.example.org", timeout: 600 });
/// ```
///
/// Without `host`, it is this host's own port: the kernel is asked who listens, on whatever address, and nobody is disturbed by a connection.
/// With `host`, a connection is tried, by who evaluates the play. It changes nothing. Where no network can be seen (an image, a sandbox) there
/// is nothing to wait for.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct WaitPort {
    /// The port, 1 to 65535.
    port: u16,
    /// A name or an address to connect to. This host itself when absent.
    #[serde(default)]
    host: Option<String>,
    /// Whether it is waited until nothing listens. Default false.
    #[serde(default)]
    gone: bool,
    #[serde(flatten)]
    patience: Patience,
}

impl Condition for WaitPort {
    const NAME: &'static str = "wait::port";
    const POSITIONAL: &'static [&'static str] = &["port"];
    const FIELDS: &'static [&'static str] = &[];

    fn subject(&self) -> String {
        let of = self.host.as_ref().map(|host| format!(" of {host}")).unwrap_or_default();
        format!("port {}{of}{}", self.port, if self.gone { " to be closed" } else { "" })
    }

    fn patience(&self) -> &Patience {
        &self.patience
    }

    fn is_beyond(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        if self.port == 0 {
            return Err(Failure::argument("port", "a port is a number from 1 to 65535"));
        }
        let host = context.host;
        let is_blind = self.host.is_none() && host.read(Path::new(SOCKETS[0]))?.is_none();
        let is_still = host.root_kind() == RootKind::Offline || host.is_sandbox();
        Ok((is_blind || is_still).then(|| "nothing runs in this root".to_owned()))
    }

    fn look(&self, context: &Context<'_>, left: Duration) -> Result<Seen, Failure> {
        let (is_open, words) = match &self.host {
            Some(host) => match connect(host, self.port, left) {
                Ok(()) => (true, "something still listens".to_owned()),
                Err(error) => (false, reason(&error)),
            },
            None => match listens(context.host, self.port)? {
                true => (true, "something still listens".to_owned()),
                false => (false, "nothing listens".to_owned()),
            },
        };
        Ok(Seen::new(is_open != self.gone, words))
    }
}

/// Whether a socket of this host listens on a port.
fn listens(host: &dyn View, port: u16) -> Result<bool, Failure> {
    for path in SOCKETS {
        let content = host.read(Path::new(path))?;
        let table = content.as_ref().and_then(|content| content.known()).unwrap_or_default();
        if String::from_utf8_lossy(table).lines().skip(1).any(|line| is_listener(line, port)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a line of the kernel's table is a socket that listens on a port: `0: 0100007F:1F90 00000000:0000 0A …`.
fn is_listener(line: &str, port: u16) -> bool {
    let mut words = line.split_whitespace().skip(1);
    let (local, state) = (words.next(), words.nth(1));
    let of_local = local.and_then(|local| u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok());
    of_local == Some(port) && state == Some(LISTENS)
}

/// Connects to one of a host's addresses, and hangs up.
fn connect(host: &str, port: u16, left: Duration) -> io::Result<()> {
    resolve_without_plugins();
    let timeout = left.clamp(Duration::from_millis(100), CONNECT);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::is_listener;

    #[test]
    fn who_listens_is_told_by_the_kernels_table() {
        let line = |local: &str, state: &str| {
            format!("   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 0 0 12345 1")
        };
        for (local, state, expected) in [
            ("0100007F:1F90", "0A", true),
            ("00000000000000000000000000000000:1F90", "0A", true),
            ("0100007F:1F90", "01", false),
            ("0100007F:1F91", "0A", false),
            ("nonsense", "0A", false),
        ] {
            assert_eq!(is_listener(&line(local, state), 8080), expected, "{local} {state}");
        }
        assert!(!is_listener("", 8080));
    }
}
