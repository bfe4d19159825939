//! What a person sees at a terminal while hosts are at work.

use crate::support::project::Project;
use crate::support::terminal::watching;

const SLOW: &str = r#"
play("Slow", #{ hosts: "all", connection: "sandbox" }, || {
    file::directory("/etc/app");
    if host.name != "web1" {
        try { wait::file("/never", #{ timeout: 1.5 }) } catch { warn("it never came"); }
    }
    file::content("/etc/app/a", "");
});
"#;

fn project() -> Project {
    let project = Project::of(SLOW);
    project.file("inventory", "web[1:3]\n");
    project
}

/// The lines on a screen from the one that begins like this.
fn from<'a>(screen: &'a str, start: &str) -> Vec<&'a str> {
    screen.lines().map(str::trim_end).skip_while(|line| !line.starts_with(start)).collect()
}

#[test]
fn hosts_at_work_stand_below_the_output_and_leave_nothing_behind() {
    let project = project();
    let (code, screens) = watching(project.command(&["run", "site.rhai"]), (30, 100), |_| None);
    assert_eq!(code, Some(0));
    let last = screens.last().unwrap();
    let at_work: Vec<&String> = screens.iter().filter(|screen| screen.contains("hosts done")).collect();
    let some = at_work
        .iter()
        .find(|screen| screen.contains("1 of 3 hosts done, 2 at work, "))
        .unwrap_or_else(|| {
            panic!("{screens:#?}");
        });
    let waiting = |host: &str| {
        some.lines().any(|line| line.contains(host) && line.contains(" s since file::directory /etc/app"))
    };
    assert!(waiting("web2") && waiting("web3") && !waiting("web1"), "{some}");
    // Below all else.
    let place = |what: &str| some.lines().position(|line| line.contains(what)).unwrap();
    assert!(place("changed web[1:3]") < place("web2  "), "{some}");
    // Nothing of it is left.
    assert!(!last.contains("hosts done") && !last.contains(" since "), "{last}");
    let shown: Vec<&str> = from(last, "Slow").into_iter().filter(|line| !line.contains(", run ")).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_terminal_that_becomes_smaller_stays_in_order() {
    let project = project();
    let mut is_resized = false;
    let (code, screens) = watching(project.command(&["run", "site.rhai"]), (30, 100), |screen| {
        let resize = screen.contains("hosts done") && !is_resized;
        is_resized |= resize;
        resize.then_some((10, 48))
    });
    assert_eq!(code, Some(0));
    assert!(is_resized, "{screens:#?}");
    let last = screens.last().unwrap();
    // What is told at the end stands there whole, and nothing of the picture is left.
    assert_eq!(last.matches("\nweb[1:3]  2 changed, 0 ok\n").count(), 1, "{last}");
    assert!(!last.contains("hosts done") && !last.contains(" since "), "{last}");
    let beside = screens.iter().skip_while(|screen| !screen.contains("hosts done")).skip(2);
    for screen in beside {
        assert!(screen.matches("hosts done").count() <= 1, "{screen}");
    }
}

#[test]
fn nothing_is_drawn_where_nobody_looks_on() {
    let project = project();
    let run = project.refrain(&["run", "site.rhai"]).expect(0);
    assert!(!run.whole().contains("hosts done"), "{}", run.whole());
    let mut dumb = project.command(&["run", "site.rhai", "--output", "json"]);
    dumb.env("NO_COLOR", "1");
    let (_, screens) = watching(dumb, (30, 100), |_| None);
    assert!(screens.iter().all(|screen| !screen.contains("hosts done")), "{screens:#?}");
}
