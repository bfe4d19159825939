//! The namespace `file`: files, directories and links.

mod content;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::state::<content::FileContent>()];
