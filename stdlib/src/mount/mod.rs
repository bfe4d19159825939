//! The namespace `mount`: file systems in `/etc/fstab`, and mounted.

mod absent;
mod entry;
mod file_system;
mod fstab;
mod live;
mod mounted;
mod options;
mod unmounted;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<mounted::MountMounted>(),
    Entry::state::<entry::MountEntry>(),
    Entry::state::<unmounted::MountUnmounted>(),
    Entry::state::<absent::MountAbsent>(),
    Entry::query::<live::MountIsMounted>(),
];
