//! What is told of a download.

use super::handle::Xbps;
use super::transaction::humanized;

/// Tells that a file of so many bytes is being fetched.
pub fn begin(xbps: &mut Xbps<'_, '_>, name: &str, bytes: u64) {
    if bytes > 0 {
        xbps.say(format!("{name}: [{} 100%] 100MB/s ETA: 00m00s", humanized(bytes)));
        xbps.flush();
    }
}

/// Tells that a file of so many bytes was fetched.
///
/// Nothing is measured: it all comes at once, at a fixed rate.
pub fn end(xbps: &mut Xbps<'_, '_>, name: &str, bytes: u64) {
    let rate = if bytes > 0 { "100MB/s" } else { "0B/s" };
    xbps.say(format!("{name}: {} [avg rate: {rate}]", humanized(bytes)));
    xbps.flush();
}
