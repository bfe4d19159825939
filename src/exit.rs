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
/// The run was told to stop by the signal of this number. What failed by then is in the recap.
pub const fn interrupted_by(signal: u8) -> u8 {
    128 + signal
}
