//! The namespace `http`: asking web servers.

mod request;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::action::<request::HttpRequest>()];
