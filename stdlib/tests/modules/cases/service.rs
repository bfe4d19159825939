//! Services by the real systemd and OpenRC. (runit is a namespace of its own, and has cases of its own.)

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Field, Mode};
use refrain_engine::system::native::Native;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{RootKind, System, View};
use serde_json::{Value, json};

use super::host::{call, change, inside as on_root, is_root, refuse, run, sandbox, tool};
use super::placed;
use crate::debian_root::{WORKS, root, within};
use crate::namespaces::inside;

const UNITS: &[(&str, &str)] = &[
    (
        "usr/lib/systemd/system/plain.service",
        "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "usr/lib/systemd/system/both.service",
        "[Install]\nWantedBy=multi-user.target \\\n  graphical.target\nRequiredBy=plain.service\nAlias=other.service\nAlso=both.socket\n",
    ),
    (
        "usr/lib/systemd/system/both.socket",
        "[Socket]\nListenStream=1\n[Install]\nWantedBy=sockets.target\nAlso=both.service\n",
    ),
    (
        "usr/lib/systemd/system/tty@.service",
        "[Install]\nWantedBy=getty.target dev-%i.device\nDefaultInstance=tty1\n",
    ),
    ("usr/lib/systemd/system/bare@.service", "[Install]\nWantedBy=getty.target\n"),
    ("etc/systemd/system/own.service", "[Service]\nExecStart=/bin/true\n"),
    ("etc/systemd/system/own.service.d/install.conf", "[Install]\nWantedBy=basic.target\n"),
    ("usr/lib/systemd/system/own.service", "[Install]\nWantedBy=multi-user.target\n"),
    ("usr/lib/systemd/system/static.service", "[Service]\nExecStart=/bin/true\n"),
    ("usr/lib/systemd/system/every.timer", "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n"),
    ("usr/lib/systemd/system/named.service", "[Install]\nWantedBy=multi-user.target\nAlias=byname.service\n"),
];

/// A root with these files, and links: one name of a unit for another, a masked one.
fn root_with_units() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in UNITS {
        put(root.path(), path, text);
    }
    let units = root.path().join("etc/systemd/system");
    symlink("/dev/null", units.join("masked.service")).unwrap();
    symlink("/usr/lib/systemd/system/named.service", units.join("byname.service")).unwrap();
    root
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The links below a directory, and where they lead.
fn links(directory: &Path) -> BTreeMap<PathBuf, PathBuf> {
    let mut links = BTreeMap::new();
    for entry in fs::read_dir(directory).into_iter().flatten().map(Result::unwrap) {
        match fs::read_link(entry.path()) {
            Ok(target) => drop(links.insert(entry.path(), target)),
            Err(_) if entry.path().is_dir() => links.extend(self::links(&entry.path())),
            Err(_) => {}
        }
    }
    let strip = |path: PathBuf| path.strip_prefix(directory).map(Path::to_owned).unwrap_or(path);
    links.into_iter().map(|(link, target)| (strip(link), target)).collect()
}

fn by_systemd(name: &str) -> Value {
    json!({ "name": name, "manager": "systemd" })
}

#[test]
fn links_are_those_that_systemctl_makes() {
    let Some(systemctl) = tool("systemctl").filter(|_| is_root()) else { return };
    for name in ["plain", "both", "both.socket", "tty@tty9", "tty@", "own", "every.timer", "named"] {
        let (ours, theirs) = (root_with_units(), root_with_units());
        let of = |root: &tempfile::TempDir| links(&root.path().join("etc/systemd/system"));
        let option = format!("--root={}", theirs.path().display());
        for (function, verb) in [("service::enable", "enable"), ("service::disable", "disable")] {
            on_root(ours.path(), |host| change(host, function, &by_systemd(name)));
            let full = if name.contains('.') { name.to_owned() } else { format!("{name}.service") };
            let (status, output) = run(&systemctl, &[&option, verb, &full]);
            assert_eq!(status, 0, "{output}");
            assert_eq!(of(&ours), of(&theirs), "{verb} {name}");
        }
    }
    // Without an instance, a template stands for all of them.
    let root = root_with_units();
    on_root(root.path(), |host| {
        change(host, "service::enable", &by_systemd("tty@tty8"));
        change(host, "service::disable", &by_systemd("tty@"));
    });
    assert!(!root.path().join("etc/systemd/system/getty.target.wants/tty@tty8.service").is_symlink());
}

