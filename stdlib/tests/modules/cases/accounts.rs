//! Accounts in a sandbox: what check mode predicts is what a run then makes, and a second run changes nothing.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use refrain_engine::event::{Status, StepReport};
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Field, Mode, Report};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::sandbox::{NoPrograms, Sandbox};
use refrain_engine::system::{Attributes, Content, RootKind, System, View, changes};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::placed;

const HASH: &str = "$5$saltsalt$tYCmAcqS7QfOLFbpVtDBSuzxSgJl2SpUKJkLsSVLNo9";

const FILES: [(&str, &str, u32); 7] = [
    ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000:Ada:/home/ada:/bin/sh\n", 0o644),
    ("/etc/shadow", "root:*:20000::::::\nada:$6$salt$abc:20000:0:99999:7:::\n", 0o640),
    ("/etc/group", "root:x:0:\nwheel:x:10:ada,root\nada:x:1000:\n", 0o644),
    ("/etc/gshadow", "root:*::\nwheel:!:ada:ada,root\nada:!::\n", 0o640),
    ("/etc/skel/.profile", "umask 022\n", 0o640),
    ("/etc/skel/.config/deep/file", "x", 0o600),
    ("/home/ada/work/file", "", 0o644),
];

/// A host with one user, whose home is furnished.
fn host() -> (TempDir, Rc<dyn System>) {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_owned();
    let open = move || Sandbox::open(&place, Box::new(NoPrograms)).unwrap();
    let host = placed(open, RootKind::Offline);
    for (path, text, mode) in FILES {
        let path = Path::new(path);
        fs::create_dir_all(
            directory.path().join("root").join(path.parent().unwrap().strip_prefix("/").unwrap()),
        )
        .unwrap();
        host.write(path, text.as_bytes(), Attributes { mode, uid: 0, gid: 42 }).unwrap();
    }
    host.make_link(Path::new("/etc/skel/.login"), Path::new(".profile")).unwrap();
    for path in ["/home/ada", "/home/ada/work", "/home/ada/work/file"] {
        host.set_attributes(Path::new(path), Attributes { mode: 0o755, uid: 1000, gid: 1000 }).unwrap();
    }
    (directory, host)
}

fn call(mode: Mode<'_>, function: &str, arguments: &Value) -> Report {
    // A test changes files by hand, too.
    changes::note();
    let registry = refrain_stdlib::registry();
    let calls = Calls::default();
    let call = Call::new(mode, &NoMaterials, &calls);
    registry.get(function).unwrap().call(arguments.clone(), &call)
}

/// Accounts and homes: every path with what it is, has and holds.
fn picture(host: &dyn View) -> Vec<String> {
    let mut lines = Vec::new();
    let mut todo = vec!["/etc".into(), "/home".into(), "/srv".into()];
    while let Some(path) = todo.pop() {
        let path: &Path = std::path::PathBuf::as_path(&path);
        let Some(stat) = host.lstat(path).unwrap() else { continue };
        let Attributes { mode, uid, gid } = stat.attributes;
        let content = match host.read(path) {
            Ok(Some(Content::Known(bytes))) => String::from_utf8(bytes).unwrap(),
            _ => String::new(),
        };
        lines.push(format!("{} {} {mode:o} {uid}:{gid} {content:?}", path.display(), stat.kind.word()));
        todo.extend(host.list(path).unwrap().into_iter().map(|name| path.join(name)));
    }
    lines.sort();
    lines
}

/// The day that it is: passwords and new accounts have it written down.
fn day() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400
}

