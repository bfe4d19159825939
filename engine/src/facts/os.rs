//! The distribution, and what comes with it: package manager, C library, service manager.

use serde_json::{Map, Value};

use super::source::FactSource;
use super::text::{assignments, file, kernel_word};

/// Gathers `facts.os` from os-release(5).
pub(super) fn fact(source: &dyn FactSource) -> Option<Value> {
    let text = file(source, "/etc/os-release").or_else(|| file(source, "/usr/lib/os-release"))?;
    let pairs = assignments(&text);
    let get = |key: &str| {
        let found = pairs.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    // os-release(5): without ID it is "linux".
    let id = get("ID").unwrap_or("linux").to_lowercase();
    let id_like: Vec<String> =
        get("ID_LIKE").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let mut fact = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        fact.extend(value.map(|value| (name.to_owned(), Value::from(value))));
    };
    put("id", Some(&id));
    put("name", get("NAME"));
    put("pretty_name", get("PRETTY_NAME"));
    put("version", get("VERSION_ID"));
    put("codename", get("VERSION_CODENAME").or_else(|| codename(get("VERSION")?)));
    put("variant", get("VARIANT_ID"));
    put("family", Some(family(&id, &id_like)));
    put("libc", libc(source));
    fact.insert("id_like".into(), id_like.into());
    Some(fact.into())
}

/// The name in `12 (bookworm)`, for releases that don't have `VERSION_CODENAME`.
fn codename(version: &str) -> Option<&str> {
    let (_, rest) = version.split_once('(')?;
    Some(rest.split(')').next()?.trim()).filter(|name| !name.is_empty())
}

/// Who shares package manager and habits: the id itself where it is nobody's child.
fn family<'a>(id: &'a str, id_like: &'a [String]) -> &'a str {
    let known = |id: &str| match id {
        "debian" | "ubuntu" | "raspbian" | "devuan" | "linuxmint" | "pop" | "kali" | "elementary"
        | "neon" => Some("debian"),
        "rhel" | "redhat" | "fedora" | "centos" | "rocky" | "almalinux" | "ol" | "amzn" | "scientific"
        | "cloudlinux" | "openeuler" => Some("redhat"),
        "suse" | "opensuse" | "sles" | "sled" | "opensuse-leap" | "opensuse-tumbleweed" | "sle-micro" => {
            Some("suse")
        }
        "arch" | "archlinux" | "archarm" | "manjaro" | "endeavouros" | "artix" => Some("arch"),
        "alpine" | "postmarketos" => Some("alpine"),
        "void" | "gentoo" | "nixos" | "slackware" | "openwrt" | "chimera" => None,
        _ => None,
    };
    known(id).or_else(|| id_like.iter().find_map(|like| known(like))).unwrap_or(id)
}

/// The C library for which the root's programs were made: the shell says it; a static one leaves it to the loaders
/// that are there. Having a loader alone says little: Debian packages musl, Alpine a loader for glibc's programs.
fn libc(source: &dyn FactSource) -> Option<&'static str> {
    let shell = source.read("/bin/sh").and_then(|shell| Elf::parse(&shell)?.interpreter);
    let directories = ["/lib", "/lib64", "/usr/lib"];
    let loaders = || directories.iter().flat_map(|directory| source.list(directory));
    let found = |start: &str| {
        shell.as_deref().map_or_else(
            || loaders().any(|name| name.starts_with(start)),
            |path| path.rsplit('/').next().is_some_and(|name| name.starts_with(start)),
        )
    };
    if found("ld-musl-") {
        Some("musl")
    } else if found("ld-linux") || found("ld64.so") || found("ld.so.1") {
        Some("glibc")
    } else {
        None
    }
}

/// What the head of a program says about where it runs.
struct Elf {
    machine: u16,
    /// Its dynamic loader; a static program has none.
    interpreter: Option<String>,
}

impl Elf {
    fn parse(bytes: &[u8]) -> Option<Self> {
        const PT_INTERP: u64 = 3;

        let wide = match bytes.get(..5)? {
            [0x7f, b'E', b'L', b'F', class] => *class == 2,
            _ => return None,
        };
        let big = *bytes.get(5)? == 2;
        let number = |at: usize, size: usize| -> Option<u64> {
            let digits = bytes.get(at..at.checked_add(size)?)?.iter();
            let join = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
            Some(if big { digits.fold(0, join) } else { digits.rev().fold(0, join) })
        };
        let place = |at: usize, size: usize| usize::try_from(number(at, size)?).ok();
        let (headers, size, count) = if wide {
            (place(32, 8)?, place(54, 2)?, place(56, 2)?)
        } else {
            (place(28, 4)?, place(42, 2)?, place(44, 2)?)
        };
        let starts = (0..count).map_while(|index| headers.checked_add(index.checked_mul(size)?));
        let header = starts.map_while(|at| Some((at, number(at, 4)?))).find(|(_, kind)| *kind == PT_INTERP);
        let interpreter = header.and_then(|(at, _)| {
            let (offset, length) = if wide {
                (place(at + 8, 8)?, place(at + 32, 8)?)
            } else {
                (place(at + 4, 4)?, place(at + 16, 4)?)
            };
            let path = bytes.get(offset..offset.checked_add(length)?)?;
            Some(String::from_utf8_lossy(path).trim_end_matches('\0').to_owned())
        });
        Some(Self { machine: u16::try_from(number(18, 2)?).ok()?, interpreter })
    }
}

