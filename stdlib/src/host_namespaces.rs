//! Commands that have to run in the namespaces of the host, also from inside a container.

use refrain_engine::system::{RootKind, View};

/// A kind of namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Mounts.
    Mounts,
    /// Interfaces and packet filters.
    Network,
}

/// The words of a command that acts in the host's own namespace of a kind.
///
/// In a root that is live through a container, that is the one of the first process, as `nsenter` enters it. Where a container
/// may not do that, the command fails and says so.
pub fn on_host(host: &dyn View, namespace: Namespace, argv: &[&str]) -> Vec<String> {
    let option = match namespace {
        Namespace::Mounts => "-m",
        Namespace::Network => "-n",
    };
    let enter: &[&str] = match host.root_kind() {
        RootKind::LiveThroughContainer => &["nsenter", "-t", "1", option],
        RootKind::Live | RootKind::Offline => &[],
    };
    enter.iter().chain(argv).map(|word| (*word).to_owned()).collect()
}
