//! Hosts that wait for one another, with fewer forks than hosts.

use std::time::{Duration, Instant};

use refrain_engine::event::{EventKind, Status};
use rustix::process::Signal;

use crate::support::project::Project;
use crate::support::run::{Finished, run};
use crate::support::started::Started;

const HOSTS: usize = 12;

fn project(options: &str, body: &str) -> Project {
    let project = Project::new();
    project.file("inventory", "[all]\nh[01:12]\n");
    project
        .file("play.rhai", format!("play(\"Meet\", #{{ hosts: \"all\"{options} }}, || {{\n{body}\n}});\n"));
    project
}

/// The run with two forks, in sandboxes.
fn meet(project: &Project, further: &[&str]) -> Finished {
    run(project, &[&["-c", "sandbox", "--forks", "2"], further].concat())
}

/// The calls about a path, by the hosts that made them, with their numbers in the order of all.
fn calls(finished: &Finished, path: &str) -> Vec<(usize, String)> {
    let told = finished.events().into_iter().enumerate().filter_map(|(number, event)| match event.kind {
        EventKind::Task(task) if task.subject == path => Some((number, event.host?)),
        _ => None,
    });
    told.collect()
}

const MEET: &str = r#"
    file::content("/before", "x");
    barrier("all are here");
    let made = once(|| {
        file::content("/token", host.name);
        #{ by: host.name, list: [1, 2] }
    });
    file::content("/after", `${made.by} ${made.list.len()}`);
    for round in 0..2 {
        barrier("round");
        print(once(|| `${round} by ${host.name}`));
    }"#;

#[test]
fn hosts_meet_however_few_are_at_work_at_a_time() {
    let project = project("", MEET);
    for arguments in [&["--check"][..], &[]] {
        let finished = meet(&project, arguments).succeeded();
        let last_before = calls(&finished, "/before").into_iter().map(|(number, _)| number).max();
        let first_after = calls(&finished, "/after").into_iter().map(|(number, _)| number).min();
        assert!(last_before < first_after, "{finished:#?}");
        let by = calls(&finished, "/token");
        let [(_, by)] = &by[..] else { panic!("once: {by:?}") };
        assert_eq!(calls(&finished, "/after").len(), HOSTS);
        let mut messages = finished.messages();
        messages.sort();
        messages.dedup();
        assert_eq!(messages.len(), 2, "all hosts were told the same: {messages:?}");
        if arguments.is_empty() {
            let after = std::fs::read_to_string(project.path(".refrain/sandbox/h07/root/after"));
            assert_eq!(after.expect("a file"), format!("{by} 2"));
        }
    }
    // Another one may be the first to come, and does it then.
    let again = meet(&project, &[]).succeeded();
    assert_eq!(calls(&again, "/token").len(), 1);
    assert!(again.events().iter().all(|event| match &event.kind {
        EventKind::Task(task) if task.subject == "/before" => task.status == Status::Ok,
        _ => true,
    }));
}

#[test]
fn once_is_once_for_all_batches() {
    let project = project(", serial: 5", "print(once(|| host.name));");
    let finished = meet(&project, &[]).succeeded();
    let mut messages = finished.messages();
    assert_eq!(messages.len(), HOSTS);
    messages.dedup();
    assert_eq!(messages.len(), 1);
}

#[test]
fn nobody_waits_for_those_that_have_ended() {
    let body = r#"
        if host.name == "h03" { fail("it does not come") }
        if host.name == "h04" { end_host() }
        barrier("here");
        print("here");"#;
    let finished = meet(&project("", body), &[]);
    assert_eq!(finished.code, Some(2), "{finished:#?}");
    assert_eq!(finished.messages().len(), HOSTS - 2);
}

#[test]
fn what_fails_once_fails_for_all() {
    let body = r#"
        try { once(|| fail("no luck")); } catch (e) { print(e.message); }
        once(|| file::read("/none"));"#;
    let finished = meet(&project("", body), &[]);
    assert_eq!(finished.code, Some(2), "{finished:#?}");
    let failed = |event: &refrain_engine::event::Event| matches!(event.kind, EventKind::HostFailed(_));
    assert_eq!(finished.events().iter().filter(|event| failed(event)).count(), HOSTS);
    assert_eq!(finished.messages(), ["no luck"; HOSTS]);
    let told = finished.events().into_iter().find_map(|event| match event.kind {
        EventKind::HostFailed(error) if error.message.contains("what is done once") => Some(*error),
        _ => None,
    });
    let told = told.expect("the others are told");
    assert!(told.causes.iter().any(|cause| cause.contains("/none")), "{told}");
    assert_eq!(told.at.map(|at| at.line), Some(4));
}

#[test]
fn hosts_that_wait_for_one_another_are_told_so() {
    let body = r#"
        if host.name == "h05" { barrier("here") } else { barrier("there") }"#;
    let finished = meet(&project("", body), &[]);
    assert_eq!(finished.code, Some(2), "{finished:#?}");
    let error = finished.failure();
    assert_eq!(error.message, "the hosts wait for one another");
    assert!(error.causes.contains(&"`h05` waits at the barrier `here`".to_owned()), "{error}");
    // Nobody comes to a barrier within what is done once.
    let within = meet(&project("", r#"once(|| barrier("in it"));"#), &[]);
    assert_eq!(within.code, Some(2), "{within:#?}");
}

#[test]
fn what_check_mode_can_not_know_is_unknown_to_all() {
    let body = r#"
        let made = once(|| command::run(["true"]));
        file::content("/token", made.stdout);"#;
    let finished = meet(&project("", body), &["--check"]).succeeded();
    let may = |event: &refrain_engine::event::Event| match &event.kind {
        EventKind::Task(task) => task.subject == "/token" && task.status == Status::WouldChange,
        _ => false,
    };
    // A file that is not there is made, whatever is in it.
    assert_eq!(finished.events().iter().filter(|event| may(event)).count(), HOSTS);
}

#[test]
fn who_waits_can_be_told_to_stop() {
    let body = r#"
        print(`${host.name} has come`);
        if host.name == "h01" { command::run(["sleep", "600"]) }
        barrier("never");"#;
    let project = project(", connection: \"local\", placement: \"controller\"", body);
    let run = Started::of(&project, &["run", "play.rhai", "--forks", "2"]);
    run.until_it_says("h12 has come");
    let start = Instant::now();
    run.signal(Signal::TERM);
    run.until_it_says("stopping after");
    run.signal(Signal::TERM);
    run.end().expect(143);
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn they_need_the_controller() {
    let refused =
        project(", placement: \"host\"", "barrier(\"x\");").refrain(&["lint", "play.rhai"]).expect(4);
    assert!(refused.whole().contains("`barrier` needs the controller"), "{}", refused.whole());
    let lint = project("", "once(|| 1);").refrain(&["lint", "play.rhai"]).expect(0);
    assert!(lint.stdout.contains("controller, because of `once` at play.rhai:2"), "{}", lint.stdout);
    let slip = project("", "once(|| 1, 2);").refrain(&["lint", "play.rhai"]).expect(4);
    assert!(slip.whole().contains("once"), "{}", slip.whole());
}
