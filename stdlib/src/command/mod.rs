//! The namespace `command`: programs and scripts that are run.

mod effects;
mod invocation;
mod options;
mod run;
mod script;
mod shell;
pub(crate) mod words;

use invocation::Invocation;
use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::action::<Invocation<run::Run>>(),
    Entry::action::<Invocation<shell::Shell>>(),
    Entry::action::<Invocation<script::Script>>(),
];
