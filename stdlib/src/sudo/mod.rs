//! The namespace `sudo`: who may run what as whom.

mod absent;
mod file;
mod rule;
mod rule_file;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<rule::SudoRule>(),
    Entry::state::<file::SudoFile>(),
    Entry::state::<absent::SudoAbsent>(),
];
