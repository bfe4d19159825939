use indexmap::IndexMap;
use refrain_engine::diagnostic::{Diagnostic, Location};
use refrain_engine::event::{Recap, Status, StepReport, TaskReport};

use super::*;

/// Every kind of event once, as a small run would have them.
fn events() -> Vec<Event> {
    let at = Location::new("site.rhai", "play(…);\n    file::copy(\"a\", \"/b\");\n", 2, 11);
    let error = Diagnostic::new("file::copy `/b` failed")
        .at(at.clone())
        .because("could not write `/b`: no space left on device")
        .with_output("df: full\n")
        .hint("make room");
    let task = |status, subject: &str, steps: Vec<StepReport>| TaskReport {
        module: "file::copy".to_owned(),
        subject: subject.to_owned(),
        within: vec!["Put things in place".to_owned()],
        role: Some("web".to_owned()),
        status,
        reason: (status == Status::Skipped).then(|| "not selected by tags".to_owned()),
        steps,
        error: (status == Status::Failed).then(|| Box::new(error.clone())),
        path: "site.rhai".to_owned(),
        line: 2,
        duration: 1500,
    };
    let step = |text: &str, diff: Option<&str>| StepReport {
        text: text.to_owned(),
        diff: diff.map(ToOwned::to_owned),
    };
    let recap = Recap {
        ok: 1,
        changed: 2,
        may_change: 1,
        skipped: 1,
        undeclared: 1,
        failed: true,
        ..Recap::default()
    };
    let on = |host: &str, kind| Event { at: 0, host: Some(host.to_owned()), kind };
    let run = |kind| Event { at: 0, host: None, kind };
    vec![
        run(EventKind::RunStarted {
            run: "1".to_owned(),
            playbooks: vec!["site.rhai".to_owned()],
            check: false,
        }),
        run(EventKind::Message { text: "from the top level".to_owned() }),
        run(EventKind::PlayStarted {
            play: "Web".to_owned(),
            hosts: vec!["node1".to_owned(), "edge".to_owned()],
        }),
        on("node1", EventKind::HostStarted { connection: "ssh node1".to_owned() }),
        on("node1", EventKind::Task(Box::new(task(Status::Ok, "/a", vec![])))),
        on(
            "node1",
            EventKind::Task(Box::new(task(
                Status::Changed,
                "/b",
                vec![
                    step("write /b", Some("@@ -1 +1 @@\n-old\n+new\n")),
                    step("set mode 0600 (was 0644) of /b", None),
                ],
            ))),
        ),
        on(
            "node1",
            EventKind::Task(Box::new(task(
                Status::WouldChange,
                "/c",
                vec![step("create /c (mode 0644)", None)],
            ))),
        ),
        on("node1", EventKind::Task(Box::new(task(Status::MayChange, "/d", vec![])))),
        on("node1", EventKind::Task(Box::new(task(Status::Skipped, "/e", vec![])))),
        on("node1", EventKind::Task(Box::new(task(Status::Failed, "/b", vec![])))),
        on("node1", EventKind::HandlerStarted { handler: "Restart".to_owned(), left_by: None }),
        on("node1", EventKind::Warning(Box::new(Diagnostic::new("careful").at(at.clone())))),
        on("node1", EventKind::Message { text: "two\nlines".to_owned() }),
        on("node1", EventKind::PredictionEnded(Box::new(Diagnostic::new("the prediction ends here").at(at)))),
        on("node1", EventKind::HostFailed(Box::new(error))),
        on("node1", EventKind::HostFinished { recap }),
        on(
            "edge",
            EventKind::HostUnreachable {
                stage: "login".to_owned(),
                error: Box::new(Diagnostic::new("no key was accepted")),
            },
        ),
        run(EventKind::Stopping { now: false }),
        run(EventKind::Stopping { now: true }),
        run(EventKind::RunFinished {
            hosts: [
                ("node1".to_owned(), recap),
                ("edge".to_owned(), Recap { unreachable: true, interrupted: true, ..Recap::default() }),
            ]
            .into(),
            duration: 1234,
        }),
    ]
}

