//! Memory, processors, firmware, mounts, virtualization.

use serde_json::{Value, json};

use super::super::text::{kernel, value};
use super::super::{Facts, Gather};

pub(super) const NAMES: &[(&str, Gather)] = &[
    ("bios_date", |facts| Some(firmware(facts, "bios_date"))),
    ("bios_vendor", |facts| Some(firmware(facts, "bios_vendor"))),
    ("bios_version", |facts| Some(firmware(facts, "bios_version"))),
    ("board_asset_tag", |facts| Some(firmware(facts, "board_asset_tag"))),
    ("board_name", |facts| Some(firmware(facts, "board_name"))),
    ("board_serial", |facts| Some(firmware(facts, "board_serial"))),
    ("board_vendor", |facts| Some(firmware(facts, "board_vendor"))),
    ("board_version", |facts| Some(firmware(facts, "board_version"))),
    ("chassis_asset_tag", |facts| Some(firmware(facts, "chassis_asset_tag"))),
    ("chassis_serial", |facts| Some(firmware(facts, "chassis_serial"))),
    ("chassis_vendor", |facts| Some(firmware(facts, "chassis_vendor"))),
    ("chassis_version", |facts| Some(firmware(facts, "chassis_version"))),
    ("device_links", |facts| Some(super::devices::links(facts.peek("devices")?))),
    ("devices", |facts| Some(super::devices::devices(facts.peek("devices")?))),
    ("flags", |facts| facts.inside("cpu", "flags")),
    ("form_factor", |facts| Some(form_factor(facts))),
    ("memfree_mb", |facts| Some(mebibytes(facts, "free")?.into())),
    ("memory_mb", memory),
    ("memtotal_mb", |facts| Some(mebibytes(facts, "total")?.into())),
    ("mounts", |facts| Some(mounts(facts.peek("mounts")?))),
    ("processor", |facts| processor(facts)),
    ("processor_cores", |facts| Some(Processors::of(facts)?.cores.into())),
    ("processor_count", |facts| Some(Processors::of(facts)?.sockets.into())),
    ("processor_nproc", |facts| facts.inside("cpu", "count")),
    ("processor_threads_per_core", |facts| facts.inside("cpu", "threads_per_core")),
    ("processor_vcpus", |facts| facts.inside("cpu", "count")),
    ("product_name", |facts| Some(firmware(facts, "product_name"))),
    ("product_serial", |facts| Some(firmware(facts, "product_serial"))),
    ("product_uuid", |facts| Some(firmware(facts, "product_uuid"))),
    ("product_version", |facts| Some(firmware(facts, "product_version"))),
    ("swapfree_mb", |facts| Some(mebibytes(facts, "swap_free")?.into())),
    ("swaptotal_mb", |facts| Some(mebibytes(facts, "swap_total")?.into())),
    ("system_vendor", |facts| Some(firmware(facts, "sys_vendor"))),
    ("virtualization_role", |facts| facts.inside("virtualization", "role")),
    ("virtualization_tech_guest", |facts| Some(guest_technologies(facts.peek("virtualization")?))),
    ("virtualization_tech_host", |facts| facts.inside("virtualization", "host")),
    ("virtualization_type", |facts| {
        Some(technology(facts.peek("virtualization")?.get("type")?.as_str()?).into())
    }),
];

fn firmware(facts: &Facts, name: &str) -> Value {
    facts.inside("firmware", name).unwrap_or_else(|| "NA".into())
}

