//! Files of a host that are copied to the controller.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::project::{Outcome, Project};

/// A project whose play fetches with these arguments, from a sandbox.
fn project(arguments: &str) -> Project {
    let body = format!("let r = file::fetch({arguments}); print(r.path)");
    let project = Project::of(&format!("play(\"Fetch\", #{{ hosts: \"all\" }}, || {{ {body} }});\n"));
    project.file("inventory", "web1\n");
    run(&project, &["--check"]);
    project.file("boxes/web1/root/etc/key", "secret\n");
    project
}

fn run(project: &Project, more: &[&str]) -> Outcome {
    project.refrain(&[&["run", "site.rhai", "-c", "sandbox", "--root", "boxes", "-v"], more].concat())
}

fn mode(path: PathBuf) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o7777
}

#[test]
fn a_file_is_fetched_when_it_differs() {
    let project = project("\"/etc/key\", `keys/${host.name}/key`, #{ mode: \"0600\" }");
    let copy = project.path("keys/web1/key");
    let predicted = run(&project, &["--check", "--diff"]).expect(0);
    assert!(!project.path("keys").exists(), "check mode writes nothing here either");
    insta::assert_snapshot!(predicted.whole());
    run(&project, &[]).expect(0);
    assert_eq!(fs::read_to_string(&copy).expect("a copy"), "secret\n");
    assert_eq!(mode(copy.clone()), 0o600);

    let before = fs::metadata(&copy).expect("a copy").modified().expect("a time");
    let again = run(&project, &[]).expect(0);
    assert!(!again.stdout.contains(" changed web"), "{}", again.stdout);
    assert_eq!(fs::metadata(&copy).expect("a copy").modified().expect("a time"), before);

    project.file("boxes/web1/root/etc/key", "another\n");
    run(&project, &[]).expect(0);
    assert_eq!(fs::read_to_string(&copy).expect("a copy"), "another\n");
}

#[test]
fn nothing_leads_out_of_the_project_by_the_way() {
    for (arguments, expected) in [
        ("\"/etc/key\", `../key`", "it has `..` in it"),
        ("\"/etc/key\", `keys/../../key`", "it has `..` in it"),
        ("\"/etc/key\", `/tmp/../key`", "it has `..` in it"),
        ("\"/etc/key\", `keys/`", "it does not name a file"),
        ("\"/etc\", `etc`", "`/etc` is a directory, not a file"),
        ("\"/etc/nothing\", `nothing`", "there is no file `/etc/nothing`"),
    ] {
        let failed = run(&project(arguments), &[]).expect(2);
        assert!(failed.stdout.contains(expected), "{arguments}: {}", failed.stdout);
    }
}
