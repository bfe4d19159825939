//! Inventories and variables come to what real ansible-core makes of the same files.

mod ansible;
mod cases;
mod commands;
mod generated;
#[path = "../support/mod.rs"]
mod support;
