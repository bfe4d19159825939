//! Runs over ssh that are told to stop, and agents that are.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use crate::stream::{agents, sessions};
use crate::support::project::Project;
use crate::support::run::{files_below, play};
use crate::support::sshd::Sshd;
use crate::support::started::{Started, process, runs, until};
use crate::{plain_site, replace_agent};

/// What is to be prompt takes less than this, also on a machine that is busy.
pub const PROMPT: Duration = Duration::from_secs(8);

/// A host that has an agent, and a play of this body for it; `TOP` in it is the project's directory.
fn site(body: &str) -> Option<(Project, Sshd)> {
    let (project, sshd) = plain_site()?;
    project.refrain(&["run", "play.rhai"]).expect(0);
    play(&project, &body.replace("TOP", &format!("{:?}", project.path(""))));
    Some((project, sshd))
}

/// A command of a play that starts another one and waits for it until there is a file `go`, then writes `step`.
const WAITING: &str = "command::shell(\"sleep 600 & echo $! >new; mv new child; \
    while ! [ -e go ]; do sleep 0.05; done; kill $!; echo done >step\", #{ directory: TOP }); \
    file::content(TOP + \"next\", \"\");";

fn child(project: &Project) -> u32 {
    fs::read_to_string(project.path("child")).expect("a number").trim().parse().expect("a number")
}

#[test]
fn the_step_in_hand_is_finished_on_the_host() {
    let Some((project, sshd)) = site(WAITING) else { return };
    let run = Started::of(&project, &["run", "play.rhai"]);
    run.until_there_is("child");
    run.signal(Signal::INT);
    run.until_it_says("stopping after");
    // Time enough for a word to reach the agent, and to do what it should not.
    std::thread::sleep(Duration::from_millis(500));
    assert!(runs(child(&project)));
    project.file("go", "");
    let outcome = run.end().expect(130);
    assert!(project.path("step").exists() && !project.path("next").exists());
    assert!(outcome.stdout.contains("web1  1 changed, 0 ok, interrupted\n"), "{}", outcome.stdout);
    until(|| agents(&sshd).is_empty(), "the agent still runs");
}

#[test]
fn the_second_signal_ends_what_runs_on_the_host() {
    let Some((project, sshd)) = site(WAITING) else { return };
    let run = Started::of(&project, &["run", "play.rhai"]);
    run.until_there_is("child");
    run.signal(Signal::TERM);
    run.until_it_says("stopping after");
    let start = Instant::now();
    run.signal(Signal::TERM);
    let outcome = run.end().expect(143);
    assert!(start.elapsed() < PROMPT);
    // All of them are killed by then; that they are gone is the kernel's to do.
    let child = child(&project);
    until(|| !runs(child), "what the command has started still runs");
    assert!(!project.path("step").exists() && !project.path("next").exists());
    assert!(outcome.stdout.contains("was ended: the run was told to stop now"), "{}", outcome.stdout);
    until(|| agents(&sshd).is_empty(), "the agent still runs");
}

#[test]
fn an_agent_without_a_controller_finishes_the_step_in_hand() {
    let Some((project, sshd)) = site(WAITING) else { return };
    let run = Started::of(&project, &["run", "play.rhai"]);
    run.until_there_is("child");
    run.signal(Signal::KILL);
    run.end();
    until(|| sessions(&sshd).is_empty(), "sshd has not noticed");
    assert!(runs(child(&project)), "the command is in hand");
    project.file("go", "");
    until(|| agents(&sshd).is_empty(), "the agent still runs");
    assert!(project.path("step").exists() && !project.path("next").exists());
}

#[test]
fn an_agent_that_is_told_to_stop_says_so() {
    let Some((project, sshd)) = site(WAITING) else { return };
    let run = Started::of(&project, &["run", "play.rhai"]);
    run.until_there_is("child");
    for agent in agents(&sshd) {
        kill_process(process(agent.parse().expect("a number")), Signal::TERM).expect("it runs");
    }
    std::thread::sleep(Duration::from_millis(200));
    project.file("go", "");
    // Nobody has told the run to stop: what is missing is a failure.
    let outcome = run.end().expect(2);
    assert!(project.path("step").exists() && !project.path("next").exists());
    assert!(outcome.stdout.contains("web1  1 changed, 0 ok, interrupted\n"), "{}", outcome.stdout);
}

#[test]
fn commands_do_not_outlive_a_killed_agent() {
    let Some((project, sshd)) = site(WAITING) else { return };
    let run = Started::of(&project, &["run", "play.rhai"]);
    run.until_there_is("child");
    // Between the start of a command and its entry with the guardian there is a moment, which is long on a busy machine.
    std::thread::sleep(Duration::from_millis(500));
    for agent in agents(&sshd) {
        assert!(Command::new("kill").args(["-KILL", &agent]).status().expect("kill starts").success());
    }
    run.end().expect(3);
    let child = child(&project);
    until(|| !runs(child), "the command still runs");
}

#[test]
fn an_agent_that_does_not_answer_is_given_up() {
    let Some((project, sshd)) = site("") else { return };
    let cache = sshd.home(".cache/refrain");
    let begun = project.path("begun").display().to_string();
    replace_agent(
        &cache.join(&files_below(&cache)[0]),
        format!("#!/bin/sh\n>'{begun}'; cat >/dev/null\n").as_bytes(),
    );
    for placement in ["host", "controller"] {
        let options = format!("#{{ hosts: \"all\", placement: \"{placement}\" }}");
        project.file("play.rhai", format!("play(\"Test\", {options}, || {{ file::exists(\"/\"); }});\n"));
        let run = Started::of(&project, &["run", "play.rhai"]);
        run.until_there_is("begun");
        let start = Instant::now();
        run.signal(Signal::INT);
        let outcome = run.end().expect(130);
        assert!(start.elapsed() < PROMPT);
        assert!(outcome.stdout.contains("web1  0 changed, 0 ok, interrupted\n"), "{}", outcome.stdout);
        until(|| agents(&sshd).is_empty(), "the agent still runs");
        fs::remove_file(project.path("begun")).expect("it is there");
    }
}
