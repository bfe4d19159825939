//! The machine: memory, processors, what its firmware says.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::source::FactSource;
use super::text::{kernel, kernel_word, value};

/// Gathers `facts.memory`: `/proc/meminfo` in bytes.
pub(super) fn memory(source: &dyn FactSource) -> Option<Value> {
    let text = kernel(source, "/proc/meminfo")?;
    let bytes = |key: &str| {
        let amount: u64 = value(&text, key)?.split_whitespace().next()?.parse().ok()?;
        amount.checked_mul(1024)
    };
    let fields = [
        ("total", "MemTotal"),
        ("free", "MemFree"),
        ("available", "MemAvailable"),
        ("buffers", "Buffers"),
        ("cached", "Cached"),
        ("swap_total", "SwapTotal"),
        ("swap_free", "SwapFree"),
        ("swap_cached", "SwapCached"),
    ];
    let fact: Map<String, Value> =
        fields.into_iter().filter_map(|(name, key)| Some((name.to_owned(), bytes(key)?.into()))).collect();
    (!fact.is_empty()).then(|| fact.into())
}

/// Gathers `facts.cpu`: how many processors the kernel schedules on, cores, sockets, and what they are called.
pub(super) fn cpu(source: &dyn FactSource) -> Option<Value> {
    let text = kernel(source, "/proc/cpuinfo")?;
    let blocks: Vec<&str> = text
        .split("\n\n")
        .filter(|block| value(block, "processor").is_some_and(|id| id.parse::<u32>().is_ok()))
        .collect();
    let count = blocks.len();
    if count == 0 {
        return None;
    }
    // Without a topology in /proc/cpuinfo (most ARM machines) every processor counts as a core of one socket.
    let place =
        |block: &&str| Some((value(block, "physical id")?.to_owned(), value(block, "core id")?.to_owned()));
    let places: BTreeSet<(String, String)> = blocks.iter().filter_map(place).collect();
    let sockets = places.iter().map(|(socket, _)| socket).collect::<BTreeSet<_>>().len().max(1);
    let cores = if places.is_empty() { count } else { places.len() };
    let mut fact = json!({
        "count": count,
        "cores": cores,
        "sockets": sockets,
        "cores_per_socket": (cores / sockets).max(1),
        "threads_per_core": (count / cores).max(1),
    });
    let first = blocks[0];
    if let Some(model) = ["model name", "cpu model", "cpu"].iter().find_map(|key| value(first, key)) {
        fact["model"] = model.into();
    } else if let Some(model) = value(&text, "Model").or_else(|| value(&text, "Hardware")) {
        fact["model"] = model.into();
    }
    if let Some(vendor) = value(first, "vendor_id").or_else(|| value(first, "CPU implementer")) {
        fact["vendor"] = vendor.into();
    }
    if let Some(flags) = flags(first) {
        fact["flags"] = flags.split_whitespace().collect();
    }
    Some(fact)
}

/// The features of a processor, under the name that its architecture gives them.
pub(super) fn flags(cpuinfo: &str) -> Option<&str> {
    value(cpuinfo, "flags").or_else(|| value(cpuinfo, "Features"))
}

/// Gathers `facts.firmware`: what DMI says about the machine. Serial numbers are root's to read.
pub(super) fn firmware(source: &dyn FactSource) -> Option<Value> {
    let names = [
        "bios_date",
        "bios_vendor",
        "bios_version",
        "board_asset_tag",
        "board_name",
        "board_serial",
        "board_vendor",
        "board_version",
        "chassis_asset_tag",
        "chassis_serial",
        "chassis_type",
        "chassis_vendor",
        "chassis_version",
        "product_family",
        "product_name",
        "product_serial",
        "product_uuid",
        "product_version",
        "sys_vendor",
    ];
    let word = |name: &str| kernel_word(source, &format!("/sys/class/dmi/id/{name}"));
    let mut fact: Map<String, Value> =
        names.into_iter().filter_map(|name| Some((name.to_owned(), word(name)?.into()))).collect();
    if !fact.contains_key("product_name") {
        let model = kernel_word(source, "/proc/device-tree/model");
        fact.extend(model.map(|model| ("product_name".to_owned(), model.into())));
    }
    (!fact.is_empty()).then(|| fact.into())
}

/// Gathers `facts.load`: the load averages of 1, 5 and 15 minutes.
pub(super) fn load(source: &dyn FactSource) -> Option<Value> {
    let text = kernel(source, "/proc/loadavg")?;
    let mut averages = text.split_whitespace().map(|average| average.parse::<f64>().ok());
    Some(json!({ "1m": averages.next()??, "5m": averages.next()??, "15m": averages.next()?? }))
}
