//! Whether the machine is a guest or carries guests.
//!
//! It is the machine that is described. On a live root seen from inside, a container counts as the machine. On a root
//! seen *through* a container, signs of containers (environment and control group of the first process, the engines'
//! marker files) are not looked at: they would tell about the container that the agent is in.
//! The hypervisor is known, in this order, by the firmware's names, by `/sys/hypervisor` and the device tree, and by
//! the processor's signature. Without one, a machine with `/dev/kvm` or the modules of a hypervisor is a host.

use serde_json::{Value, json};

use super::hardware::flags;
use super::source::FactSource;
use super::text::{file, kernel, kernel_word};
use crate::system::RootKind;

/// What was found: `guest` from the innermost outwards, `host` in no order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Virtualization {
    /// Technologies that this is a guest of.
    pub guest: Vec<String>,
    /// Technologies that it carries guests with.
    pub host: Vec<&'static str>,
}

impl Virtualization {
    pub(super) fn of(source: &dyn FactSource) -> Self {
        let container = if source.kind() == RootKind::Live { container(source) } else { None };
        let guest = container.into_iter().chain(hypervisor(source).map(str::to_owned)).collect();
        Self { guest, host: hosted(source) }
    }

    /// The role and the type, the innermost guest first: a container in a virtual machine is a container.
    pub(super) fn summary(&self) -> (&'static str, &str) {
        match (self.guest.first(), self.host.first()) {
            (Some(kind), _) => ("guest", kind),
            (None, Some(kind)) => ("host", kind),
            (None, None) => ("NA", "none"),
        }
    }
}

/// Gathers `facts.virtualization`. On what an image will run, nobody knows.
pub(super) fn fact(source: &dyn FactSource) -> Option<Value> {
    let found = source.live().then(|| Virtualization::of(source))?;
    let (role, kind) = found.summary();
    Some(json!({ "role": role, "type": kind, "guest": found.guest, "host": found.host }))
}

/// The container that this root is, if it is one.
fn container(source: &dyn FactSource) -> Option<String> {
    // Only root may read it; the marker files are for everybody.
    let environment = kernel(source, "/proc/1/environ").unwrap_or_default();
    let said = environment.split('\0').find_map(|entry| entry.strip_prefix("container="));
    let said = said.filter(|name| !name.is_empty()).map(str::to_owned);
    said.or_else(|| file(source, "/run/systemd/container").map(|name| name.trim().to_owned()))
        .or_else(|| source.exists("/run/.containerenv").then(|| "podman".to_owned()))
        .or_else(|| source.exists("/.dockerenv").then(|| "docker".to_owned()))
        .or_else(|| control_group(&kernel(source, "/proc/1/cgroup")?).map(str::to_owned))
        .or_else(|| (source.exists("/proc/vz") && !source.exists("/proc/bc")).then(|| "openvz".to_owned()))
        .filter(|name| !name.is_empty())
        .map(|name| if name == "oci" { "container".to_owned() } else { name })
}

fn control_group(text: &str) -> Option<&'static str> {
    let paths = || text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let within = |part: &str| paths().any(|path| path.contains(part));
    if within("/libpod-") {
        Some("podman")
    } else if within("/docker/") || within("/docker-") {
        Some("docker")
    } else if within("/lxc/") || within("/lxc.payload") {
        Some("lxc")
    } else if within("/kubepods") {
        Some("containerd")
    } else {
        None
    }
}

/// The hypervisor below the kernel.
fn hypervisor(source: &dyn FactSource) -> Option<&'static str> {
    if is_first_xen_domain(source) {
        return None;
    }
    let dmi = |name: &str| kernel_word(source, &format!("/sys/class/dmi/id/{name}")).unwrap_or_default();
    let firmware = ["product_name", "sys_vendor", "board_vendor", "bios_vendor"];
    let firmware = firmware.into_iter().find_map(|name| by_firmware(&dmi(name)));
    firmware.or_else(|| by_kernel(source)).or_else(|| by_processor(source))
}

/// Whether this is the domain that carries the others. Its processor looks like a guest's.
fn is_first_xen_domain(source: &dyn FactSource) -> bool {
    let capable = kernel(source, "/proc/xen/capabilities").is_some_and(|text| text.contains("control_d"));
    let features = || kernel_word(source, "/sys/hypervisor/properties/features").unwrap_or_default();
    capable || u32::from_str_radix(&features(), 16).is_ok_and(|bits| bits & (1 << 11) != 0)
}

/// The processor's signature, or its flag without one.
fn by_processor(source: &dyn FactSource) -> Option<&'static str> {
    let signed = source.hypervisor().and_then(|signature| by_signature(&signature));
    signed.or_else(|| {
        let cpuinfo = kernel(source, "/proc/cpuinfo")?;
        flags(&cpuinfo)?.split_whitespace().any(|flag| flag == "hypervisor").then_some("unknown")
    })
}

/// Words that virtual machines have in their firmware. A cloud's bare machines have its name as vendor, so only
/// product names count for those.
fn by_firmware(name: &str) -> Option<&'static str> {
    let known = [
        ("KVM", "kvm"),
        ("OpenStack", "kvm"),
        ("KubeVirt", "kvm"),
        ("Google Compute Engine", "kvm"),
        ("QEMU", "kvm"),
        ("RHEV", "kvm"),
        ("oVirt", "kvm"),
        ("VMware", "vmware"),
        ("VMW", "vmware"),
        ("innotek GmbH", "virtualbox"),
        ("VirtualBox", "virtualbox"),
        ("Virtual Machine", "hyperv"),
        ("Xen", "xen"),
        ("HVM domU", "xen"),
        ("Bochs", "bochs"),
        ("Parallels", "parallels"),
        ("BHYVE", "bhyve"),
        ("Apple Virtualization", "apple"),
    ];
    known.into_iter().find(|(start, _)| name.starts_with(start)).map(|(_, kind)| kind)
}