#[test]
fn what_systemd_can_not_enable_is_refused() {
    if !is_root() {
        return;
    }
    let root = root_with_units();
    on_root(root.path(), |host| {
        let refused = |name: &str| refuse(host, "service::enable", &by_systemd(name));
        assert_eq!(refused("nothing"), "systemd has no service `nothing`");
        let end = "has no [Install] section";
        assert!(refused("static").ends_with(end), "{}", refused("static"));
        assert!(refused("masked").starts_with("`masked.service` is masked"), "{}", refused("masked"));
        assert!(refused("bare@").contains("is a template"), "{}", refused("bare@"));
        let refused = refuse(host, "service::start", &by_systemd("plain"));
        assert_eq!(refused, "`plain` can't be controlled: systemd does not run in this root");
        for name in ["service::restart", "service::reload"] {
            assert_eq!(call(host, name, &by_systemd("plain")).status, Status::Ok, "{name}");
        }
        // What is not there is not enabled.
        for name in ["nothing", "static", "masked", "bare@"] {
            assert_eq!(call(host, "service::disable", &by_systemd(name)).status, Status::Ok, "{name}");
            assert_eq!(answer(host, "service::enabled", &by_systemd(name)), json!(false), "{name}");
        }
        // Another name of a unit is that unit.
        change(host, "service::enable", &by_systemd("byname"));
        assert_eq!(answer(host, "service::enabled", &by_systemd("named")), json!(true));
    });
    let link = root.path().join("etc/systemd/system/multi-user.target.wants/named.service");
    assert!(link.is_symlink());
    fs::remove_file(&link).unwrap();
    fs::write(&link, "").unwrap();
    on_root(root.path(), |host| {
        let refused = refuse(host, "service::enable", &by_systemd("named"));
        assert!(refused.ends_with("is a file, not a link to a unit"), "{refused}");
    });
}

#[test]
fn a_service_may_come_with_a_package() {
    let directory = tempfile::tempdir().unwrap();
    let host = sandbox(&directory, &[("/usr/lib/systemd/system/plain.service", UNITS[0].1)]);
    let overlay = Overlay::new(Rc::clone(&host) as Rc<dyn View>);
    let (enable, calls) = (refrain_stdlib::registry(), Calls::default());
    let enable = enable.get("service::enable").unwrap();
    let predict =
        |name: &str| enable.call(by_systemd(name), &Call::new(Mode::Check(&overlay), &NoMaterials, &calls));
    assert!(predict("nginx").failure.is_some(), "nothing would bring it");
    overlay.set_state(
        "pkg",
        "packages",
        json!({ "asked": ["nginx"], "versions": {}, "removed": [], "refreshed": false, "upgraded": false }),
    );
    let report = predict("nginx");
    assert_eq!(report.status, Status::MayChange, "{:?}", report.failure);
    assert_eq!(report.steps[0].text, "enable the service nginx");
    // What is known is certain nevertheless, and is known afterwards.
    assert_eq!(predict("plain").status, Status::WouldChange);
    assert_eq!(predict("plain").status, Status::Ok);
    assert!(links(&directory.path().join("root/etc/systemd")).is_empty(), "nothing was made");
}

/// What a question is answered with.
fn answer(host: &dyn System, name: &str, arguments: &Value) -> Value {
    let report = call(host, name, arguments);
    assert!(report.failure.is_none(), "{name} {arguments}: {:?}", report.failure);
    match report.fields.into_iter().find(|(field, _)| field == "value") {
        Some((_, Field::Known(value))) => value,
        other => panic!("{name} {arguments}: {other:?}"),
    }
}

