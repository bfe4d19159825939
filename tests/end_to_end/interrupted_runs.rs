//! A run that dies between a change and its handler, and what the next run makes of it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::project::{Outcome, Project};

/// A play that dies in its middle as long as `die` is there.
const DYING: &str = r#"
play("Web", #{ hosts: "web", connection: "local" }, || {
    let top = vars.top;
    let restart = handler("Restart", || command::shell(`echo restarted >>${top}/log`));
    let config = file::content(top + "/config", "port = 80\n");
    if file::exists(top + "/die-before") { command::shell("kill -9 $PPID"); }
    config.notify(restart);
    file::content(top + "/quiet", "nobody asks\n");
    if file::exists(top + "/die-after") { command::shell("kill -9 $PPID"); }
    let data = file::content(top + "/data", "1\n");
    if file::exists(top + "/fail") { fail("as asked"); }
    if data.changed { notify("Restart"); }
});
"#;

fn project() -> Project {
    let project = Project::of(DYING);
    project.file("inventory", format!("web top={}\n", project.path("host").display()));
    fs::create_dir(project.path("host")).expect("a directory");
    project
}

fn run(project: &Project) -> Outcome {
    project.refrain(&["run", "site.rhai", "-v"])
}

fn log(project: &Project) -> String {
    fs::read_to_string(project.path("host/log")).unwrap_or_default()
}

#[test]
fn a_handler_that_a_dead_run_owes_is_run_by_the_next_one() {
    for (dies, left_by) in [("die-before", false), ("die-after", true)] {
        let project = project();
        project.file(&format!("host/{dies}"), "");
        assert_eq!(run(&project).code, -1, "it is killed");
        assert_eq!(log(&project), "");
        let check = project.refrain(&["run", "site.rhai", "--check"]).expect(0);
        assert!(check.stdout.contains("handler web Restart"), "{}", check.stdout);
        fs::remove_file(project.path(&format!("host/{dies}"))).expect("it is there");
        let rerun = run(&project).expect(0);
        assert_eq!(log(&project), "restarted\n", "{}", rerun.stdout);
        assert_eq!(rerun.stdout.contains("left by the run"), left_by, "{}", rerun.stdout);
        let again = run(&project).expect(0);
        assert_eq!(log(&project), "restarted\n", "once\n{}", again.stdout);
    }
}

#[test]
fn an_outcome_that_a_failed_run_did_not_act_upon_is_acted_upon() {
    let project = project();
    project.file("host/fail", "");
    run(&project).expect(2);
    assert_eq!(log(&project), "restarted\n", "for the configuration, whatever failed later");
    fs::remove_file(project.path("host/fail")).expect("it is there");
    let rerun = run(&project).expect(0);
    assert_eq!(log(&project), "restarted\nrestarted\n", "for the data\n{}", rerun.stdout);
    assert!(
        !rerun.stdout.contains("changed web file::content"),
        "it was there
{}",
        rerun.stdout
    );
    run(&project).expect(0);
    assert_eq!(log(&project), "restarted\nrestarted\n");
}

#[test]
fn a_handler_that_failed_is_run_again() {
    let project = Project::of(
        r#"play("Web", #{ hosts: "localhost", connection: "sandbox" }, || {
    handler("Reload", || { if !file::exists("/mended") { fail("broken") } file::content("/reloaded", "") });
    file::content("/config", "port = 80\n").notify("Reload");
});"#,
    );
    project.refrain(&["run", "site.rhai"]).expect(2);
    let host = project.path(".refrain/sandbox/localhost/root");
    fs::write(host.join("mended"), "").expect("a file");
    project.refrain(&["run", "site.rhai"]).expect(0);
    assert!(host.join("reloaded").exists());
}

#[test]
fn what_tags_select_runs_its_handlers() {
    let project = Project::of(
        r#"play("Web", #{ hosts: "localhost", connection: "sandbox" }, || {
    let reload = handler("Reload", || file::content("/reloaded", ""));
    task("Configure", #{ tags: "config" }, || file::content("/config", "port = 80\n").notify(reload));
});"#,
    );
    project.refrain(&["run", "site.rhai", "--tags", "config"]).expect(0);
    assert!(project.path(".refrain/sandbox/localhost/root/reloaded").exists());
}

#[test]
fn one_run_at_a_time_is_at_work_on_a_host() {
    let project = Project::of(
        r#"play("Slow", #{ hosts: "localhost", connection: "local" }, || {
    command::shell("touch begun; while [ ! -e go ]; do sleep 0.01; done", #{ directory: vars.top });
});"#,
    );
    let top = project.path("");
    let arguments = ["run", "site.rhai", "-e", &format!("top={}", top.display())];
    let mut first = project.command(&arguments).spawn().expect("it starts");
    appears(&top.join("begun"));
    let refused = project.refrain(&[&arguments[..], &["--lock-timeout", "0"]].concat()).expect(2);
    assert!(refused.stdout.contains("another run is at work on this host"), "{}", refused.stdout);
    project.refrain(&[&arguments[..], &["--check"]].concat()).expect(0);
    let second = project.command(&arguments).spawn().expect("it starts");
    std::thread::sleep(Duration::from_millis(100));
    fs::write(top.join("go"), "").expect("a file");
    assert!(first.wait().expect("it ends").success());
    let second = Outcome::of(&second.wait_with_output().expect("it ends"), &top).expect(0);
    assert!(second.stdout.contains("waiting for another run on this host: "), "{}", second.stdout);
}

fn appears(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_a_failed_run_owes_outlives_a_dead_one() {
    let project = project();
    project.file("host/fail", "");
    run(&project).expect(2);
    fs::remove_file(project.path("host/fail")).expect("it is there");
    project.file("host/die-after", "");
    assert_eq!(run(&project).code, -1, "it is killed");
    fs::remove_file(project.path("host/die-after")).expect("it is there");
    let rerun = run(&project).expect(0);
    assert_eq!(log(&project), "restarted\nrestarted\n", "for the data\n{}", rerun.stdout);
}
