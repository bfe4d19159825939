//! On this machine, through a connection.

use crate::this_machine::connected as this_machine;

#[allow(clippy::duplicate_mod, reason = "the same cases on another way to the host")]
#[path = "cases.rs"]
mod cases;
