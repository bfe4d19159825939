//! On this machine, at hand.

use crate::this_machine::at_hand as this_machine;

#[allow(clippy::duplicate_mod, reason = "the same cases on another way to the host")]
#[path = "cases.rs"]
mod cases;
