//! Error numbers: xbps exits with them, and prints their texts.

use std::fmt;

use refrain_engine::failure::Failure;

/// An error number of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

/// The numbers that xbps meets or that scripts end with, and the texts of the C library.
const TEXTS: &[(Errno, &str)] = &[
    (Errno::EPERM, "Operation not permitted"),
    (Errno::ENOENT, "No such file or directory"),
    (Errno(3), "No such process"),
    (Errno(4), "Interrupted system call"),
    (Errno::EIO, "Input/output error"),
    (Errno::ENXIO, "No such device or address"),
    (Errno::ENOEXEC, "Exec format error"),
    (Errno(7), "Argument list too long"),
    (Errno(9), "Bad file descriptor"),
    (Errno(10), "No child processes"),
    (Errno::EAGAIN, "Resource temporarily unavailable"),
    (Errno(12), "Cannot allocate memory"),
    (Errno::EACCES, "Permission denied"),
    (Errno::EBUSY, "Device or resource busy"),
    (Errno::EEXIST, "File exists"),
    (Errno::ENODEV, "No such device"),
    (Errno::ENOTDIR, "Not a directory"),
    (Errno::EISDIR, "Is a directory"),
    (Errno::EINVAL, "Invalid argument"),
    (Errno::ENOTTY, "Inappropriate ioctl for device"),
    (Errno::ENOSPC, "No space left on device"),
    (Errno::EROFS, "Read-only file system"),
    (Errno::ERANGE, "Numerical result out of range"),
    (Errno::ENOTEMPTY, "Directory not empty"),
    (Errno::ELOOP, "Too many levels of symbolic links"),
    (Errno::EILSEQ, "Invalid or incomplete multibyte or wide character"),
    (Errno::ENOTSUP, "Operation not supported"),
];

impl Errno {
    pub const EPERM: Self = Self(1);
    pub const ENOENT: Self = Self(2);
    pub const EIO: Self = Self(5);
    pub const ENXIO: Self = Self(6);
    pub const ENOEXEC: Self = Self(8);
    pub const EAGAIN: Self = Self(11);
    pub const EACCES: Self = Self(13);
    pub const EBUSY: Self = Self(16);
    pub const EEXIST: Self = Self(17);
    pub const ENODEV: Self = Self(19);
    pub const ENOTDIR: Self = Self(20);
    pub const EISDIR: Self = Self(21);
    pub const EINVAL: Self = Self(22);
    pub const ENOTTY: Self = Self(25);
    pub const ENOSPC: Self = Self(28);
    pub const EROFS: Self = Self(30);
    pub const ERANGE: Self = Self(34);
    pub const ENOTEMPTY: Self = Self(39);
    pub const ELOOP: Self = Self(40);
    pub const EILSEQ: Self = Self(84);
    pub const ENOTSUP: Self = Self(95);
}

impl fmt::Display for Errno {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TEXTS.iter().find(|(known, _)| known == self) {
            Some((_, text)) => formatter.write_str(text),
            None => write!(formatter, "Unknown error {}", self.0),
        }
    }
}

impl From<Failure> for Errno {
    /// What the system said; `EIO` where it is none of these.
    fn from(failure: Failure) -> Self {
        let Failure::Io { reason, .. } = failure else { return Self::EIO };
        let known = TEXTS.iter().find(|(_, text)| text.eq_ignore_ascii_case(&reason));
        known.map_or(Self::EIO, |(errno, _)| *errno)
    }
}
