//! `--junit`: what build servers get to read, as another program's XML parser finds it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use crate::support::project::{Project, possible};

/// Writes each element of a report on a line, with its attributes and text, as Python's parser sees it. Times are checked to be
/// numbers, and left out.
const OUTLINE: &str = r#"
import sys, xml.etree.ElementTree as tree
def show(element, depth):
    attributes = dict(element.attrib)
    if "time" in attributes: assert float(attributes.pop("time")) >= 0
    words = "".join(f" {key}={value!r}" for key, value in attributes.items())
    text = (element.text or "").strip("\n ")
    print("  " * depth + element.tag + words + (f": {text!r}" if text else ""))
    for child in element: show(child, depth + 1)
show(tree.parse(sys.argv[1]).getroot(), 0)
"#;

/// The outline of a report; if there is no Python, the test is to be skipped.
fn outline(project: &Project, report: &str) -> Option<String> {
    let python = Command::new("python3").args(["-c", OUTLINE]).arg(project.path(report)).output();
    possible(python.is_ok(), "python3").then_some(())?;
    let python = python.unwrap();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    Some(String::from_utf8(python.stdout).unwrap())
}

fn project() -> Project {
    let project = Project::of(
        r##"
play("Web <1>", #{ hosts: "all", connection: "sandbox" }, || {
    let reload = handler("Reload", || file::content("/etc/reloaded", "yes"));
    file::directory("/etc/web");
    role("app");
    task("Put & take", || file::content("/etc/a", "one\n\u001b[31m]]>\uffff\n").notify(reload));
    task("Left out", #{ tags: "never" }, || file::absent("/etc/none"));
    try { file::content("/nowhere/b", "") } catch { print("there is no /nowhere"); }
    if host.name == "web2" { file::content("/nowhere/c", "") }
    if host.name == "web3" { fail("no luck") }
    warn("look out");
});
play("Elsewhere", #{ hosts: "web1" }, || print("never"));
"##,
    );
    project.file("inventory", "web[1:3]\n");
    project.file("roles/app/role.rhai", "file::content(\"/etc/app\", \"\");\n");
    project
}

#[test]
fn a_run_leaves_a_suite_for_each_host_and_a_case_for_each_call() {
    let project = project();
    project.file("inventory", "web[1:3]\nweb1 ansible_host=127.0.0.1 ansible_port=1\n");
    let run = project.refrain(&["run", "site.rhai", "--diff", "--junit", "out.xml"]).expect(2);
    assert!(!run.stdout.contains("out.xml"), "{}", run.stdout);
    assert_eq!(fs::metadata(project.path("out.xml")).unwrap().permissions().mode() & 0o777, 0o600);
    let Some(outline) = outline(&project, "out.xml") else { return };
    insta::assert_snapshot!("run", outline.replace(&project.path("").display().to_string(), "/project/"));
    let left = fs::read_dir(project.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| name.to_string_lossy().starts_with(".refrain-")).count(), 0);
}

#[test]
fn what_would_change_is_a_failure_where_the_exit_code_tells_it() {
    let project = project();
    let limit =
        ["run", "site.rhai", "--limit", "web1", "--connection", "sandbox", "--check", "--junit", "out.xml"];
    project.refrain(&limit).expect(0);
    let Some(gentle) = outline(&project, "out.xml") else { return };
    assert!(gentle.contains("failures='0'") && gentle.contains("would change"), "{gentle}");
    project.refrain(&[&limit[..], &["--exit-code"]].concat()).expect(10);
    let strict = outline(&project, "out.xml").unwrap();
    assert!(
        strict.contains("failure message='file::directory /etc/web would change' type='would-change'"),
        "{strict}"
    );
    assert!(!strict.contains("@@"), "differences were not asked for: {strict}");
}

#[test]
fn a_test_leaves_a_suite_for_each_playbook_and_a_case_for_each_stage() {
    let project = Project::of("play(\"Fine\", #{ hosts: \"all\" }, || file::content(\"/etc/a\", \"\"));\n");
    project.file("inventory", "web1\n");
    project.file(
        "restless.rhai",
        "play(\"Bad\", #{ hosts: \"all\" }, || file::content(\"/etc/b\", if file::exists(\"/etc/b\") { file::read(\"/etc/b\") + \"x\" } else { \"\" }));\n",
    );
    project.refrain(&["test", "site.rhai", "restless.rhai", "--junit", "out.xml"]).expect(2);
    let Some(outline) = outline(&project, "out.xml") else { return };
    insta::assert_snapshot!("test", outline);
}

#[test]
fn a_report_that_can_not_be_written_is_known_before_a_host_is_touched() {
    let project = project();
    let refused = |path: &str| {
        let run = project.refrain(&["run", "site.rhai", "--junit", path]).expect(4);
        assert!(!project.path(".refrain").exists(), "no host may have been touched");
        run.stderr
    };
    assert!(
        refused("no/such/out.xml").contains("no report can be written to `no/such/out.xml`\ncaused by: ")
    );
    assert!(refused("/dev/null").contains("that is not a regular file"));
    assert!(refused(".").contains("that is not a regular file"));
    project.refrain(&["run", "site.rhai", "--list-hosts", "--junit", "out.xml"]).expect(4);
}

#[test]
fn a_report_replaces_the_one_before_it_where_a_link_leads() {
    let project = Project::of("play(\"Fine\", #{ hosts: \"all\" }, || file::content(\"/etc/a\", \"\"));\n");
    project.file("inventory", "web1\n");
    project.file("reports/old.xml", "old");
    symlink("reports/old.xml", project.path("out.xml")).unwrap();
    project.refrain(&["run", "site.rhai", "--connection", "sandbox", "--junit", "out.xml"]).expect(0);
    assert!(project.path("out.xml").is_symlink());
    assert!(
        fs::read_to_string(project.path("reports/old.xml")).unwrap().contains("<testsuite name=\"web1\"")
    );
}