/// Predicts the call, makes it, and makes it again.
fn law(function: &str, arguments: Value) -> Vec<StepReport> {
    let today = day();
    let (_directory, system) = host();
    let overlay = Overlay::new(Rc::clone(&system) as Rc<dyn View>);
    let before = picture(&*system);
    let predicted = call(Mode::Check(&overlay), function, &arguments);
    assert_eq!(predicted.status, Status::WouldChange, "{arguments}: {:?}", predicted.failure);
    assert_eq!(picture(&*system), before, "check mode changes nothing");

    let made = call(Mode::Change(&*system), function, &arguments);
    assert_eq!(made.status, Status::Changed, "{arguments}: {:?}", made.failure);
    assert_eq!(made.steps, predicted.steps, "{arguments}");
    if day() != today {
        // Midnight has come between the prediction and the run.
        return law(function, arguments);
    }
    assert_eq!(picture(&*system), picture(&overlay), "{arguments}");
    let again = call(Mode::Change(&*system), function, &arguments);
    assert_eq!((again.status, again.steps), (Status::Ok, Vec::new()), "{arguments}");
    made.steps
}

#[test]
fn what_is_predicted_is_made() {
    for arguments in [
        json!({ "name": "new", "groups": ["wheel"], "password": HASH, "expires": "2030-01-01" }),
        json!({ "name": "new", "system": true, "home": "/srv/a/b/new", "create_home": true }),
        json!({ "name": "ada", "uid": 2000, "group": "wheel", "home": "/home/new", "comment": "A. L." }),
        json!({ "name": "ada", "groups": [], "lock": true, "password_max_days": 90 }),
        json!({ "name": "ada", "password": HASH, "shell": "/bin/zsh" }),
    ] {
        law("user::present", arguments);
    }
    law("user::absent", json!({ "name": "ada" }));
    law("user::absent", json!({ "name": "ada", "remove": true }));
    law("group::present", json!({ "name": "new", "members": ["ada", "root"] }));
    law("group::present", json!({ "name": "ada", "gid": 3000 }));
    law("group::present", json!({ "name": "wheel", "members": "root" }));
    law("group::absent", json!({ "name": "wheel" }));
}

#[test]
fn a_new_home_holds_what_the_skeleton_holds() {
    let (_directory, host) = host();
    call(Mode::Change(&*host), "user::present", &json!({ "name": "new" }));
    let homes: Vec<String> =
        picture(&*host).into_iter().filter(|line| line.starts_with("/home/new")).collect();
    assert_eq!(
        homes,
        [
            "/home/new directory 755 1001:1001 \"\"",
            "/home/new/.config directory 755 1001:1001 \"\"",
            "/home/new/.config/deep directory 755 1001:1001 \"\"",
            "/home/new/.config/deep/file file 600 1001:1001 \"x\"",
            "/home/new/.login link 777 1001:1001 \"umask 022\\n\"",
            "/home/new/.profile file 640 1001:1001 \"umask 022\\n\"",
        ]
    );
}

#[test]
fn steps_say_what_happens_and_hide_what_must_not_be_seen() {
    let steps = law("user::present", json!({ "name": "ada", "shell": "/bin/zsh", "password": HASH }));
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].text, "change user ada: shell \"/bin/zsh\" (was \"/bin/sh\"), password");
    let diff = steps[0].diff.as_deref().unwrap();
    assert!(diff.starts_with("--- /etc/shadow\n+++ /etc/shadow\n(content not shown: "), "{diff}");
    assert!(
        diff.contains("\n-ada:x:1000:1000:Ada:/home/ada:/bin/sh\n+ada:x:1000:1000:Ada:/home/ada:/bin/zsh\n")
    );
    assert!(!diff.contains("salt"), "{diff}");
    let steps = law("group::present", json!({ "name": "wheel", "members": ["root", "new"] }));
    assert_eq!(steps[0].text, "change group wheel: +member new, -member ada");
    let steps = law("user::absent", json!({ "name": "ada", "remove": true }));
    let texts: Vec<&str> = steps.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(texts, ["remove directory /home/ada", "remove user ada: -group ada, -group wheel"]);
}

