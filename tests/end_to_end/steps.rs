//! `--step`: a person is asked before each call.

use crate::support::project::Project;
use crate::support::terminal::answering_openly;

fn project() -> Project {
    let project = Project::of(
        r#"play("Steps", #{ hosts: "all" }, || {
    for name in ["a", "b", "c", "d"] { file::content(`/etc/${name}`, name); }
    print(`${file::exists("/etc/a")} ${file::exists("/etc/b")}`);
});
"#,
    );
    project.file("inventory", "web1\n");
    project
}

const RUN: [&str; 7] = ["run", "site.rhai", "-c", "sandbox", "--root", "boxes", "--step"];

#[test]
fn each_call_is_asked_for_until_the_person_has_seen_enough() {
    let project = project();
    let shown = answering_openly(project.command(&RUN), "(yes, no, continue)", &["y", "what?", "n", "c"]);
    let etc = project.path("boxes/web1/root/etc");
    let made: Vec<bool> = ["a", "b", "c", "d"].iter().map(|name| etc.join(name).exists()).collect();
    assert_eq!(made, [true, false, true, true], "{shown}");
    assert!(shown.contains("web1: file::content /etc/a (yes, no, continue): "), "{shown}");
    assert!(shown.contains("true false"), "questions are answered without being asked for: {shown}");
    assert!(!shown.contains("/etc/d (yes"), "{shown}");
}

#[test]
fn without_a_terminal_nobody_can_be_asked() {
    let refused = project().refrain(&RUN).expect(4);
    assert!(refused.stderr.contains("`--step` asks at a terminal, and there is none"), "{}", refused.stderr);
}
