//! `file::download`: against servers on this machine that behave well or not, on a host at hand and through a connection.

mod at_hand;
mod connected;
#[path = "../this_machine/mod.rs"]
mod this_machine;
#[path = "../web_server/mod.rs"]
mod web_server;
