//! The terminal at which a program asks for the password.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// What is typed before a character that is meant literally: Ctrl-V.
const LITERALLY: u8 = 0x16;

/// A pseudo-terminal.
pub(super) struct Terminal {
    near: File,
    /// With nobody holding the far end, it would be nobody's terminal any more.
    far: OwnedFd,
}

impl Terminal {
    /// A new one.
    ///
    /// # Errors
    /// The system gives none: a container without `/dev/pts`, an empty root.
    pub(super) fn open() -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let near = openpt(flags)?;
        grantpt(&near)?;
        unlockpt(&near)?;
        let far = ioctl_tiocgptpeer(&near, flags)?;
        Ok(Self { near: File::from(near), far })
    }

    /// Whether what is typed would not be shown: a password is waited for.
    pub(super) fn is_hiding(&self) -> bool {
        tcgetattr(&self.near).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ECHO))
    }

    /// The far end, for a program.
    ///
    /// # Errors
    /// This process has too many descriptors.
    pub(super) fn far(&self) -> io::Result<OwnedFd> {
        self.far.try_clone()
    }

    /// Types a line.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn type_line(&mut self, line: &str) -> io::Result<()> {
        let mut typed = Vec::with_capacity(2 * line.len() + 1);
        for byte in line.bytes() {
            // Else it might mean something to the terminal: the end, an interrupt.
            if byte.is_ascii_control() {
                typed.push(LITERALLY);
            }
            typed.push(byte);
        }
        typed.push(b'\n');
        self.near.write_all(&typed)
    }

    /// The near end, to be read.
    pub(super) fn reader(&self) -> &File {
        &self.near
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.near.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use rustix::termios::{OptionalActions, tcsetattr};

    use super::*;

    #[test]
    fn one_sees_whether_what_is_typed_is_shown() {
        let terminal = Terminal::open().unwrap();
        assert!(!terminal.is_hiding());
        let mut modes = tcgetattr(&terminal.far).unwrap();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal.far, OptionalActions::Now, &modes).unwrap();
        assert!(terminal.is_hiding());
    }

    #[test]
    fn a_line_may_hold_what_means_something_to_terminals() {
        let mut terminal = Terminal::open().unwrap();
        terminal.type_line("a\u{3}b\u{4}c\u{15}d").unwrap();
        let mut read = [0; 16];
        let count = File::from(terminal.far().unwrap()).read(&mut read).unwrap();
        assert_eq!(&read[..count], b"a\x03b\x04c\x15d\n");
    }
}
