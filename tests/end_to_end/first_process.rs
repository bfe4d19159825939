//! refrain as the first process of a container.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::{Signal, kill_process};

use crate::support::project::{Project, binary, possible};
use crate::support::started::{Started, process, until};

/// What gives a program a process table of its own; nothing where that is not allowed.
fn contained() -> Option<Command> {
    let base = || {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--mount-proc", "--kill-child"]);
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command
    };
    let tried = base().arg("true").stdin(Stdio::null()).stderr(Stdio::null()).status();
    possible(tried.is_ok_and(|status| status.success()), "the right to have a process table of one's own")
        .then(base)
}

/// A run of a play with this body as the first process.
fn run<'a>(project: &'a Project, mut contained: Command, body: &str) -> Started<'a> {
    let body = body.replace("TOP", &format!("{:?}", project.path("")));
    project.file(
        "site.rhai",
        format!("play(\"First\", #{{ hosts: \"localhost\", connection: \"local\" }}, || {{\n{body}\n}});\n"),
    );
    contained.arg(binary()).args(["run", "site.rhai", "--output", "json"]).current_dir(project.path(""));
    Started::by(project, &mut contained)
}

#[test]
fn what_others_leave_behind_is_waited_for() {
    let Some(contained) = contained() else { return };
    let project = Project::new();
    // The first one outlives its parent, the second one has ended by then.
    let body = r##"
        for number in 0..20 {
            let orphan = "(sleep 0.05 &) ; (true &) ; (exit 3) & sleep 0.01; exit 7";
            let r = command::shell(orphan, #{ failed_when: false });
            if r.rc != 7 { fail(`somebody else has taken the status of the command: ${r.rc}`) }
        }
        let counted = command::shell("sleep 1; cat /proc/[0-9]*/stat | grep -c ') Z '; exit 0");
        print(`zombies: ${counted.stdout}`);
        print(`first: ${command::shell("echo $PPID").stdout}`);
    "##;
    let outcome = run(&project, contained, body).end().expect(0);
    assert!(outcome.stdout.contains("zombies: 0"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("first: 1"), "{}", outcome.stdout);
}

#[test]
fn signals_stop_it_as_elsewhere() {
    let Some(contained) = contained() else { return };
    let project = Project::new();
    let run = run(&project, contained, "file::content(TOP + \"ready\", \"\"); loop { }");
    run.until_there_is("ready");
    let children = format!("/proc/{0}/task/{0}/children", run.process());
    let first = || fs::read_to_string(&children).unwrap_or_default().trim().parse::<u32>().ok();
    until(|| first().is_some(), "there is no first process");
    kill_process(process(first().expect("waited for")), Signal::TERM).expect("it is running");
    let outcome = run.end().expect(143);
    assert!(outcome.stdout.contains("\"run-finished\""), "{}", outcome.stdout);
}
