//! Numbers of things, in words.

use std::fmt::Display;

/// A number with what is counted: `1 host`, `2 hosts`.
pub fn plural<N: Display + PartialEq + From<u8>>(count: N, what: &str) -> String {
    let ending = if count == N::from(1) { "" } else { "s" };
    format!("{count} {what}{ending}")
}
