//! Where facts come from: the files of a target root, and the kernel that runs it.

use std::time::{Duration, SystemTime};

use super::network::Network;
use crate::system::RootKind;

/// No file that facts are taken from is longer; more of it is not read.
pub(super) const LONGEST: u64 = 4 << 20;

/// What uname(2) says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uname {
    /// The kernel's name: `Linux`.
    pub sysname: String,
    /// The name of the host in the running kernel, as it was set: short or with its domain.
    pub nodename: String,
    /// The kernel's release: `6.12.9_1`.
    pub release: String,
    /// The kernel's build: `#1 SMP PREEMPT_DYNAMIC`.
    pub version: String,
    /// The hardware's name: `x86_64`.
    pub machine: String,
}

/// Who the agent runs as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Real user.
    pub uid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective user.
    pub effective_uid: u32,
    /// Effective group.
    pub effective_gid: u32,
}

/// How full a file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The size of a block in bytes.
    pub block_size: u64,
    /// All blocks.
    pub blocks: u64,
    /// Blocks that anybody may fill.
    pub blocks_available: u64,
    /// All inodes.
    pub inodes: u64,
    /// Inodes that anybody may take.
    pub inodes_available: u64,
}

/// A host as the facts see it. What can't be read is absent; there are no errors.
///
/// Paths are absolute and mean the target root. `kernel_*` reads `/proc` and `/sys` of the running kernel, which the
/// target root need not have.
pub trait FactSource: Send + Sync {
    /// The first `length` bytes of a file of the target root, or all of a shorter one; symlinks are followed.
    fn read_start(&self, path: &str, length: u64) -> Option<Vec<u8>>;
    /// The content of a file of the target root, as far as that is sensible.
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.read_start(path, LONGEST)
    }
    /// The names in a directory of the target root, sorted; empty when there is no such directory.
    fn list(&self, path: &str) -> Vec<String>;
    /// Where a symlink of the target root points to, as written.
    fn link(&self, path: &str) -> Option<String>;
    /// Whether the target root has something at `path`, symlinks followed.
    fn exists(&self, path: &str) -> bool;
    /// What kind of root it is.
    fn kind(&self) -> RootKind;
    /// Whether the root is a booted system, so that the running kernel is its own.
    fn live(&self) -> bool {
        self.kind() != RootKind::Offline
    }
    /// Whether `/proc/1` is the first process of the root's system. Where it is not, in an image or where it belongs to
    /// the container that the root is seen through, its name, mounts and namespaces say nothing about the root.
    fn owns_first_process(&self) -> bool {
        self.live()
    }
    /// The content of a file below `/proc` or `/sys`.
    fn kernel_read(&self, path: &str) -> Option<Vec<u8>>;
    /// The names in a directory below `/proc` or `/sys`, sorted.
    fn kernel_list(&self, path: &str) -> Vec<String>;
    /// Where a symlink below `/proc` or `/sys` points to.
    fn kernel_link(&self, path: &str) -> Option<String>;
    /// The running kernel's names, the host's as this process sees it.
    fn uname(&self) -> Option<Uname>;
    /// The name of the host as the first process of the root's system sees it; absent where that can't be found out.
    fn entered_nodename(&self) -> Option<String> {
        None
    }
    /// The network as that process sees it, likewise.
    fn entered_network(&self) -> Option<Network> {
        None
    }
    /// The network of this process as the kernel itself tells it. When this is `None`, `/proc/net` and `/sys/class/net`
    /// are read.
    fn network(&self) -> Option<Network> {
        None
    }
    /// What the processor says about the hypervisor below it (CPUID leaf 0x40000000), where there is one.
    fn hypervisor(&self) -> Option<String> {
        None
    }
    /// How full the file system at a mount point is. With `patience` the answer is waited for no longer than that: a
    /// file server may be gone.
    fn space(&self, mount: &str, patience: Option<Duration>) -> Option<Space>;
    /// Who the agent runs as.
    fn identity(&self) -> Identity;
    /// The agent's environment.
    fn environment(&self) -> Vec<(String, String)>;
    /// The time.
    fn now(&self) -> SystemTime;
}

/// Whether this process is in the same namespace (`net`, `uts`) as the first process of the root's system; `None` where
/// that can't be told.
pub(super) fn shares_namespace(source: &dyn FactSource, name: &str) -> Option<bool> {
    if source.kind() == RootKind::Live {
        return Some(true);
    }
    if !source.owns_first_process() {
        return None;
    }
    let own = source.kernel_link(&format!("/proc/self/ns/{name}"))?;
    Some(own == source.kernel_link(&format!("/proc/1/ns/{name}"))?)
}