/// What DMI calls the numbers of its chassis types, from 0.
const FORM_FACTORS: [&str; 37] = [
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

fn form_factor(facts: &Facts) -> Value {
    let Some(number) = facts.text("firmware", "chassis_type") else { return "NA".into() };
    let name = number.parse::<usize>().ok().and_then(|number| FORM_FACTORS.get(number));
    name.map_or_else(|| format!("unknown ({number})").into(), |name| (*name).into())
}

fn mebibytes(facts: &Facts, key: &str) -> Option<u64> {
    Some(facts.peek("memory")?.get(key)?.as_u64()? >> 20)
}

fn memory(facts: &Facts) -> Option<Value> {
    facts.peek("memory")?;
    let of = |key: &str| mebibytes(facts, key);
    let used = |total: Option<u64>, free: Option<u64>| Some(total?.saturating_sub(free?));
    let uncached = || Some(of("cached")? + of("free")? + of("buffers")?);
    Some(json!({
        "real": { "total": of("total"), "used": used(of("total"), of("free")), "free": of("free") },
        "nocache": { "free": uncached(), "used": used(of("total"), uncached()) },
        "swap": {
            "total": of("swap_total"),
            "free": of("swap_free"),
            "used": used(of("swap_total"), of("swap_free")),
            "cached": of("swap_cached"),
        },
    }))
}

/// The lines that describe processors, in their order: number, vendor and model of each.
fn processor(facts: &Facts) -> Option<Value> {
    const KEYS: [&str; 6] = ["model name", "Processor", "vendor_id", "cpu", "Vendor", "processor"];

    let text = kernel(facts.source(), "/proc/cpuinfo")?;
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    Some(pairs.filter(|(key, _)| KEYS.contains(&key.trim())).map(|(_, value)| value.trim()).collect())
}

/// How Ansible counts processors: where nothing is said about sockets, everyone has its own.
struct Processors {
    sockets: u64,
    cores: u64,
}

impl Processors {
    fn of(facts: &Facts) -> Option<Self> {
        let text = kernel(facts.source(), "/proc/cpuinfo")?;
        let number = |key: &str| facts.peek("cpu")?.get(key)?.as_u64();
        Some(match value(&text, "physical id") {
            Some(_) => Self { sockets: number("sockets")?, cores: number("cores_per_socket")? },
            None => Self { sockets: number("count")?, cores: 1 },
        })
    }
}

/// What lies on a device or comes from a server; the last where several are mounted over one another.
fn mounts(own: &Value) -> Value {
    let mut mounts: Vec<Value> = Vec::new();
    for mount in own.as_array().into_iter().flatten() {
        let device = mount["device"].as_str().unwrap_or_default();
        if !device.starts_with(['/', '\\']) && !device.contains(":/") {
            continue;
        }
        match mounts.iter_mut().find(|other| other["mount"] == mount["mount"]) {
            Some(other) => *other = self::mount(mount),
            None => mounts.push(self::mount(mount)),
        }
    }
    mounts.into()
}

fn mount(own: &Value) -> Value {
    let mut mount = own.clone();
    mount["dump"] = 0.into();
    mount["passno"] = 0.into();
    if own.get("uuid").is_none() {
        mount["uuid"] = "N/A".into();
    }
    let fields = mount.as_object_mut();
    if fields.is_some_and(|fields| fields.remove("root").is_some()) {
        mount["options"] = format!("{},bind", own["options"].as_str().unwrap_or_default()).into();
    }
    mount
}

/// The name that Ansible has for a technology.
fn technology(name: &str) -> &str {
    match name {
        "none" => "NA",
        "vmware" => "VMware",
        "hyperv" => "VirtualPC",
        "qemu" => "kvm",
        name => name,
    }
}

/// Containers of all kinds are `container` beside.
fn guest_technologies(own: &Value) -> Value {
    let guest = own["guest"].as_array().into_iter().flatten();
    let mut names: Vec<&str> = guest.filter_map(Value::as_str).map(technology).collect();
    let containers = ["docker", "lxc", "podman", "openvz", "containerd", "systemd-nspawn"];
    if names.iter().any(|name| containers.contains(name)) {
        names.push("container");
    }
    names.sort_unstable();
    names.dedup();
    names.into()
}

#[cfg(test)]
mod tests {
    use super::super::super::fake::Fake;
    use super::super::get;
    use super::*;

    #[test]
    fn memory_is_in_mebibytes() {
        let text = "MemTotal: 24684272 kB\nMemFree: 22192564 kB\nBuffers: 36864 kB\nCached: 2032640 kB\nSwapCached: 0 kB\nSwapTotal: 2048 kB\nSwapFree: 1023 kB\n";
        let facts = Facts::new(Fake::default().file("/proc/meminfo", text));
        assert_eq!(get(&facts, "ansible_memtotal_mb"), Some(24105.into()));
        assert_eq!(get(&facts, "ansible_swapfree_mb"), Some(0.into()));
        assert_eq!(
            get(&facts, "ansible_memory_mb"),
            Some(json!({
                "real": { "total": 24105, "used": 2433, "free": 21672 },
                "nocache": { "free": 23693, "used": 412 },
                "swap": { "total": 2, "free": 0, "used": 2, "cached": 0 },
            }))
        );
        assert_eq!(get(&Facts::new(Fake::default()), "ansible_memory_mb"), None);
    }

    #[test]
    fn processors_without_sockets_have_their_own() {
        let counts = |text: &str| {
            let facts = Facts::new(Fake::default().file("/proc/cpuinfo", text));
            let of = |name: &str| get(&facts, &format!("ansible_processor_{name}")).unwrap();
            [of("count"), of("cores"), of("threads_per_core"), of("vcpus"), of("nproc")]
        };
        let arm = "processor: 0\nFeatures: fp\n\nprocessor: 1\nFeatures: fp\n\n";
        assert_eq!(counts(arm), [2, 1, 1, 2, 2].map(Value::from));
        let threads =
            "processor: 0\nphysical id: 0\ncore id: 0\n\nprocessor: 1\nphysical id: 0\ncore id: 0\n\n";
        assert_eq!(counts(threads), [1, 1, 2, 2, 2].map(Value::from));
    }

    #[test]
    fn firmware_that_says_nothing_is_not_available() {
        let facts = Facts::new(Fake::default().file("/sys/class/dmi/id/chassis_type", "23\n"));
        assert_eq!(get(&facts, "ansible_form_factor"), Some("Rack Mount Chassis".into()));
        assert_eq!(get(&facts, "ansible_product_uuid"), Some("NA".into()));
        let facts = Facts::new(Fake::default().file("/sys/class/dmi/id/chassis_type", "99\n"));
        assert_eq!(get(&facts, "ansible_form_factor"), Some("unknown (99)".into()));
    }

    #[test]
    fn mounts_are_those_of_devices_and_servers() {
        let own = json!([
            { "device": "proc", "mount": "/proc", "fstype": "proc", "options": "rw" },
            { "device": "/dev/sda1", "mount": "/mnt", "fstype": "ext4", "options": "rw" },
            { "device": "/dev/sda2", "mount": "/mnt", "fstype": "ext4", "options": "ro", "root": "/x", "uuid": "0a" },
            { "device": "server:/x", "mount": "/home", "fstype": "nfs", "options": "rw" },
        ]);
        assert_eq!(
            mounts(&own),
            json!([
                {
                    "device": "/dev/sda2", "mount": "/mnt", "fstype": "ext4", "options": "ro,bind", "uuid": "0a",
                    "dump": 0, "passno": 0,
                },
                {
                    "device": "server:/x", "mount": "/home", "fstype": "nfs", "options": "rw", "uuid": "N/A",
                    "dump": 0, "passno": 0,
                },
            ])
        );
    }

    #[test]
    fn technologies_have_the_names_of_ansible() {
        let facts = Facts::new(Fake::default().hypervisor("VMwareVMware").file("/.dockerenv", ""));
        assert_eq!(get(&facts, "ansible_virtualization_type"), Some("docker".into()));
        let guest = get(&facts, "ansible_virtualization_tech_guest");
        assert_eq!(guest, Some(json!(["VMware", "container", "docker"])));
        let bare = Facts::new(Fake::default());
        assert_eq!(get(&bare, "ansible_virtualization_type"), Some("NA".into()));
        assert_eq!(get(&bare, "ansible_virtualization_role"), Some("NA".into()));
    }
}
