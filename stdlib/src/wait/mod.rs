//! The namespace `wait`: going on only when something is so.

mod command;
mod condition;
mod file;
mod http;
mod port;

use condition::Waiting;
use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::action::<Waiting<port::WaitPort>>(),
    Entry::action::<Waiting<file::WaitFile>>(),
    Entry::action::<Waiting<command::WaitCommand>>(),
    Entry::action::<Waiting<http::WaitHttp>>(),
];
