//! One play, whatever it is brought to: the same tree in every kind of root, and check mode that touches none.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::support::everything::{changes, converge, placed, project, without_owners};
use crate::support::project::{Outcome, Project, binary, copy_binary, possible};

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn every_connection_brings_about_the_same_tree() {
    let base = project("/t");
    // The sandbox keeps modes beside its tree, so only kinds and contents can be compared.
    let sandbox = base.path("boxes");
    converge(&base, &["-c", "sandbox", "--root", "boxes"], &sandbox.join("localhost/root/t"));

    let place = tempfile::tempdir().expect("a directory");
    let top = place.path().join("t");
    fs::create_dir(&top).expect("a directory");
    let local = project(top.to_str().expect("a path"));
    let over_local = converge(&local, &["-c", "local"], &top);

    if possible(is_root(), "the right to enter another root") {
        let root = base.path("root");
        fs::create_dir_all(root.join("t")).expect("a directory");
        let over_chroot = converge(&base, &["--root", "root"], &root.join("t"));
        let host_part = |tree: &[String]| tree.join("\n").replace(top.to_str().expect("a path"), "/t");
        assert_eq!(host_part(&over_local), host_part(&over_chroot));

        let from_here = placed("/t", "controller");
        let root = from_here.path("root");
        fs::create_dir_all(root.join("t")).expect("a directory");
        let call_by_call = converge(&from_here, &["--root", "root"], &root.join("t"));
        assert_eq!(host_part(&over_chroot), host_part(&call_by_call));
    }
    insta::assert_snapshot!(
        without_owners(&over_local).join("\n").replace(&"x".repeat(300 * 1024), "(300 KiB)")
    );
}

#[test]
fn a_root_needs_nothing_but_a_directory() {
    if !possible(is_root(), "the right to enter another root") {
        return;
    }
    let project = project("");
    let root = project.path("root");
    fs::create_dir_all(&root).expect("a directory");
    // No /bin, no /lib, no /dev, no /proc, no /etc: the run has to bring its own everything.
    converge(&project, &["--root", "root"], &root);
}

#[test]
fn commands_run_in_a_root_with_only_a_busybox() {
    let busybox = Path::new("/bin/busybox");
    if !possible(is_root() && busybox.exists(), "a static busybox, and the right to enter another root") {
        return;
    }
    let project = Project::of(
        r#"play("Commands", #{ hosts: "localhost" }, || {
    let r = command::shell("echo $0; cat /etc/hostname");
    print(r.stdout);
    command::script("job", ["argument"]);
    group::present("web", #{ system: true });
    user::present("web", #{ system: true, group: "web", home: "/srv/web" });
    file::content("/etc/owned", "by web\n", #{ owner: "web", group: "web" });
});
"#,
    );
    project.file("files/job", "#!/bin/sh\necho \"$1\" >/made\n");
    let root = project.path("root");
    for directory in ["bin", "etc", "srv"] {
        fs::create_dir_all(root.join(directory)).expect("a directory");
    }
    fs::copy(busybox, root.join("bin/busybox")).expect("a copy");
    std::os::unix::fs::symlink("busybox", root.join("bin/sh")).expect("a link");
    std::os::unix::fs::symlink("busybox", root.join("bin/cat")).expect("a link");
    fs::write(root.join("etc/hostname"), "inside\n").expect("a file");
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").expect("a file");
    fs::write(root.join("etc/group"), "root:x:0:\n").expect("a file");
    let outcome = project.refrain(&["run", "site.rhai", "--root", "root"]).expect(0);
    assert!(outcome.stdout.contains("inside"), "{}", outcome.stdout);
    assert_eq!(fs::read_to_string(root.join("made")).expect("the script's file"), "argument\n");
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(root.join("etc/owned")).expect("a file"));
    assert_ne!(owner, 0, "it belongs to the new user");
}

#[test]
fn a_link_in_a_root_can_not_lead_out() {
    if !possible(is_root(), "the right to enter another root") {
        return;
    }
    let outside = tempfile::tempdir().expect("a directory");
    let project = Project::of(
        "play(\"Link\", #{ hosts: \"localhost\" }, || { file::content(\"/escape/file\", \"inside\\n\"); });\n",
    );
    let root = project.path("root");
    fs::create_dir_all(root.join(outside.path().strip_prefix("/").expect("absolute"))).expect("a directory");
    std::os::unix::fs::symlink(outside.path(), root.join("escape")).expect("a link");
    project.refrain(&["run", "site.rhai", "--root", "root"]).expect(0);
    assert_eq!(fs::read_dir(outside.path()).expect("a directory").count(), 0);
    let inside = root.join(outside.path().strip_prefix("/").expect("absolute")).join("file");
    assert_eq!(fs::read_to_string(inside).expect("a file"), "inside\n");
}

#[test]
fn a_normal_user_can_run_it_too() {
    if !possible(is_root(), "the right to become somebody else") {
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    let project = project(place.path().join("t").to_str().expect("a path"));
    let nobody = 65534;
    for path in [place.path(), &project.path("")] {
        std::os::unix::fs::chown(path, Some(nobody), Some(nobody)).expect("an owner");
    }
    // The binary may lie where only root can go.
    let copy = place.path().join("refrain");
    copy_binary(&copy);
    for round in ["changed", "ok"] {
        let mut command = Command::new(&copy);
        command.args(["run", "site.rhai", "-c", "local"]).current_dir(project.path("")).env_clear();
        command.env("HOME", place.path()).uid(nobody).gid(nobody);
        let outcome = Outcome::of(&command.output().expect("it starts"), &project.path("")).expect(0);
        assert_eq!(changes(&outcome).is_empty(), round == "ok", "{}", outcome.stdout);
    }
    let owned = fs::metadata(place.path().join("t/run.sh")).expect("a file");
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&owned), nobody);
}

/// What an open file can be changed by.
const WRITING: [&str; 4] = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"];

fn opens(line: &str) -> bool {
    line.contains("open(") || line.contains("openat(")
}

#[test]
fn check_mode_makes_no_call_that_changes_anything() {
    let strace = Command::new("strace").arg("-V").output().is_ok();
    if !possible(strace, "strace") {
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    let top = place.path().join("t");
    let project = project(top.to_str().expect("a path"));
    let log = place.path().join("strace.log");
    // What could change a file: opened for writing, made, renamed, removed, given other attributes.
    let calls = "trace=openat,open,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,symlink,symlinkat,\
                 link,linkat,chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown,truncate,ftruncate,utimensat,mknodat";
    // Not how threads end, nor what strace was too late to decode.
    let call = regex::Regex::new(r"^\d+ +[a-z0-9]+\(").expect("a pattern");
    for arguments in [&["--check"][..], &[], &["--check"], &["--check", "--diff"]] {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", calls, "-o"]).arg(&log).arg(binary());
        command.args(["run", "site.rhai", "-c", "local"]).args(arguments).current_dir(project.path(""));
        command.env("REFRAIN_STATE_DIRECTORY", place.path().join("state"));
        let outcome = Outcome::of(&command.output().expect("it starts"), &project.path("")).expect(0);
        let changing: Vec<String> = fs::read_to_string(&log)
            .expect("a log")
            .lines()
            .filter(|line| !opens(line) || WRITING.iter().any(|flag| line.contains(flag)))
            .filter(|line| call.is_match(line) && !line.contains("/dev/null"))
            .map(ToOwned::to_owned)
            .collect();
        let checking = arguments.contains(&"--check");
        assert_eq!(
            changing.is_empty(),
            checking,
            "{arguments:?}\n{}\n{}",
            changing.join("\n"),
            outcome.stdout
        );
    }
}