/// What the kernel says in `/sys` and the device tree.
fn by_kernel(source: &dyn FactSource) -> Option<&'static str> {
    if kernel_word(source, "/sys/hypervisor/type").as_deref() == Some("xen") {
        return Some("xen");
    }
    match kernel_word(source, "/proc/device-tree/hypervisor/compatible").as_deref() {
        Some("linux,kvm") => Some("kvm"),
        Some(name) if name.contains("xen") => Some("xen"),
        Some(name) if name.contains("vmware") => Some("vmware"),
        _ => None,
    }
}

fn by_signature(signature: &str) -> Option<&'static str> {
    match signature {
        "KVMKVMKVM" | "LinuxKVMHv" => Some("kvm"),
        "TCGTCGTCGTCG" => Some("qemu"),
        "VMwareVMware" => Some("vmware"),
        "MicrosoftHv" => Some("hyperv"),
        "XenVMMXenVMM" => Some("xen"),
        "VBoxVBoxVBox" => Some("virtualbox"),
        "prl" | "lrpepyhvr" | "prlhyperv" => Some("parallels"),
        "bhyvebhyve" => Some("bhyve"),
        "ACRNACRNACRN" => Some("acrn"),
        _ => None,
    }
}

/// What the machine carries guests with.
fn hosted(source: &dyn FactSource) -> Vec<&'static str> {
    let modules = kernel(source, "/proc/modules").unwrap_or_default();
    let loaded = |name: &str| modules.lines().any(|line| line.split(' ').next() == Some(name));
    let kvm = loaded("kvm") || source.exists("/dev/kvm");
    let found = [("xen", is_first_xen_domain(source)), ("kvm", kvm), ("virtualbox", loaded("vboxdrv"))];
    found.into_iter().filter(|(_, there)| *there).map(|(kind, _)| kind).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fake::Fake;
    use super::*;

    fn found(host: &Fake) -> (String, Vec<String>, Vec<&'static str>) {
        let found = Virtualization::of(host);
        let (role, kind) = found.summary();
        (format!("{role} {kind}"), found.guest.clone(), found.host)
    }

    #[test]
    fn machines_are_known_by_their_firmware() {
        let cases = [
            ("product_name", "KVM", "guest kvm"),
            ("product_name", "VMware Virtual Platform", "guest vmware"),
            ("product_name", "VirtualBox", "guest virtualbox"),
            ("sys_vendor", "QEMU", "guest kvm"),
            ("product_name", "Google Compute Engine", "guest kvm"),
            ("sys_vendor", "Google", "NA none"),
            ("sys_vendor", "Dell Inc.", "NA none"),
        ];
        for (file, content, expected) in cases {
            let host = Fake::default().file(&format!("/sys/class/dmi/id/{file}"), format!("{content}\n"));
            assert_eq!(found(&host).0, expected, "{content}");
        }
    }

    #[test]
    fn without_firmware_the_kernel_and_the_processor_know() {
        let tree = Fake::default().file("/proc/device-tree/hypervisor/compatible", "linux,kvm\0");
        assert_eq!(found(&tree).0, "guest kvm");
        assert_eq!(found(&Fake::default().hypervisor("MicrosoftHv")).0, "guest hyperv");
        let flag = Fake::default().file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor\n");
        assert_eq!(found(&flag).0, "guest unknown");
        assert_eq!(found(&Fake::default()).0, "NA none");
    }

    #[test]
    fn the_first_domain_of_xen_is_a_host() {
        let guest = Fake::default().hypervisor("XenVMMXenVMM").file("/sys/hypervisor/type", "xen\n");
        assert_eq!(found(&guest).0, "guest xen");
        assert_eq!(found(&guest.file("/proc/xen/capabilities", "control_d\n")).0, "host xen");
        let bits = Fake::default().file("/sys/hypervisor/type", "xen\n");
        assert_eq!(found(&bits.file("/sys/hypervisor/properties/features", "00000b05\n")).0, "host xen");
    }

    #[test]
    fn a_container_in_a_machine_is_a_container() {
        let machine =
            || Fake::default().hypervisor("KVMKVMKVM").file("/proc/modules", "kvm 1 0 - Live 0x0\n");
        let expected =
            |name: &str| (format!("guest {name}"), vec![name.to_owned(), "kvm".to_owned()], vec!["kvm"]);
        assert_eq!(found(&machine().file("/.dockerenv", "")), expected("docker"));
        assert_eq!(found(&machine().file("/proc/1/environ", "A=1\0container=lxc\0")), expected("lxc"));
        assert_eq!(found(&machine().file("/proc/1/cgroup", "0::/docker/4f2b\n")), expected("docker"));
        assert_eq!(found(&machine().file("/run/.containerenv", "")), expected("podman"));
        assert_eq!(found(&machine().file("/proc/vz/x", "")), expected("openvz"));
    }

    #[test]
    fn through_a_container_it_is_the_machine_that_counts() {
        let host = Fake::default().kind(RootKind::LiveThroughContainer).file("/.dockerenv", "");
        assert_eq!(found(&host.hypervisor("KVMKVMKVM")).0, "guest kvm");
        let image = Fake::default().kind(RootKind::Offline).hypervisor("KVMKVMKVM");
        assert_eq!(fact(&image), None);
    }
}
