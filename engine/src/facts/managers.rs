//! What installs the host's packages, and what runs its services.

use serde_json::Value;

use super::source::FactSource;
use super::text::first_process_word;

/// Package managers by the file that shows them, with the family that they are native to.
const PACKAGE_MANAGERS: &[(&str, &str, &str)] = &[
    ("xbps", "/usr/bin/xbps-install", "void"),
    ("apt", "/usr/bin/apt-get", "debian"),
    ("apk", "/sbin/apk", "alpine"),
    ("apk", "/usr/bin/apk", "alpine"),
    ("pacman", "/usr/bin/pacman", "arch"),
    ("dnf", "/usr/bin/dnf", "redhat"),
    ("dnf", "/usr/bin/microdnf", "redhat"),
    ("yum", "/usr/bin/yum", "redhat"),
    ("zypper", "/usr/bin/zypper", "suse"),
    ("portage", "/usr/bin/emerge", "gentoo"),
    ("opkg", "/bin/opkg", "openwrt"),
];

/// Gathers `facts.package_manager`. The family's own comes first: Debian packages pacman and dnf, too.
pub(super) fn package_manager(source: &dyn FactSource, family: Option<&str>) -> Option<Value> {
    let there = |path: &str| source.exists(path);
    let native = PACKAGE_MANAGERS.iter().find(|(_, path, of)| family == Some(*of) && there(path));
    let (name, path, _) =
        native.or_else(|| PACKAGE_MANAGERS.iter().find(|(_, path, _)| there(path))).copied()?;
    // Both generations may be installed; the plain name leads to the one that the distribution means.
    let newer = name == "dnf" && source.link(path).is_some_and(|target| last_component(&target) == "dnf5");
    Some(if newer { "dnf5" } else { name }.into())
}

/// Gathers `facts.service_manager`: on a live root what the first process is called, if that says something, else
/// what the root's files show. `none` when nothing does, as in most containers.
pub(super) fn service_manager(source: &dyn FactSource) -> Value {
    let running = first_process_word(source, "comm").and_then(|name| by_process(&name));
    running.or_else(|| by_init(source)).or_else(|| by_files(source)).unwrap_or("none").into()
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

/// What the kernel would start.
fn by_init(source: &dyn FactSource) -> Option<&'static str> {
    let paths = ["/sbin/init", "/usr/sbin/init", "/usr/bin/init"];
    let manager = paths.iter().find_map(|path| by_process(last_component(&source.link(path)?)))?;
    may_manage(source, manager).then_some(manager)
}

fn by_files(source: &dyn FactSource) -> Option<&'static str> {
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
    let found = signs.iter().find(|(manager, path)| source.exists(path) && may_manage(source, manager));
    found.map(|(manager, _)| *manager)
}

/// On a running system, a systemd that is only installed manages nothing.
fn may_manage(source: &dyn FactSource, manager: &str) -> bool {
    manager != "systemd" || !source.owns_first_process() || source.exists("/run/systemd/system")
}

fn last_component(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::super::fake::Fake;
    use super::*;
    use crate::system::RootKind;

    #[test]
    fn the_familys_own_package_manager_wins() {
        let host = Fake::default().file("/usr/bin/apt-get", "").file("/usr/bin/pacman", "");
        let manager = |host: &Fake, family| package_manager(host, Some(family));
        assert_eq!(manager(&host, "debian"), Some("apt".into()));
        assert_eq!(manager(&host, "arch"), Some("pacman".into()));
        assert_eq!(manager(&Fake::default(), "debian"), None);
        let fedora = Fake::default().link("/usr/bin/dnf", "dnf5").file("/usr/bin/dnf5", "");
        assert_eq!(manager(&fedora, "redhat"), Some("dnf5".into()));
        let rocky = Fake::default().link("/usr/bin/dnf", "dnf-3").file("/usr/bin/dnf-3", "");
        assert_eq!(manager(&rocky, "redhat"), Some("dnf".into()));
        let strange = Fake::default().file("/usr/bin/xbps-install", "");
        assert_eq!(manager(&strange, "homegrown"), Some("xbps".into()));
    }

    #[test]
    fn the_first_process_says_what_runs_services() {
        let void = Fake::default().file("/proc/1/comm", "runit\n").file("/etc/init.d/x", "");
        assert_eq!(service_manager(&void), "runit");
        let alpine = Fake::default().file("/proc/1/comm", "init\n").file("/sbin/openrc", "");
        assert_eq!(service_manager(&alpine), "openrc");
        let container =
            || Fake::default().file("/proc/1/comm", "bash\n").file("/usr/lib/systemd/systemd", "");
        assert_eq!(service_manager(&container()), "none");
        let linked = container().link("/sbin/init", "../lib/systemd/systemd");
        assert_eq!(service_manager(&linked), "none");
        assert_eq!(service_manager(&linked.file("/run/systemd/system/x", "")), "systemd");
    }

    #[test]
    fn an_image_says_it_by_its_files() {
        let image = |host: Fake| host.kind(RootKind::Offline).file("/proc/1/comm", "systemd\n");
        assert_eq!(service_manager(&image(Fake::default().link("/sbin/init", "runit-init"))), "runit");
        assert_eq!(service_manager(&image(Fake::default().file("/usr/lib/systemd/systemd", ""))), "systemd");
        assert_eq!(service_manager(&image(Fake::default())), "none");
    }

    #[test]
    fn a_containers_first_process_is_not_the_hosts() {
        let host = Fake::default()
            .kind(RootKind::LiveThroughContainer)
            .file("/proc/1/comm", "s6-svscan\n")
            .file("/etc/runit/2", "");
        assert_eq!(service_manager(&host), "s6");
        assert_eq!(service_manager(&host.without_first_process()), "runit");
    }
}
