//! `--list-hosts`, `--list-tasks`, `--list-tags`: what a run would be about, and that `--start-at` takes what they name.

use crate::support::project::Project;

const SITE: &str = r#"import "lib/web" as web;

fn ready(path) { file::directory(path); }

play("First", #{ hosts: "web", tags: "base" }, || {
    role("app", #{ port: 1 });
    role("app", #{ port: 1 });
    role("app", #{ port: 2 });
    task("Put things in place", #{ tags: ["files", "etc"] }, || {
        ready("/etc/app");
        for name in vars.names { file::content(`/etc/${name}`, "a\n"); }
        task("Then look", #{ tags: vars.tags }, || web::page("/srv"));
    });
    let later = |name| file::absent(name);
    later.call("/etc/old");
    if file::exists("/etc/more") { task(vars.title, || file::link("/a", "/b")); }
});

play("Second", #{ hosts: "all" }, || {
    role(vars.role);
    command::run(["true", "--yes"]).notify("Restart");
});
"#;

fn project() -> Project {
    let project = Project::of(SITE);
    project.file("inventory", "db1\n[web]\nweb1\nweb2\n");
    project.file(
        "roles/app/role.rhai",
        "let restart = handler(\"Restart\", || command::run(\"restart\"));\nfile::content(\"/etc/port\", `${vars.port}`).notify(restart);\nrole(\"base\");\n",
    );
    project
        .file("roles/base/role.rhai", "task(\"Base\", #{ tags: \"never\" }, || user::present(\"app\"));\n");
    project.file(
        "lib/web.rhai",
        "fn page(path) { file::content(path + \"/index\", \"hello\"); inner(3) }\nfn inner(n) { if n > 0 { inner(n - 1) } file::absent(\"/srv/old\") }\n",
    );
    project
}

fn listed(arguments: &[&str]) -> String {
    let project = project();
    let listed = project.refrain(&[&["run", "site.rhai"], arguments].concat()).expect(0);
    assert!(!project.path(".refrain").exists(), "no host may have been touched");
    listed.stdout
}

#[test]
fn tasks_are_listed_in_their_order_through_roles_functions_and_imports() {
    insta::assert_snapshot!(listed(&["--list-tasks"]));
}

#[test]
fn the_lists_show_what_the_other_options_leave() {
    let selected = ["--list-tasks", "--list-tags", "--list-hosts", "--limit", "web2", "--skip-tags", "base"];
    insta::assert_snapshot!("skipped_tags", listed(&selected));
    insta::assert_snapshot!("a_tag", listed(&["--list-tasks", "--tags", "never"]));
    insta::assert_snapshot!("a_beginning", listed(&["--list-tasks", "--start-at", "Put things*"]));
    insta::assert_snapshot!("tags", listed(&["--list-tags"]));
}

#[test]
fn a_run_starts_at_what_the_list_names() {
    let project = Project::of(
        r#"play("P", #{ hosts: "localhost" }, || {
    file::content("/a", "a");
    role("outer");
    file::content("/d", "d");
});
"#,
    );
    project.file("roles/outer/role.rhai", "role(\"inner\");\nfile::content(\"/c\", \"c\");\n");
    project.file("roles/inner/role.rhai", "task(\"Inner\", || file::content(\"/b\", \"b\"));\n");
    for (name, expected) in
        [("outer", "b c d"), ("inner", "b c d"), ("Inner", "b c d"), ("file::con*", "a b c d")]
    {
        let run =
            project.refrain(&["run", "site.rhai", "-c", "sandbox", "--check", "--start-at", name]).expect(0);
        let lines = run.stdout.lines().filter(|line| line.starts_with("   would"));
        let made: Vec<String> =
            lines.map(|line| line.split('/').nth(1).unwrap_or_default().chars().take(1).collect()).collect();
        assert_eq!(made.join(" "), expected, "{name}: {}", run.stdout);
        let list =
            project.refrain(&["run", "site.rhai", "--list-tasks", "--start-at", name]).expect(0).stdout;
        assert_eq!(list.matches("file::content").count(), made.len(), "{name}: {list}");
    }
}

#[test]
fn a_name_that_nothing_has_is_a_slip() {
    let project = Project::of("play(\"P\", #{ hosts: \"localhost\" }, || { file::absent(\"/a\"); });\n");
    let refused =
        project.refrain(&["run", "site.rhai", "-c", "sandbox", "--start-at", "file::absnet"]).expect(4);
    assert_eq!(
        refused.stderr.trim_end(),
        "error: nothing is called `file::absnet`, so there is nothing to start at\nhint: did you mean `file::absent`?"
    );
    assert!(!project.path(".refrain").exists(), "no host may have been touched");
}