/// Gathers `facts.architecture`: the kernel's on a live root, else that of the root's shell, since an image may be for
/// another machine than the one that makes it.
pub(super) fn architecture(source: &dyn FactSource) -> Option<Value> {
    let kernel = || source.uname().map(|uname| uname.machine);
    if source.live() { kernel() } else { program_architecture(source).or_else(kernel) }.map(Value::from)
}

/// The architecture of the root's shell, as uname(2) would call it.
pub(super) fn program_architecture(source: &dyn FactSource) -> Option<String> {
    let machine =
        ["/bin/sh", "/usr/bin/env", "/sbin/init"].iter().find_map(|path| Elf::parse(&source.read(path)?))?;
    let name = match machine.machine {
        3 => "i686",
        8 => "mips",
        20 => "ppc",
        21 => "ppc64le",
        22 => "s390x",
        40 => "armv7l",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv64",
        258 => "loongarch64",
        _ => return None,
    };
    Some(name.to_owned())
}

/// Package managers by the file that shows them, with the family that they are native to.
const PACKAGE_MANAGERS: &[(&str, &str, &str)] = &[
    ("xbps", "/usr/bin/xbps-install", "void"),
    ("apt", "/usr/bin/apt-get", "debian"),
    ("apk", "/sbin/apk", "alpine"),
    ("apk", "/usr/bin/apk", "alpine"),
    ("pacman", "/usr/bin/pacman", "arch"),
    ("dnf5", "/usr/bin/dnf5", "redhat"),
    ("dnf", "/usr/bin/dnf", "redhat"),
    ("yum", "/usr/bin/yum", "redhat"),
    ("zypper", "/usr/bin/zypper", "suse"),
    ("portage", "/usr/bin/emerge", "gentoo"),
    ("opkg", "/bin/opkg", "openwrt"),
];

/// Gathers `facts.package_manager`. The family's own comes first: Debian packages pacman and dnf, too.
pub(super) fn package_manager(source: &dyn FactSource, family: Option<&str>) -> Option<Value> {
    let there = |path: &str| source.exists(path);
    let native = PACKAGE_MANAGERS.iter().find(|(_, path, of)| family == Some(*of) && there(path));
    let any = native.or_else(|| PACKAGE_MANAGERS.iter().find(|(_, path, _)| there(path)));
    any.map(|(name, ..)| (*name).into())
}

/// Gathers `facts.service_manager`: on a live root what the first process is called, if that says something, else
/// what the root's files show. `none` when nothing does, as in most containers.
pub(super) fn service_manager(source: &dyn FactSource) -> Value {
    let running = if source.live() { kernel_word(source, "/proc/1/comm") } else { None };
    running.and_then(|name| by_process(&name)).or_else(|| by_files(source)).unwrap_or("none").into()
}

fn by_process(name: &str) -> Option<&'static str> {
    match name {
        "runit" | "runit-init" | "runsvdir" => Some("runit"),
        "systemd" => Some("systemd"),
        "openrc-init" => Some("openrc"),
        "dinit" => Some("dinit"),
        "s6-svscan" => Some("s6"),
        "procd" => Some("procd"),
        _ => None,
    }
}

fn by_files(source: &dyn FactSource) -> Option<&'static str> {
    let there = |path: &str| source.exists(path);
    let init = ["/sbin/init", "/usr/sbin/init", "/usr/bin/init"].iter().find_map(|path| source.link(path));
    if let Some(manager) = init.and_then(|target| by_process(target.rsplit('/').next()?)) {
        return Some(manager);
    }
    let signs = [
        ("runit", "/etc/runit/2"),
        ("systemd", "/run/systemd/system"),
        ("openrc", "/sbin/openrc"),
        ("openrc", "/usr/bin/openrc"),
        ("systemd", "/usr/lib/systemd/systemd"),
        ("systemd", "/lib/systemd/systemd"),
        ("dinit", "/etc/dinit.d"),
        ("sysvinit", "/etc/init.d"),
    ];
    signs.into_iter().find(|(_, path)| there(path)).map(|(manager, _)| manager)
}

/// Gathers `facts.selinux`: what the kernel enforces, and what the root's configuration asks for.
pub(super) fn selinux(source: &dyn FactSource) -> Value {
    let mut fact = Map::new();
    let enforce = if source.live() { kernel_word(source, "/sys/fs/selinux/enforce") } else { None };
    fact.insert("enabled".into(), enforce.is_some().into());
    if let Some(enforce) = enforce {
        fact.insert("mode".into(), if enforce == "1" { "enforcing" } else { "permissive" }.into());
    }
    let settings = assignments(&file(source, "/etc/selinux/config").unwrap_or_default());
    for (name, key) in [("config_mode", "SELINUX"), ("type", "SELINUXTYPE")] {
        let value = settings.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        fact.extend(value.map(|value| (name.to_owned(), value.into())));
    }
    fact.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_program_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), wide: bool) {
            let magic = [0x7f, b'E', b'L', b'F', 1 + u8::from(wide)];
            let length = bytes.len().min(5);
            bytes[..length].copy_from_slice(&magic[..length]);
            let _ = Elf::parse(&bytes);
        }
    }

    #[test]
    fn families_follow_their_parents() {
        let like = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(family("void", &[]), "void");
        assert_eq!(family("zorin", &like(&["ubuntu", "debian"])), "debian");
        assert_eq!(family("virtuozzo", &like(&["rhel", "fedora"])), "redhat");
        assert_eq!(family("homegrown", &like(&["nothing"])), "homegrown");
    }

    #[test]
    fn codenames_stand_in_parentheses() {
        assert_eq!(codename("8 (jessie)"), Some("jessie"));
        assert_eq!(codename("8 ()"), None);
        assert_eq!(codename("8"), None);
    }
}
