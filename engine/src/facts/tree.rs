//! A directory tree played as a host.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::elf;
use super::identity::configured_hostname;
use super::source::{FactSource, Identity, Space, Uname};
use crate::system::RootKind;
use crate::system::path::resolve;

/// A directory tree played as a host: nothing of the machine that plays it shows, apart from the time.
///
/// All paths are resolved inside the tree, absolute symlinks too. The kernel's files are those in the tree's `proc` and
/// `sys`. A tree with an empty or no `proc` is given a plausible kernel, always the same:
///
/// | fact | value |
/// | --- | --- |
/// | `hostname` | the tree's `/etc/hostname`, else `sandbox` |
/// | `kernel` | Linux 6.12.0 |
/// | `architecture` | that of the tree's `/bin/sh`, else `x86_64` |
/// | `memory` | 2 GiB, half of it available, no swap |
/// | `cpu` | 2 processors of 1 socket |
/// | `network` | `lo`, and `eth0` with 192.0.2.10/24 and 2001:db8::10/64, gateways 192.0.2.1 and 2001:db8::1 |
/// | `mounts` | `/` on `/dev/vda1`, ext4, 16 GiB, half full |
/// | `uptime`, `boot_id` | an hour; zeros |
/// | `virtualization` | none |
/// | `firmware`, `devices` | absent |
/// | `user` | 0, with its name from the tree's `/etc/passwd` |
/// | `env` | empty, unless given |
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    kind: RootKind,
    environment: Vec<(String, String)>,
    time: Option<SystemTime>,
}

impl Tree {
    /// The tree below `root`, played as a live host.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), kind: RootKind::Live, environment: Vec::new(), time: None }
    }

    /// Plays another kind of root.
    #[must_use]
    pub fn with_kind(mut self, kind: RootKind) -> Self {
        self.kind = kind;
        self
    }

    /// Gives the agent an environment.
    #[must_use]
    pub fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// Stops the clock.
    #[must_use]
    pub fn with_time(mut self, time: SystemTime) -> Self {
        self.time = Some(time);
        self
    }

    /// The place that `path` means if the tree were the root, its last symlink followed or not.
    fn place(&self, path: &str, follow_last: bool) -> Option<PathBuf> {
        let here = |inside: &Path| self.root.join(inside.strip_prefix("/").unwrap_or(inside));
        // What is no link, or not there at all, is kept as it is written.
        let inside = resolve(Path::new(path), follow_last, |link| Ok(fs::read_link(here(link)).ok())).ok()?;
        Some(here(&inside))
    }

    fn has_kernel(&self) -> bool {
        !self.list("/proc").is_empty()
    }
}

impl FactSource for Tree {
    fn read_start(&self, path: &str, length: u64) -> Option<Vec<u8>> {
        let place = self.place(path, true)?;
        // A named pipe would hold the reader up.
        if !fs::metadata(&place).ok()?.is_file() {
            return None;
        }
        let mut content = Vec::new();
        fs::File::open(place).ok()?.take(length).read_to_end(&mut content).ok()?;
        Some(content)
    }

    fn list(&self, path: &str) -> Vec<String> {
        let entries = self.place(path, true).and_then(|place| fs::read_dir(place).ok());
        let names = entries.into_iter().flatten().filter_map(Result::ok);
        let mut names: Vec<String> =
            names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn link(&self, path: &str) -> Option<String> {
        Some(fs::read_link(self.place(path, false)?).ok()?.to_string_lossy().into_owned())
    }

    fn exists(&self, path: &str) -> bool {
        self.place(path, true).is_some_and(|place| place.exists())
    }

    fn kind(&self) -> RootKind {
        self.kind
    }

    fn kernel_read(&self, path: &str) -> Option<Vec<u8>> {
        if self.has_kernel() {
            return self.read(path);
        }
        let file = KERNEL.iter().find(|(name, _)| *name == path);
        file.map(|(_, text)| text.as_bytes().to_vec())
    }

    fn kernel_list(&self, path: &str) -> Vec<String> {
        if self.has_kernel() { self.list(path) } else { Vec::new() }
    }

    fn kernel_link(&self, path: &str) -> Option<String> {
        if self.has_kernel() { self.link(path) } else { None }
    }

    fn uname(&self) -> Option<Uname> {
        let read = |path: &str| {
            let bytes = self.kernel_read(path)?;
            Some(String::from_utf8_lossy(&bytes).trim().to_owned())
        };
        let nodename = read("/proc/sys/kernel/hostname").or_else(|| configured_hostname(self));
        Some(Uname {
            sysname: "Linux".to_owned(),
            nodename: nodename.unwrap_or_else(|| "sandbox".to_owned()),
            release: read("/proc/sys/kernel/osrelease").unwrap_or_else(|| "6.12.0".to_owned()),
            version: read("/proc/sys/kernel/version").unwrap_or_else(|| "#1 SMP".to_owned()),
            machine: elf::Program::of(self)
                .and_then(|program| program.architecture())
                .map(str::to_owned)
                .unwrap_or_else(|| "x86_64".to_owned()),
        })
    }

    fn space(&self, mount: &str, _patience: Option<Duration>) -> Option<Space> {
        const BLOCKS: u64 = (16 << 30) / 4096;
        (mount == "/").then_some(Space {
            block_size: 4096,
            blocks: BLOCKS,
            blocks_available: BLOCKS / 2,
            inodes: BLOCKS / 4,
            inodes_available: BLOCKS / 8,
        })
    }

    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }

