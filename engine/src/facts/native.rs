//! The host on which this process runs, in the root in which it runs.

use std::fs;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use rustix::fs::{Dir, Mode, OFlags, openat};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::netlink;
use super::network::Network;
use super::source::{FactSource, Identity, LONGEST, Space, Uname};
use crate::system::RootKind;

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

    /// The root that this thread has entered. `kernel` is a directory with `proc` and `sys` in it, opened before that, for a
    /// root that has none of its own.
    pub fn seeing(kind: RootKind, kernel: Option<OwnedFd>) -> Self {
        Self { kind, kernel }
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
    fn read_start(&self, path: &str, length: u64) -> Option<Vec<u8>> {
        content(open(path, reading())?, length)
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

    fn owns_first_process(&self) -> bool {
        match self.kind {
            RootKind::Live => true,
            RootKind::Offline => false,
            RootKind::LiveThroughContainer => has_first_process(),
        }
    }

    fn kernel_read(&self, path: &str) -> Option<Vec<u8>> {
        content(self.open_kernel(path, reading())?, LONGEST)
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
        Some(uname())
    }

    fn network(&self) -> Option<Network> {
        netlink::network().ok()
    }

    fn entered_nodename(&self) -> Option<String> {
        let enter = || enter("uts", LinkNameSpaceType::HostNameAndNISDomainName, || Some(uname().nodename));
        self.owns_first_process().then(enter).flatten()
    }

    fn entered_network(&self) -> Option<Network> {
        let enter = || enter("net", LinkNameSpaceType::Network, || netlink::network().ok());
        self.owns_first_process().then(enter).flatten()
    }

    fn hypervisor(&self) -> Option<String> {
        signature()
    }

    fn space(&self, mount: &str, patience: Option<Duration>) -> Option<Space> {
        // Through a container, what is mounted there may be mounted here as well, or not.
        let outer = (self.kind == RootKind::LiveThroughContainer).then(|| format!("/proc/1/root{mount}"));
        let mount = mount.to_owned();
        let ask = move || outer.and_then(|path| statvfs(&path)).or_else(|| statvfs(&mount));
        let Some(patience) = patience else { return ask() };
        let (sender, receiver) = mpsc::channel();
        // A thread that waits for a dead server can be left behind. Nobody hears a late answer.
        std::thread::Builder::new().spawn(move || sender.send(ask()).unwrap_or_default()).ok()?;
        receiver.recv_timeout(patience).ok().flatten()
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

fn uname() -> Uname {
    let uname = rustix::system::uname();
    Uname {
        sysname: uname.sysname().to_string_lossy().into_owned(),
        nodename: uname.nodename().to_string_lossy().into_owned(),
        release: uname.release().to_string_lossy().into_owned(),
        version: uname.version().to_string_lossy().into_owned(),
        machine: uname.machine().to_string_lossy().into_owned(),
    }
}

/// Asks in a namespace of the first process. Only the thread that asks goes there, and then it ends.
fn enter<T: Send + 'static>(name: &str, kind: LinkNameSpaceType, ask: fn() -> Option<T>) -> Option<T> {
    let namespace = open(&format!("/proc/1/ns/{name}"), reading())?;
    let visitor = move || {
        move_into_link_name_space(namespace.as_fd(), Some(kind)).ok()?;
        ask()
    };
    std::thread::Builder::new().spawn(visitor).ok()?.join().ok().flatten()
}

/// Whether the root has a `/proc` whose first process lives in this same root.
fn has_first_process() -> bool {
    match (fs::metadata("/proc/1/root/."), fs::metadata("/")) {
        (Ok(first), Ok(own)) => (first.dev(), first.ino()) == (own.dev(), own.ino()),
        // Only root may look there. A `/proc` that is mounted inside of the root is hardly ever another one's.
        _ => Path::new("/proc/1").exists(),
    }
}

fn statvfs(path: &str) -> Option<Space> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(Space {
        block_size: if found.f_frsize == 0 { found.f_bsize } else { found.f_frsize },
        blocks: found.f_blocks,
        blocks_available: found.f_bavail,
        inodes: found.f_files,
        inodes_available: found.f_favail,
    })
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

fn content(file: OwnedFd, length: u64) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    fs::File::from(file).take(length).read_to_end(&mut content).ok()?;
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{Facts, HostFacts};
    use super::*;
    use crate::syscall::enter_root;
    use crate::system::as_root::is_root;
    use crate::system::root::open_kernel;

    /// Asks for facts in a thread that has `root` as its root. `None` where that is not allowed.
    fn in_root<T: Send + 'static>(root: PathBuf, kind: RootKind, ask: fn(&Facts) -> T) -> Option<T> {
        if !is_root("entering another root") {
            return None;
        }
        let thread = std::thread::spawn(move || {
            let kernel = open_kernel().unwrap();
            enter_root(&root).unwrap();
            ask(&Facts::new(Native::seeing(kind, Some(kernel))))
        });
        Some(thread.join().unwrap())
    }

    #[test]
    fn a_root_without_proc_is_described_by_its_files_and_the_outer_kernel() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/hostname"), "inner.example.net\n").unwrap();
        let known = |facts: &Facts| {
            let names = ["memory", "uptime", "kernel", "network", "mounts", "hostname"];
            let there: Vec<&str> = names.into_iter().filter(|name| facts.peek(name).is_some()).collect();
            (there, facts.get("hostname"))
        };
        let path = || root.path().to_owned();
        if let Some((there, hostname)) = in_root(path(), RootKind::LiveThroughContainer, known) {
            assert_eq!(there, ["memory", "uptime", "kernel", "network", "hostname"]);
            assert_eq!(hostname, Some("inner".into()));
        }
        if let Some((there, hostname)) = in_root(path(), RootKind::Offline, known) {
            assert_eq!(there, ["memory", "hostname"]);
            assert_eq!(hostname, Some("inner".into()));
        }
    }

    #[test]
    fn an_empty_root_knows_nothing_of_the_machine_around_it() {
        let root = tempfile::tempdir().unwrap();
        let names = |facts: &Facts| {
            ["hostname", "fqdn", "network", "mounts", "virtualization", "os"].map(|name| facts.get(name))
        };
        if let Some(found) = in_root(root.path().to_owned(), RootKind::Offline, names) {
            assert_eq!(found, [None, None, None, None, None, None]);
        }
    }

    #[test]
    fn the_first_process_is_visited_without_going_there() {
        let source = Native::new(RootKind::Live);
        let before = fs::read_link("/proc/thread-self/ns/net").unwrap();
        // Not everybody may; who may, sees at least what is everywhere.
        if let Some(network) = source.entered_network() {
            assert!(network.link("lo").is_some());
        }
        assert_eq!(fs::read_link("/proc/thread-self/ns/net").unwrap(), before);
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_holds_nobody_up() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("hostname");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert_eq!(Native::new(RootKind::Live).read(pipe.to_str().unwrap()), Some(Vec::new()));
    }

    #[test]
    fn space_is_told_within_the_time_that_is_given() {
        let source = Native::new(RootKind::Live);
        let patient = source.space("/", None).unwrap();
        assert!(patient.blocks >= patient.blocks_available);
        assert_eq!(source.space("/", Some(Duration::from_secs(60))).unwrap().blocks, patient.blocks);
        assert_eq!(source.space("/no/such/place", None), None);
    }
}
