//! When a service was started: what its supervisor has written down.

use std::path::Path;

use refrain_engine::system::{Content, Time, View};

/// Seconds of TAI64 at the beginning of 1970, as runit counts them.
const EPOCH: u64 = (1 << 62) + 10;
/// The length of the file.
const LENGTH: usize = 20;
/// The state of a service that runs.
const RUNS: u8 = 1;

/// When the service below `directory` was started. `None` if it does not run, or that can't be told.
pub fn started(host: &dyn View, directory: &Path) -> Option<Time> {
    match host.read(&directory.join("supervise/status")) {
        Ok(Some(Content::Known(status))) => read(&status),
        _ => None,
    }
}

/// Reads a status: a TAI64N time, a process, what is wanted, what the state is.
fn read(status: &[u8]) -> Option<Time> {
    if status.len() != LENGTH || status[LENGTH - 1] != RUNS {
        return None;
    }
    let seconds = u64::from_be_bytes(status[..8].try_into().ok()?).checked_sub(EPOCH)?;
    let nanoseconds = u32::from_be_bytes(status[8..12].try_into().ok()?);
    Some(Time { seconds: i64::try_from(seconds).ok()?, nanoseconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_a_time() {
        // Written by runsv on 2026-11-25, 17:43:16 UTC; the service was down.
        let down = [0x40, 0, 0, 0, 0x6b, 0x07, 0x1e, 0x36, 0x10, 0x76, 0x87, 0xec, 0, 0, 0, 0, 0, 0x64, 0, 0];
        assert_eq!(read(&down), None);
        let mut up = down;
        up[19] = 1;
        assert_eq!(read(&up), Some(Time { seconds: 0x6b07_1e36 - 10, nanoseconds: 0x1076_87ec }));
        assert_eq!(read(&up[..19]), None);
        assert_eq!(read(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), None);
    }
}
