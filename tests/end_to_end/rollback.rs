//! The way back, by `refrain rollback`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use crate::support::project::{Outcome, Project};

/// A play that changes whatever can be changed.
const CHANGES: &str = r#"
play("Change", #{ hosts: "web", connection: "local" }, || {
    let top = vars.top;
    file::content(top + "/config", "new\n", #{ mode: "0600" });
    file::line(top + "/config", "another line");
    file::directory(top + "/made/deep");
    file::content(top + "/made/deep/file", "x\n");
    file::link(top + "/link", "config");
    file::absent(top + "/old");
    file::content(top + "/old", "a file where a directory was\n");
    file::absent(top + "/large");
});
"#;

fn project() -> Project {
    let project = Project::of(CHANGES);
    project
        .file("inventory", format!("web top={} ansible_connection=local\n", project.path("host").display()));
    project.file("host/config", "old\n").file("host/old/deep/file", "y\n").file("host/old/other", "z\n");
    project.file("host/large", vec![b'x'; 200 * 1024]);
    symlink("old/other", project.path("host/link")).expect("a link");
    symlink("/nowhere", project.path("host/old/dangling")).expect("a link");
    fs::set_permissions(project.path("host/old/deep"), fs::Permissions::from_mode(0o2751)).expect("a mode");
    project
}

/// Everything below a directory, with the times of last changes, but those of links: a new link has a time of its own.
fn tree(top: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut todo = vec![top.to_owned()];
    while let Some(path) = todo.pop() {
        let metadata = fs::symlink_metadata(&path).expect("it is there");
        let name = path.strip_prefix(top).expect("below it").display();
        let what = if metadata.is_symlink() {
            format!("-> {}", fs::read_link(&path).expect("a link").display())
        } else {
            let content = fs::read(&path).map(|content| text(&content)).unwrap_or_default();
            let time = (metadata.mtime(), metadata.mtime_nsec());
            format!("{:o} {}:{} {time:?} {content}", metadata.mode(), metadata.uid(), metadata.gid())
        };
        lines.push(format!("{name} {what}"));
        if metadata.is_dir() {
            todo.extend(
                fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()),
            );
        }
    }
    lines.sort();
    lines
}

fn text(content: &[u8]) -> String {
    String::from_utf8_lossy(content).into_owned()
}

/// Runs the playbook, and gives the name of the run.
fn run(project: &Project) -> String {
    project.refrain(&["run", "site.rhai", "--output", "json"]).expect(0).run()
}

fn shown(outcome: &Outcome, run: &str) -> String {
    outcome.whole().replace(run, "[run]")
}

#[test]
fn a_run_is_taken_back_with_all_that_was_there() {
    let project = project();
    let before = tree(&project.path("host"));
    let name = run(&project);
    let after = tree(&project.path("host"));
    assert_ne!(before, after);
    let check = project.refrain(&["rollback", &name, "--check"]).expect(0);
    assert_eq!(tree(&project.path("host")), after, "checking changes nothing\n{}", check.stdout);
    let back = project.refrain(&["rollback", &name]).expect(0);
    assert_eq!(tree(&project.path("host")), before);
    insta::assert_snapshot!(format!("{}\n=====\n{}", shown(&check, &name), shown(&back, &name)));
    let again = project.refrain(&["rollback", &name]).expect(0);
    assert!(again.stdout.contains("0 changed"), "{}", again.stdout);
    assert_eq!(tree(&project.path("host")), before);
}

#[test]
fn a_rollback_is_a_run_that_can_be_taken_back() {
    let project = project();
    let name = run(&project);
    let after = tree(&project.path("host"));
    let back = project.refrain(&["rollback", &name, "--output", "json"]).expect(0);
    project.refrain(&["rollback", &back.run()]).expect(0);
    // The first of both has given the top itself the time that it had before everything.
    let below = |tree: &[String]| -> Vec<String> { tree[1..].to_vec() };
    assert_eq!(below(&tree(&project.path("host"))), below(&after));
}

#[test]
fn what_something_else_has_changed_is_not_touched() {
    let project = project();
    let name = run(&project);
    fs::write(project.path("host/config"), "by hand\n").expect("a file");
    fs::remove_file(project.path("host/made/deep/file")).expect("a file");
    project
        .file("other.rhai", CHANGES.replace("a file where", "another file where").replace("new", "by hand"));
    let changed = tree(&project.path("host"));
    let refused = project.refrain(&["rollback", &name]).expect(2);
    assert_eq!(tree(&project.path("host")), changed);
    let later = project.refrain(&["run", "other.rhai", "--output", "json"]).expect(0);
    let refused_again = project.refrain(&["rollback", &name]).expect(2);
    let refused_again = shown(&refused_again, &name).replace(&later.run(), "[later run]");
    insta::assert_snapshot!(format!("{}\n=====\n{refused_again}", shown(&refused, &name)));
}

#[test]
fn what_others_have_put_there_stays() {
    let project = project();
    let name = run(&project);
    project.file("host/made/deep/theirs", "theirs\n");
    let back = project.refrain(&["rollback", &name]).expect(0);
    assert!(project.path("host/made/deep/theirs").exists());
    assert!(back.stdout.contains("is not taken back"), "{}", back.stdout);
    assert!(!project.path("host/made/deep/file").exists());
}

#[test]
fn a_rollback_says_what_is_wrong_with_its_input() {
    let project = project();
    project.refrain(&["rollback"]).expect(4);
    project.refrain(&["rollback", "x", "--limit", "nobody"]).expect(4);
    let unknown = project.refrain(&["rollback", "x"]).expect(0);
    assert!(unknown.stdout.contains("the run x has changed nothing here"), "{}", unknown.stdout);
}
