//! `runit`: the services that runit supervises.
//!
//! [`places`] says where they are defined and enabled, [`supervisor`] talks to them through `sv`, [`reported`] reads what that
//! says. In an offline root there is nobody to talk to: services are enabled there, and start when the system boots.

pub(crate) mod disable;
pub(crate) mod enable;
mod once;
pub(crate) mod order;
pub(crate) mod places;
pub(crate) mod reload;
mod reported;
pub(crate) mod restart;
pub(crate) mod running;
mod service;
pub(crate) mod service_name;
mod signal;
pub(crate) mod start;
mod started;
pub(crate) mod status;
pub(crate) mod stop;
mod supervisor;
mod wait;

use refrain_engine::module::Entry;

use order::Give;

/// All functions of the namespace.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<enable::Enable>(),
    Entry::state::<disable::Disable>(),
    Entry::state::<start::Start>(),
    Entry::state::<stop::Stop>(),
    Entry::action::<Give<restart::Restart>>(),
    Entry::action::<Give<reload::Reload>>(),
    Entry::action::<Give<signal::SendSignal>>(),
    Entry::action::<Give<once::Once>>(),
    Entry::action::<wait::Wait>(),
    Entry::state::<service::Service>(),
    Entry::query::<status::Status>(),
    Entry::query::<status::Enabled>(),
];
