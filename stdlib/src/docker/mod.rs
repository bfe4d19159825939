//! The namespace `docker`: the configuration of the Docker daemon.

mod daemon;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::state::<daemon::Daemon>()];
