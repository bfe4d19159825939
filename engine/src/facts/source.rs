//! Where facts come from: the files of a target root, and the kernel that runs it.

use std::time::SystemTime;

use super::network::Network;
pub use crate::system::RootKind;

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
    /// Free blocks, those kept for root included.
    pub blocks_free: u64,
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
    /// The content of a file of the target root; symlinks are followed.
    fn read(&self, path: &str) -> Option<Vec<u8>>;
    /// The names in a directory of the target root, sorted; empty when there is no such directory.
    fn list(&self, path: &str) -> Vec<String>;
    /// Where a symlink of the target root points to, as written.
    fn link(&self, path: &str) -> Option<String>;
    /// Whether the target root has something at `path`, symlinks followed.
    fn exists(&self, path: &str) -> bool;
    /// What kind of root it is.
    fn kind(&self) -> RootKind;
    /// Whether the root is a booted system, so that the kernel's host name, first process and mounts are its own.
    fn live(&self) -> bool {
        self.kind() != RootKind::Offline
    }
    /// The content of a file below `/proc` or `/sys`.
    fn kernel_read(&self, path: &str) -> Option<Vec<u8>>;
    /// The names in a directory below `/proc` or `/sys`, sorted.
    fn kernel_list(&self, path: &str) -> Vec<String>;
    /// Where a symlink below `/proc` or `/sys` points to.
    fn kernel_link(&self, path: &str) -> Option<String>;
    /// The running kernel's names.
    fn uname(&self) -> Option<Uname>;
    /// The network as the kernel itself tells it. When this is `None`, `/proc/net` and `/sys/class/net` are read.
    fn network(&self) -> Option<Network> {
        None
    }
    /// What the processor says about the hypervisor below it (CPUID leaf 0x40000000), where there is one.
    fn hypervisor(&self) -> Option<String> {
        None
    }
    /// How full the file system at a mount point is.
    fn space(&self, mount: &str) -> Option<Space>;
    /// Who the agent runs as.
    fn identity(&self) -> Identity;
    /// The agent's environment.
    fn environment(&self) -> Vec<(String, String)>;
    /// The time.
    fn now(&self) -> SystemTime;
}
