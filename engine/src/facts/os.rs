//! The distribution, and what it was built for: architecture, C library, SELinux.

use serde_json::{Map, Value, json};

use super::elf::Program;
use super::source::FactSource;
use super::text::{assignments, file, kernel_word};

/// The content of os-release(5).
pub(super) struct Release(Vec<(String, String)>);

impl Release {
    pub(super) fn of(source: &dyn FactSource) -> Option<Self> {
        let paths = ["/etc/os-release", "/usr/lib/os-release"];
        paths.iter().find_map(|path| file(source, path)).map(|text| Self(assignments(&text)))
    }

    /// The value of a field, which may be empty. The last assignment counts, as in the shell.
    pub(super) fn field(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The value of a field that has one.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.field(key).filter(|value| !value.is_empty())
    }

    /// What the distribution calls itself; without a word it is `linux`.
    pub(super) fn id(&self) -> String {
        self.get("ID").unwrap_or("linux").to_lowercase()
    }

    /// The distributions that it is a child of.
    fn id_like(&self) -> Vec<String> {
        self.get("ID_LIKE").unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    }

    /// The name of this release (`bookworm`): one that is set to nothing means that there is none. Releases that know
    /// no `VERSION_CODENAME` have it in parentheses.
    pub(super) fn codename(&self) -> Option<&str> {
        let own = self.field("VERSION_CODENAME");
        own.or_else(|| parenthesized(self.get("VERSION")?)).filter(|name| !name.is_empty())
    }
}

/// The name in `12 (bookworm)`.
fn parenthesized(version: &str) -> Option<&str> {
    let (_, rest) = version.split_once('(')?;
    Some(rest.split(')').next()?.trim())
}

/// Gathers `facts.os`.
pub(super) fn fact(source: &dyn FactSource) -> Option<Value> {
    let release = Release::of(source)?;
    let (id, id_like) = (release.id(), release.id_like());
    let fields = [
        ("id", Some(id.as_str())),
        ("name", release.get("NAME")),
        ("pretty_name", release.get("PRETTY_NAME")),
        ("version", release.get("VERSION_ID")),
        ("codename", release.codename()),
        ("variant", release.get("VARIANT_ID")),
        ("family", Some(family(&id, &id_like))),
        ("libc", libc(source)),
    ];
    let mut fact: Map<String, Value> =
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
    fact.insert("id_like".into(), id_like.into());
    Some(fact.into())
}

/// The family of the distribution that a text of os-release(5) describes.
pub fn family_of(release: &str) -> String {
    let release = Release(assignments(release));
    family(&release.id(), &release.id_like()).to_owned()
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
        _ => None,
    };
    known(id).or_else(|| id_like.iter().find_map(|like| known(like))).unwrap_or(id)
}

/// The C library for which the root's programs were made: the shell says it; a static one leaves it to the loaders
/// that are there. Having a loader alone says little: Debian packages musl, Alpine a loader for glibc's programs.
fn libc(source: &dyn FactSource) -> Option<&'static str> {
    let loader = Program::of(source).and_then(|program| program.interpreter);
    let directories = ["/lib", "/lib64", "/usr/lib"];
    let loaders = || directories.iter().flat_map(|directory| source.list(directory));
    let found = |start: &str| match &loader {
        Some(path) => path.rsplit('/').next().is_some_and(|name| name.starts_with(start)),
        None => loaders().any(|name| name.starts_with(start)),
    };
    if found("ld-musl-") {
        Some("musl")
    } else if ["ld-linux", "ld64.so", "ld.so.1"].into_iter().any(found) {
        Some("glibc")
    } else {
        None
    }
}

/// Gathers `facts.architecture`: the kernel's on a live root, else that of the root's shell, since an image may be for
/// another machine than the one that makes it.
pub(super) fn architecture(source: &dyn FactSource) -> Option<Value> {
    let kernel = || source.uname().map(|uname| uname.machine);
    let built_for = || Program::of(source)?.architecture().map(str::to_owned);
    if source.live() { kernel() } else { built_for().or_else(kernel) }.map(Value::from)
}

