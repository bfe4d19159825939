//! Packages of a Void Linux host in a sandbox, with a simulated xbps: what check mode foretells is what a run then does.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use refrain_engine::event::{Status, StepReport};
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Field, Mode, Report};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::sandbox::{NoPrograms, Programs, Sandbox};
use refrain_engine::system::{Command, RootKind, System, View, changes};
use refrain_simulation::Simulation;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::placed;

/// A host with a local repository.
struct Host {
    directory: TempDir,
    system: Rc<dyn System>,
}

impl Host {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let system = opened(&directory, Simulation);
        let host = Self { directory, system };
        host.put("/etc/xbps.d/50-local.conf", "repository=/srv/repo\n");
        host
    }

    fn put(&self, path: &str, text: &str) {
        let place = self.directory.path().join("root").join(path.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    /// The packages that the local repository has from now on.
    fn offer(&self, packages: &[Value]) {
        self.put("/srv/repo/packages.json", &Value::from(packages).to_string());
    }

    fn run(&self, function: &str, arguments: &Value) -> Report {
        call(Mode::Change(&*self.system), function, arguments)
    }

    /// Does something that can't fail, and must change something.
    fn change(&self, function: &str, arguments: &Value) -> Vec<String> {
        let report = self.run(function, arguments);
        assert_eq!((report.status, &report.failure), (Status::Changed, &None), "{function}");
        words(&report.steps)
    }

    fn overlay(&self) -> Overlay {
        Overlay::new(Rc::clone(&self.system) as Rc<dyn View>)
    }

    fn version(&self, package: &str) -> Value {
        let report = self.run("xbps::version", &json!({ "package": package }));
        match &report.fields[..] {
            [(_, Field::Known(value))] => value.clone(),
            other => panic!("{other:?}"),
        }
    }
}

/// A sandbox that has these programs.
fn opened(directory: &TempDir, programs: impl Programs + Send + 'static) -> Rc<dyn System> {
    let place = directory.path().to_owned();
    placed(move || Sandbox::open(&place, Box::new(programs)).unwrap(), RootKind::Offline)
}

fn call(mode: Mode<'_>, function: &str, arguments: &Value) -> Report {
    // A test changes files by hand, too.
    changes::note();
    let registry = refrain_stdlib::registry();
    let calls = Calls::default();
    let call = Call::new(mode, &NoMaterials, &calls);
    registry.get(function).unwrap().call(arguments.clone(), &call)
}

fn words(steps: &[StepReport]) -> Vec<String> {
    steps.iter().map(|step| step.text.clone()).collect()
}

fn package(pkgver: &str) -> Value {
    let name = pkgver.rsplit_once('-').unwrap().0;
    json!({ "pkgver": pkgver, "short_desc": name, "files": { format!("/usr/bin/{name}"): { "size": 100 } } })
}

fn needing(pkgver: &str, needs: &str) -> Value {
    let mut package = package(pkgver);
    package["run_depends"] = json!([needs]);
    package
}

/// Foretells all calls one after the other, makes them, and compares.
fn foretell_and_make(host: &Host, calls: &[(&str, Value)]) {
    let overlay = host.overlay();
    let foretold: Vec<Report> =
        calls.iter().map(|(function, arguments)| call(Mode::Check(&overlay), function, arguments)).collect();
    for ((function, arguments), foretold) in calls.iter().zip(&foretold) {
        assert_eq!(foretold.failure, None, "{function} {arguments} in check mode");
        let made = host.run(function, arguments);
        assert_eq!(made.failure, None, "{function} {arguments}");
        assert_eq!(words(&foretold.steps), words(&made.steps), "{function} {arguments}");
        let fits = matches!((foretold.status, made.status), (Status::WouldChange, Status::Changed));
        assert!(fits, "{function} {arguments}: {:?} and {:?}", foretold.status, made.status);
    }
    for (function, arguments) in calls {
        assert_eq!(host.run(function, arguments).status, Status::Ok, "{function} {arguments} again");
    }
}

#[test]
fn a_play_on_a_fresh_host_is_foretold() {
    let host = Host::new();
    let key = include_str!("../../family/fixtures/xbps/files/void.plist");
    host.put("/var/db/xbps/keys/60:ae:0c:d6:f0:95:17:80:bc:93:46:7a:89:af:a3:2d.plist", key);
    host.offer(&[
        needing("tool-1.0_1", "libtool>=1"),
        package("libtool-1.2_1"),
        needing("other-2.0_1", "libtool>=1"),
    ]);
    let url = "https://repo-default.voidlinux.org/current";
    foretell_and_make(
        &host,
        &[
            ("xbps::repository", json!({ "name": "00-main", "url": url })),
            ("xbps::install", json!({ "packages": "chrony", "creates_users": "chrony" })),
            ("file::content", json!({ "path": "/etc/sv/chronyd/conf", "content": "x\n", "owner": "chrony" })),
            ("file::line", json!({ "path": "/etc/chrony.conf", "line": "# ours" })),
            ("xbps::install", json!({ "packages": ["tool"] })),
            // What both need is there by then.
            ("xbps::install", json!({ "packages": ["other"] })),
            ("xbps::hold", json!({ "packages": "chrony" })),
            ("xbps::mark", json!({ "packages": ["libtool"], "mode": "manual" })),
        ],
    );
    assert_eq!(host.version("libtool"), json!("1.2_1"));
}

#[test]
fn what_is_taken_back_in_a_play_is_foretold_too() {
    let host = Host::new();
    host.offer(&[needing("tool-1.0_1", "libtool>=1"), package("libtool-1.2_1"), package("late-1.0_1")]);
    host.change("xbps::install", &json!({ "packages": "tool" }));
    let overlay = host.overlay();
    let check = |function: &str, arguments: &Value| call(Mode::Check(&overlay), function, arguments);
    let removed = check("xbps::remove", &json!({ "packages": "tool", "recursive": true }));
    assert_eq!(removed.status, Status::WouldChange);
    assert_eq!(words(&removed.steps), ["remove tool-1.0_1", "remove libtool-1.2_1"]);
    assert_eq!(overlay.lstat(Path::new("/usr/bin/tool")).unwrap(), None);
    let again = check("xbps::remove", &json!({ "packages": "libtool" }));
    assert_eq!(again.status, Status::Ok);
    let installed = check("xbps::installed", &json!({ "package": "libtool" }));
    assert_eq!(installed.fields, [("value".to_owned(), Field::Known(json!(false)))]);
    assert_eq!(host.version("libtool"), json!("1.2_1"), "nothing has really happened");

    // xbps itself knows nothing of what is only predicted.
    let again = check("xbps::install", &json!({ "packages": "tool" }));
    let known = ["install tool-1.0_1", "install again what it needs of what was removed"];
    assert_eq!((again.status, words(&again.steps)), (Status::MayChange, known.map(str::to_owned).to_vec()));
    check("xbps::install", &json!({ "packages": "late" }));
    let orphans = check("xbps::remove", &json!({ "packages": "late", "recursive": true }));
    let known = ["remove late-1.0_1", "remove what nothing else needs then"];
    assert_eq!(
        (orphans.status, words(&orphans.steps)),
        (Status::MayChange, known.map(str::to_owned).to_vec())
    );
}

#[test]
fn xbps_itself_is_updated_first() {
    let host = Host::new();
    let before =
        [package("libxbps-0.60.6_1"), needing("xbps-0.60.6_1", "libxbps>=0.60.6_1"), package("tool-1.0_1")];
    host.offer(&before);
    host.change("xbps::install", &json!({ "packages": ["xbps", "tool"] }));
    let after = [
        package("libxbps-0.60.7_1"),
        needing("xbps-0.60.7_1", "libxbps>=0.60.7_1"),
        package("tool-1.1_1"),
        package("late-1.0_1"),
    ];
    host.offer(&after);
    let mut plan = words(&call(Mode::Check(&host.overlay()), "xbps::upgrade", &json!({})).steps);
    plan.sort();
    let all = [
        "update libxbps-0.60.6_1 to 0.60.7_1",
        "update tool-1.0_1 to 1.1_1",
        "update xbps-0.60.6_1 to 0.60.7_1",
    ];
    assert_eq!(plan, all);
    // Something else brings it along, too.
    let steps = host.change("xbps::install", &json!({ "packages": "late" }));
    assert_eq!(steps.last().map(String::as_str), Some("install late-1.0_1"));
    assert_eq!((host.version("xbps"), host.version("tool")), (json!("0.60.7_1"), json!("1.0_1")));
    assert_eq!(host.change("xbps::upgrade", &json!({})), ["update tool-1.0_1 to 1.1_1"]);
    assert_eq!(host.run("xbps::upgrade", &json!({})).status, Status::Ok);
}

#[test]
fn versions_that_are_asked_for_are_brought_about() {
    let host = Host::new();
    host.offer(&[package("tool-1.0_1")]);
    host.change("xbps::install", &json!({ "packages": "tool" }));
    host.offer(&[package("tool-2.0_1")]);
    assert_eq!(host.run("xbps::install", &json!({ "packages": "tool" })).status, Status::Ok);
    assert_eq!(
        host.change("xbps::install", &json!({ "packages": "tool>=2" })),
        ["update tool-1.0_1 to 2.0_1"]
    );
    host.offer(&[package("tool-1.5_1")]);
    assert_eq!(
        host.change("xbps::install", &json!({ "packages": "tool<2" })),
        ["update tool-2.0_1 to 1.5_1"]
    );
    host.offer(&[package("tool-3.0_1")]);
    host.change("xbps::hold", &json!({ "packages": "tool" }));
    assert_eq!(host.run("xbps::install", &json!({ "packages": "tool", "update": true })).status, Status::Ok);
    let failure = host.run("xbps::install", &json!({ "packages": "tool>=3" })).failure.unwrap();
    assert_eq!(failure.to_string(), "`tool` is on hold in a version that is not `tool>=3`");
    assert_eq!(failure.hint().as_deref(), Some("xbps::unhold(\"tool\") lets it be changed"));
    host.change("xbps::unhold", &json!({ "packages": "tool" }));
    assert_eq!(
        host.change("xbps::install", &json!({ "packages": "tool", "update": true })),
        ["update tool-1.5_1 to 3.0_1"]
    );
}

#[test]
fn what_can_not_be_is_said_in_words() {
    let host = Host::new();
    host.offer(&[needing("tool-1.0_1", "libtool>=1"), package("libtool-1.2_1")]);
    host.change("xbps::install", &json!({ "packages": "tool" }));
    let cases = [
        ("xbps::install", json!({ "packages": "nosuch" }), "no repository has `nosuch`"),
        (
            "xbps::remove",
            json!({ "packages": "libtool" }),
            "an installed package needs what would be removed or changed",
        ),
        ("xbps::hold", json!({ "packages": "nosuch" }), "`nosuch` is not installed"),
        (
            "xbps::alternatives",
            json!({ "group": "vi", "package": "tool" }),
            "the host has no group of alternatives `vi`",
        ),
    ];
    for (function, arguments, words) in cases {
        for mode in [Mode::Change(&*host.system), Mode::Check(&host.overlay())] {
            let failure = call(mode, function, &arguments).failure.unwrap();
            assert!(failure.to_string().contains(words), "{function}: {failure}");
        }
    }
    host.offer(&[package("plain-1.0_1")]);
    let failure =
        host.run("xbps::install", &json!({ "packages": "plain", "creates_users": "_plain" })).failure;
    assert_eq!(failure.unwrap().to_string(), "the packages did not create the user `_plain`");
}

#[test]
fn a_key_that_is_not_trusted_is_foretold() {
    let host = Host::new();
    let url = "https://repo-default.voidlinux.org/current";
    host.put("/etc/xbps.d/50-local.conf", &format!("repository={url}\n"));
    fs::remove_dir_all(host.directory.path().join("root/var/db/xbps/keys")).unwrap();
    let arguments = json!({ "packages": "chrony" });
    let foretold = call(Mode::Check(&host.overlay()), "xbps::install", &arguments).failure.unwrap();
    assert!(foretold.to_string().contains("60:ae:0c:d6:f0:95:17:80:bc:93:46:7a:89:af:a3:2d"), "{foretold}");
    let made = host.run("xbps::install", &arguments).failure.unwrap();
    assert!(made.to_string().ends_with("signed with a key that the host does not trust"), "{made}");
}

#[test]
fn what_is_there_starts_no_program() {
    let host = Host::new();
    host.offer(&[package("tool-1.0_1")]);
    host.change("xbps::install", &json!({ "packages": "tool" }));
    let silent = opened(&host.directory, NoPrograms);
    for (function, arguments) in [
        ("xbps::install", json!({ "packages": ["tool", "tool>=1"], "mode": "manual" })),
        ("xbps::remove", json!({ "packages": "other" })),
        ("xbps::unhold", json!({ "packages": "tool" })),
        ("xbps::reconfigure", json!({})),
        ("xbps::clean", json!({})),
    ] {
        let report = call(Mode::Change(&*silent), function, &arguments);
        assert_eq!((report.status, report.failure), (Status::Ok, None), "{function}");
    }
}

#[test]
fn a_transaction_is_taken_back_with_modes_and_holds() {
    use refrain_engine::step::Undo;
    use refrain_stdlib::xbps::database::Database;
    use refrain_stdlib::xbps::planned::parse;
    use refrain_stdlib::xbps::undo;

    let host = Host::new();
    host.offer(&[package("tool-1.0_1"), package("old-1.0_1"), package("held-1.0_1")]);
    host.change("xbps::install", &json!({ "packages": ["tool", "old", "held"] }));
    host.change("xbps::hold", &json!({ "packages": "held" }));
    host.put("/var/cache/xbps/tool-1.0_1.x86_64.xbps", "");
    let database = Database::look(&*host.system).unwrap();
    let lines = "new-1.0_1 install x86_64 /srv/repo 1 1\ntool-2.0_1 update x86_64 /srv/repo 1 1\n\
                 old-2.0_1 update x86_64 /srv/repo 1 1\nheld-1.0_1 remove x86_64 /srv/repo 1 1\n";
    let Undo::Run { commands, kept } = undo::of(&parse(lines, &database), &database, &*host.system).unwrap()
    else {
        panic!("it can be taken back in part");
    };
    let expected = [
        "xbps-remove -y new",
        "xbps-rindex -a /var/cache/xbps/tool-1.0_1.x86_64.xbps",
        "xbps-rindex -c /var/cache/xbps",
        "xbps-install -y -f --repository=/var/cache/xbps tool-1.0_1 held-1.0_1",
        "xbps-pkgdb -m hold held",
    ];
    assert_eq!(commands.iter().map(Command::to_shell).collect::<Vec<_>>(), expected);
    assert!(kept.is_some_and(|kept| kept.starts_with("`old-1.0_1` can't be had any more")));
    assert_eq!(PathBuf::from(undo::CACHE), Path::new("/var/cache/xbps"));
}
