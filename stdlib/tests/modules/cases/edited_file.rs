//! Files of which a part is looked after: what holds for all functions that do that.

use std::rc::Rc;

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Mode};
use refrain_engine::script::marks::UNKNOWN;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Attributes, Content, System, View};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::host::{call, sandbox};

/// A host with a file that leads through a link to one which only root may read.
fn host(directory: &TempDir) -> Rc<dyn System> {
    let host = sandbox(directory, &[("/etc/hosts", "")]);
    host.write("/etc/real".as_ref(), b"a\n", Attributes { mode: 0o600, uid: 7, gid: 8 }).unwrap();
    host.make_link("/etc/link".as_ref(), "real".as_ref()).unwrap();
    host
}

#[test]
fn the_file_behind_a_link_is_changed_and_keeps_what_is_not_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let host = host(&directory);
    let arguments = json!({"path": "/etc/link", "line": "b", "owner": 9});
    let report = call(&*host, "file::line", &arguments);
    assert_eq!((report.status, report.steps.len()), (Status::Changed, 2), "{:?}", report.failure);
    assert_eq!(report.steps[1].diff.as_deref(), Some("@@ -1 +1,2 @@\n a\n+b\n"));
    assert_eq!(host.read("/etc/real".as_ref()).unwrap(), Some(Content::Known(b"a\nb\n".to_vec())));
    assert!(host.read_link("/etc/link".as_ref()).unwrap().is_some());
    let stat = host.stat("/etc/real".as_ref()).unwrap().unwrap();
    assert_eq!(stat.attributes, Attributes { mode: 0o600, uid: 9, gid: 8 });
    assert_eq!(call(&*host, "file::line", &arguments).status, Status::Ok);
}

#[test]
fn a_missing_file_is_created_only_when_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let host = host(&directory);
    let report = |options: Value| {
        let mut arguments = json!({"path": "/etc/new", "line": "b", "mode": "0640"});
        arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        call(&*host, "file::line", &arguments)
    };
    let failure = report(json!({})).failure.unwrap();
    assert_eq!(failure.to_string(), "there is no file `/etc/new`");
    assert_eq!(failure.hint().as_deref(), Some("`create: true` makes an empty file first"));
    assert_eq!(report(json!({"absent": true})).status, Status::Ok);
    assert!(host.stat("/etc/new".as_ref()).unwrap().is_none());
    assert_eq!(report(json!({"create": true})).status, Status::Changed);
    assert_eq!(host.stat("/etc/new".as_ref()).unwrap().unwrap().attributes.mode, 0o640);
}

#[test]
fn later_calls_see_what_earlier_ones_would_have_written() {
    let directory = tempfile::tempdir().unwrap();
    let overlay = Overlay::new(host(&directory) as Rc<dyn View>);
    let check = |function: &str, arguments: &Value| {
        let (registry, calls) = (refrain_stdlib::registry(), Calls::default());
        let call = Call::new(Mode::Check(&overlay), &NoMaterials, &calls);
        registry.get(function).unwrap().call(arguments.clone(), &call).status
    };
    let line = json!({"path": "/etc/new", "line": "b", "create": true});
    assert_eq!(check("file::line", &line), Status::WouldChange);
    assert_eq!(check("file::line", &line), Status::Ok);
    let block = json!({"path": "/etc/new", "content": UNKNOWN});
    assert_eq!(check("file::block", &block), Status::MayChange);
    assert_eq!(check("file::line", &line), Status::MayChange, "nobody knows what is in the file by now");
}