/// Gathers `facts.kernel`; an image has none that runs.
pub(super) fn kernel(source: &dyn FactSource) -> Option<Value> {
    let uname = source.live().then(|| source.uname()).flatten()?;
    Some(json!({ "name": uname.sysname, "release": uname.release, "version": uname.version }))
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
    use super::super::elf;
    use super::super::fake::Fake;
    use super::*;
    use crate::system::RootKind;

    const VOID: &str = r#"NAME="Void"
ID="void"
PRETTY_NAME="Void Linux"
HOME_URL="https://voidlinux.org/"
DOCUMENTATION_URL="https://docs.voidlinux.org/"
LOGO="void-logo"
ANSI_COLOR="0;38;2;71;128;97"

DISTRIB_ID="void"
"#;
    const DEBIAN: &str = r#"PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
"#;
    const ALPINE: &str = r#"NAME="Alpine Linux"
ID=alpine
VERSION_ID=3.20.3
PRETTY_NAME="Alpine Linux v3.20"
"#;
    const ARCH: &str = r#"NAME="Arch Linux"
PRETTY_NAME="Arch Linux"
ID=arch
BUILD_ID=rolling
ANSI_COLOR="38;2;23;147;209"
"#;
    const FEDORA: &str = r#"NAME="Fedora Linux"
VERSION="40 (Server Edition)"
ID=fedora
VERSION_ID=40
VERSION_CODENAME=""
PRETTY_NAME="Fedora Linux 40 (Server Edition)"
VARIANT="Server Edition"
VARIANT_ID=server
"#;

    #[test]
    fn distributions_describe_themselves() {
        let cases = [
            (VOID, json!({ "id": "void", "name": "Void", "pretty_name": "Void Linux", "family": "void" })),
            (
                DEBIAN,
                json!({
                    "id": "debian", "name": "Debian GNU/Linux", "version": "12", "codename": "bookworm",
                    "pretty_name": "Debian GNU/Linux 12 (bookworm)", "family": "debian",
                }),
            ),
            (
                ALPINE,
                json!({
                    "id": "alpine", "name": "Alpine Linux", "version": "3.20.3",
                    "pretty_name": "Alpine Linux v3.20", "family": "alpine",
                }),
            ),
            (
                ARCH,
                json!({ "id": "arch", "name": "Arch Linux", "pretty_name": "Arch Linux", "family": "arch" }),
            ),
            (
                FEDORA,
                json!({
                    "id": "fedora", "name": "Fedora Linux", "version": "40", "variant": "server",
                    "pretty_name": "Fedora Linux 40 (Server Edition)", "family": "redhat",
                }),
            ),
        ];
        for (text, mut expected) in cases {
            expected["id_like"] = json!([]);
            assert_eq!(fact(&Fake::default().file("/etc/os-release", text)), Some(expected), "{text}");
            assert!(fact(&Fake::default().file("/usr/lib/os-release", text)).is_some());
        }
        assert_eq!(fact(&Fake::default()), None);
        assert_eq!(fact(&Fake::default().file("/etc/os-release", "")).unwrap()["id"], "linux");
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
    fn codenames_may_stand_in_parentheses() {
        let codename = |text: &str| {
            let release = Release(assignments(text));
            release.codename().map(str::to_owned)
        };
        assert_eq!(codename("VERSION=\"8 (jessie)\""), Some("jessie".to_owned()));
        assert_eq!(codename("VERSION=\"8 ()\""), None);
        assert_eq!(codename("VERSION=8"), None);
        assert_eq!(codename("VERSION=\"40 (Server Edition)\"\nVERSION_CODENAME=\"\""), None);
    }

    #[test]
    fn the_c_library_is_that_of_the_roots_programs() {
        let shell = |loader: &str| Fake::default().file("/bin/sh", elf::tests::program(62, loader));
        // Void with glibc that also has musl, and the other way round.
        let glibc = shell("/lib64/ld-linux-x86-64.so.2\0").file("/lib/ld-musl-x86_64.so.1", "");
        assert_eq!(libc(&glibc), Some("glibc"));
        let musl = shell("/lib/ld-musl-x86_64.so.1\0").file("/lib64/ld-linux-x86-64.so.2", "");
        assert_eq!(libc(&musl), Some("musl"));
        let without_shell = Fake::default().file("/usr/lib/ld-musl-aarch64.so.1", "");
        assert_eq!(libc(&without_shell), Some("musl"));
        assert_eq!(libc(&Fake::default()), None);
    }

    #[test]
    fn an_image_is_for_the_machine_of_its_programs() {
        let host = |kind| {
            Fake::default()
                .nodename("running")
                .kind(kind)
                .file("/bin/sh", elf::tests::program(183, "/lib/ld\0"))
        };
        assert_eq!(architecture(&host(RootKind::Live)), Some("x86_64".into()));
        assert_eq!(architecture(&host(RootKind::LiveThroughContainer)), Some("x86_64".into()));
        assert_eq!(architecture(&host(RootKind::Offline)), Some("aarch64".into()));
        assert_eq!(
            architecture(&Fake::default().nodename("x").kind(RootKind::Offline)),
            Some("x86_64".into())
        );
        assert_eq!(kernel(&host(RootKind::Offline)), None);
        assert_eq!(kernel(&host(RootKind::Live)).unwrap()["release"], "6.12.9_1");
    }
}
