//! A run that is told to stop: by Ctrl-C and by the signals of whoever supervises it.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::project::Project;
use crate::support::started::{Started, runs, until};

/// What is to be prompt takes less than this, also on a machine that is busy.
const PROMPT: Duration = Duration::from_secs(8);

/// A project with a play of this body on this machine; `TOP` in it is the project's directory.
fn local(body: &str) -> Project {
    let project = Project::new();
    project.file("endless", SCRIPT);
    let body = body.replace("TOP", &format!("{:?}", project.path("")));
    project.file(
        "site.rhai",
        format!(
            "play(\"Endless\", #{{ hosts: \"localhost\", connection: \"local\" }}, || {{\n{body}\n}});\n"
        ),
    );
    project
}

/// A command of the play that starts another one and waits for it for ever.
const ENDLESS: &str = "command::run([\"sh\", \"endless\"], #{ directory: TOP });";

/// It says when all that is so, and takes a moment to end when it is asked to.
const SCRIPT: &str = "trap 'sleep 0.5; exit' TERM\nsleep 600 &\necho $! >new\nmv new child\nwait\n";

/// The process that [`ENDLESS`] has started.
fn child(project: &Project) -> u32 {
    fs::read_to_string(project.path("child")).expect("a number").trim().parse().expect("a number")
}

/// The names of the events of a run with `--output json`.
fn events(said: &str) -> Vec<String> {
    let event =
        |line| serde_json::from_str::<serde_json::Value>(line).expect("an event")["event"].to_string();
    said.lines().map(event).collect()
}

#[test]
fn a_runaway_script_ends_with_the_code_of_its_signal() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let project = local("file::content(TOP + \"ready\", \"\"); loop { }");
        let run = Started::of(&project, &["run", "site.rhai"]);
        run.until_there_is("ready");
        run.signal(signal);
        run.end().expect(code);
    }
}

