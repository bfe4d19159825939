//! What the exit codes mean.

use indexmap::IndexMap;
use refrain_engine::event::Recap;

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

/// The code of a run that has ended like this. `tell_changes` is `--exit-code`, `signal` the one that ended it.
pub fn verdict(recaps: &IndexMap<String, Recap>, tell_changes: bool, signal: Option<u8>) -> u8 {
    if let Some(signal) = signal {
        interrupted_by(signal)
    } else if recaps.values().any(|recap| recap.failed || recap.interrupted) {
        FAILED
    } else if recaps.values().any(|recap| recap.unreachable) {
        UNREACHABLE
    } else if tell_changes && recaps.values().any(|recap| recap.changed > 0 || recap.may_change > 0) {
        WOULD_CHANGE
    } else {
        DONE
    }
}