    fn now(&self) -> SystemTime {
        self.time.unwrap_or_else(SystemTime::now)
    }
}

/// The files of the kernel that a tree without one is given. Numbers in `/proc/net/route` are the bytes of an address in
/// the machine's own order, hence the two spellings.
const KERNEL: &[(&str, &str)] = &[
    (
        "/proc/meminfo",
        "MemTotal: 2097152 kB\nMemFree: 524288 kB\nMemAvailable: 1048576 kB\nBuffers: 0 kB\nCached: 524288 kB\nSwapCached: 0 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
    ),
    (
        "/proc/cpuinfo",
        concat!(
            "processor\t: 0\nphysical id\t: 0\ncore id\t: 0\nmodel name\t: Sandbox\nflags\t: fpu\n\n",
            "processor\t: 1\nphysical id\t: 0\ncore id\t: 1\nmodel name\t: Sandbox\nflags\t: fpu\n\n",
        ),
    ),
    ("/proc/uptime", "3600.00 7200.00\n"),
    ("/proc/loadavg", "0.00 0.00 0.00 1/64 1\n"),
    ("/proc/sys/kernel/random/boot_id", "00000000-0000-0000-0000-000000000000\n"),
    (
        "/proc/self/mountinfo",
        concat!(
            "20 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n",
            "21 20 0:19 / /proc rw,nosuid,nodev,noexec - proc proc rw\n",
        ),
    ),
    ("/proc/net/dev", "Inter-|   Receive\n face |bytes\n    lo: 0\n  eth0: 0\n"),
    (
        "/proc/net/route",
        if cfg!(target_endian = "little") {
            "eth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0\neth0 000200C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"
        } else {
            "eth0 00000000 C0000201 0003 0 0 0 00000000 0 0 0\neth0 C0000200 00000000 0001 0 0 0 FFFFFF00 0 0 0\n"
        },
    ),
    (
        "/proc/net/fib_trie",
        concat!(
            "Local:\n  |-- 127.0.0.1\n     /32 host LOCAL\n",
            "  |-- 192.0.2.10\n     /32 host LOCAL\n  |-- 192.0.2.255\n     /32 link BROADCAST\n",
        ),
    ),
    (
        "/proc/net/if_inet6",
        "00000000000000000000000000000001 01 80 10 80 lo\n20010db8000000000000000000000010 02 40 00 80 eth0\n",
    ),
    (
        "/proc/net/ipv6_route",
        concat!(
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 ",
            "20010db8000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n",
        ),
    ),
    ("/sys/class/net/lo/type", "772\n"),
    ("/sys/class/net/lo/mtu", "65536\n"),
    ("/sys/class/net/lo/flags", "0x9\n"),
    ("/sys/class/net/lo/operstate", "unknown\n"),
    ("/sys/class/net/eth0/type", "1\n"),
    ("/sys/class/net/eth0/mtu", "1500\n"),
    ("/sys/class/net/eth0/flags", "0x1003\n"),
    ("/sys/class/net/eth0/operstate", "up\n"),
    ("/sys/class/net/eth0/address", "02:00:00:00:00:0a\n"),
];
