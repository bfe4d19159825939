//! The namespace `reboot`: restarting a machine.

mod now;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::action::<now::RebootNow>().on_controller()];
