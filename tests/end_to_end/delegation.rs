//! Bodies that run against another host than the play's own.

use std::fs;

use crate::support::project::{Outcome, Project};

fn project(body: &str) -> Project {
    let project = Project::of(&format!("play(\"Web\", #{{ hosts: \"web\" }}, || {{\n{body}\n}});\n"));
    project.file("inventory", "[web]\nweb1 color=red\nweb2 color=blue\n[balancer]\nlb color=grey\n");
    project
}

fn run(project: &Project, more: &[&str]) -> Outcome {
    project.refrain(
        &[&["run", "site.rhai", "-c", "sandbox", "--root", "boxes", "-v", "--forks", "1"], more].concat(),
    )
}

#[test]
fn a_body_runs_on_another_host_with_the_variables_of_the_plays_own() {
    let project = project(
        r#"    let h = handler("Joined", || file::content("/etc/joined", "yes\n"));
    let pool = on("lb", || {
        file::line("/etc/pool", `${host.name} ${vars.color}`, #{ create: true }).notify(h);
        file::read("/etc/pool").contains(vars.color)
    });
    file::content("/etc/in-pool", pool.to_string() + "\n");"#,
    );
    let predicted = run(&project, &["--check"]).expect(0);
    assert!(!project.path("boxes/lb/root/etc/pool").exists(), "check mode changes nothing there either");
    insta::assert_snapshot!(predicted.whole());
    insta::assert_snapshot!(run(&project, &[]).expect(0).whole());
    let read = |path: &str| fs::read_to_string(project.path(path)).expect("a file");
    assert_eq!(read("boxes/lb/root/etc/pool"), "web1 red\nweb2 blue\n");
    assert_eq!(read("boxes/web2/root/etc/in-pool"), "true\n");
    assert_eq!(read("boxes/web1/root/etc/joined"), "yes\n");
    let again = run(&project, &[]).expect(0);
    assert!(!again.stdout.contains(" changed web"), "{}", again.stdout);
}

#[test]
fn facts_are_those_of_the_other_host() {
    let project =
        project(r#"    print(`${facts.hostname} ${on("lb", || facts.hostname)} ${facts.hostname}`);"#);
    run(&project, &["--limit", "web1", "--check"]);
    for host in ["web1", "lb"] {
        project.file(&format!("boxes/{host}/root/etc/hostname"), format!("{host}\n"));
    }
    let ran = run(&project, &["--limit", "web1"]).expect(0);
    assert!(ran.stdout.contains("web1 lb web1"), "{}", ran.stdout);
}

#[test]
fn an_unknown_host_is_named_with_a_near_one() {
    let project = project(r#"    on("lbb", || file::content("/x", ""));"#);
    let failed = run(&project, &["--limit", "web1"]).expect(2);
    assert!(failed.stdout.contains("the inventory has no host `lbb`"), "{}", failed.stdout);
    assert!(failed.stdout.contains("did you mean `lb`?"), "{}", failed.stdout);
}

#[test]
fn the_controller_is_a_host_that_no_inventory_has() {
    let project = project(r#"    on("localhost", || file::content(`${vars.top}/from-${host.name}`, "x"));"#);
    let top = format!("top={}", project.path("").display());
    let arguments = ["run", "site.rhai", "-e", &top, "--limit", "web1"];
    // Only the play's own hosts are sandboxes.
    project.file("site.rhai", fs::read_to_string(project.path("site.rhai")).expect("a playbook"));
    project.file("inventory", "[web]\nweb1 ansible_connection=sandbox\n");
    project.refrain(&arguments).expect(0);
    assert!(project.path("from-web1").exists());
}
