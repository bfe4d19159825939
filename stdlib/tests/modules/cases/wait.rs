//! What the functions of `wait` have to do on any host.

use std::fs;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use refrain_engine::event::Status;
use refrain_engine::failure::Failure;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Field, Mode, Report};
use refrain_engine::system::native::Native;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Attributes, Content, RootKind, System, View, changes};
use serde_json::{Value, json};

use super::placed;
use crate::web_server::{Answer, Server, ok, status};

/// Long enough to happen on a busy machine, and never waited for when all is well.
const SOON: u32 = 60;

fn this_machine() -> Rc<dyn System> {
    placed(|| Native::new(RootKind::Live), RootKind::Live)
}

fn call(function: &str, arguments: Value, mode: Mode<'_>) -> Report {
    changes::note();
    let registry = refrain_stdlib::registry();
    let entry = registry.get(&format!("wait::{function}")).unwrap();
    entry.call(arguments, &Call::new(mode, &NoMaterials, &Calls::default()))
}

#[track_caller]
fn waited(function: &str, arguments: Value) -> Report {
    let report = call(function, arguments, Mode::Change(&*this_machine()));
    assert_eq!(report.status, Status::Ok, "{:?}", report.failure);
    report
}

fn refusal(function: &str, arguments: Value) -> String {
    match call(function, arguments, Mode::Change(&*this_machine())).failure.expect("a failure") {
        Failure::Timeout { what, output, .. } => format!("{what}: {output}"),
        failure => failure.to_string(),
    }
}

/// Does something a moment later.
fn later(work: impl FnOnce() + Send + 'static) {
    thread::spawn(|| {
        thread::sleep(Duration::from_millis(150));
        work();
    });
}

#[test]
fn a_port_is_waited_for_until_somebody_listens() {
    let first = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = first.local_addr().unwrap().port();
    waited("port", json!({ "port": port, "timeout": SOON }));
    waited("port", json!({ "port": port, "host": "localhost", "timeout": SOON }));
    let refused = refusal("port", json!({ "port": port, "gone": true, "timeout": 0.2 }));
    assert!(refused.contains("waiting for port") && refused.contains("something still listens"), "{refused}");
    later(move || drop(first));
    waited("port", json!({ "port": port, "gone": true, "timeout": SOON }));
    assert!(refusal("port", json!({ "port": port, "timeout": 0.2 })).contains("nothing listens"));
    let refused = refusal("port", json!({ "port": port, "host": "127.0.0.1", "timeout": 0.2 }));
    assert!(refused.contains("connection refused"), "{refused}");
    assert!(refusal("port", json!({ "port": 0 })).contains("1 to 65535"));
}

#[test]
fn a_file_is_waited_for_and_what_is_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ready");
    assert!(refusal("file", json!({ "path": path, "timeout": 0.1 })).contains("it is not there"));
    let made = path.clone();
    later(move || fs::write(made, "starting\n").unwrap());
    waited("file", json!({ "path": path, "timeout": SOON }));
    let refused = refusal("file", json!({ "path": path, "matches": "^ready$", "timeout": 0.1 }));
    assert!(refused.contains("does not match"), "{refused}");
    fs::write(&path, "starting\nready\n").unwrap();
    waited("file", json!({ "path": path, "matches": "^ready$", "timeout": SOON }));
    let gone = path.clone();
    later(move || fs::remove_file(gone).unwrap());
    waited("file", json!({ "path": path, "gone": true, "timeout": SOON }));
    assert!(
        refusal("file", json!({ "path": path, "gone": true, "matches": "x" })).contains("can't go together")
    );
}

#[test]
fn a_command_is_run_until_it_succeeds() {
    let directory = tempfile::tempdir().unwrap();
    let count = directory.path().join("count");
    let script = format!("echo x >> {0}; test $(wc -l < {0}) = 3 && echo done", count.display());
    let report =
        waited("command", json!({ "argv": ["sh", "-c", script], "interval": 0.01, "timeout": SOON }));
    let field =
        |name: &str| report.fields.iter().find(|(known, _)| known == name).map(|(_, field)| field.clone());
    assert!(matches!(field("stdout"), Some(Field::Known(text)) if text == "done"));
    assert_eq!(fs::read_to_string(&count).unwrap().lines().count(), 3);
    let refused =
        refusal("command", json!({ "argv": ["sh", "-c", "echo not yet >&2; exit 4"], "timeout": 0.1 }));
    assert!(refused.contains("ended with 4") && refused.contains("not yet"), "{refused}");
    waited("command", json!({ "argv": ["false"], "status": 1 }));
}

#[test]
fn a_server_is_asked_until_it_answers_as_it_shall() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::Bytes(status("503 Service Unavailable")),
        1 => Answer::Bytes(ok(b"starting")),
        _ => Answer::Bytes(ok(b"ready")),
    });
    let url = server.url("/health");
    waited("http", json!({ "url": url, "contains": "ready", "interval": 0.01, "timeout": SOON }));
    assert_eq!(server.requests().len(), 3);
    let refused = refusal("http", json!({ "url": url, "status": 404, "interval": 0.05, "timeout": 0.1 }));
    assert!(refused.contains("it answered 200"), "{refused}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = refusal("http", json!({ "url": format!("http://{closed}/"), "timeout": 0.1 }));
    assert!(refused.contains("connection refused"), "{refused}");
}

#[test]
fn check_mode_looks_at_what_it_foretells_and_does_not_wait() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made");
    let overlay = Overlay::new(this_machine() as Rc<dyn View>);
    let report = call("file", json!({ "path": path }), Mode::Check(&overlay));
    assert_eq!((report.status, report.undeclared), (Status::Skipped, false));
    overlay.write(&path, Content::Unknown, Attributes { mode: 0o644, uid: 0, gid: 0 }).unwrap();
    assert_eq!(call("file", json!({ "path": path }), Mode::Check(&overlay)).status, Status::Ok);
    let report =
        call("command", json!({ "argv": ["touch", directory.path().join("x")] }), Mode::Check(&overlay));
    assert_eq!((report.status, directory.path().join("x").exists()), (Status::Skipped, false));
}
