use indexmap::IndexMap;
use refrain_engine::event::Status;

use super::super::every_event::{events, poisoned};
use super::*;

fn shown(verbose: u8, diff: bool) -> String {
    console::set_colors_enabled(false);
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&mut out, true, verbose, diff);
    for event in events() {
        terminal.event(&event).unwrap();
    }
    String::from_utf8(out).unwrap()
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
