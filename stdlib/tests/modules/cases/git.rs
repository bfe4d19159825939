//! Working trees, by the real git.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Field, Mode, Report};
use refrain_engine::system::native::Native;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{RootKind, System, View, changes};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::placed;

/// A repository, and where it is checked out.
struct Desk {
    directory: TempDir,
    system: Rc<dyn System>,
}

impl Desk {
    /// None where there is no git: the test is to be skipped.
    fn new() -> Option<Self> {
        if Command::new("git").arg("--version").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "git is needed");
            eprintln!("skipped: git is needed");
            return None;
        }
        let system = placed(|| Native::new(RootKind::Live), RootKind::Live);
        let desk = Self { directory: TempDir::with_prefix("refrain-git-").unwrap(), system };
        fs::create_dir(desk.repository()).unwrap();
        desk.git(&["init", "--quiet", "--initial-branch=main", "."]);
        desk.commit("first");
        Some(desk)
    }

    fn repository(&self) -> PathBuf {
        self.directory.path().join("repository")
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("tree")
    }

    fn git(&self, arguments: &[&str]) -> String {
        run_git(&self.repository(), arguments)
    }

    /// Commits a file with this content, and gives the commit.
    fn commit(&self, content: &str) -> String {
        fs::write(self.repository().join("file"), content).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "-m", content]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn call(&self, mode: Mode<'_>, options: &Value) -> Report {
        let mut arguments = json!({ "repository": self.repository(), "path": self.path() });
        arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        changes::note();
        let registry = refrain_stdlib::registry();
        registry
            .get("git::checkout")
            .unwrap()
            .call(arguments, &Call::new(mode, &NoMaterials, &Calls::default()))
    }

    fn checkout(&self, options: &Value) -> Report {
        self.call(Mode::Change(&*self.system), options)
    }

    #[track_caller]
    fn changed(&self, options: &Value, content: &str) -> Report {
        let overlay = Overlay::new(Rc::clone(&self.system) as Rc<dyn View>);
        let foretold = self.call(Mode::Check(&overlay), options);
        assert_eq!(foretold.status, Status::WouldChange, "{:?}", foretold.failure);
        assert_eq!(self.call(Mode::Check(&overlay), options).status, Status::Ok, "it is foretold");
        let made = self.checkout(options);
        assert_eq!(made.status, Status::Changed, "{:?}", made.failure);
        let texts = |report: &Report| report.steps.iter().map(|step| step.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&made), texts(&foretold));
        assert_eq!(self.content(), content);
        let again = self.checkout(options);
        assert_eq!((again.status, again.steps.len()), (Status::Ok, 0), "{:?}", again.failure);
        made
    }

    fn content(&self) -> String {
        fs::read_to_string(self.path().join("file")).unwrap()
    }

    fn refusal(&self, options: &Value) -> String {
        self.checkout(options).failure.expect("a failure").to_string()
    }
}

fn run_git(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).args(arguments).env("HOME", "/nonexistent");
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "Somebody")
            .env(format!("GIT_{who}_EMAIL"), "somebody@example.org");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn field(report: &Report, name: &str) -> Value {
    let found = report.fields.iter().find(|(known, _)| known == name);
    match found {
        Some((_, Field::Known(value))) => value.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_branch_is_followed() {
    let Some(desk) = Desk::new() else { return };
    let first = desk.git(&["rev-parse", "HEAD"]);
    let report = desk.changed(&json!({}), "first");
    assert_eq!((field(&report, "before"), field(&report, "after")), (Value::Null, json!(first)));
    let second = desk.commit("second");
    let report = desk.changed(&json!({ "version": "main" }), "second");
    assert_eq!((field(&report, "before"), field(&report, "after")), (json!(first), json!(second)));
    assert_eq!(run_git(&desk.path(), &["symbolic-ref", "--short", "HEAD"]), "main");
    desk.commit("third");
    assert_eq!(desk.checkout(&json!({ "update": false })).status, Status::Ok);
    assert_eq!(desk.content(), "second");
    fs::write(desk.path().join("unknown"), "").unwrap();
    desk.changed(&json!({}), "third");
    assert!(desk.path().join("unknown").exists());
}

#[test]
fn tags_and_commits_are_checked_out_without_a_branch() {
    let Some(desk) = Desk::new() else { return };
    desk.git(&["tag", "-a", "v1", "-m", "One"]);
    let second = desk.commit("second");
    desk.commit("third");
    desk.changed(&json!({ "version": "v1", "depth": 1 }), "first");
    desk.changed(&json!({ "version": second }), "second");
    desk.changed(&json!({ "version": "main" }), "third");
    desk.changed(&json!({ "version": "v1" }), "first");
    assert!(desk.refusal(&json!({ "version": "v2" })).contains("has no branch and no tag `v2`"));
    assert!(desk.refusal(&json!({ "version": "--upload-pack=x" })).contains("no branch, tag or commit"));
    assert_eq!(desk.content(), "first");
}

#[test]
fn what_was_changed_by_hand_is_kept_unless_forced() {
    let Some(desk) = Desk::new() else { return };
    desk.changed(&json!({}), "first");
    fs::write(desk.path().join("file"), "mine").unwrap();
    // Nothing has to be done: so nothing is said of it.
    assert_eq!(desk.checkout(&json!({})).status, Status::Ok);
    desk.commit("second");
    let refused = desk.refusal(&json!({}));
    assert!(refused.contains("changed by hand") && refused.contains("M file"), "{refused}");
    assert_eq!(desk.content(), "mine");
    desk.changed(&json!({ "force": true }), "second");
    fs::write(desk.path().join("file"), "mine").unwrap();
    desk.changed(&json!({ "force": true }), "second");
}

#[test]
fn what_is_no_working_tree_is_refused() {
    let Some(desk) = Desk::new() else { return };
    fs::create_dir(desk.path()).unwrap();
    fs::write(desk.path().join("other"), "").unwrap();
    assert!(desk.refusal(&json!({})).contains("no working tree of git"));
    fs::remove_file(desk.path().join("other")).unwrap();
    desk.changed(&json!({}), "first");
    let elsewhere = desk.directory.path().join("moved");
    fs::rename(desk.repository(), &elsewhere).unwrap();
    assert!(desk.refusal(&json!({})).contains("ls-remote"));
    desk.changed(&json!({ "repository": elsewhere }), "first");
}
