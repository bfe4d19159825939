//! The namespace `docker`: the configuration of the Docker daemon, and small needs: images, containers, clearing away.

mod client;
mod container;
mod container_absent;
mod daemon;
mod image;
mod image_absent;
mod images;
mod names;
mod prune;

use refrain_engine::module::Entry;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<daemon::Daemon>(),
    Entry::state::<image::Image>(),
    Entry::state::<image_absent::ImageAbsent>(),
    Entry::state::<container::Container>(),
    Entry::state::<container_absent::ContainerAbsent>(),
    Entry::action::<prune::Prune>(),
];
