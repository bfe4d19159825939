//! The mirror that is built in.

use std::path::Path;

use refrain_engine::system::{System, View};

use crate::host::Host;

const MIRROR: &str = "https://repo-default.voidlinux.org/current";

#[test]
fn a_fresh_host_installs_from_the_mirror() {
    let host = Host::new(&[MIRROR]);
    assert_eq!(host.call("xbps-query -l").stdout, "");
    // Without the key that comes with the system, it is asked for.
    host.sandbox.remove(Path::new("/var/db/xbps/keys")).unwrap();
    let refused = host.call("xbps-install -Sy chrony");
    assert_eq!(refused.status, 1);
    assert!(refused.stderr.contains("Do you want to import this public key? [Y/n] "), "{refused:?}");
    assert_eq!(host.answer("y\n", "xbps-install -S").status, 0);
    let said = host.good("xbps-install -y chrony");
    assert!(said.contains("Created chrony system user.\n"), "{said}");
    assert!(
        said.ends_with("2 downloaded, 2 installed, 0 updated, 2 configured, 0 removed, 0 on hold.\n"),
        "{said}"
    );
    assert!(host.read("/etc/passwd").unwrap().contains("\nchrony:x:999:999:"));
    let supervise = host.sandbox.read_link(Path::new("/etc/sv/chronyd/supervise")).unwrap();
    assert_eq!(supervise.as_deref(), Some(Path::new("/run/runit/supervise.chronyd")));
    let state = host.sandbox.stat(Path::new("/var/lib/chrony")).unwrap().unwrap();
    assert_eq!((state.attributes.mode, state.attributes.uid), (0o755, 999));
    assert_eq!(host.good("xbps-query -m"), "chrony-4.6.1_1\n");
    assert_eq!(host.call("xbps-pkgdb -a").stderr, "");
}

#[test]
fn every_package_of_the_mirror_can_be_installed_and_removed() {
    let host = Host::new(&[MIRROR]);
    host.answer("y\n", "xbps-install -S");
    let all = host.good("xbps-query -Rs _");
    let names: Vec<&str> = all.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert!(names.len() > 50, "{all}");
    for name in &names {
        host.good(&format!("xbps-install -y {name}"));
    }
    assert_eq!(host.call("xbps-pkgdb -a").stderr, "");
    host.good(&format!("xbps-remove -y {}", names.join(" ")));
    assert_eq!(host.good("xbps-query -l"), "");
}
