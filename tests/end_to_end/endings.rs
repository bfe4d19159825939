//! How a run ends: its exit code, and that it can be ended.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::project::{Outcome, Project, copy_binary, possible};

/// Nothing takes that long; what waits for ever is found out.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn the_exit_code_tells_how_it_went() {
    let project = Project::of(
        r#"play("Codes", #{ hosts: "localhost", connection: "sandbox" }, || {
    file::content("/file", "content\n");
    if vars.get("fail", "no") == "yes" { fail("as asked") }
});
"#,
    );
    project.file("hosts", "localhost\nfar ansible_host=127.0.0.1 ansible_port=1 ansible_connection=ssh\n");
    project.file("far.rhai", "play(\"Far\", #{ hosts: \"far\" }, || {});\n");
    let code = |arguments: &[&str]| project.refrain(arguments).code;
    assert_eq!(code(&["run", "site.rhai", "--check"]), 0, "a prediction is no failure");
    assert_eq!(code(&["run", "site.rhai", "--check", "--exit-code"]), 10, "something would change");
    assert_eq!(code(&["run", "site.rhai"]), 0);
    assert_eq!(code(&["run", "site.rhai", "--check", "--exit-code"]), 0, "nothing would change");
    assert_eq!(code(&["run", "site.rhai", "-e", "fail=yes"]), 2);
    assert_eq!(code(&["run", "far.rhai", "-i", "hosts"]), 3);
    assert_eq!(code(&["run", "none.rhai"]), 4);
    assert_eq!(code(&["run", "site.rhai", "--limit", "nobody"]), 4);
    assert_eq!(code(&["run", "site.rhai", "--no-such-option"]), 4);
    assert_eq!(code(&["run", "site.rhai", "--exit-code"]), 4, "it goes with --check");
    assert_eq!(code(&["--version"]), 0);
}

/// Starts a play, sends it signals, and gives how it ended.
fn interrupted(body: &str, signals: &[Signal]) -> (Project, Outcome) {
    let project = Project::of(&format!(
        "play(\"Endless\", #{{ hosts: \"localhost\", connection: \"local\" }}, || {{ {body} }});\n"
    ));
    let ready = project.path("ready");
    project.file("site.rhai", {
        let text = std::fs::read_to_string(project.path("site.rhai")).expect("the playbook");
        text.replace("READY", &format!("file::content({ready:?}, \"\")"))
            .replace("TOP", &format!("{:?}", project.path("")))
    });
    let child = project.command(&["run", "site.rhai"]).spawn().expect("it starts");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process")).expect("a process");
    let deadline = Instant::now() + LONG;
    while !ready.exists() {
        assert!(Instant::now() < deadline, "the play does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    for signal in signals {
        kill_process(pid, *signal).expect("it is running");
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().expect("it ends");
    let outcome = Outcome::of(&output, &project.path(""));
    (project, outcome)
}

#[test]
fn a_runaway_script_can_be_interrupted() {
    for signal in [Signal::INT, Signal::TERM] {
        let (_, outcome) = interrupted("READY; loop { }", &[signal]);
        outcome.expect(130);
    }
}

#[test]
fn the_step_in_hand_is_finished_first() {
    // The command itself says that it is begun.
    let body = "command::shell(\"touch ready; sleep 0.5; echo done >step\", #{ directory: TOP }); \
                file::content(TOP + \"next\", \"\");";
    let (project, outcome) = interrupted(body, &[Signal::INT]);
    outcome.expect(130);
    assert!(project.path("step").exists(), "the command was not cut off");
    assert!(!project.path("next").exists(), "nothing more was begun");
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let (project, outcome) = interrupted(
        "command::shell(\"touch ready; sleep 3\", #{ directory: TOP });",
        &[Signal::INT, Signal::INT],
    );
    outcome.expect(130);
    drop(project);
}

#[test]
fn one_static_binary_starts_in_an_empty_root() {
    let chroot = ["/usr/sbin/chroot", "/usr/bin/chroot"].into_iter().find(|path| Path::new(path).exists());
    let chroot = chroot.filter(|_| rustix::process::geteuid().is_root());
    if !possible(chroot.is_some(), "the right to enter another root, or chroot") {
        return;
    }
    let project = Project::of(
        "play(\"Alone\", #{ hosts: \"localhost\", connection: \"local\" }, || {\n\
         \x20   file::content(\"/made\", `${facts.architecture} ${facts.kernel.name}`);\n});\n",
    );
    copy_binary(&project.path("refrain"));
    let mut command = Command::new(chroot.expect("looked for above"));
    command.arg(project.path("")).args(["/refrain", "run", "/site.rhai"]).env_clear();
    Outcome::of(&command.output().expect("it starts"), &project.path("")).expect(0);
    assert!(project.path("made").exists());
}
