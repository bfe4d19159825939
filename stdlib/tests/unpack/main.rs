//! `file::unpack`: archives as the usual programs make them, and archives that mean harm, on a host at hand and through a connection.

#[path = "../archives/mod.rs"]
mod archives;
mod at_hand;
mod connected;
#[path = "../this_machine/mod.rs"]
mod this_machine;
