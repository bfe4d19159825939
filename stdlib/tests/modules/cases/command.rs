//! Commands as the kernel runs them.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use refrain_engine::bundle::File;
use refrain_engine::event::Status;
use refrain_engine::failure::Failure;
use refrain_engine::journal::Calls;
use refrain_engine::module::converge::{Call, Field, Mode, Report};
use refrain_engine::module::{Materials, Text};
use refrain_engine::script::marks::UNKNOWN;
use refrain_engine::system::native::Native;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Content, Kind, RootKind, System, View, changes};
use serde_json::{Map, Value, json};

use super::placed;

/// A play that brings one script along.
struct Play;

impl Materials for Play {
    fn render(&self, template: &str, _: &Map<String, Value>) -> Result<Text, Failure> {
        Err(Failure::state(format!("no template `{template}`")))
    }

    fn source(&self, name: &str) -> Result<&File, Failure> {
        Err(Failure::state(format!("nobody compares `{name}`")))
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, Failure> {
        match name {
            "job.sh" => Ok(b"#!/bin/sh\necho \"$# $1 $VALUE $PLAY\"\ncat\npwd\n".to_vec()),
            _ => Err(Failure::state(format!("no file `{name}`"))),
        }
    }

    fn directory(&self, _: &str) -> Option<Vec<String>> {
        None
    }

    fn environment(&self) -> BTreeMap<String, String> {
        [("PLAY".to_owned(), "of the play".to_owned())].into()
    }

    fn time_left(&self) -> Option<Duration> {
        Some(Duration::from_secs(60))
    }
}

fn this_machine() -> Rc<dyn System> {
    placed(|| Native::new(RootKind::Live), RootKind::Live)
}

fn call(function: &str, arguments: Value, mode: Mode<'_>) -> Report {
    // A test changes files by hand, too.
    changes::note();
    let registry = refrain_stdlib::registry();
    let entry = registry.get(&format!("command::{function}")).unwrap();
    entry.call(arguments, &Call::new(mode, &Play, &Calls::default()))
}

fn run(function: &str, arguments: Value) -> Report {
    call(function, arguments, Mode::Change(&*this_machine()))
}

fn overlay() -> Overlay {
    Overlay::new(this_machine() as Rc<dyn View>)
}

fn field(report: &Report, name: &str) -> Value {
    match report.fields.iter().find(|(field, _)| field == name) {
        Some((_, Field::Known(value))) => value.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

fn failure(report: &Report) -> &Failure {
    report.failure.as_ref().unwrap()
}

#[test]
fn what_a_program_prints_comes_back() {
    let report = run("run", json!({ "argv": ["printf", "a\\nb%s\\n\\n", 1] }));
    assert_eq!((report.status, report.subject.as_str()), (Status::Changed, "printf 'a\\nb%s\\n\\n' 1"));
    assert_eq!(field(&report, "stdout"), "a\nb1");
    assert_eq!(field(&report, "stdout_lines"), json!(["a", "b1"]));
    assert_eq!(field(&report, "stderr"), "");
    assert_eq!(field(&report, "stderr_lines"), json!([]));
    assert_eq!((field(&report, "rc"), field(&report, "truncated")), (json!(0), json!(false)));
}

#[test]
fn what_is_no_text_is_replaced() {
    let report = run("shell", json!({ "script": "printf 'a\\377b'" }));
    assert_eq!(field(&report, "stdout"), "a\u{FFFD}b");
}

#[test]
fn a_failure_shows_the_programs_own_words() {
    let report = run("shell", json!({ "script": "echo partly; echo 'no space left' >&2; exit 7" }));
    assert_eq!(report.status, Status::Failed);
    let message = "`echo partly; echo 'no space left' >&2; exit 7` exited with status 7";
    assert_eq!(failure(&report).to_string(), message);
    assert_eq!(failure(&report).output(), Some("no space left\npartly\n"));
    assert_eq!(field(&report, "rc"), 7, "`failed_when` can look at it");
}

#[test]
fn other_statuses_can_be_fine() {
    for (ok_status, status) in
        [(json!([0, 7]), Status::Changed), (json!(7), Status::Changed), (json!(0), Status::Failed)]
    {
        let report = run("shell", json!({ "script": "exit 7", "ok_status": ok_status }));
        assert_eq!(report.status, status, "{ok_status}");
    }
    assert_eq!(run("run", json!({ "argv": "true", "ok_status": 1 })).status, Status::Failed);
}

#[test]
fn surroundings_and_options_reach_the_command() {
    let directory = tempfile::tempdir().unwrap();
    let options = json!({
        "source": "job.sh",
        "args": ["a b", 2],
        "stdin": "from the playbook\n",
        "environment": { "VALUE": 5 },
        "directory": directory.path(),
    });
    let report = run("script", options);
    let expected = json!(["2 a b 5 of the play", "from the playbook", directory.path()]);
    assert_eq!(field(&report, "stdout_lines"), expected);
    assert_eq!(report.subject, "job.sh 'a b' 2");
}

#[test]
fn another_shell_can_read_the_script() {
    let report = run("shell", json!({ "script": "a script", "executable": "/bin/echo" }));
    assert_eq!(field(&report, "stdout"), "-c a script");
}

#[test]
fn time_runs_out() {
    let report = run("shell", json!({ "script": "echo begun; sleep 30", "timeout": 0.2 }));
    assert_eq!(failure(&report).to_string(), "`echo begun; sleep 30` took longer than 0.2 s");
    assert_eq!(failure(&report).output(), Some("begun\n"));
    assert!(!report.done, "that is final: `failed_when` has no say");
}

#[test]
fn nonsense_is_an_error_with_a_hint() {
    let case = |function: &str, arguments: Value, message: &str, hint: Option<&str>| {
        let report = run(function, arguments);
        let failure = failure(&report);
        assert_eq!((failure.to_string().as_str(), failure.hint().as_deref()), (message, hint));
    };
    case(
        "run",
        json!({ "argv": "ls -l" }),
        "`ls -l` is no program: it is a line for a shell",
        Some("give the words, [\"ls\", \"-l\"], or let a shell read it: command::shell(…)"),
    );
    case("run", json!({ "argv": [] }), "the command is empty", None);
    case("run", json!({ "argv": [["a"]] }), "argument `argv`: a word can't be an array", None);
    case("shell", json!({ "script": " " }), "the script is empty", None);
    case(
        "run",
        json!({ "argv": "true", "creats": "/x" }),
        "unknown argument `creats`",
        Some("did you mean `creates`?"),
    );
    case(
        "run",
        json!({ "argv": "true", "timeout": -1 }),
        "argument `timeout`: invalid value: integer `-1`, expected a number of seconds, more than 0",
        None,
    );
    case(
        "run",
        json!({ "argv": "true", "environment": { "A=B": 1 } }),
        "`A=B` can't be the name of a variable",
        None,
    );
    case(
        "run",
        json!({ "argv": "true", "ok_status": 300 }),
        "argument `ok_status`: an exit status is a number from 0 to 255",
        None,
    );
    case("script", json!({ "source": "other.sh" }), "no file `other.sh`", None);
}

#[test]
fn a_long_command_is_named_shortly() {
    let report = run("shell", json!({ "script": "\n  set -e\ntrue\n" }));
    assert_eq!(report.subject, "set -e …");
    let report = run("run", json!({ "argv": ["true", "x".repeat(500)] }));
    assert_eq!(report.subject.chars().count(), 101);
}

#[test]
fn a_command_whose_work_is_done_is_not_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("made-1"), "").unwrap();
    let case = |options: Value, reason: Option<&str>| {
        let mut arguments = json!({ "argv": ["true"], "directory": directory.path() });
        arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        let report = run("run", arguments);
        assert_eq!(report.reason.as_deref(), reason, "{options}");
        let expected = if reason.is_some() { (Status::Ok, json!(null)) } else { (Status::Changed, json!(0)) };
        assert_eq!((report.status, field(&report, "rc")), expected, "{options}");
    };
    case(json!({ "creates": "made-1" }), Some("`made-1` is there"));
    case(json!({ "creates": "made-*" }), Some("`made-*` is there"));
    case(json!({ "creates": ["made-1", "made-?"] }), Some("`made-1`, `made-?` are there"));
    case(json!({ "creates": ["made-1", "made-2"] }), None);
    case(json!({ "removes": "made-1" }), None);
    case(json!({ "removes": "made-2" }), Some("`made-2` is not there"));
    case(json!({ "removes": ["old-*", "made-1"] }), None);
    case(json!({ "creates": "made-2", "removes": "made-1" }), None);
    case(json!({ "creates": "made-2", "removes": "made-2" }), Some("`made-2` is not there"));
}

#[test]
fn check_mode_does_not_run_it() {
    let directory = tempfile::tempdir().unwrap();
    let overlay = overlay();
    let script = format!("touch {}/x", directory.path().display());
    let report = call("shell", json!({ "script": script }), Mode::Check(&overlay));
    assert_eq!((report.status, report.undeclared), (Status::Skipped, true));
    assert!(
        report.changed == Field::Unknown && report.fields.iter().all(|(_, field)| *field == Field::Unknown)
    );
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let report = call("run", json!({ "argv": "ls -l" }), Mode::Check(&overlay));
    assert_eq!(report.status, Status::Failed, "nonsense is found in check mode too");
}

#[test]
fn check_mode_predicts_what_is_declared() {
    let directory = tempfile::tempdir().unwrap();
    // The overlay follows links by itself, and a temporary directory may be behind one.
    let root = directory.path().canonicalize().unwrap();
    std::fs::write(root.join("old-1"), "").unwrap();
    let overlay = overlay();
    let arguments = json!({
        "argv": ["make", "install"],
        "directory": root,
        "creates": ["opt/app/bin/app", "opt/data/"],
        "removes": "old-*",
    });
    let report = call("run", arguments.clone(), Mode::Check(&overlay));
    assert_eq!((report.status, report.undeclared), (Status::Skipped, false));
    assert_eq!(overlay.read(&root.join("opt/app/bin/app")).unwrap(), Some(Content::Unknown));
    assert_eq!(overlay.stat(&root.join("opt/app")).unwrap().unwrap().kind, Kind::Directory);
    assert_eq!(overlay.stat(&root.join("opt/data")).unwrap().unwrap().kind, Kind::Directory);
    assert_eq!(overlay.lstat(&root.join("old-1")).unwrap(), None);
    assert!(root.join("old-1").exists() && !root.join("opt").exists());

    let again = call("run", arguments, Mode::Check(&overlay));
    assert_eq!(again.status, Status::Ok, "what was predicted counts: {again:?}");
    let arguments = json!({ "argv": "true", "creates": "/no/such/app-*" });
    assert!(call("run", arguments, Mode::Check(&overlay)).undeclared, "nobody knows what that will make");
}

#[test]
fn what_only_reads_is_also_run_in_check_mode() {
    let overlay = overlay();
    let arguments = json!({ "argv": ["cat"], "stdin": "x", "probe": true });
    let report = call("run", arguments.clone(), Mode::Check(&overlay));
    assert_eq!((report.status, field(&report, "stdout")), (Status::Ok, json!("x")));
    let report = run("run", arguments);
    assert_eq!((report.status, report.changed), (Status::Ok, Field::Known(json!(false))));
    let report = call("script", json!({ "source": "job.sh", "probe": true }), Mode::Check(&overlay));
    assert_eq!(field(&report, "stdout_lines")[0], "0   of the play");
    let report = call("shell", json!({ "script": "exit 1", "probe": true }), Mode::Check(&overlay));
    assert_eq!((report.status, field(&report, "rc")), (Status::Failed, json!(1)));
}

#[test]
fn what_check_mode_does_not_know_is_passed_over() {
    let overlay = overlay();
    for arguments in [
        json!({ "argv": ["cat", UNKNOWN], "probe": true }),
        json!({ "argv": ["cat"], "stdin": format!("a{UNKNOWN}"), "probe": true }),
        json!({ "argv": ["cat"], "environment": { "A": UNKNOWN }, "probe": true }),
        json!({ "argv": ["cat", UNKNOWN], "creates": "/nowhere/x" }),
    ] {
        let report = call("run", arguments.clone(), Mode::Check(&overlay));
        assert_eq!((report.status, report.undeclared), (Status::Skipped, false), "{arguments}");
        assert!(!report.subject.contains(UNKNOWN));
    }
    assert!(overlay.lstat(Path::new("/nowhere/x")).unwrap().is_some());
    let report = call("run", json!({ "argv": "true", "creates": UNKNOWN }), Mode::Check(&overlay));
    assert_eq!((report.status, report.changed), (Status::MayChange, Field::Unknown));
}
