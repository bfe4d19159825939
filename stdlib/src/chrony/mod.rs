//! The namespace `chrony`: the time of the host.

mod config;
mod configuration;
mod server;
mod status;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<config::ChronyConfig>(),
    Entry::state::<server::ChronyServer>(),
    Entry::query::<status::ChronyStatus>(),
];
