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
    let topology = Topology::of(&blocks);
    let mut fact = json!({
        "count": count,
        "cores": topology.cores,
        "sockets": topology.sockets,
        "cores_per_socket": (topology.cores / topology.sockets).max(1),
        "threads_per_core": (count / topology.cores).max(1),
    });
    let first = blocks[0];
    let names = ["model name", "cpu model", "cpu"];
    let own = names.iter().find_map(|key| value(first, key));
    // Small machines name themselves once, at the end.
    let model = own.or_else(|| value(&text, "Model")).or_else(|| value(&text, "Hardware"));
    let vendor = value(first, "vendor_id").or_else(|| value(first, "CPU implementer"));
    for (key, text) in [("model", model), ("vendor", vendor)] {
        if let Some(text) = text {
            fact[key] = text.into();
        }
    }
    if let Some(flags) = flags(first) {
        fact["flags"] = flags.split_whitespace().collect();
    }
    Some(fact)
}

/// How processors are spread over the machine.
struct Topology {
    cores: usize,
    sockets: usize,
}

impl Topology {
    fn of(blocks: &[&str]) -> Self {
        let place = |block: &&str| {
            Some((value(block, "physical id")?.to_owned(), value(block, "core id")?.to_owned()))
        };
        let places: BTreeSet<(String, String)> = blocks.iter().filter_map(place).collect();
        let sockets = places.iter().map(|(socket, _)| socket).collect::<BTreeSet<_>>().len();
        // Where nothing is said (most ARM machines), every processor counts as a core of one socket.
        let cores = if places.is_empty() { blocks.len() } else { places.len() };
        Self { cores, sockets: sockets.max(1) }
    }
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

/// Gathers `facts.uptime`: whole seconds since the boot.
pub(super) fn uptime(source: &dyn FactSource) -> Option<Value> {
    let text = source.live().then(|| kernel(source, "/proc/uptime")).flatten()?;
    text.split('.').next()?.trim().parse::<u64>().ok().map(Value::from)
}

/// Gathers `facts.load`: the load averages of 1, 5 and 15 minutes.
pub(super) fn load(source: &dyn FactSource) -> Option<Value> {
    let text = source.live().then(|| kernel(source, "/proc/loadavg")).flatten()?;
    let mut averages = text.split_whitespace().map(|average| average.parse::<f64>().ok());
    Some(json!({ "1m": averages.next()??, "5m": averages.next()??, "15m": averages.next()?? }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fake::Fake;
    use super::*;

    const X86: &str = "processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) CPU E3-1230 V2 @ 3.30GHz
physical id\t: 0
siblings\t: 4
core id\t\t: 0
cpu cores\t: 2
flags\t\t: fpu vme ht
power management:

processor\t: 1
vendor_id\t: GenuineIntel
physical id\t: 0
core id\t\t: 1

processor\t: 2
physical id\t: 0
core id\t\t: 0

processor\t: 3
physical id\t: 0
core id\t\t: 1

";

    const ARM: &str = "processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm
CPU implementer\t: 0x41
CPU part\t: 0xd08

processor\t: 1
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm
CPU implementer\t: 0x41

Revision\t: d03115
Model\t\t: Raspberry Pi 4 Model B Rev 1.5
";

    #[test]
    fn processors_are_counted() {
        let of = |text: &str| cpu(&Fake::default().file("/proc/cpuinfo", text)).unwrap();
        assert_eq!(
            of(X86),
            json!({
                "count": 4, "cores": 2, "sockets": 1, "cores_per_socket": 2, "threads_per_core": 2,
                "model": "Intel(R) Xeon(R) CPU E3-1230 V2 @ 3.30GHz", "vendor": "GenuineIntel",
                "flags": ["fpu", "vme", "ht"],
            })
        );
        assert_eq!(
            of(ARM),
            json!({
                "count": 2, "cores": 2, "sockets": 1, "cores_per_socket": 2, "threads_per_core": 1,
                "model": "Raspberry Pi 4 Model B Rev 1.5", "vendor": "0x41",
                "flags": ["fp", "asimd", "evtstrm"],
            })
        );
        assert_eq!(cpu(&Fake::default().file("/proc/cpuinfo", "Model: nothing\n")), None);
    }

    #[test]
    fn memory_is_in_bytes() {
        let text = "MemTotal:       24684272 kB\nMemFree:        22192564 kB\nSwapTotal:             0 kB\nVmallocTotal:   34359738367 kB\n";
        let expected = json!({ "total": 25_276_694_528_u64, "free": 22_725_185_536_u64, "swap_total": 0 });
        assert_eq!(memory(&Fake::default().file("/proc/meminfo", text)), Some(expected));
        assert_eq!(
            memory(&Fake::default().file("/proc/meminfo", "MemTotal: 99999999999999999999 kB\n")),
            None
        );
    }

    #[test]
    fn boards_without_firmware_name_themselves_in_the_device_tree() {
        let board = Fake::default().file("/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.5\0");
        assert_eq!(firmware(&board), Some(json!({ "product_name": "Raspberry Pi 4 Model B Rev 1.5" })));
        let machine = board.file("/sys/class/dmi/id/product_name", "PowerEdge R740\n");
        assert_eq!(firmware(&machine), Some(json!({ "product_name": "PowerEdge R740" })));
    }

    #[test]
    fn an_image_has_no_uptime() {
        let host = || {
            Fake::default()
                .file("/proc/uptime", "680.12 1300.00\n")
                .file("/proc/loadavg", "0.25 0.43 0.30 1/64 9\n")
        };
        assert_eq!(uptime(&host()), Some(680.into()));
        assert_eq!(load(&host()), Some(json!({ "1m": 0.25, "5m": 0.43, "15m": 0.3 })));
        let image = host().kind(crate::system::RootKind::Offline);
        assert_eq!((uptime(&image), load(&image)), (None, None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r"(processor|physical id|core id|MemTotal|[0-9a: .\n]){0,20}") {
            let files = ["cpuinfo", "meminfo", "uptime", "loadavg"];
            let host = files.iter().fold(Fake::default(), |host, name| host.file(&format!("/proc/{name}"), &text));
            let _ = (cpu(&host), memory(&host), uptime(&host), load(&host));
        }
    }
}
