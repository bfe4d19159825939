//! A private answer reaches the files, inputs and environments that it is meant for, and nothing else.

use std::fs;

use crate::support::project::Project;
use crate::support::terminal::answering;

const PLAYBOOK: &str = r#"
let password = prompt("Database password", #{ secret: true });
print(`at the top level it is ${password}`);

play("Secrets", #{ hosts: "localhost", connection: "local", vars: #{ db_password: password, url: "db://{{ db_password }}@db1" } }, || {
    print(`in a text ${password}, in a variable ${vars.url}, in a list ${[password]}`);
    file::content(TOP + "/content", "password = " + password + "\n");
    file::template("db.j2", TOP + "/template");
    let r = command::shell("cat; echo \"$DB\" >&2; echo \"$DB\" | base64", #{ stdin: password, environment: #{ DB: password } });
    print(`it came back as ${r.stdout} ${r.stderr}`);
    file::content(TOP + "/output", r.stdout);
    try { command::run(["login", password]) } catch (e) { print(e.message) }
    try { fail(`wrong: ${password}`) } catch (e) { print(e.message) }
    try { password.len() } catch (e) { print(e.message) }
    if password != "hunter2 & co" { fail("comparing compares the value") }
    if !file::read(TOP + "/content").contains("hunter2 & co") { fail("the file should hold the value") }
    command::shell("echo \"$DB\"; exit 3", #{ environment: #{ DB: password } });
});
"#;

#[test]
fn a_secret_is_seen_by_nobody() {
    let project = Project::new();
    let top = project.path("made");
    fs::create_dir(&top).expect("a directory");
    project.file("site.rhai", PLAYBOOK.replace("TOP", &format!("{top:?}")));
    project.file("templates/db.j2", "password: {{ db_password }}, {{ db_password | b64encode }}\n");
    let mut whole = String::new();
    for arguments in [
        &["run", "site.rhai", "-vv", "--diff"][..],
        &["run", "site.rhai", "--output", "json"],
        &["run", "site.rhai", "--check", "--diff", "-v"],
    ] {
        let shown = answering(project.command(arguments), "Database password", &["hunter2 & co"]);
        for spelling in ["hunter2", "aHVudGVyMiAmIGNv", "hunter2%20"] {
            assert!(!shown.contains(spelling), "{spelling} was shown:\n{shown}");
        }
        whole.push_str(&shown);
    }
    assert!(whole.contains("it came back as ••••"), "{whole}");
    assert!(whole.contains("the argument `argv` can't be a secret: it would be seen"), "{whole}");
    assert!(whole.contains("`len` can't look into a secret"), "{whole}");
    assert!(whole.contains("wrong: ••••"), "{whole}");
    let read = |name: &str| fs::read_to_string(top.join(name)).expect("a file");
    assert_eq!(read("content"), "password = hunter2 & co\n");
    assert_eq!(read("template"), "password: hunter2 & co, aHVudGVyMiAmIGNv\n");
    assert!(read("output").starts_with("hunter2 & co"));
}
