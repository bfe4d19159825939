//! Whether the machine is a guest or carries guests.
//!
//! It is the machine that is described. On a live root seen from inside, a container counts as the machine. On a root
//! seen *through* a container, and on an offline one, signs of containers (environment and control group of the first
//! process, the engines' marker files) are not looked at: they would tell about the container that the agent is in.
//! The hypervisor is known, in this order, by the firmware's names, by `/sys/hypervisor` and the device tree, and by
//! the processor's signature. Without one, a machine with `/dev/kvm` or the modules of a hypervisor is a host.

use serde_json::{Value, json};

use super::hardware::flags;
use super::source::{FactSource, RootKind};
use super::text::{file, kernel, kernel_word};

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

/// Gathers `facts.virtualization`.
pub(super) fn fact(source: &dyn FactSource) -> Value {
    let found = Virtualization::of(source);
    let (role, kind) = found.summary();
    json!({ "role": role, "type": kind, "guest": found.guest, "host": found.host })
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
        .or_else(|| {
            (kernel(source, "/proc/vz").is_some() && !source.exists("/proc/bc")).then(|| "openvz".to_owned())
        })
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
    let dmi = |name: &str| kernel_word(source, &format!("/sys/class/dmi/id/{name}")).unwrap_or_default();
    let firmware = ["product_name", "sys_vendor", "board_vendor", "bios_vendor"];
    firmware.into_iter().find_map(|name| by_firmware(&dmi(name))).or_else(|| by_kernel(source)).or_else(
        || {
            let signed = source.hypervisor().and_then(|signature| by_signature(&signature));
            signed.or_else(|| {
                let cpuinfo = kernel(source, "/proc/cpuinfo")?;
                flags(&cpuinfo)?.split_whitespace().any(|flag| flag == "hypervisor").then_some("unknown")
            })
        },
    )
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
        // The first domain is the one that carries the others.
        let features = kernel_word(source, "/sys/hypervisor/properties/features").unwrap_or_default();
        let first = u32::from_str_radix(&features, 16).is_ok_and(|bits| bits & (1 << 11) != 0);
        return (!first).then_some("xen");
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
    let xen = kernel(source, "/proc/xen/capabilities").is_some_and(|text| text.contains("control_d"));
    let kvm = loaded("kvm") || source.exists("/dev/kvm");
    let found = [("xen", xen), ("kvm", kvm), ("virtualbox", loaded("vboxdrv"))];
    found.into_iter().filter(|(_, there)| *there).map(|(kind, _)| kind).collect()
}
