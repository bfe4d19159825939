//! What the exit codes mean.

/// All is done.
pub const DONE: u8 = 0;
/// A play failed on a host.
pub const FAILED: u8 = 2;
/// A host could not be reached.
pub const UNREACHABLE: u8 = 3;
/// The input is wrong; nothing was changed anywhere.
pub const BAD_INPUT: u8 = 4;
/// With `--check --exit-code`: something would change.
pub const WOULD_CHANGE: u8 = 10;
/// The run was interrupted.
pub const INTERRUPTED: u8 = 130;
