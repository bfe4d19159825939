//! Where plays are evaluated, as lint finds it out.

use crate::support::project::Project;

fn project() -> Project {
    let project = Project::of(
        r#"import "lib/backup" as backup;

fn announce(host) { on(host, || file::content("/etc/announced", "")); }

play("Plain", #{ hosts: "all" }, || file::content("/a", ""));
play("As it says", #{ hosts: "all", placement: "controller" }, || file::content("/a", ""));
play("In the body", #{ hosts: "all" }, || {
    task("Inside", || {
        on("localhost", || file::content("/a", ""));
    });
});
play("Through a function", #{ hosts: "all" }, || announce("localhost"));
play("Through an import", #{ hosts: "all" }, || backup::fetch());
play("Through roles", #{ hosts: "all" }, || role("outer"));
play("In a handler", #{ hosts: "all" }, || { handler("Reboot", || reboot::now()); });
"#,
    );
    project.file("inventory", "web1\n");
    project.file(
        "lib/backup.rhai",
        "fn fetch() {\n    file::fetch(\"/etc/hosts\", \"hosts\");\n}\nfn other() { reboot::now(); }\n",
    );
    project.file("roles/outer/role.rhai", "role(\"inner\");\n");
    project.file("roles/inner/role.rhai", "file::content(\"/b\", \"\");\n\nreboot::now();\n");
    project
}

#[test]
fn lint_shows_where_each_play_is_evaluated_and_why() {
    insta::assert_snapshot!(project().refrain(&["lint", "site.rhai"]).expect(0).whole());
}

#[test]
fn a_play_can_not_be_evaluated_where_its_calls_can_not_be_made() {
    let project = Project::of(
        "play(\"Both\", #{ hosts: \"all\", placement: \"host\" }, || {\n    on(\"localhost\", || file::content(\"/a\", \"\"));\n});\n",
    );
    project.file("inventory", "web1\n");
    insta::assert_snapshot!(project.refrain(&["lint", "site.rhai"]).expect(4).whole());
    let run = project.refrain(&["run", "site.rhai", "-c", "sandbox"]).expect(4);
    assert!(run.stderr.contains("`on` needs the controller"), "{}", run.stderr);
}
