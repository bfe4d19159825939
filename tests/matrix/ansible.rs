//! The Ansible roles that the playbooks take the place of, applied to a root of their own: what they leave there is the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::python::have_collection;
use crate::support::void_root::VoidRoot;
use crate::support::{have, is_root};

/// What only one of the two leaves behind: Ansible's interpreter and its scratch, refrain's journal, what services note.
const OWN: [&str; 9] =
    ["usr/bin/python3", "usr/lib", "lib", "lib64", "root/.ansible", "var/lib/refrain", "dev", "tmp", "run"];

#[test]
fn the_roots_are_the_same() {
    if !is_root() || !have("busybox") || !have("ansible-playbook") || !have_collection("community.general") {
        return;
    }
    let ours = VoidRoot::new();
    for playbook in ["base", "nomad"] {
        ours.refrain(&format!("playbooks/{playbook}.rhai"), &["--limit", "node12", "-e", ADDRESS]);
    }
    let theirs = VoidRoot::new();
    give_python(&theirs);
    for playbook in ["base", "nomad"] {
        ansible(&theirs, playbook);
    }
    let counts = |path: &str| !OWN.iter().any(|own| Path::new(path).starts_with(own));
    let (ours, theirs) = (ours.tree(counts), theirs.tree(counts));
    let mut paths: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
    paths.sort();
    paths.dedup();
    let different: Vec<String> = paths
        .into_iter()
        .filter(|path| ours.get(*path) != theirs.get(*path))
        .map(|path| format!("{path}\n  ours:   {:?}\n  theirs: {:?}", ours.get(path), theirs.get(path)))
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(ours.contains_key("etc/nomad.d/20-client.hcl"), "they have done something");
}

/// The machine's own address depends on the machine.
const ADDRESS: &str = "nomad_advertise_address=192.0.2.12";

/// Runs a playbook of Ansible's in a root.
fn ansible(root: &VoidRoot, playbook: &str) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ansible");
    let home = tempfile::tempdir().expect("a directory");
    let mut command = Command::new("ansible-playbook");
    command.current_dir(&directory).env("HOME", home.path()).env("ANSIBLE_NOCOLOR", "1");
    command.env_remove("LANG").env("LC_ALL", "C.UTF-8");
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.args([&format!("{playbook}.yml"), "--connection", "community.general.chroot"]);
    command.args(["--limit", "node12", "-e", ADDRESS, "-e"]);
    command.arg(format!("ansible_host={}", root.path("").display()));
    let output = command.output().expect("ansible starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// Puts this machine's Python into a root, with the libraries that it needs.
fn give_python(root: &VoidRoot) {
    let python = fs::canonicalize("/usr/bin/python3").expect("python");
    let version = python.file_name().expect("a name").to_string_lossy().into_owned();
    let (python, top) = (python.display(), top(root));
    let libraries = format!(
        "ldd {python} /usr/lib/{version}/lib-dynload/*.so | grep -o '/[^ ]*\\.so[^ ]*' | grep -v : | sort -u"
    );
    shell(&format!(
        "tar -C / -ch usr/lib/{version} usr/lib/locale/C.utf8 $({libraries} | cut -c2-) | tar -C {top} -x"
    ));
    shell(&format!("cp {python} {top}/usr/bin/python3 && mkdir {top}/dev"));
    shell(&format!("mknod -m 666 {top}/dev/null c 1 3 && mknod -m 666 {top}/dev/urandom c 1 9"));
}

fn top(root: &VoidRoot) -> String {
    root.path("").display().to_string()
}

fn shell(script: &str) {
    let output = Command::new("sh").args(["-c", script]).output().expect("a shell");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}
