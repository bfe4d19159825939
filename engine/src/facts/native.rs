//! The host on which this process runs, in the root in which it runs.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{Dir, Mode, OFlags, openat};

use super::netlink;
use super::network::Network;
use super::source::{FactSource, Identity, RootKind, Space, Uname};

/// No file that facts are taken from is longer; more of it is not read.
const LONGEST: u64 = 4 << 20;

/// The host on which this process runs. The process has already entered the target root.
#[derive(Debug)]
pub struct Native {
    kind: RootKind,
    kernel: Option<OwnedFd>,
}

impl Native {
    /// The root in which this process is.
    pub fn new(kind: RootKind) -> Self {
        Self { kind, kernel: None }
    }

    /// Takes a directory with `proc` and `sys` in it, opened before the target root was entered, for a target root
    /// that has none of its own.
    #[must_use]
    pub fn with_kernel(mut self, directory: OwnedFd) -> Self {
        self.kernel = Some(directory);
        self
    }

    /// Opens a file of the kernel: the target's own, else the one that was opened before.
    fn open_kernel(&self, path: &str, flags: OFlags) -> Option<OwnedFd> {
        if path.split('/').any(|part| part == "..") {
            return None;
        }
        open(path, flags).or_else(|| {
            openat(self.kernel.as_ref()?, path.trim_start_matches('/'), flags, Mode::empty()).ok()
        })
    }
}

impl FactSource for Native {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        content(open(path, reading())?)
    }

    fn list(&self, path: &str) -> Vec<String> {
        open(path, listing()).map(names).unwrap_or_default()
    }

    fn link(&self, path: &str) -> Option<String> {
        Some(fs::read_link(path).ok()?.to_string_lossy().into_owned())
    }

    fn exists(&self, path: &str) -> bool {
        Path::new(path).exists()
    }

    fn kind(&self) -> RootKind {
        self.kind
    }

    fn kernel_read(&self, path: &str) -> Option<Vec<u8>> {
        content(self.open_kernel(path, reading())?)
    }

    fn kernel_list(&self, path: &str) -> Vec<String> {
        self.open_kernel(path, listing()).map(names).unwrap_or_default()
    }

    fn kernel_link(&self, path: &str) -> Option<String> {
        self.link(path).or_else(|| {
            let link =
                rustix::fs::readlinkat(self.kernel.as_ref()?, path.trim_start_matches('/'), Vec::new());
            Some(link.ok()?.to_string_lossy().into_owned())
        })
    }

    fn uname(&self) -> Option<Uname> {
        let uname = rustix::system::uname();
        Some(Uname {
            sysname: uname.sysname().to_string_lossy().into_owned(),
            nodename: uname.nodename().to_string_lossy().into_owned(),
            release: uname.release().to_string_lossy().into_owned(),
            version: uname.version().to_string_lossy().into_owned(),
            machine: uname.machine().to_string_lossy().into_owned(),
        })
    }

    fn network(&self) -> Option<Network> {
        // In another network namespace than the host's first process, only that process's files tell the truth.
        let own = self.kernel_link("/proc/self/ns/net");
        let first = self.kernel_link("/proc/1/ns/net");
        let elsewhere = self.kind == RootKind::LiveThroughContainer && first.is_some() && own != first;
        if elsewhere { None } else { netlink::network().ok() }
    }

    fn hypervisor(&self) -> Option<String> {
        signature()
    }

    fn space(&self, mount: &str) -> Option<Space> {
        let found = rustix::fs::statvfs(mount).ok()?;
        Some(Space {
            block_size: if found.f_frsize == 0 { found.f_bsize } else { found.f_frsize },
            blocks: found.f_blocks,
            blocks_free: found.f_bfree,
            blocks_available: found.f_bavail,
            inodes: found.f_files,
            inodes_available: found.f_favail,
        })
    }

    fn identity(&self) -> Identity {
        Identity {
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            effective_uid: rustix::process::geteuid().as_raw(),
            effective_gid: rustix::process::getegid().as_raw(),
        }
    }

    fn environment(&self) -> Vec<(String, String)> {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect()
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// `NONBLOCK`, so that a named pipe in the place of a file does not hold the agent up.
fn reading() -> OFlags {
    OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY
}

fn listing() -> OFlags {
    OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY
}

fn open(path: &str, flags: OFlags) -> Option<OwnedFd> {
    rustix::fs::open(path, flags, Mode::empty()).ok()
}

fn content(file: OwnedFd) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    fs::File::from(file).take(LONGEST).read_to_end(&mut content).ok()?;
    Some(content)
}

fn names(directory: OwnedFd) -> Vec<String> {
    let Ok(directory) = Dir::new(directory) else { return Vec::new() };
    let mut names: Vec<String> = directory
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "." && name != "..")
        .collect();
    names.sort();
    names
}

/// The twelve letters with which a hypervisor signs, where the processor says that there is one.
#[cfg(target_arch = "x86_64")]
fn signature() -> Option<String> {
    use std::arch::x86_64::__cpuid;

    const HYPERVISOR_PRESENT: u32 = 1 << 31;
    if __cpuid(1).ecx & HYPERVISOR_PRESENT == 0 {
        return None;
    }
    let leaf = __cpuid(0x4000_0000);
    let letters: Vec<u8> = [leaf.ebx, leaf.ecx, leaf.edx].into_iter().flat_map(u32::to_le_bytes).collect();
    let text: String = String::from_utf8_lossy(&letters).chars().filter(char::is_ascii_graphic).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(not(target_arch = "x86_64"))]
fn signature() -> Option<String> {
    None
}
