//! What is mounted where.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::devices;
use super::source::{FactSource, Space};
use super::text::{kernel, unescaped};
use crate::system::RootKind;

/// How long all file servers together may take to say how full they are.
const PATIENCE: Duration = Duration::from_secs(1);

/// A line of `/proc/PID/mountinfo`.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// The directory of the file system that is seen; not `/` for bind mounts and subvolumes.
    root: String,
    mount: String,
    options: String,
    fstype: String,
    device: String,
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        let (place, system) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, mount, own) = (place.next()?, place.next()?, place.next()?);
        let mut system = system.split(' ');
        let (fstype, device, shared) = (system.next()?, system.next()?, system.next()?);
        Some(Self {
            root: unescaped(root),
            mount: unescaped(mount),
            options: unescaped(&options(own, shared)),
            fstype: unescaped(fstype),
            device: unescaped(device),
        })
    }

    /// Whether it lies on another machine, which may be gone.
    fn is_remote(&self) -> bool {
        self.device.contains(":/") || self.device.starts_with("//") || self.fstype.starts_with("fuse")
    }

    /// Whether it takes up space somewhere. Others have none, or that of another mount.
    fn has_space(&self) -> bool {
        self.device.starts_with('/') || self.is_remote() || self.device == "rootfs" || self.fstype == "zfs"
    }
}

/// The options of this mount and of the file system itself, as `/proc/mounts` joins them.
fn options(own: &str, shared: &str) -> String {
    let (first, rest) = own.split_once(',').unwrap_or((own, ""));
    let (writable, shared) = shared.split_once(',').unwrap_or((shared, ""));
    let first = if writable == "ro" { "ro" } else { first };
    [first, rest, shared].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(",")
}

/// Gathers `facts.mounts`, in the order of mounting.
pub(super) fn fact(source: &dyn FactSource) -> Option<Value> {
    // A container has mounts of its own; those of the host are what its first process has.
    let path = match source.kind() {
        RootKind::Live => "/proc/self/mountinfo",
        RootKind::LiveThroughContainer if source.owns_first_process() => "/proc/1/mountinfo",
        _ => return None,
    };
    let text = kernel(source, path)?;
    let uuids = devices::links(source, "by-uuid");
    let mut patience = PATIENCE;
    let describe = |mount: Mount| {
        let space = if !mount.has_space() {
            None
        } else if mount.is_remote() {
            let start = Instant::now();
            let space = source.space(&mount.mount, Some(patience));
            patience = patience.saturating_sub(start.elapsed());
            space
        } else {
            source.space(&mount.mount, None)
        };
        let uuid = uuid(source, &uuids, &mount.device);
        description(mount, space, uuid)
    };
    Some(text.lines().filter_map(Mount::parse).map(describe).collect())
}

/// The file system's identifier, where udev keeps links by it.
fn uuid(source: &dyn FactSource, uuids: &BTreeMap<String, Vec<String>>, device: &str) -> Option<String> {
    let name = device.strip_prefix("/dev/")?;
    let target = source.link(device);
    let name = target.as_deref().and_then(|target| target.rsplit('/').next()).unwrap_or(name);
    uuids.get(name)?.first().cloned()
}

fn description(mount: Mount, space: Option<Space>, uuid: Option<String>) -> Value {
    let mut fact = Map::new();
    fact.insert("device".into(), mount.device.into());
    fact.insert("mount".into(), mount.mount.into());
    fact.insert("fstype".into(), mount.fstype.into());
    fact.insert("options".into(), mount.options.into());
    if mount.root != "/" {
        fact.insert("root".into(), mount.root.into());
    }
    fact.extend(uuid.map(|uuid| ("uuid".to_owned(), uuid.into())));
    if let Some(space) = space {
        let numbers = [
            ("size_total", space.blocks.saturating_mul(space.block_size)),
            ("size_available", space.blocks_available.saturating_mul(space.block_size)),
            ("block_size", space.block_size),
            ("block_total", space.blocks),
            ("block_available", space.blocks_available),
            ("block_used", space.blocks.saturating_sub(space.blocks_available)),
            ("inode_total", space.inodes),
            ("inode_available", space.inodes_available),
            ("inode_used", space.inodes.saturating_sub(space.inodes_available)),
        ];
        fact.extend(numbers.map(|(name, number)| (name.to_owned(), number.into())));
    }
    fact.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::fake::Fake;
    use super::*;

    const MOUNTINFO: &str = r"21 27 0:21 / /proc rw,nosuid shared:12 - proc proc rw
27 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
30 27 8:3 / /srv/a\040b ro,noatime shared:1 master:2 - xfs /dev/mapper/vg-data rw,attr2
31 27 8:2 /var/lib /mnt/bound rw,relatime - ext4 /dev/sda2 ro
32 27 0:50 / /home rw - nfs4 server:/export rw,vers=4.2
broken - line
33 27 0:51 / /tmp rw - tmpfs tmp\134fs rw
";

    fn host() -> Fake {
        Fake::default()
            .link("/dev/mapper/vg-data", "../dm-0")
            .link("/dev/disk/by-uuid/0a1b", "../../sda2")
            .link("/dev/disk/by-uuid/0c1d", "../../dm-0")
    }

    #[test]
    fn mounts_are_read_from_mountinfo() {
        let fact = fact(&host().file("/proc/self/mountinfo", MOUNTINFO)).unwrap();
        let short: Vec<Value> = fact
            .as_array()
            .unwrap()
            .iter()
            .map(|mount| {
                json!([
                    mount["device"],
                    mount["mount"],
                    mount["options"],
                    mount["root"],
                    mount["uuid"],
                    mount["size_total"]
                ])
            })
            .collect();
        let size = 4_096_000;
        assert_eq!(
            short,
            [
                json!(["proc", "/proc", "rw,nosuid", null, null, null]),
                json!(["/dev/sda2", "/", "rw,relatime,errors=remount-ro", null, "0a1b", size]),
                json!(["/dev/mapper/vg-data", "/srv/a b", "ro,noatime,attr2", null, "0c1d", size]),
                json!(["/dev/sda2", "/mnt/bound", "ro,relatime", "/var/lib", "0a1b", size]),
                json!(["server:/export", "/home", "rw,vers=4.2", null, null, null]),
                json!(["tmp\\fs", "/tmp", "rw", null, null, null]),
            ]
        );
        assert_eq!(fact[1]["block_used"], 600);
        assert_eq!(fact[1]["inode_used"], 10);
    }

    #[test]
    fn through_a_container_the_first_process_has_the_hosts_mounts() {
        let host = |kind| {
            host()
                .kind(kind)
                .file("/proc/1/mountinfo", "1 0 8:1 / / rw - ext4 /dev/host rw\n")
                .file("/proc/self/mountinfo", "1 0 8:1 / / rw - overlay overlay rw\n")
        };
        let through = RootKind::LiveThroughContainer;
        assert_eq!(fact(&host(through)).unwrap()[0]["device"], "/dev/host");
        assert_eq!(fact(&host(through).without_first_process()), None);
        assert_eq!(fact(&host(RootKind::Live)).unwrap()[0]["device"], "overlay");
        assert_eq!(fact(&host(RootKind::Offline)), None);
    }

    proptest! {
        #[test]
        fn no_line_panics(line in r"[ -~]{0,60}", dash: bool) {
            let line = if dash { line.replacen(' ', " - ", 1) } else { line };
            let _ = Mount::parse(&line);
        }
    }
}