#[test]
fn an_outcome_tells_of_the_account() {
    let (_directory, host) = host();
    let arguments = json!({ "name": "new", "groups": "wheel" });
    let overlay = Overlay::new(Rc::clone(&host) as Rc<dyn View>);
    let predicted = call(Mode::Check(&overlay), "user::present", &arguments);
    let report = call(Mode::Change(&*host), "user::present", &arguments);
    let fields = |report: &Report| -> Value {
        let known = report.fields.iter().map(|(name, field)| match field {
            Field::Known(value) => (name.clone(), value.clone()),
            Field::Unknown => panic!("{name} is unknown"),
        });
        Value::Object(known.collect())
    };
    let expected = json!({
        "uid": 1001, "gid": 1001, "home": "/home/new", "shell": "/bin/sh", "comment": "", "groups": ["wheel"],
    });
    assert_eq!(fields(&report), expected);
    assert_eq!(fields(&predicted), expected);
    let report = call(Mode::Change(&*host), "group::present", &json!({ "name": "wheel" }));
    assert_eq!(fields(&report), json!({ "gid": 10, "members": ["ada", "root", "new"] }));
}

#[test]
fn files_can_be_given_to_a_user_that_is_only_predicted() {
    let (_directory, host) = host();
    let overlay = Overlay::new(host as Rc<dyn View>);
    let file = json!({ "path": "/home/new/x", "content": "", "owner": "new", "group": "new" });
    assert_eq!(call(Mode::Check(&overlay), "file::content", &file).status, Status::Failed);
    call(Mode::Check(&overlay), "user::present", &json!({ "name": "new" }));
    let report = call(Mode::Check(&overlay), "file::content", &file);
    assert_eq!(report.status, Status::WouldChange, "{:?}", report.failure);
    assert_eq!(overlay.stat(Path::new("/home/new/x")).unwrap().unwrap().attributes.uid, 1001);
}

#[test]
fn what_others_need_is_not_removed() {
    let refused = |function: &str, arguments: Value, prepare: &[(&str, Value)], message: &str| {
        let (_directory, host) = host();
        for (function, arguments) in prepare {
            assert_eq!(call(Mode::Change(&*host), function, arguments).status, Status::Changed);
        }
        let before = picture(&*host);
        let report = call(Mode::Change(&*host), function, &arguments);
        assert_eq!(report.failure.unwrap().to_string(), message);
        assert_eq!(picture(&*host), before);
    };
    let message = "`ada` is the primary group of the user `ada`";
    refused("group::absent", json!({ "name": "ada" }), &[], message);
    let guest = ("user::present", json!({ "name": "guest", "home": "/home/ada/guest" }));
    let message = "the home `/home/ada` is not removed: the home of `guest` is in it";
    refused("user::absent", json!({ "name": "ada", "remove": true }), &[guest], message);
    let shared = ("user::present", json!({ "name": "guest", "home": "/etc/skel" }));
    let message = "the home `/etc/skel` is not removed: it belongs to uid 0";
    refused("user::absent", json!({ "name": "guest", "remove": true }), &[shared], message);
}

#[test]
fn a_group_that_others_are_in_outlives_its_user() {
    let (_directory, host) = host();
    let member = json!({ "name": "ada", "members": "root" });
    assert_eq!(call(Mode::Change(&*host), "group::present", &member).status, Status::Changed);
    let report = call(Mode::Change(&*host), "user::absent", &json!({ "name": "ada" }));
    assert_eq!(report.steps[0].text, "remove user ada: -group wheel");
    let lines = picture(&*host);
    assert!(lines.iter().any(|line| line.contains("wheel:x:10:root\\nada:x:1000:root\\n")), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("wheel:!::root\\n")),
        "administrators leave too: {lines:?}"
    );
}

#[test]
fn a_host_without_accounts_says_so() {
    let (directory, host) = host();
    fs::remove_file(directory.path().join("root/etc/group")).unwrap();
    let report = call(Mode::Change(&*host), "user::present", &json!({ "name": "new" }));
    assert_eq!(report.failure.unwrap().to_string(), "the host has no `/etc/group`");
}
