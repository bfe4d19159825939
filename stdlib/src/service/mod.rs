//! The namespace `service`: services, whatever looks after them.
//!
//! [`choice`] finds the service manager. runit is served by its own namespace; for the others a [`manager`] says which links
//! enable a service, what it is at, and how it is given an order. What enables a service is a matter of links only, in a root in
//! which nothing runs, too, so that no program is started for it and check mode sees it.

pub mod choice;
mod condition;
mod disable;
mod enable;
mod found;
pub mod manager;
mod names;
mod openrc;
mod order;
mod queries;
mod reload;
mod restart;
pub(crate) mod running;
mod start;
mod stop;
mod systemd;

use refrain_engine::module::Entry;

use order::Give;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<enable::Enable>(),
    Entry::state::<disable::Disable>(),
    Entry::state::<start::Start>(),
    Entry::state::<stop::Stop>(),
    Entry::action::<Give<restart::Restart>>(),
    Entry::action::<Give<reload::Reload>>(),
    Entry::query::<queries::Status>(),
    Entry::query::<queries::Enabled>(),
    Entry::query::<queries::ManagerName>(),
];
