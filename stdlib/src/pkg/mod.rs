//! The namespace `pkg`: packages, whatever the host's package manager is.
//!
//! [`choice`] finds the manager by the distribution. xbps is served by its own namespace; for the others a [`manager`] reads the
//! database of what is [`installed`] from its files, has the manager's own dry run say what would be done ([`planned`]), and one
//! [`transaction`] does it.

pub mod apk;
pub mod apt;
pub mod choice;
pub mod dnf;
pub mod dpkg;
pub mod explanation;
pub mod found;
pub mod index;
pub mod install;
pub mod installed;
pub mod manager;
pub mod package;
pub mod pacman;
pub mod planned;
pub mod prediction;
pub mod queries;
pub mod refresh;
pub mod remove;
pub mod service_denial;
pub mod transaction;
pub mod upgrade;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<install::Install>(),
    Entry::state::<remove::Remove>(),
    Entry::state::<upgrade::Upgrade>(),
    Entry::action::<refresh::Refresh>(),
    Entry::query::<queries::IsInstalled>(),
    Entry::query::<queries::InstalledVersion>(),
    Entry::query::<queries::ManagerName>(),
];
