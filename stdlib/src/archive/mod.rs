//! The namespace `archive`: many files in one.

mod format;
mod members;
mod pack;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::state::<pack::ArchivePack>()];
