//! Services under a real runsvdir, and the handlers that restart them.

use std::fs;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::have;
use crate::support::project::{Outcome, Project};
use crate::support::started::{runs, until};

/// Configures a service and enables it. The handler is notified before the service runs for the first time.
const PLAY: &str = r#"
play("Web", #{ hosts: "web", connection: "local" }, || {
    let top = vars.top;
    let places = #{ directory: top + "/enabled", definitions: top + "/sv" };
    let restart = handler("Restart web", || {
        runit::restart("web", places);
        // A run that shall be killed is not over before.
        if file::exists(top + "/stay") { command::run(["sleep", "60"]); }
    });
    file::content(top + "/sv/web/conf", "PORT=" + vars.port + "\n").notify(restart);
    runit::enable("web", places + #{ timeout: 30 });
});
"#;

/// A project, and a runsvdir for its host.
struct Services {
    project: Project,
    runsvdir: Child,
}

impl Services {
    /// With a service that this script becomes.
    fn new(run: &str) -> Self {
        let project = Project::of(PLAY);
        project.file("inventory", format!("web top={} port=80\n", project.path("host").display()));
        project.file("host/sv/web/run", format!("#!/bin/sh\n. ./conf\n{run}\n"));
        let script = project.path("host/sv/web/run");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(script, executable).expect("it is there");
        fs::create_dir(project.path("host/enabled")).expect("a directory");
        let mut runsvdir = Command::new("runsvdir");
        runsvdir.arg(project.path("host/enabled")).stdin(Stdio::null()).stderr(Stdio::null());
        Self { project, runsvdir: runsvdir.spawn().expect("runsvdir starts") }
    }

    fn run(&self, further: &[&str]) -> Outcome {
        let arguments: Vec<&str> = ["run", "site.rhai", "-v"].iter().chain(further).copied().collect();
        self.project.refrain(&arguments)
    }

    fn pid(&self) -> u32 {
        let pid = fs::read_to_string(self.project.path("host/sv/web/supervise/pid")).unwrap_or_default();
        pid.trim().parse().unwrap_or_default()
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // On HUP it ends its services, and their supervisors.
        kill_process(Pid::from_child(&self.runsvdir), Signal::HUP).expect("it runs");
        self.runsvdir.wait().expect("it ends");
    }
}

#[test]
fn a_handler_restarts_what_has_not_seen_the_change() {
    if !have("runsvdir") {
        return;
    }
    let services = Services::new("exec sleep 1000");
    let first = services.run(&[]).expect(0);
    assert!(first.stdout.contains("it was started after the change"), "{}", first.stdout);
    let pid = services.pid();
    assert!(runs(pid));
    let second = services.run(&[]).expect(0);
    assert!(!second.stdout.contains("handler"), "{}", second.stdout);
    assert_eq!(services.pid(), pid);
    let third = services.run(&["-e", "port=81"]).expect(0);
    assert!(third.stdout.contains("changed web runit::restart web"), "{}", third.stdout);
    until(|| services.pid() != pid && runs(services.pid()), "another process runs");
    assert!(!runs(pid));
}

/// As where refrain runs in a container, and a handler restarts what runs the container.
#[test]
fn a_handler_that_ends_its_own_run_does_so_once() {
    if !have("runsvdir") {
        return;
    }
    // Only a service that is restarted with the new port finds the run.
    let services = Services::new("[ $PORT = 80 ] || kill -9 $(cat ../../run)\nexec sleep 1000");
    services.run(&[]).expect(0);
    let pid = services.pid();
    let run = |further: &[&str]| {
        let arguments: Vec<&str> = ["run", "site.rhai", "-v"].iter().chain(further).copied().collect();
        let child = services.project.command(&arguments).spawn().expect("it starts");
        services.project.file("host/run", child.id().to_string());
        Outcome::of(&child.wait_with_output().expect("it ends"), &services.project.path(""))
    };
    services.project.file("host/stay", "");
    assert_eq!(run(&["-e", "port=81"]).code, -1, "its handler has killed it");
    fs::remove_file(services.project.path("host/stay")).expect("it is there");
    until(|| services.pid() != pid && runs(services.pid()), "the service runs again");
    let restarted = services.pid();
    let next = run(&["-e", "port=81"]).expect(0);
    assert!(next.stdout.contains("left by the run"), "{}", next.stdout);
    assert_eq!(services.pid(), restarted);
    assert!(!run(&["-e", "port=81"]).expect(0).stdout.contains("handler"), "nothing is owed any more");
}
