//! Check mode over several plays: a later one sees what an earlier one would have made.

use std::fs;

use refrain_engine::event::{EventKind, Status};

use crate::support::project::{Project, possible};
use crate::support::run::{Finished, run};

/// Two plays, of which the second needs what the first one makes: a directory, files, an account.
const PLAYS: &str = r#"
play("Base", #{ hosts: "all", OPTIONS }, || {
    file::directory("/etc");
    file::content("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    file::content("/etc/group", "root:x:0:\n");
    group::present("app", #{ system: true });
    user::present("app", #{ system: true, group: "app", home: "/srv/app" });
    file::directory("/etc/app");
    file::content("/etc/app/conf", "port = 80\n");
    file::copy("large", "/etc/app/large");
});

play("Application", #{ hosts: "all", OPTIONS }, || {
    file::line("/etc/app/conf", "port = 8080", #{ regexp: "^port" });
    file::content("/etc/app/key", "key\n", #{ owner: "app", group: "app", mode: "0600" });
    file::copy("large", "/etc/app/large", #{ mode: "0640" });
    file::link("/etc/app/current", "conf");
    print(file::read("/etc/app/current"));
});

play("Cleaning", #{ hosts: "all", OPTIONS }, || {
    print(file::exists("/etc/app/key").to_string());
    file::absent("/etc/app");
    print(file::exists("/etc/app/key").to_string());
});
"#;

fn project(options: &str) -> Project {
    let project = Project::new();
    project.file("play.rhai", PLAYS.replace("OPTIONS", options));
    project.file("inventory", "web1\n").file("files/large", vec![b'x'; 300 * 1024]);
    project
}

/// What each call did or would do.
fn steps(finished: &Finished) -> Vec<String> {
    let told = |event: refrain_engine::event::Event| match event.kind {
        EventKind::Task(task) => {
            let changes = matches!(task.status, Status::Changed | Status::WouldChange);
            let steps: Vec<_> = task.steps.into_iter().map(|step| step.text).collect();
            Some(format!("{} {} {changes} {}", task.module, task.subject, steps.join("; ")))
        }
        _ => None,
    };
    finished.events().into_iter().filter_map(told).collect()
}

/// What check mode foretells is what the run does then.
#[track_caller]
fn foretold(project: &Project, arguments: &[&str]) {
    let check = run(project, &[arguments, &["--check"]].concat()).succeeded();
    let made = run(project, arguments).succeeded();
    assert_eq!(steps(&check), steps(&made));
    assert_eq!(check.messages(), ["port = 8080\n", "true", "false"]);
    assert_eq!(check.messages(), made.messages());
}

#[test]
fn in_a_sandbox_later_plays_see_what_earlier_ones_would_make() {
    foretold(&project(""), &["-c", "sandbox"]);
}

#[test]
fn in_a_root_later_plays_see_what_earlier_ones_would_make() {
    if !possible(rustix::process::geteuid().is_root(), "the right to enter another root") {
        return;
    }
    for options in ["", "placement: \"controller\""] {
        let project = project(options);
        fs::create_dir(project.path("root")).expect("a directory");
        foretold(&project, &["--root", "root"]);
    }
}

#[test]
fn what_one_host_would_do_elsewhere_is_seen_by_the_next() {
    let project = Project::new();
    project.file("inventory", "web1\nweb2\nlb1\n");
    project.file(
        "play.rhai",
        r#"play("Upgrade", #{ hosts: "web*", serial: 1 }, || {
            on("lb1", || {
                file::line("/pool", host.name, #{ create: true });
                print(file::read("/pool"));
            });
        });"#,
    );
    let check = run(&project, &["-c", "sandbox", "--check"]).succeeded();
    assert_eq!(check.messages(), ["web1\n", "web1\nweb2\n"]);
    assert_eq!(steps(&check)[1], "file::line /pool true write /pool");
}

#[test]
fn a_handler_that_is_owed_would_run_once() {
    let play = |name: &str, command: &str| {
        format!(
            "play(\"{name}\", #{{ hosts: \"all\" }}, || {{\n\
             let h = handler(\"Restart\", || command::run([\"{command}\"], #{{ creates: \"/none\" }}));\n\
             file::content(\"/conf\", \"x\").notify(h);\n}});\n"
        )
    };
    let project = Project::new();
    project.file("inventory", "web1\n").file("play.rhai", play("First", "false"));
    assert_eq!(run(&project, &["-c", "sandbox"]).code, Some(2), "a sandbox has no such program");
    project.file("play.rhai", [play("First", "true"), play("Second", "true")].concat());
    let check = run(&project, &["-c", "sandbox", "--check"]).succeeded();
    let owed = |event: &refrain_engine::event::Event| {
        matches!(&event.kind, EventKind::HandlerStarted { left_by: Some(_), .. })
    };
    assert_eq!(check.events().iter().filter(|event| owed(event)).count(), 1);
    let again = run(&project, &["-c", "sandbox", "--check"]).succeeded();
    assert_eq!(again.events().iter().filter(|event| owed(event)).count(), 1, "nothing is settled by that");
}
