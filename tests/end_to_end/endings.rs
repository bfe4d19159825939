//! How a run ends: its exit code.

use std::path::Path;
use std::process::Command;

use crate::support::project::{Outcome, Project, copy_binary, possible};

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
