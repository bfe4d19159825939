//! All facts of a host together, and the page that describes them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{FACTS, Facts, Family, HostFacts, Native, Tree, ansible, names};
use crate::system::RootKind;

/// What people read about facts.
const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/facts.md"));

/// A tree like a small Void Linux.
fn furnish(root: &Path) {
    let files = [
        ("etc/os-release", "NAME=\"Void\"\nID=\"void\"\nPRETTY_NAME=\"Void Linux\"\n"),
        ("etc/hostname", "node1\n"),
        ("etc/hosts", "127.0.0.1 localhost\n127.0.1.1 node1.example.net node1\n"),
        ("etc/passwd", "root:x:0:0:Charlie &:/root:/bin/sh\n"),
        ("etc/resolv.conf", "nameserver 192.0.2.53\nsearch example.net\noptions timeout:1\n"),
        ("etc/machine-id", "3d1219c7c4c5404aaa1f6d2a48adfda4\n"),
        ("etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAAC3Nz root@node1\n"),
        ("etc/runit/2", "#!/bin/sh\n"),
        ("usr/bin/xbps-install", ""),
        ("usr/lib/ld-musl-x86_64.so.1", ""),
    ];
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    std::os::unix::fs::symlink("/usr/lib", root.join("lib")).unwrap();
}

fn tree(root: &Path, kind: RootKind) -> Facts {
    let environment = vec![("LANG".to_owned(), "C.UTF-8".to_owned())];
    let time = UNIX_EPOCH + Duration::from_millis(1_735_689_599_250);
    Facts::new(Tree::new(root).with_kind(kind).with_environment(environment).with_time(time))
}

#[test]
fn a_tree_is_a_whole_host_that_is_always_the_same() {
    let directory = tempfile::tempdir().unwrap();
    furnish(directory.path());
    let facts = tree(directory.path(), RootKind::Live);
    let text = |value: Value| serde_json::to_string_pretty(&value).unwrap();
    insta::assert_snapshot!("tree", text(facts.all().into()));
    insta::assert_snapshot!("tree_ansible", text(facts.ansible("ansible_facts").unwrap()));
}

#[test]
fn an_image_has_only_what_is_in_it_and_the_hardware() {
    let directory = tempfile::tempdir().unwrap();
    furnish(directory.path());
    let facts = tree(directory.path(), RootKind::Offline);
    let absent: Vec<&str> = names().filter(|name| facts.peek(name).is_none()).collect();
    let unknown = ["kernel", "firmware", "load", "devices", "mounts", "virtualization", "uptime", "boot_id"];
    assert_eq!(absent, unknown);
    assert_eq!(
        facts.get("network"),
        Some(json!({ "dns": {
        "nameservers": ["192.0.2.53"], "search": ["example.net"], "options": ["timeout:1"],
    } }))
    );
    assert_eq!(facts.get("service_manager"), Some("runit".into()));
    assert_eq!(facts.ansible("ansible_is_chroot"), Some(true.into()));
    assert_eq!(facts.ansible("ansible_hostname"), Some("node1".into()));
    for name in ["kernel", "default_ipv4", "interfaces", "virtualization_type", "eth0"] {
        assert_eq!(facts.ansible(&format!("ansible_{name}")), None, "{name}");
    }
}

#[test]
fn an_empty_root_has_facts_without_errors() {
    let directory = tempfile::tempdir().unwrap();
    let facts = tree(directory.path(), RootKind::Offline);
    assert_eq!(facts.get("hostname"), None);
    assert_eq!(facts.get("os"), None);
    assert_eq!(facts.get("service_manager"), Some("none".into()));
    assert_eq!(facts.ansible("ansible_distribution"), Some("OtherLinux".into()));
    assert_eq!(facts.ansible("ansible_domain"), None);
    assert_eq!(facts.ansible("hostname"), None, "the prefix belongs to the name");
    assert_eq!(facts.ansible("ansible_no_such_thing"), None);
}

#[test]
fn a_tree_keeps_to_itself() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::write(directory.path().join("outside"), "outside\n").unwrap();
    std::os::unix::fs::symlink("../../outside", root.join("etc/hostname")).unwrap();
    std::os::unix::fs::symlink("machine-id", root.join("etc/machine-id")).unwrap();
    let facts = tree(&root, RootKind::Live);
    assert_eq!(facts.get("hostname"), Some("sandbox".into()));
    assert_eq!(facts.get("machine_id"), None, "a link that leads to itself");
}

#[test]
fn facts_are_gathered_when_they_are_asked_for_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    furnish(directory.path());
    let facts = tree(directory.path(), RootKind::Live);
    assert_eq!(format!("{facts:?}"), "Facts { gathered: [] }");
    assert_eq!(facts.get("hostname"), Some("node1".into()));
    fs::write(directory.path().join("etc/hostname"), "renamed\n").unwrap();
    assert_eq!(facts.get("hostname"), Some("node1".into()));
    assert_eq!(format!("{facts:?}"), "Facts { gathered: [\"hostname\"] }");
}

#[test]
fn this_machine_has_facts() {
    let facts = Facts::new(Native::new(RootKind::Live));
    let number =
        |fact: &str, key: &str| facts.peek(fact).and_then(|fact| fact.get(key)).and_then(Value::as_u64);
    assert_eq!(facts.text("kernel", "name"), Some("Linux"));
    assert!(number("memory", "total") > Some(0));
    assert!(number("cpu", "count") > Some(0));
    assert_eq!(number("user", "uid"), Some(rustix::process::getuid().as_raw().into()));
    let lo = &facts.get("network").unwrap()["interfaces"]["lo"];
    assert_eq!(lo["type"], "loopback");
    let mounts = facts.get("mounts").unwrap();
    assert!(mounts.as_array().unwrap().iter().any(|mount| mount["mount"] == "/"));
    for name in facts.ansible_names() {
        // Not everything is known everywhere, but nothing panics.
        let fact = facts.ansible(&name);
        let name = name.strip_prefix(ansible::PREFIX).unwrap();
        let family = Family::of(name);
        if family != Family::All {
            assert_eq!(facts.family(family).contains_key(name), fact.is_some(), "{name}");
        }
    }
    assert_eq!(facts.ansible("ansible_lo").unwrap()["device"], "lo");
}

/// The keys of maps, apart from those that are names of the host's own things.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                found.insert(key.clone());
                let named =
                    ["interfaces", "env", "ssh_host_keys", "partitions", "devices"].contains(&key.as_str());
                match inner {
                    Value::Object(things) if named => things.values().for_each(|thing| keys(thing, found)),
                    inner => keys(inner, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| keys(inner, found)),
        _ => {}
    }
}

fn missing<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    names.into_iter().filter(|name| !PAGE.contains(&format!("`{name}`"))).collect()
}

#[test]
fn the_page_has_every_fact_and_what_is_inside() {
    assert_eq!(missing(FACTS.iter().map(|(name, _)| *name)), [""; 0]);
    let directory = tempfile::tempdir().unwrap();
    furnish(directory.path());
    let mut found = BTreeSet::new();
    for facts in [tree(directory.path(), RootKind::Live), Facts::new(Native::new(RootKind::Live))] {
        keys(&facts.all().into(), &mut found);
    }
    assert_eq!(missing(found.iter().map(String::as_str)), [""; 0]);
}

#[test]
fn the_page_has_every_name_of_ansible() {
    let names: Vec<String> = ansible::fixed_names().map(|name| format!("ansible_{name}")).collect();
    assert_eq!(missing(names.iter().map(String::as_str)), [""; 0]);
}
