//! Actions: commands, what a playbook thinks of their results, and what check mode makes of them.

use crate::support::project::Project;

/// A playbook whose play has this body, on this machine.
fn local(body: &str) -> Project {
    Project::of(&format!(
        "play(\"Test\", #{{ hosts: \"localhost\", connection: \"local\" }}, || {{\n{body}\n}});\n"
    ))
}

/// What a run prints by `print`, one line each.
fn printed(project: &Project, arguments: &[&str]) -> Vec<String> {
    let arguments = [&["run", "site.rhai", "--output", "json"], arguments].concat();
    let run = project.refrain(&arguments).expect(0);
    let events =
        run.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an event"));
    events.filter_map(|event| Some(event.get("text")?.as_str()?.to_owned())).collect()
}

#[test]
fn a_playbook_judges_results() {
    let project = local(
        r##"
        let fails = ["sh", "-c", "echo out; exit 3"];
        let show = |r| print(`${r.rc} ${r.changed} ${r.stdout}`);
        show.call(command::run(fails, #{ failed_when: |r| r.rc > 3 }));
        show.call(command::run(fails, #{ failed_when: false, changed_when: |r| r.stdout != "out" }));
        show.call(command::run(fails, #{ failed_when: false, probe: true }));
        show.call(command::run("true", #{ changed_when: false }));
        show.call(command::run("true", #{ creates: "/", changed_when: |r| r.rc == 0 }));
        try {
            command::run("echo", #{ failed_when: |r| r.stdout == "" });
        } catch (e) {
            print(e.message);
        }
        try {
            command::shell("echo why >&2; exit 4");
        } catch (e) {
            print(`${e.rc} ${e.stderr}`);
        }
        "##,
    );
    assert_eq!(
        printed(&project, &[]),
        [
            "3 true out",
            "3 false out",
            "3 false out",
            "0 false ",
            " false ",
            "`failed_when` says that this is a failure",
            "4 why\n",
        ]
    );
}

#[test]
fn check_mode_knows_what_was_declared() {
    let project = local(
        r##"
        let version = command::run(["echo", "1.2"], #{ probe: true }).stdout;
        if version == "1.2" { print("probed"); }
        print(`${command::run(["touch", "/no/such/place"], #{ changed_when: false }).changed}`);
        let made = command::run(["make"], #{ creates: "/no/such/place/made" });
        print(`${made.stdout}`);
        if file::exists("/no/such/place/made") { print("predicted"); }
        if made.rc == 0 { print("nobody knows"); }
        "##,
    );
    assert_eq!(printed(&project, &["--check"]), ["probed", "false", "(unknown)", "predicted"]);
}

#[test]
fn handlers_follow_the_verdict() {
    let project = local(
        r##"
        let handler = handler("Restart", || print("restarted"));
        command::run("true", #{ changed_when: false }).notify(handler);
        flush_handlers();
        print("nothing so far");
        command::run("true").notify(handler);
        "##,
    );
    assert_eq!(printed(&project, &[]), ["nothing so far", "restarted"]);
}

#[test]
fn a_verdict_is_a_closure_or_plain() {
    let run = local("command::run(\"true\", #{ changed_when: \"never\" });")
        .refrain(&["run", "site.rhai"])
        .expect(2);
    let text = run.whole();
    assert!(text.contains("`changed_when` has to be a closure, `true` or `false`"), "{text}");
}

#[test]
fn a_command_gets_an_environment_of_its_own() {
    let project = local(
        r##"
        task("Build", #{ environment: #{ OF_TASK: "task" } }, || {
            print(command::shell("echo $OF_TASK $OWN $SECRET_OF_THE_DESK $LANG", #{ environment: #{ OWN: 1 } }).stdout);
        });
        "##,
    );
    let mut command = project.command(&["run", "site.rhai"]);
    let output = command.env("SECRET_OF_THE_DESK", "hunter2").output().expect("the binary starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("task 1 C.UTF-8"), "{text}");
}

#[test]
fn a_script_of_the_project_is_run() {
    let project = local("print(command::script(\"job.sh\", [\"a b\", 2], #{ stdin: \"in\" }).stdout);");
    project.file("files/job.sh", "#!/bin/sh\necho \"$1-$2-$(cat)\"\n");
    assert_eq!(printed(&project, &[]), ["a b-2-in"]);
}

#[test]
fn a_password_hash_is_in_no_output() {
    const HASH: &str = "$5$saltsalt$tYCmAcqS7QfOLFbpVtDBSuzxSgJl2SpUKJkLsSVLNo9";
    let body = format!("user::present(\"ada\", #{{ password: \"{HASH}\", shell: \"/bin/zsh\" }});");
    for arguments in [&["--check", "--diff"][..], &["--diff"], &["--output", "json", "--diff"]] {
        let project = Project::of(&format!("play(\"Test\", #{{ hosts: \"localhost\" }}, || {{ {body} }});"));
        let run =
            project.refrain(&[&["run", "site.rhai", "-c", "sandbox"], arguments].concat()).expect(0).whole();
        assert!(run.contains("create user ada"), "{run}");
        assert!(!run.contains("tYCmAcqS7Q"), "{run}");
    }
    let plain = Project::of(
        "play(\"Test\", #{ hosts: \"localhost\" }, || {\n    let p = \"hunter\" + \"2\";\n    user::present(\"ada\", #{ password: p });\n});",
    );
    let run = plain.refrain(&["run", "site.rhai", "-c", "sandbox"]).expect(2).whole();
    assert!(run.contains("it is not a hash") && !run.contains("hunter2"), "{run}");
}

#[test]
fn a_sandbox_asks_nobody() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let body = format!(
        "http::request(\"{url}\", #{{ method: \"POST\", body: \"x\" }}); wait::http(\"{url}\"); wait::port(1); \
         wait::port(1, #{{ host: \"127.0.0.1\" }});"
    );
    let project = Project::of(&format!("play(\"Test\", #{{ hosts: \"localhost\" }}, || {{ {body} }});"));
    let run = project.refrain(&["run", "site.rhai", "-c", "sandbox"]).expect(0).whole();
    assert!(run.contains("0 changed, 4 ok"), "{run}");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody has come");
}
