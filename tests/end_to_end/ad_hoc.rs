//! `refrain exec`, `refrain call` and `refrain facts`: without a playbook.

use std::fs;

use serde_json::Value;

use crate::support::project::Project;

fn project() -> Project {
    let project = Project::new();
    project.file("inventory", "[web]\nweb1\nweb2\n[db]\ndb1\n[all:vars]\nansible_connection=local\n");
    project.file("playbooks/group_vars/web.yml", "greeting: hello\n");
    project.file("playbooks/templates/motd.j2", "{{ greeting }} from {{ inventory_hostname }}\n");
    project.file("playbooks/roles/motd/role.rhai", "file::template(\"motd.j2\", vars.place);\n");
    project
}

#[test]
fn a_command_is_run_on_hosts() {
    let project = project();
    let run = project.refrain(&["exec", "all:!web2", "--", "echo", "a \"b\" ${c}", "--help"]).expect(0);
    insta::assert_snapshot!(run.whole());
    let failed =
        project.refrain(&["exec", "db", "--", "sh", "-c", "echo out; echo why >&2; exit 3"]).expect(2);
    assert!(
        failed.stdout.contains("exited with status 3") && failed.stdout.contains("why"),
        "{}",
        failed.stdout
    );
    let json =
        project.refrain(&["exec", "web", "-l", "web2", "--output", "json", "--", "echo", "x"]).expect(0);
    let messages: Vec<Value> = json
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an event"))
        .filter(|event| event["event"] == "message")
        .collect();
    assert_eq!(messages.len(), 1, "{}", json.stdout);
    assert_eq!((&messages[0]["host"], &messages[0]["text"]), (&"web2".into(), &"x".into()));
}

#[test]
fn a_function_is_called_on_hosts() {
    let project = project();
    let place = project.path("motd").to_string_lossy().into_owned();
    let variable = format!("place={place}");
    let call = |script: &str, more: &[&str]| {
        project.refrain(&[&["call", "web1", script, "-e", &variable][..], more].concat())
    };
    insta::assert_snapshot!(call("file::exists(\"/\");", &[]).expect(0).whole());
    let check = call("role(\"motd\")", &["--check", "--diff", "--exit-code"]).expect(10);
    assert!(check.stdout.contains("+hello from web1"), "{}", check.stdout);
    assert!(!project.path("motd").exists());
    let made = call("role(\"motd\")", &["--output", "json"]).expect(0);
    assert_eq!(fs::read_to_string(&place).expect("a file"), "hello from web1\n");
    project.refrain(&["rollback", &made.run()]).expect(0);
    assert!(!project.path("motd").exists());
    let printed = call("let r = command::run([\"echo\", \"out\"]); r", &[]).expect(0);
    assert!(printed.stdout.contains("\"stdout\":\"out\""), "{}", printed.stdout);
}

#[test]
fn slips_touch_nothing() {
    let project = project();
    let wrong = [
        &["call", "web1", "fil::exists(\"/\")"][..],
        &["call", "web1", "file::exists("],
        &["call", "wbe", "1"],
        &["exec", "web:!web", "--", "true"],
        &["exec", "web", "-l", "db1", "--", "true"],
        &["exec", "web"],
        &["facts", "web"],
    ];
    let said: Vec<String> =
        wrong.iter().map(|arguments| project.refrain(arguments).expect(4).whole()).collect();
    insta::assert_snapshot!(said.join("\n=====\n"));
}

#[test]
fn a_host_says_what_it_is() {
    let project = project();
    let facts = |arguments: &[&str]| project.refrain(&[&["facts", "db1"][..], arguments].concat());
    let all: Value = serde_json::from_str(&facts(&[]).expect(0).stdout).expect("JSON");
    let os: Value = serde_json::from_str(&facts(&["os"]).expect(0).stdout).expect("JSON");
    assert_eq!(all["os"], os);
    assert_eq!(facts(&["os.id"]).expect(0).stdout.trim(), os["id"].as_str().expect("a text"));
    assert!(all["env"].is_null(), "there may be passwords in it");
    assert!(facts(&["env"]).expect(0).stdout.contains("\"PATH\""));
    let missing = facts(&["hostnam"]).expect(2);
    assert_eq!(missing.stdout, "", "{}", missing.whole());
}
