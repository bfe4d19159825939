//! Block devices: disks and their partitions.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::source::FactSource;
use super::text::kernel_word;

/// sysfs counts in sectors of 512 bytes, whatever the device's own are.
pub(super) const SECTOR: u64 = 512;

/// Gathers `facts.devices`, by name. Those of no size (unused loop devices, empty drives) are left out.
pub(super) fn fact(source: &dyn FactSource) -> Option<Value> {
    let names = source.kernel_list("/sys/block");
    if names.is_empty() {
        return None;
    }
    let links = Links::of(source);
    let devices = names.into_iter().filter_map(|name| {
        let device = device(source, &name, &links)?;
        Some((name, device))
    });
    Some(devices.collect::<Map<_, _>>().into())
}

/// The names that udev gives to devices, by the device's own.
struct Links {
    by_id: BTreeMap<String, Vec<String>>,
    by_uuid: BTreeMap<String, Vec<String>>,
    by_label: BTreeMap<String, Vec<String>>,
}

impl Links {
    fn of(source: &dyn FactSource) -> Self {
        Self {
            by_id: links(source, "by-id"),
            by_uuid: links(source, "by-uuid"),
            by_label: links(source, "by-label"),
        }
    }

    fn describe(&self, fact: &mut Map<String, Value>, name: &str) {
        let all = [("ids", &self.by_id), ("uuids", &self.by_uuid), ("labels", &self.by_label)];
        for (key, links) in all {
            fact.insert(key.into(), links.get(name).cloned().unwrap_or_default().into());
        }
    }
}

/// The links of a directory in `/dev/disk`, sorted, by the device that they lead to.
pub(super) fn links(source: &dyn FactSource, directory: &str) -> BTreeMap<String, Vec<String>> {
    let directory = format!("/dev/disk/{directory}");
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for link in source.list(&directory) {
        let target = source.link(&format!("{directory}/{link}"));
        if let Some(device) = target.as_deref().and_then(|target| target.rsplit('/').next()) {
            found.entry(device.to_owned()).or_default().push(link);
        }
    }
    found
}

fn device(source: &dyn FactSource, name: &str, links: &Links) -> Option<Value> {
    let directory = format!("/sys/block/{name}");
    let word = |file: &str| kernel_word(source, &format!("{directory}/{file}"));
    let size = size(source, &directory).filter(|size| *size > 0)?;
    let mut fact = Map::new();
    fact.insert("size".into(), size.into());
    let numbers = [
        ("sector_size", "queue/logical_block_size"),
        ("discard_granularity", "queue/discard_granularity"),
        ("discard_max", "queue/discard_max_hw_bytes"),
    ];
    let number = |file: &str| word(file)?.parse::<u64>().ok();
    fact.extend(numbers.into_iter().filter_map(|(key, file)| Some((key.to_owned(), number(file)?.into()))));
    for (key, file) in [("removable", "removable"), ("rotational", "queue/rotational")] {
        fact.extend(word(file).map(|flag| (key.to_owned(), (flag == "1").into())));
    }
    let texts = [
        ("vendor", "device/vendor"),
        ("model", "device/model"),
        ("serial", "device/serial"),
        ("mapper_name", "dm/name"),
    ];
    fact.extend(texts.into_iter().filter_map(|(key, file)| Some((key.to_owned(), word(file)?.into()))));
    let scheduler = word("queue/scheduler");
    let scheduler = scheduler.as_deref().and_then(chosen);
    fact.extend(scheduler.map(|name| ("scheduler".to_owned(), name.into())));
    links.describe(&mut fact, name);
    fact.insert("holders".into(), holders(source, &directory));
    let parts = source.kernel_list(&directory).into_iter().filter(|entry| entry.starts_with(name));
    let partitions = parts.filter_map(|part| {
        let partition = partition(source, &format!("{directory}/{part}"), &part, links)?;
        Some((part, partition))
    });
    fact.insert("partitions".into(), partitions.collect::<Map<_, _>>().into());
    Some(fact.into())
}

/// Only partitions have a number.
fn partition(source: &dyn FactSource, directory: &str, name: &str, links: &Links) -> Option<Value> {
    let number = |file: &str| kernel_word(source, &format!("{directory}/{file}"))?.parse::<u64>().ok();
    let index = number("partition")?;
    let mut fact = Map::new();
    fact.insert("number".into(), index.into());
    fact.insert("start".into(), number("start")?.saturating_mul(SECTOR).into());
    fact.insert("size".into(), size(source, directory)?.into());
    links.describe(&mut fact, name);
    fact.insert("holders".into(), holders(source, directory));
    Some(fact.into())
}

/// In bytes.
fn size(source: &dyn FactSource, directory: &str) -> Option<u64> {
    kernel_word(source, &format!("{directory}/size"))?.parse::<u64>().ok()?.checked_mul(SECTOR)
}

/// The devices that are made of this one: `dm-0`, `md0`.
fn holders(source: &dyn FactSource, directory: &str) -> Value {
    source.kernel_list(&format!("{directory}/holders")).into()
}

/// The word in brackets: `none [mq-deadline] kyber`.
fn chosen(text: &str) -> Option<&str> {
    text.split_once('[')?.1.split(']').next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fake::Fake;
    use super::*;

    #[test]
    fn disks_have_partitions_and_links() {
        let host = Fake::default()
            .file("/sys/block/loop0/size", "0\n")
            .file("/sys/block/sda/size", "2048\n")
            .file("/sys/block/sda/removable", "0\n")
            .file("/sys/block/sda/queue/logical_block_size", "512\n")
            .file("/sys/block/sda/queue/rotational", "1\n")
            .file("/sys/block/sda/queue/scheduler", "none [mq-deadline] kyber\n")
            .file("/sys/block/sda/device/model", "DISK      \n")
            .file("/sys/block/sda/sda1/partition", "1\n")
            .file("/sys/block/sda/sda1/start", "34\n")
            .file("/sys/block/sda/sda1/size", "1024\n")
            .file("/sys/block/sda/sda1/holders/dm-0/dev", "")
            .file("/sys/block/dm-0/size", "8\n")
            .file("/sys/block/dm-0/dm/name", "vg-root\n")
            .link("/dev/disk/by-uuid/0a1b", "../../sda1")
            .link("/dev/disk/by-id/ata-DISK", "../../sda");
        assert_eq!(
            fact(&host),
            Some(json!({ "dm-0": {
                "size": 4096, "mapper_name": "vg-root", "ids": [], "uuids": [], "labels": [], "holders": [],
                "partitions": {},
            }, "sda": {
                "size": 1_048_576, "sector_size": 512, "removable": false, "rotational": true, "model": "DISK",
                "scheduler": "mq-deadline", "ids": ["ata-DISK"], "uuids": [], "labels": [], "holders": [],
                "partitions": { "sda1": {
                    "number": 1, "start": 17_408, "size": 524_288,
                    "ids": [], "uuids": ["0a1b"], "labels": [], "holders": ["dm-0"],
                } },
            } }))
        );
        assert_eq!(fact(&Fake::default()), None);
    }
}
