//! `refrain test`: what a playbook promises, and what becomes of one that does not keep it.

use crate::support::project::Project;

/// A playbook, what its hosts need, and what is asserted.
fn project(body: &str, assertion: &str) -> Project {
    let play = |body: &str| format!("play(\"Web\", #{{ hosts: \"all\" }}, || {{\n{body}\n}});\n");
    let project = Project::of(&play(body));
    project.file("inventory", "web[1:2]\n");
    project.file("site.setup.rhai", play("file::content(\"/etc/release\", \"1\\n\");"));
    project.file("site.test.rhai", play(assertion));
    project
}

const BODY: &str = r##"
    let restart = handler("Restart", || runit::restart("web"));
    runit::service("web", #{ run: "#!/bin/sh\nexec webd\n" });
    file::content("/etc/web.conf", "release=" + file::read("/etc/release")).notify(restart);
    runit::enable("web");"##;

const ASSERTION: &str = r#"
    assert(file::read("/etc/web.conf") == "release=1\n", "the release is in it");
    assert(runit::status("web").state == "run", "it runs");"#;

#[test]
fn a_playbook_that_keeps_its_promises_passes() {
    let project = project(BODY, ASSERTION);
    insta::assert_snapshot!(project.refrain(&["test", "site.rhai"]).expect(0).whole());
    assert!(!project.path(".refrain").exists(), "nothing is left");
    project.refrain(&["test", "site.rhai", "--keep", "kept", "--limit", "web2"]).expect(0);
    assert!(project.path("kept/site/web2/root/etc/web.conf").exists());
    assert!(!project.path("kept/site/web1").exists());
}

#[test]
fn what_is_broken_is_shown() {
    let cases = [
        ("restless", r#"file::line("/etc/release", `${file::read("/etc/release").len}`);"#, ""),
        ("failing", r#"file::content("/nowhere/x", "");"#, ""),
        (
            "not_foretold",
            r#"if host.check { file::content("/etc/a", "1") } else { file::content("/etc/a", "2") }"#,
            "",
        ),
        ("wrong", BODY, r#"assert(file::exists("/etc/nginx.conf"), "there is a configuration");"#),
    ];
    for (name, body, assertion) in cases {
        let outcome = project(body, assertion).refrain(&["test", "site.rhai", "--limit", "web1"]);
        insta::assert_snapshot!(name, outcome.expect(2).whole());
    }
    let misspelt = project("file::contents(\"/x\", \"\");", "");
    insta::assert_snapshot!("misspelt", misspelt.refrain(&["test", "site.rhai"]).expect(4).whole());
}