fn shown(verbose: u8, diff: bool) -> String {
    console::set_colors_enabled(false);
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&mut out, true, verbose, diff);
    for event in events() {
        terminal.event(&event).unwrap();
    }
    String::from_utf8(out).unwrap()
}

/// The event with `text` in front of every text in it.
fn poisoned(event: &Event, text: &str) -> Event {
    let kind =
        event.kind.clone().mask(|old| if is_word(old) { old.to_owned() } else { format!("{text}{old}") });
    Event { host: event.host.as_ref().map(|host| format!("{text}{host}")), kind, ..event.clone() }
}

/// Whether a text stands for one of a few values and could be nothing else.
fn is_word(text: &str) -> bool {
    serde_json::from_value::<Status>(text.into()).is_ok()
        || events().iter().any(|event| serde_json::to_value(&event.kind).unwrap()["event"] == text)
}

#[test]
fn nothing_from_a_host_acts_on_the_terminal() {
    console::set_colors_enabled(false);
    let acting = "\u{1b}]0;title\u{7}\u{1b}[2J\r\u{9b}1A\u{202e}\u{8}\0";
    for (verbose, diff) in [(0, false), (2, true)] {
        let mut out = Vec::new();
        let mut terminal = Terminal::new(&mut out, true, verbose, diff);
        for event in events() {
            terminal.event(&poisoned(&event, acting)).unwrap();
        }
        let shown = String::from_utf8(out).unwrap();
        let acts = |letter: char| letter != '\n' && printable::acts(letter);
        assert_eq!(shown.matches(acts).collect::<String>(), "", "{shown}");
        assert!(shown.contains("^[]0;title^G"), "{shown}");
    }
}

#[test]
fn no_text_of_one_line_begins_another() {
    console::set_colors_enabled(false);
    let Some(EventKind::Task(mut task)) = events()
        .into_iter()
        .map(|event| event.kind)
        .find(|kind| matches!(kind, EventKind::Task(task) if task.status == Status::Changed))
    else {
        panic!("there is one")
    };
    task.subject = "/b\n  failed node2 file::content".to_owned();
    task.steps.clear();
    task.role = Some("a\n  failed node2".to_owned());
    let event = Event { at: 0, host: Some("node1".to_owned()), kind: EventKind::Task(task) };
    let mut out = Vec::new();
    Terminal::new(&mut out, true, 0, false).event(&event).unwrap();
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 1);
}

#[test]
fn every_event_has_its_place() {
    insta::assert_snapshot!("quiet", shown(0, false));
    insta::assert_snapshot!("verbose", shown(2, true));
}

#[test]
fn hosts_that_say_the_same_share_a_line_and_nobody_waits_long() {
    console::set_colors_enabled(false);
    let said = |host: &str, text: &str, at| Event {
        at,
        host: Some(host.to_owned()),
        kind: EventKind::Message { text: text.to_owned() },
    };
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&mut out, true, 0, false);
    let hosts = ["node1", "node2", "node3", "edge"].map(ToOwned::to_owned).to_vec();
    let begun = EventKind::PlayStarted { play: "Web".to_owned(), hosts };
    terminal.event(&Event { at: 0, host: None, kind: begun }).unwrap();
    for event in [said("node3", "up", 0), said("node1", "up", 10), said("edge", "down", 20)] {
        terminal.event(&event).unwrap();
    }
    terminal.tick(PATIENCE - 1).unwrap();
    terminal.event(&said("node2", "up", PATIENCE - 1)).unwrap();
    terminal.tick(PATIENCE).unwrap();
    // The slow host is on a line of its own.
    terminal.event(&said("edge", "up", PATIENCE)).unwrap();
    let over = EventKind::RunFinished { hosts: IndexMap::new(), duration: 0 };
    terminal.event(&Event { at: PATIENCE, host: None, kind: over }).unwrap();
    let shown = String::from_utf8(out).unwrap();
    assert_eq!(
        shown.lines().skip(2).take(3).collect::<Vec<_>>(),
        ["         node[1:3]       up", "         edge            down", "         edge            up",],
        "{shown}"
    );
}
