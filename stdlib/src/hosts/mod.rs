//! The namespace `hosts`: names and addresses in `/etc/hosts`.

mod absent;
mod entry;
mod queries;
mod table;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<entry::HostsEntry>(),
    Entry::state::<absent::HostsAbsent>(),
    Entry::query::<queries::HostsAddresses>(),
];

/// The file that all of them are about.
const FILE: &str = "/etc/hosts";
