//! Events for the tests of their readers.

use refrain_engine::diagnostic::{Diagnostic, Location};
use refrain_engine::event::{Event, EventKind, Recap, Status, StepReport, TaskReport};

/// Every kind of event once, as a small run would have them.
pub fn events() -> Vec<Event> {
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

/// The event with `text` in front of every text in it.
pub fn poisoned(event: &Event, text: &str) -> Event {
    let kind =
        event.kind.clone().mask(|old| if is_word(old) { old.to_owned() } else { format!("{text}{old}") });
    Event { host: event.host.as_ref().map(|host| format!("{text}{host}")), kind, ..event.clone() }
}

/// Whether a text stands for one of a few values and could be nothing else.
fn is_word(text: &str) -> bool {
    serde_json::from_value::<Status>(text.into()).is_ok()
        || events().iter().any(|event| serde_json::to_value(&event.kind).unwrap()["event"] == text)
}
