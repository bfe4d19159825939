//! The namespace `git`: working trees of repositories.

mod checkout;
mod repository;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::state::<checkout::GitCheckout>()];
