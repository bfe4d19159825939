//! The play is evaluated on the host.

use crate::placement::at_hand as placed;

#[allow(clippy::duplicate_mod, reason = "the same cases in another place")]
#[path = "cases/mod.rs"]
mod cases;
