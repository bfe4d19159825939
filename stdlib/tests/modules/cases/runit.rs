//! Services under a real runsvdir.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Field, Mode, Report};
use refrain_engine::system::RootKind;
use refrain_engine::system::native::Native;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::placed;

/// So often is a service enabled and started at once. Each has a supervisor of its own, and all are at it at the same time.
const REPETITIONS: u64 = 100;
/// How often runsvdir looks for new services.
const SCAN: Duration = Duration::from_secs(5);

/// Nothing takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a runsvdir may take to end its services.
const PATIENCE_AT_THE_END: Duration = Duration::from_secs(20);

/// Whether runit is there; if not, the test is to be skipped.
fn have_runit() -> bool {
    let there = Path::new("/usr/bin/runsvdir").exists() && Path::new("/usr/bin/sv").exists();
    if !there {
        assert!(std::env::var_os("CI").is_none(), "needs runit");
        eprintln!("skipped: runit is missing");
    }
    there
}

/// Waits until something holds.
#[track_caller]
fn until(condition: impl Fn() -> bool, what: &str) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Services in a directory of their own, with a runsvdir that scans it.
struct Supervised {
    directory: TempDir,
    runsvdir: Child,
}

impl Supervised {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("sv")).unwrap();
        fs::create_dir(directory.path().join("enabled")).unwrap();
        let mut runsvdir = Command::new("runsvdir");
        runsvdir.arg(directory.path().join("enabled")).stdin(Stdio::null()).stderr(Stdio::null());
        let runsvdir = runsvdir.spawn().unwrap();
        Self { directory, runsvdir }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Defines a service.
    fn define(&self, name: &str, run: &str) {
        self.script(&format!("{name}/run"), run);
    }

    fn script(&self, path: &str, text: &str) {
        let path = self.path("sv").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Calls a function of the module.
    fn call(&self, function: &str, mut arguments: Value) -> Report {
        arguments["directory"] = json!(self.path("enabled"));
        arguments["definitions"] = json!(self.path("sv"));
        let calls = Calls::default();
        let host = placed(|| Native::new(RootKind::Live), RootKind::Live);
        let call = Call::new(Mode::Change(&*host), &NoMaterials, &calls);
        refrain_stdlib::registry().get(function).unwrap().call(arguments, &call)
    }

    /// Waits until a service has written this into a file.
    #[track_caller]
    fn until_it_says(&self, path: &str, expected: &str) {
        let said = || fs::read_to_string(self.path("sv").join(path)).unwrap_or_default();
        until(|| said() == expected, &format!("`{path}` is {expected:?}"));
    }

    /// Calls a function, without a failure. Returns whether it changed something.
    #[track_caller]
    fn done(&self, function: &str, arguments: Value) -> bool {
        let report = self.call(function, arguments);
        assert_eq!(report.failure, None, "{function}");
        report.status == Status::Changed
    }

    /// What `runit::status` answers.
    fn status(&self, name: &str) -> Value {
        let report = self.call("runit::status", json!({ "name": name }));
        assert_eq!(report.failure, None);
        match report.fields.into_iter().next() {
            Some((_, Field::Known(value))) => value,
            other => panic!("no answer: {other:?}"),
        }
    }

    fn pid(&self, name: &str) -> u64 {
        self.status(name)["pid"].as_u64().unwrap_or_else(|| panic!("`{name}` does not run"))
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        // On HUP it ends its services, and their supervisors.
        let pid = rustix::process::Pid::from_child(&self.runsvdir);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
        // It does not end where HUP is ignored, as under nohup.
        let start = Instant::now();
        while self.runsvdir.try_wait().unwrap().is_none() {
            if start.elapsed() > PATIENCE_AT_THE_END {
                self.runsvdir.kill().unwrap();
                self.runsvdir.wait().unwrap();
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn runs(pid: u64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

#[test]
fn a_service_that_was_just_enabled_can_be_started_at_once() {
    if !have_runit() {
        return;
    }
    let moment = |index: u64| SCAN.mul_f64(index as f64 / REPETITIONS as f64);
    let once = |index: u64| {
        let host = Supervised::new();
        // With and without a file `down`: the order to start comes before the service is up, or after.
        host.define("web", "exec sleep 1000");
        if index.is_multiple_of(2) {
            fs::write(host.path("sv/web/down"), "").unwrap();
        }
        thread::sleep(moment(index));
        assert!(host.done("runit::enable", json!({ "name": "web", "timeout": 30 })));
        assert_eq!(
            host.done("runit::start", json!({ "name": "web", "timeout": 30 })),
            index.is_multiple_of(2)
        );
        assert!(runs(host.pid("web")));
        assert!(!host.done("runit::enable", json!({ "name": "web" })));
        assert!(!host.done("runit::start", json!({ "name": "web" })));
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..REPETITIONS).map(|index| scope.spawn(move || once(index))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn orders_are_followed_and_checked() {
    if !have_runit() {
        return;
    }
    let host = Supervised::new();
    host.define("web", "trap 'echo hup >>hups' HUP\necho up >>starts\nwhile [ -e run ]; do sleep 0.05; done");
    host.define("broken", "exit 3");
    host.define("stubborn", "trap '' TERM\nwhile [ -e run ]; do sleep 0.05; done");
    host.define("unavailable", "exec sleep 1000");
    host.script("unavailable/check", "exit 1");
    assert!(host.done("runit::enable", json!({ "name": ["web", "broken", "stubborn", "unavailable"] })));

    let first = host.pid("web");
    assert!(host.done("runit::restart", json!({ "name": "web" })));
    let second = host.pid("web");
    assert!(first != second && !runs(first) && runs(second), "another process");

    assert!(host.done("runit::reload", json!({ "name": "web" })));
    host.until_it_says("web/hups", "hup\n");
    assert!(host.done("runit::signal", json!({ "name": "web", "signal": "hup" })));
    host.until_it_says("web/hups", "hup\nhup\n");
    assert_eq!(host.pid("web"), second);

    assert!(host.done("runit::stop", json!({ "name": "web" })));
    assert!(!runs(second));
    assert_eq!(host.status("web")["state"], "down");
    assert!(!host.done("runit::stop", json!({ "name": "web" })));
    let failure = host.call("runit::reload", json!({ "name": "web" })).failure.unwrap();
    assert!(failure.output().is_some_and(|said| said.contains("down: web")), "{failure:?}");
    assert!(host.done("runit::once", json!({ "name": "web" })));
    until(|| host.status("web")["remarks"] == json!(["want down"]), "it runs");
    assert!(host.done("runit::signal", json!({ "name": "web", "signal": "kill" })));
    assert!(!host.done("runit::wait", json!({ "name": "web", "state": "down" })), "it is not started again");

    for (function, name, word) in [
        ("runit::restart", "unavailable", "run: unavailable"),
        ("runit::wait", "unavailable", "run: unavailable"),
        ("runit::stop", "stubborn", "run: stubborn"),
    ] {
        let failure = host.call(function, json!({ "name": name, "timeout": 1 })).failure;
        let said = failure.as_ref().and_then(|failure| failure.output()).unwrap_or_default();
        assert!(said.contains(word), "{function} {name}: {failure:?}");
    }
    for function in ["runit::restart", "runit::start"] {
        // It runs for a moment again and again: sv, or who looks after it, sees that it does not last.
        let failure = host.call(function, json!({ "name": "broken", "timeout": 1 })).failure.unwrap();
        let said = failure.output().map_or_else(|| failure.to_string(), ToOwned::to_owned);
        assert!(said.contains("broken"), "{function}: {failure:?}");
    }

    let stubborn = host.pid("stubborn");
    assert!(host.done("runit::disable", json!({ "name": "stubborn", "timeout": 1 })));
    assert!(!runs(stubborn), "it is killed in the end");
    assert_eq!(host.status("stubborn")["state"], "disabled");
    assert!(!host.done("runit::disable", json!({ "name": "stubborn" })));
    assert!(host.done("runit::enable", json!({ "name": "stubborn" })));
    assert!(runs(host.pid("stubborn")), "it starts anew, whatever was ordered before");
}

#[test]
fn what_is_not_enabled_is_said_to_be_so() {
    if !have_runit() {
        return;
    }
    let host = Supervised::new();
    host.define("web", "exec sleep 1000");
    let failure = host.call("runit::enable", json!({ "name": "wbe" })).failure.unwrap();
    assert_eq!(failure.hint().as_deref(), Some("did you mean `web`?"));
    let failure = host.call("runit::start", json!({ "name": "web" })).failure.unwrap();
    assert_eq!(failure.hint().as_deref(), Some("enable it first: runit::enable(\"web\")"));
    assert_eq!(host.status("web")["state"], "disabled");
    // A link that leads elsewhere is put right.
    std::os::unix::fs::symlink("/nowhere", host.path("enabled/web")).unwrap();
    assert!(host.done("runit::enable", json!({ "name": "web" })));
    assert_eq!(fs::read_link(host.path("enabled/web")).unwrap(), host.path("sv/web"));
    // One that is written in another way is right.
    fs::remove_file(host.path("enabled/web")).unwrap();
    std::os::unix::fs::symlink("../sv/web", host.path("enabled/web")).unwrap();
    assert!(!host.done("runit::enable", json!({ "name": "web" })));
}

#[test]
fn nobody_waits_for_ever_for_a_supervisor_that_is_not_there() {
    if !have_runit() {
        return;
    }
    let mut host = Supervised::new();
    host.define("web", "exec sleep 1000");
    host.runsvdir.kill().unwrap();
    host.runsvdir.wait().unwrap();
    let report = host.call("runit::enable", json!({ "name": "web", "timeout": 0.3 }));
    let failure = report.failure.unwrap();
    assert!(failure.to_string().starts_with("runsvdir has not taken up `web`"), "{failure}");
    assert!(failure.hint().unwrap().contains("--root-kind offline"));
    host.runsvdir = Command::new("sleep").arg("1000").spawn().unwrap();
}
