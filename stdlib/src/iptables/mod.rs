//! The namespace `iptables`: rules of the packet filter, for IPv4 and IPv6.

mod family;
mod load;
mod rules;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] =
    &[Entry::state::<rules::IptablesRules>(), Entry::action::<load::IptablesLoad>()];
