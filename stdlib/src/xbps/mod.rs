//! The namespace `xbps`: the packages of Void Linux.
//!
//! What is installed is read from the package database itself ([`database`]), so that a converged call starts no program.
//! What has to be done, xbps says by its own dry run ([`dry_run`]), with an index in memory and, in check mode, with the
//! repositories as they would be ([`configuration`]); one [`transaction`] then does it.

pub mod alternatives;
pub mod clean;
pub mod configuration;
pub mod contents;
pub mod created;
pub mod database;
pub mod dry_run;
pub mod explanation;
pub mod fingerprint;
pub mod install;
pub mod key;
pub mod lock;
pub mod marks;
pub mod mode;
pub mod name;
pub mod pattern;
pub mod placed_file;
pub mod planned;
pub mod plist;
pub mod prediction;
pub mod program;
pub mod queries;
pub mod reconfigure;
pub mod refresh;
pub mod remove;
pub mod repository;
pub mod services;
pub mod transaction;
pub mod trust;
pub mod undo;
pub mod upgrade;
pub mod version;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<install::Install>(),
    Entry::state::<remove::Remove>(),
    Entry::state::<upgrade::Upgrade>(),
    Entry::action::<refresh::Refresh>(),
    Entry::state::<repository::Repository>(),
    Entry::state::<repository::RepositoryAbsent>(),
    Entry::state::<key::Key>(),
    Entry::state::<marks::Hold>(),
    Entry::state::<marks::Unhold>(),
    Entry::state::<marks::Repolock>(),
    Entry::state::<marks::Repounlock>(),
    Entry::state::<marks::MarkPackages>(),
    Entry::action::<reconfigure::Reconfigure>(),
    Entry::state::<alternatives::Alternatives>(),
    Entry::action::<clean::Clean>(),
    Entry::query::<queries::IsInstalled>(),
    Entry::query::<queries::InstalledVersion>(),
];
