//! What is mounted where.

use serde_json::{Map, Value};

use super::source::{FactSource, RootKind};
use super::text::{kernel, unescaped};

/// Gathers `facts.mounts`, in the order of mounting: `{device, mount, fstype, options, …}`.
///
/// Sizes are there for what lies on a device or the network, since asking a network file system may take its time.
pub(super) fn fact(source: &dyn FactSource) -> Option<Value> {
    if !source.live() {
        return None;
    }
    // A container has mounts of its own; those of the host are what its first process has.
    let first = || kernel(source, "/proc/1/mounts");
    let text = match source.kind() {
        RootKind::LiveThroughContainer => first(),
        _ => None,
    };
    let text = text.or_else(|| kernel(source, "/proc/self/mounts")).or_else(first)?;
    Some(text.lines().filter_map(|line| mount(source, line)).collect())
}

fn mount(source: &dyn FactSource, line: &str) -> Option<Value> {
    let mut fields = line.split(' ').map(unescaped);
    let (device, mount, fstype) = (fields.next()?, fields.next()?, fields.next()?);
    let options = fields.next()?;
    let on_device = device.starts_with('/') || device.contains(":/") || device == "rootfs" || fstype == "zfs";
    let space = on_device.then(|| source.space(&mount)).flatten();
    let mut fact = Map::new();
    fact.insert("device".into(), device.into());
    fact.insert("mount".into(), mount.into());
    fact.insert("fstype".into(), fstype.into());
    fact.insert("options".into(), options.into());
    if let Some(space) = space {
        let inodes_used = space.inodes.saturating_sub(space.inodes_available);
        fact.insert("size_total".into(), space.blocks.saturating_mul(space.block_size).into());
        fact.insert("size_available".into(), space.blocks_available.saturating_mul(space.block_size).into());
        fact.insert("block_size".into(), space.block_size.into());
        fact.insert("block_total".into(), space.blocks.into());
        fact.insert("block_available".into(), space.blocks_available.into());
        fact.insert("block_used".into(), space.blocks.saturating_sub(space.blocks_available).into());
        fact.insert("inode_total".into(), space.inodes.into());
        fact.insert("inode_available".into(), space.inodes_available.into());
        fact.insert("inode_used".into(), inodes_used.into());
    }
    Some(fact.into())
}