#[test]
fn the_step_in_hand_is_finished_first() {
    let project = local(
        "let handler = handler(\"After\", || print(\"handled\"));\n\
         command::shell(\"touch ready; while ! [ -e go ]; do sleep 0.05; done; echo done >step\", #{ directory: TOP }).notify(handler);\n\
         file::content(TOP + \"next\", \"\");",
    );
    let run = Started::of(&project, &["run", "site.rhai"]);
    run.until_there_is("ready");
    run.signal(Signal::INT);
    run.until_it_says("stopping");
    project.file("go", "");
    let outcome = run.end().expect(130);
    assert!(project.path("step").exists(), "the command was not cut off");
    assert!(!project.path("next").exists(), "nothing more was begun");
    insta::assert_snapshot!(outcome.whole(), @r"
    exit code 130
    --- stdout

    Endless (1 host)
    stopping after the steps in hand; once more to stop now
     changed localhost command::shell touch ready; while ! [ -e go ]; do sleep 0.05; done; echo done >step

    localhost  1 changed, 0 ok, interrupted
    [time]
    ");
}

#[test]
fn the_second_signal_ends_what_runs_with_all_that_it_started() {
    let project = local(&format!("try {{ {ENDLESS} }} catch {{ }}\nfile::content(TOP + \"next\", \"\");"));
    let run = Started::of(&project, &["run", "site.rhai"]);
    run.until_there_is("child");
    run.signal(Signal::INT);
    run.until_it_says("stopping after");
    let start = Instant::now();
    run.signal(Signal::TERM);
    let outcome = run.end().expect(130);
    assert!(start.elapsed() < PROMPT);
    let child = child(&project);
    until(|| !runs(child), "what the command has started still runs");
    assert!(!project.path("next").exists(), "nothing more was begun");
    insta::assert_snapshot!(outcome.whole(), @r#"
    exit code 130
    --- stdout

    Endless (1 host)
    stopping after the steps in hand; once more to stop now
    stopping now: running commands are ended
     warning localhost
        command::run `sh endless` was cut off
         --> site.rhai:2:16
          |
        2 | try { command::run(["sh", "endless"], #{ directory: "[project]/" }); } catch { }
          |                ^^^
        caused by: `sh endless` was ended: the run was told to stop now

    localhost  0 changed, 0 ok, interrupted
    [time]
    "#);
}

#[test]
fn the_last_event_is_the_end_of_the_run() {
    let project = local(ENDLESS);
    let run = Started::of(&project, &["run", "site.rhai", "--output", "json"]);
    run.until_there_is("child");
    run.signal(Signal::TERM);
    run.until_it_says("stopping");
    run.signal(Signal::TERM);
    insta::assert_snapshot!(events(&run.end().expect(143).stdout).join(" "), @r#""run-started" "play-started" "host-started" "stopping" "stopping" "task" "warning" "host-finished" "run-finished""#);
}

#[test]
fn the_third_signal_waits_for_nobody() {
    let project = local(
        "command::shell(\"trap '' TERM; touch ready; while :; do sleep 0.1; done\", #{ directory: TOP });",
    );
    let run = Started::of(&project, &["run", "site.rhai"]);
    run.until_there_is("ready");
    run.signal(Signal::INT);
    run.until_it_says("stopping after");
    run.signal(Signal::INT);
    run.until_it_says("stopping now");
    let start = Instant::now();
    run.signal(Signal::INT);
    run.end().expect(130);
    assert!(start.elapsed() < PROMPT);
}

#[test]
fn hosts_that_have_not_begun_do_not() {
    let project =
        local("file::content(TOP + host.name, \"\"); file::content(TOP + \"ready\", \"\"); loop { }");
    project.file("inventory", "one\ntwo\n");
    let playbook = fs::read_to_string(project.path("site.rhai")).expect("a playbook");
    project.file("site.rhai", playbook.replace("localhost", "all"));
    let run = Started::of(&project, &["run", "site.rhai", "--forks", "1"]);
    run.until_there_is("ready");
    run.signal(Signal::INT);
    let outcome = run.end().expect(130);
    assert!(project.path("one").exists() && !project.path("two").exists());
    assert!(!outcome.stdout.contains("two  "), "{}", outcome.stdout);
}

#[test]
fn who_is_still_connecting_stops_at_once() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let project = Project::of("play(\"Far\", #{ hosts: \"all\" }, || {});\n");
    project
        .file("inventory", format!("far ansible_host=127.0.0.1 ansible_port={port} ansible_timeout=600\n"));
    let run = Started::of(&project, &["run", "site.rhai", "-vv"]);
    run.until_it_says("127.0.0.1");
    let start = Instant::now();
    run.signal(Signal::INT);
    let outcome = run.end().expect(130);
    assert!(start.elapsed() < PROMPT);
    let said = outcome.stdout.replace(&port.to_string(), "PORT");
    assert!(said.contains("far  0 changed, 0 ok, interrupted"), "{said}");
    assert!(!said.contains("unreachable"), "{said}");
}

#[test]
fn what_is_still_being_read_ends_at_once() {
    let project = Project::of("loop { }\n");
    let run = Started::of(&project, &["run", "site.rhai"]);
    // It says nothing yet; by the time that it is a `refrain`, it watches signals or heeds them as any program does.
    std::thread::sleep(Duration::from_millis(300));
    run.signal(Signal::TERM);
    let code = run.end().code;
    assert!(code == 143 || code == -1, "{code}");
}

#[test]
fn commands_do_not_outlive_their_run() {
    let project = local(ENDLESS);
    let run = Started::of(&project, &["run", "site.rhai"]);
    run.until_there_is("child");
    // Between the start of a command and its entry with the guardian there is a moment, which is long on a busy machine.
    std::thread::sleep(Duration::from_millis(500));
    run.signal(Signal::KILL);
    run.end();
    let child = child(&project);
    until(|| !runs(child), "the command still runs");
}

#[test]
fn what_is_started_with_nohup_outlives_its_terminal() {
    let project = local("file::content(TOP + \"ready\", \"\"); while !file::exists(TOP + \"go\") { }");
    let mut command = std::process::Command::new("nohup");
    command.arg(crate::support::project::binary()).args(["run", "site.rhai"]).current_dir(project.path(""));
    let run = Started::by(&project, &mut command);
    run.until_there_is("ready");
    run.signal(Signal::HUP);
    project.file("go", "");
    run.end().expect(0);
}