/// Services of systemd while it runs: it starts nothing but the test, in a root of its own.
const LIVE_UNITS: &[(&str, &str)] = &[
    ("idle.target", "[Unit]\nDefaultDependencies=no\nWants=test.service\n"),
    (
        "web.service",
        "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\nExecReload=/bin/touch /etc/reloaded\n[Install]\nWantedBy=idle.target\n",
    ),
    (
        "once.service",
        "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/touch /etc/once\n[Install]\nWantedBy=idle.target\n",
    ),
    (
        "broken.service",
        "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/false\n[Install]\nWantedBy=idle.target\n",
    ),
];

/// Tells a test that systemd has started it.
const BOOTED: &str = "REFRAIN_TEST_BOOTED";

/// Runs the test `name` again as a service of a systemd that is the first process of a namespace of its own. Returns whether this
/// is that run.
///
/// Where systemd can't run (it needs a hierarchy of control groups) the test is skipped: no package would help.
fn booted(name: &str) -> bool {
    if std::env::var_os(BOOTED).is_some() {
        return true;
    }
    if tool("systemctl").is_none() || !inside(module_path!(), name, &["--mount"], &WORKS) {
        return false;
    }
    let root = root();
    let at = |path: &str| root.path().join(path);
    fs::create_dir_all(at("sys")).unwrap();
    fs::write(at("opt/test"), "").unwrap();
    let test = std::env::current_exe().unwrap();
    let [source, place] = [&test, &at("opt/test")].map(|path| path.to_str().unwrap().to_owned());
    assert_eq!(run(Path::new("/bin/mount"), &["--bind", &source, &place]).0, 0);
    let (_, module) = module_path!().split_once("::").unwrap();
    let service = format!(
        "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nEnvironment={BOOTED}=1 PATH=/usr/bin:/usr/sbin\n\
         ExecStart=/opt/test --exact {module}::{name} --nocapture\nExecStopPost=/bin/touch /var/log/done\n\
         StandardOutput=file:/var/log/said\nStandardError=file:/var/log/said\n"
    );
    for (name, text) in LIVE_UNITS.iter().copied().chain([("test.service", &*service)]) {
        put(root.path(), &format!("etc/systemd/system/{name}"), text);
    }
    // Without one, it would be its first boot, in which all units are enabled.
    fs::write(at("etc/machine-id"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let script = "mount -t proc proc \"$0/proc\" && exec env -i container=other PATH=/usr/bin:/usr/sbin \
                  chroot \"$0\" /usr/lib/systemd/systemd --system --unit=idle.target --log-target=null --show-status=no";
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--cgroup", "--uts", "--ipc", "sh", "-c", script]);
    command.arg(root.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut systemd = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !at("var/log/done").exists() && systemd.try_wait().unwrap().is_none() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    // All that it has started ends with it.
    let _ = systemd.kill();
    systemd.wait().unwrap();
    match fs::read_to_string(at("var/log/said")) {
        Ok(said) => assert!(said.contains("test result: ok. 1 passed"), "{said}"),
        Err(_) => eprintln!("skipped: systemd does not run here"),
    }
    false
}

#[test]
fn systemd_is_given_orders() {
    if !booted("systemd_is_given_orders") {
        return;
    }
    let host = placed(|| Native::new(RootKind::Live), RootKind::Live);
    let host = &*host;
    assert_eq!(answer(host, "service::manager", &json!({})), json!("systemd"));
    let state = |name: &str| answer(host, "service::status", &json!({ "name": name }));
    assert_eq!(state("web"), json!({ "state": "stopped", "pid": null }));

    // Enabling starts, and says so step by step.
    let report = call(host, "service::enable", &json!({ "name": ["web", "once"] }));
    let steps: Vec<_> = report.steps.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(
        steps,
        [
            "make directory /etc/systemd/system/idle.target.wants (mode 0755)",
            "link /etc/systemd/system/idle.target.wants/web.service -> /etc/systemd/system/web.service",
            "link /etc/systemd/system/idle.target.wants/once.service -> /etc/systemd/system/once.service",
            "have systemd read its units again",
            "start the service web",
        ]
    );
    assert_eq!(report.status, Status::Changed, "{:?}", report.failure);
    assert_eq!(call(host, "service::enable", &json!({ "name": ["web", "once"] })).status, Status::Ok);
    assert!(!Path::new("/etc/once").exists(), "what ends is not started");
    assert_eq!(state("web")["state"], "running");

    // Orders.
    let first = state("web")["pid"].clone();
    assert!(first.is_number());
    assert_eq!(call(host, "service::reload", &json!({ "name": "web" })).status, Status::Changed);
    assert!(Path::new("/etc/reloaded").exists());
    assert_eq!(state("web")["pid"], first);
    // What defines it has changed: that is read before it is started again.
    fs::write("/etc/systemd/system/web.service", LIVE_UNITS[1].1.replace("1000", "2000")).unwrap();
    assert_eq!(call(host, "service::restart", &json!({ "name": "web" })).status, Status::Changed);
    let second = state("web")["pid"].clone();
    assert_ne!(second, first);
    let command = fs::read_to_string(format!("/proc/{second}/cmdline")).unwrap();
    assert_eq!(command, "/bin/sleep\x002000\x00");
    change(host, "service::stop", &json!({ "name": "web" }));
    assert_eq!(state("web")["state"], "stopped");
    change(host, "service::start", &json!({ "name": "web" }));
    assert_eq!(call(host, "service::restart", &json!({ "name": "once" })).status, Status::Changed);
    assert!(Path::new("/etc/once").exists());

    // What fails says why.
    let refused = refuse(host, "service::start", &json!({ "name": "once" }));
    assert!(refused.contains("does something and ends"), "{refused}");
    let refused = refuse(host, "service::enable", &json!({ "name": "broken" }));
    assert!(refused.contains("`systemctl start -- broken.service` exited with status 1"), "{refused}");
    assert_eq!(state("broken")["state"], "failed");
    assert_eq!(refuse(host, "service::start", &json!({ "name": "wib" })), "systemd has no service `wib`");
    let refused = refuse(host, "service::reload", &json!({ "name": "broken" }));
    assert!(refused.contains("systemctl reload"), "{refused}");

    change(host, "service::disable", &json!({ "name": "web" }));
    assert_eq!(state("web")["state"], "stopped");
    assert_eq!(answer(host, "service::enabled", &json!({ "name": "web" })), json!(false));
}

/// A service of OpenRC that stays in the background.
const SCRIPT: &str = "#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=1000\ncommand_background=yes\n\
                      pidfile=/run/$RC_SVCNAME.pid\nextra_started_commands=reload\nreload() { touch /etc/reloaded; }\n";

fn root_with_openrc() -> tempfile::TempDir {
    let root = root();
    for runlevel in ["sysinit", "boot", "default", "shutdown"] {
        fs::create_dir_all(root.path().join("etc/runlevels").join(runlevel)).unwrap();
    }
    for (name, text) in [("web", SCRIPT), ("broken", "#!/sbin/openrc-run\nstart() { return 1; }\n")] {
        put(root.path(), &format!("etc/init.d/{name}"), text);
        let path = root.path().join("etc/init.d").join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    put(root.path(), "etc/os-release", "ID=alpine\n");
    root
}

fn rc(root: &Path, words: &[&str]) -> String {
    let output = Command::new("chroot").arg(root).args(words).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn openrc_has_services_in_runlevels() {
    let name = "openrc_has_services_in_runlevels";
    if tool("rc-update").is_none() || !inside(module_path!(), name, &["--mount"], &WORKS) {
        return;
    }
    let (ours, theirs) = (root_with_openrc(), root_with_openrc());
    let runlevels = |root: &tempfile::TempDir| links(&root.path().join("etc/runlevels"));
    let ours_does =
        |function: &str, arguments: Value| on_root(ours.path(), |host| change(host, function, &arguments));
    let same = |words: &[&str]| {
        rc(theirs.path(), words);
        assert_eq!(runlevels(&ours), runlevels(&theirs), "{words:?}");
    };
    ours_does("service::enable", json!({ "name": "web" }));
    same(&["rc-update", "add", "web", "default"]);
    let shown = rc(ours.path(), &["rc-update", "show", "default"]);
    assert!(shown.contains("web | default"), "{shown}");
    ours_does("service::enable", json!({ "name": "web", "runlevel": "boot" }));
    same(&["rc-update", "add", "web", "boot"]);
    ours_does("service::disable", json!({ "name": "web", "runlevel": "default" }));
    same(&["rc-update", "del", "web", "default"]);
    on_root(ours.path(), |host| {
        assert_eq!(answer(host, "service::manager", &json!({})), json!("openrc"));
        // It is started at boot already.
        assert_eq!(call(host, "service::enable", &json!({ "name": "web" })).status, Status::Ok);
        assert_eq!(answer(host, "service::enabled", &json!({ "name": "web" })), json!(true));
        assert_eq!(refuse(host, "service::enable", &json!({ "name": "wib" })), "openrc has no service `wib`");
        let refused = refuse(host, "service::enable", &json!({ "name": "web", "runlevel": "none" }));
        assert!(refused.starts_with("there is no runlevel `none`"), "{refused}");
    });
    ours_does("service::disable", json!({ "name": "web" }));
    same(&["rc-update", "--all", "del", "web"]);
    assert!(runlevels(&ours).is_empty());
}

#[test]
fn openrc_is_given_orders() {
    let name = "openrc_is_given_orders";
    // What it starts ends with the namespace.
    let namespaces = ["--mount", "--pid", "--fork", "--kill-child"];
    if tool("rc-service").is_none() || !inside(module_path!(), name, &namespaces, &WORKS) {
        return;
    }
    let root = root_with_openrc();
    let proc = root.path().join("proc");
    assert_eq!(run(Path::new("/bin/mount"), &["-t", "proc", "proc", proc.to_str().unwrap()]).0, 0);
    for name in [
        "started",
        "starting",
        "stopping",
        "stopped",
        "inactive",
        "failed",
        "daemons",
        "options",
        "exclusive",
        "scheduled",
        "tmp",
    ] {
        fs::create_dir_all(root.path().join("run/openrc").join(name)).unwrap();
    }
    put(root.path(), "run/openrc/softlevel", "default");
    let place = || placed(|| Native::new(RootKind::Live), RootKind::Live);
    within(root.path(), place, |host| {
        let host = &*host;
        let state = |name: &str| answer(host, "service::status", &json!({ "name": name }))["state"].clone();
        assert_eq!(state("web"), "stopped");
        change(host, "service::enable", &json!({ "name": "web" }));
        assert_eq!(state("web"), "running");
        let pid = || fs::read_to_string("/run/web.pid").unwrap();
        let first = pid();
        assert_eq!(call(host, "service::reload", &json!({ "name": "web" })).status, Status::Changed);
        assert!(Path::new("/etc/reloaded").exists());
        assert_eq!(call(host, "service::restart", &json!({ "name": "web" })).status, Status::Changed);
        assert_ne!(pid(), first);
        change(host, "service::stop", &json!({ "name": "web" }));
        assert_eq!(state("web"), "stopped");
        let refused = refuse(host, "service::enable", &json!({ "name": "broken" }));
        assert!(refused.contains("`rc-service broken start` exited with status 1"), "{refused}");
        change(host, "service::start", &json!({ "name": "web" }));
        change(host, "service::disable", &json!({ "name": "web" }));
        assert_eq!(state("web"), "stopped");
    });
}
