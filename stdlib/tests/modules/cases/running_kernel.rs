//! What modules do to a kernel that runs: in namespaces of their own, on a root directory with a busybox.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Mode, Report};
use refrain_engine::syscall::enter_root;
use refrain_engine::system::native::Native;
use refrain_engine::system::{RootKind, System};
use serde_json::{Value, json};

use super::placed;
use crate::namespaces::inside;

const BUSYBOX: &str = "/bin/busybox";

/// The namespaces of the machine that is played, and a shell as its first process, named `outer`. Below it, what it is given runs
/// as in a container with a network and a name of its own, which at first is that of the machine.
const MACHINE: [&str; 8] = [
    "--mount",
    "--uts",
    "--net",
    "--pid",
    "--fork",
    "sh",
    "-c",
    "echo outer > /proc/sys/kernel/hostname; unshare --uts --net \"$0\" \"$@\"; exit $?",
];

/// The host that has the root of this thread.
fn opened(kind: RootKind) -> Rc<dyn System> {
    placed(move || Native::new(kind), kind)
}

fn call(host: &dyn System, name: &str, arguments: Value) -> Report {
    let registry = refrain_stdlib::registry();
    let calls = Calls::default();
    let report =
        registry.get(name).unwrap().call(arguments, &Call::new(Mode::Change(host), &NoMaterials, &calls));
    assert!(report.failure.is_none(), "{name}: {:?}", report.failure);
    report
}

/// Calls a function twice: it changes something, and then nothing.
fn changes(host: &dyn System, name: &str, arguments: &Value) {
    let report = call(host, name, arguments.clone());
    assert_eq!(report.status, Status::Changed, "{name} {arguments}");
    let report = call(host, name, arguments.clone());
    assert_eq!(report.status, Status::Ok, "{name} {arguments} again: {:?}", report.steps);
}

fn text(host: &dyn System, path: &str) -> String {
    let content = host.read(Path::new(path)).unwrap().unwrap();
    String::from_utf8(content.known().unwrap().to_vec()).unwrap()
}

/// A root with the programs that mount, and a `/proc`.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for directory in ["bin", "etc", "proc", "tmp"] {
        fs::create_dir(root.path().join(directory)).unwrap();
    }
    fs::copy(BUSYBOX, root.path().join("bin/busybox")).unwrap();
    for name in ["mount", "umount", "sh"] {
        symlink("busybox", root.path().join("bin").join(name)).unwrap();
    }
    let proc = root.path().join("proc");
    let status = Command::new("mount").args(["-t", "proc", "proc"]).arg(&proc).status().unwrap();
    assert!(status.success());
    root
}

#[test]
fn values_and_mounts_are_those_of_the_running_kernel() {
    let name = "values_and_mounts_are_those_of_the_running_kernel";
    if !inside(module_path!(), name, &MACHINE, &[BUSYBOX, "true"]) {
        return;
    }
    let root = root();
    std::thread::scope(|scope| {
        let tested = scope.spawn(|| {
            enter_root(root.path()).unwrap();
            let host = opened(RootKind::Live);
            the_name(&*host);
            the_values(&*host);
            the_mounts(&*host);
            the_machine(&*host);
        });
        tested.join().unwrap();
    });
    let status = Command::new("umount").arg(root.path().join("proc")).status().unwrap();
    assert!(status.success());
}

fn the_name(host: &dyn System) {
    changes(host, "hostname::set", &json!({"name": "refrain-test"}));
    assert_eq!(text(host, "/proc/sys/kernel/hostname"), "refrain-test\n");
    assert_eq!(text(host, "/etc/hostname"), "refrain-test\n");
    let image = opened(RootKind::Offline);
    changes(&*image, "hostname::set", &json!({"name": "image"}));
    assert_eq!(text(host, "/proc/sys/kernel/hostname"), "refrain-test\n");
}

/// From inside a container, what counts is the machine's.
fn the_machine(host: &dyn System) {
    let machine = opened(RootKind::LiveThroughContainer);
    let machine = &*machine;
    let (name, forward) = ("/proc/sys/kernel/hostname", "/proc/sys/net/ipv4/ip_forward");
    assert_eq!((text(machine, name), text(host, name)), ("outer\n".to_owned(), "refrain-test\n".to_owned()));
    changes(machine, "hostname::set", &json!({"name": "machine"}));
    assert_eq!(
        (text(machine, name), text(host, name)),
        ("machine\n".to_owned(), "refrain-test\n".to_owned())
    );
    let (before, other) = (text(host, forward), if text(machine, forward) == "1\n" { 0 } else { 1 });
    call(machine, "sysctl::set", json!({"key": "net.ipv4.ip_forward", "value": other}));
    assert_eq!((text(machine, forward), text(host, forward)), (format!("{other}\n"), before));
}

fn the_values(host: &dyn System) {
    let forward = "/proc/sys/net/ipv4/ip_forward";
    let other = if text(host, forward) == "1\n" { 0 } else { 1 };
    changes(host, "sysctl::set", &json!({"key": "net.ipv4.ip_forward", "value": other}));
    assert_eq!(text(host, forward), format!("{other}\n"));
    changes(
        host,
        "sysctl::set",
        &json!({"key": "net.ipv4.ip_local_port_range", "value": "2000 3000", "topic": "ports"}),
    );
    assert_eq!(text(host, "/etc/sysctl.d/90-ports.conf"), "net.ipv4.ip_local_port_range = 2000 3000\n");

    let registry = refrain_stdlib::registry();
    let unknown = json!({"key": "net.ipv4.ip_forwrad", "value": 1});
    let calls = Calls::default();
    let call = Call::new(Mode::Change(host), &NoMaterials, &calls);
    let failure = registry.get("sysctl::set").unwrap().call(unknown, &call).failure.unwrap();
    assert_eq!(failure.to_string(), "the running kernel has no value `net.ipv4.ip_forwrad`");
    assert_eq!(failure.hint().as_deref(), Some("did you mean `net.ipv4.ip_forward`?"));
}

fn the_mounts(host: &dyn System) {
    let mounted = |options: &str| json!({"path": "/srv/my data", "source": "tmpfs", "fstype": "tmpfs", "options": options});
    let shown = |options: &str| {
        let table = text(host, "/proc/thread-self/mountinfo");
        table.lines().any(|line| line.contains("/srv/my\\040data") && line.contains(options))
    };
    changes(host, "mount::mounted", &mounted("size=1m,nosuid"));
    assert!(
        shown("nosuid")
            && text(host, "/etc/fstab") == "tmpfs\t/srv/my\\040data\ttmpfs\tsize=1m,nosuid\t0\t0\n"
    );
    changes(host, "mount::mounted", &mounted("size=2m,noexec"));
    assert!(shown("noexec") && shown("size=2048k") && !shown("nosuid"));
    changes(host, "mount::unmounted", &json!({"path": "/srv/my data"}));
    assert!(!shown(""));
    changes(host, "mount::mounted", &mounted("size=2m,noexec"));
    changes(host, "mount::absent", &json!({"path": "/srv/my data"}));
    assert!(!shown("") && text(host, "/etc/fstab").is_empty());
}
