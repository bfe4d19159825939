//! Plays that are evaluated on the controller: what they cost on a slow line, and what happens when the host is lost.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use crate::support::proxy::Proxy;
use crate::support::run::run;
use crate::support::sshd::Sshd;
use crate::{plain_site, support::project::Project};

const CALLS: u32 = 50;

/// 50 tasks in the proportions of the benchmarks: directories, templates, copies, links and lines.
fn fifty(project: &Project, top: &Path, placement: &str) {
    let top = top.display();
    let mut calls = String::new();
    for index in 0..10 {
        let _ =
            writeln!(calls, "file::directory(\"{top}/d{index}\", #{{ mode: \"0755\", owner: \"root\" }});");
    }
    for index in 0..20 {
        project
            .file(&format!("templates/t{index}.j2"), "{{ name }} for {{ inventory_hostname }}\n".repeat(20));
        let place = format!("{top}/d{}/template{index}.conf", index % 10);
        let vars = format!("#{{ name: \"file {index}\" }}");
        let _ = writeln!(
            calls,
            "file::template(\"t{index}.j2\", \"{place}\", #{{ mode: \"0644\", vars: {vars} }});"
        );
    }
    for index in 0..10 {
        project.file(&format!("files/c{index}"), "the quick brown fox\n".repeat(100));
        let _ = writeln!(
            calls,
            "file::copy(\"c{index}\", \"{top}/d{index}/copy{index}\", #{{ mode: \"0600\" }});"
        );
    }
    for index in 0..5 {
        let _ = writeln!(calls, "file::link(\"{top}/link{index}\", \"d{index}/copy{index}\");");
        let options = format!("#{{ regexp: \"^option{index} *=\", create: true }}");
        let _ =
            writeln!(calls, "file::line(\"{top}/d{index}/lines.conf\", \"option{index} = yes\", {options});");
    }
    let options = format!("#{{ hosts: \"all\", placement: \"{placement}\" }}");
    project.file("play.rhai", format!("play(\"Fifty\", {options}, || {{\n{calls}}});\n"));
}

/// A line to the host that takes 20 ms in each direction.
fn slow(project: &Project, sshd: &Sshd) -> Proxy {
    let line = Proxy::start(sshd.port, Duration::from_millis(20));
    project.file("inventory", sshd.inventory_at(line.port));
    project.file(".ssh/known_hosts", sshd.known_as("*"));
    line
}

#[test]
fn a_converged_call_costs_one_round_trip_at_most() {
    let Some((project, sshd)) = plain_site() else { return };
    let top = tempfile::tempdir().unwrap();
    fifty(&project, top.path(), "controller");
    run(&project, &[]).succeeded();
    let turns = |placement: &str| {
        fifty(&project, top.path(), placement);
        let line = slow(&project, &sshd);
        run(&project, &[]).succeeded();
        line.turns()
    };
    let (there, here) = (turns("host"), turns("controller"));
    // Who it is; and the accounts, which are looked up anew after each second.
    assert!(here <= there + CALLS + 6, "{here} round trips, {there} where the play travels");
}

#[test]
fn a_host_that_is_lost_is_unreachable_and_nothing_catches_that() {
    let Some((project, _sshd)) = plain_site() else { return };
    let body = r#"
    let h = handler("Late", || print("the handler ran"));
    notify(h);
    try { command::shell("kill -9 $PPID"); } catch (e) { print("caught"); }
    print("went on");"#;
    let play =
        format!("play(\"Test\", #{{ hosts: \"all\", placement: \"controller\" }}, || {{ {body} }});\n");
    project.file("play.rhai", play);
    let finished = run(&project, &[]);
    assert_eq!(finished.code, Some(3), "{finished:#?}");
    assert_eq!(finished.messages(), [""; 0]);
    insta::assert_snapshot!(finished.unreachable(), @r"
    agent: lost the agent before the play had ended
    caused by: it was ended by the signal KILL
    ");
}

#[test]
fn later_plays_see_what_earlier_ones_would_make() {
    let Some((project, _sshd)) = plain_site() else { return };
    let top = tempfile::tempdir().unwrap();
    let conf = top.path().join("made/conf");
    let (directory, file) = (top.path().join("made").display().to_string(), conf.display().to_string());
    let plays = |first: &str, second: &str| {
        let play = |placement: &str, body: &str| {
            format!("play(\"Test\", #{{ hosts: \"all\", placement: \"{placement}\" }}, || {{ {body} }});\n")
        };
        [
            play(first, &format!("file::directory(\"{directory}\"); file::content(\"{file}\", \"one\\n\");")),
            play(second, &format!("file::line(\"{file}\", \"two\");")),
            play(first, &format!("print(file::read(\"{file}\"));")),
        ]
        .concat()
    };
    for (first, second) in [("host", "host"), ("host", "controller"), ("controller", "host")] {
        project.file("play.rhai", plays(first, second));
        let check = run(&project, &["--check"]).succeeded();
        assert_eq!(check.messages(), ["one\ntwo\n"], "{first}, {second}");
        assert!(!conf.exists());
    }
}
