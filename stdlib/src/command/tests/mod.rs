//! The functions on a host at hand and through a connection.

mod at_hand;
mod connected;
#[path = "../../../tests/this_machine/mod.rs"]
mod this_machine;
