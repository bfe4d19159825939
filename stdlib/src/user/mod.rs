//! The namespace `user`: people and services that can own files and run programs.

mod absent;
mod ageing;
mod change;
mod date;
mod home;
mod password;
mod present;
mod renumber;

#[cfg(test)]
mod tests;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::state::<present::Present>(), Entry::state::<absent::Absent>()];
