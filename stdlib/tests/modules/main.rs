//! What modules do to hosts, held against the programs that they stand for and against those who mean harm. Every case is there
//! twice: with the play evaluated on the host, and with it evaluated on the controller.

mod archives;
mod at_hand;
mod connected;
mod debian_root;
mod namespaces;
mod placement;
mod web_server;
