//! The play is evaluated on the controller, and what it does to the host goes there call by call.

use crate::placement::connected as placed;

#[allow(clippy::duplicate_mod, reason = "the same cases in another place")]
#[path = "cases/mod.rs"]
mod cases;
