//! What an ssh session runs over: a TCP connection, a way through another host, or a command.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};

use rustix::fs::MemfdFlags;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, sockopt};

use crate::transport::printable;

/// So much of what a command has complained about is shown: its end.
const MOST_SHOWN: usize = 4096;

/// An open connection that does not block.
pub(super) struct Socket {
    fd: OwnedFd,
    kind: Kind,
}

enum Kind {
    Tcp,
    /// Through another host: how that ended, once it has.
    Relayed(Arc<OnceLock<String>>),
    Command {
        child: Child,
        complaints: File,
    },
}

impl Socket {
    pub(super) fn tcp(socket: TcpStream) -> Self {
        Self { fd: socket.into(), kind: Kind::Tcp }
    }

    /// One whose other end another thread holds, who says in `fate` why it has let go.
    pub(super) fn relayed(fd: OwnedFd, fate: Arc<OnceLock<String>>) -> Self {
        Self { fd, kind: Kind::Relayed(fate) }
    }

    /// What a command line for a shell reads and writes.
    ///
    /// # Errors
    /// It can't be started.
    pub(super) fn command(line: &str) -> io::Result<Self> {
        let (own, others) = pair()?;
        rustix::fs::fcntl_setfl(&others, rustix::fs::OFlags::empty())?;
        let complaints = File::from(rustix::fs::memfd_create("complaints", MemfdFlags::CLOEXEC)?);
        let child = Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("exec {line}"))
            .stdin(Stdio::from(others.try_clone()?))
            .stdout(Stdio::from(others))
            .stderr(Stdio::from(complaints.try_clone()?))
            // Ctrl-C at the terminal ends the run gently, and that needs the connection.
            .process_group(0)
            .spawn()?;
        Ok(Self { fd: own, kind: Kind::Command { child, complaints } })
    }

    /// Keeps the kernel from waiting with acknowledgements, until the next packet.
    ///
    /// # Errors
    /// The socket is broken.
    pub(super) fn acknowledge_quickly(&self) -> io::Result<()> {
        match self.kind {
            Kind::Tcp => Ok(sockopt::set_tcp_quickack(&self.fd, true)?),
            Kind::Relayed(_) | Kind::Command { .. } => Ok(()),
        }
    }

    /// Another descriptor of the same socket.
    ///
    /// # Errors
    /// There are no more descriptors.
    pub(super) fn shared(&self) -> io::Result<OwnedFd> {
        self.fd.try_clone()
    }

    /// What is known of why it has ended.
    pub(super) fn fate(&mut self) -> Option<String> {
        match &mut self.kind {
            Kind::Tcp => None,
            Kind::Relayed(fate) => fate.get().cloned(),
            Kind::Command { child, complaints } => {
                // Whoever has said something is about to end; it is not waited for.
                let status = child.try_wait().ok().flatten();
                let mut said = Vec::new();
                let read = complaints.rewind().and_then(|()| complaints.read_to_end(&mut said));
                let said = printable(&said[said.len().saturating_sub(MOST_SHOWN)..]);
                match (status, read) {
                    (_, Ok(1..)) => Some(format!("the `ProxyCommand` says: {}", said.trim_end())),
                    (Some(status), _) => Some(format!("the `ProxyCommand` ended: {status}")),
                    _ => None,
                }
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Each fails only when the other side has ended already.
        let _ = rustix::net::shutdown(&self.fd, Shutdown::Both);
        if let Kind::Command { child, .. } = &mut self.kind {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Two ends of a stream within this machine, neither of which blocks.
///
/// # Errors
/// There are no more descriptors.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}
