//! Reboots: an sshd whose machine only seems to go down.

use std::fs;

use crate::support::project::Project;
use crate::support::run::{Finished, run};
use crate::support::sshd::{Setup, Sshd};

/// A project, and a host that can seem to boot.
fn site() -> Option<(Project, Sshd)> {
    let sshd = Setup::default().boots().start()?;
    let project = Project::new();
    sshd.open_to(&project);
    Some((project, sshd))
}

/// Runs a play with this body. `BOOT` in it is a command that seems to boot the host: the agent is gone, and who asks then
/// which boot it is hears of another one.
fn rebooted((project, sshd): &(Project, Sshd), body: &str) -> Finished {
    let boot = format!("[\"sh\", \"-c\", \"echo second > {}; kill -9 $PPID\"]", sshd.boot_id().display());
    let body = body.replace("BOOT", &boot);
    let options = "#{ hosts: \"all\" }";
    project.file("play.rhai", format!("play(\"Test\", {options}, || {{\n{body}\n}});\n"));
    run(project, &[])
}

#[test]
fn a_play_goes_on_after_a_reboot() {
    let Some(site) = site() else { return };
    let file = site.1.home("changed");
    let change = format!("file::content(\"{}\", \"new\").notify(h);", file.display());
    let handler = "let h = handler(\"Changed\", || print(\"handled\"));";
    let body = format!(
        "{handler} {change}
        print(facts.boot_id);
        let r = reboot::now(#{{ timeout: 60, command: BOOT }});
        print(facts.boot_id);
        print(`${{r.changed}} ${{r.seconds < 60.0}}`);"
    );
    let messages = rebooted(&site, &body).succeeded().messages();
    assert_eq!(messages, ["first", "second", "true true", "handled"]);
    assert_eq!(fs::read_to_string(file).unwrap(), "new");

    // The journal went on over the new connection: nothing is left behind for a later run.
    let again = rebooted(&site, &format!("{handler} {change}")).succeeded();
    assert_eq!(again.messages(), [""; 0]);
}

#[test]
fn a_host_that_does_not_go_down_is_waited_for_no_longer_than_allowed() {
    let Some(site) = site() else { return };
    let finished = rebooted(&site, "reboot::now(#{ timeout: 1.5, command: [\"true\"] });");
    assert_eq!(finished.code, Some(2));
    insta::assert_snapshot!(finished.failure(), @r#"
    reboot::now failed
     --> play.rhai:2:9
      |
    2 | reboot::now(#{ timeout: 1.5, command: ["true"] });
      |         ^^^
    caused by: the reboot took longer than 1.5 s
        it has not gone down
    "#);
}

#[test]
fn a_command_that_does_not_reboot_says_so() {
    let Some(site) = site() else { return };
    let finished =
        rebooted(&site, "reboot::now(#{ command: [\"sh\", \"-c\", \"echo not today >&2; exit 3\"] });");
    assert_eq!(finished.code, Some(2));
    let failure = finished.failure();
    assert_eq!(failure.causes, ["`sh -c 'echo not today >&2; exit 3'` exited with status 3"]);
    assert_eq!(failure.output.as_deref(), Some("not today\n"));
}

#[test]
fn the_controller_itself_is_not_rebooted() {
    let project = Project::new();
    project.file("inventory", "localhost\n");
    project.file("play.rhai", "play(\"Test\", #{ hosts: \"all\" }, || reboot::now());\n");
    let finished = run(&project, &["-c", "local"]);
    assert_eq!(finished.code, Some(2));
    assert_eq!(finished.failure().causes, ["there is no way back to this host after a reboot"]);
}
