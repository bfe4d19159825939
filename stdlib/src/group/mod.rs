//! The namespace `group`: groups of users.

mod absent;
mod present;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::state::<present::Present>(), Entry::state::<absent::Absent>()];
