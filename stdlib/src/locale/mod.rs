//! The namespace `locale`: which locales there are, and which one is used.

mod generate;
mod name;
mod set;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::state::<generate::LocaleGenerate>(), Entry::state::<set::LocaleSet>()];
