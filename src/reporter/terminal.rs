//! Events for people.
//!
//! What is unchanged is hidden unless asked for; a change is a line, with its difference below it when that is asked for; a
//! failure is shown whole. At the end stands one line per host.
//!
//! What comes from a host is shown as it can be shown: nothing in it reaches the terminal that would act there.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use console::{Style, style};
use indexmap::IndexMap;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::{Event, EventKind, Recap, Reporter, Status, StepReport, TaskReport};
use refrain_engine::printable;

use crate::plural::plural;

/// Writes to a terminal or pipe, with colors where standard output is a terminal that wants them.
pub struct Terminal<W> {
    out: W,
    verbose: u8,
    /// Whether differences are shown everywhere.
    diff: bool,
    /// The hosts that are only played: a sandbox is there to be looked at, so their differences are always shown.
    sandboxes: HashSet<String>,
    /// What the run is known by.
    run: String,
    check: bool,
    /// The widest host name of the play, so that columns line up.
    width: usize,
}

impl<W: Write> Terminal<W> {
    /// Shows unchanged calls with `verbose` 1 and timings with 2, and differences with `diff`.
    pub fn new(out: W, verbose: u8, diff: bool) -> Self {
        Self { out, verbose, diff, sandboxes: HashSet::new(), run: String::new(), check: false, width: 0 }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", text.trim_end())
    }

    fn shows_differences(&self, event: &Event) -> bool {
        self.diff || event.host.as_ref().is_some_and(|host| self.sandboxes.contains(host))
    }

    fn host(&self, event: &Event) -> String {
        let name = printable::line(event.host.as_deref().unwrap_or("-"));
        format!("{name:<width$}", width = self.width)
    }

    fn task(&mut self, event: &Event, task: &TaskReport) -> io::Result<()> {
        let (word, color) = word(task.status);
        let diff = self.shows_differences(event);
        let quiet = matches!(task.status, Status::Ok | Status::Skipped);
        let undeclared = task.status == Status::Skipped && self.check && task.reason.is_some();
        if quiet && self.verbose == 0 && !(undeclared && diff) {
            return Ok(());
        }
        // A failure that ends the play comes again, whole, as the host's.
        if task.status == Status::Failed && self.verbose == 0 {
            return Ok(());
        }
        let mut line = format!(
            "{} {} {}",
            color.apply_to(format!("{word:>8}")),
            self.host(event),
            printable::line(&task.module)
        );
        if !task.subject.is_empty() {
            let _ = write!(line, " {}", style(printable::line(&task.subject)).bold());
        }
        let mut about: Vec<String> = Vec::new();
        about.extend(task.role.iter().map(|role| format!("role {role}")));
        about.extend(task.within.iter().cloned());
        if !about.is_empty() {
            let _ = write!(line, " {}", style(format!("[{}]", printable::line(&about.join(" > ")))).dim());
        }
        if let Some(reason) = task.reason.as_ref().filter(|_| quiet || task.status == Status::MayChange) {
            let _ = write!(line, " {}", style(format!("({})", printable::line(reason))).dim());
        }
        if self.verbose > 1 {
            let _ = write!(line, " {}", style(format!("{:.1} ms", micros(task.duration))).dim());
        }
        self.line(&line)?;
        for step in &task.steps {
            self.step(task, step, diff)?;
        }
        if let Some(error) = task.error.as_ref().filter(|_| self.verbose > 0) {
            self.diagnostic("", error)?;
        }
        Ok(())
    }

    fn step(&mut self, task: &TaskReport, step: &StepReport, diff: bool) -> io::Result<()> {
        // A single step whose words repeat the line above says nothing new.
        let says_more = task.steps.len() > 1 || self.verbose > 0 || !step.text.starts_with("write ");
        if says_more {
            self.line(&format!("             {}", style(printable::line(&step.text)).dim()))?;
        }
        match &step.diff {
            Some(text) if diff => text.lines().try_for_each(|line| self.diff_line(line)),
            _ => Ok(()),
        }
    }

    fn diff_line(&mut self, line: &str) -> io::Result<()> {
        let color = match line.as_bytes().first() {
            Some(b'+') => Style::new().green(),
            Some(b'-') => Style::new().red(),
            Some(b'@') => Style::new().cyan(),
            _ => Style::new().dim(),
        };
        self.line(&format!("             {}", color.apply_to(printable::line(line))))
    }

    fn diagnostic(&mut self, lead: &str, diagnostic: &Diagnostic) -> io::Result<()> {
        for line in format!("{lead}{diagnostic}").lines() {
            self.line(&format!("    {}", printable::line(line)))?;
        }
        Ok(())
    }

    fn bad(&mut self, event: &Event, word: &str, about: &str, diagnostic: &Diagnostic) -> io::Result<()> {
        let lead = Style::new().red().bold().apply_to(format!("{word:>8}"));
        let host = self.host(event);
        self.line(&format!("{lead} {host}{about}"))?;
        self.diagnostic("error: ", diagnostic)
    }

    fn host_started(&mut self, event: &Event, connection: &str) -> io::Result<()> {
        if connection.starts_with("sandbox") {
            self.sandboxes.extend(event.host.clone());
        }
        if self.verbose < 2 {
            return Ok(());
        }
        let host = self.host(event);
        self.line(&format!("         {host} {}", style(printable::line(connection)).dim()))
    }

    fn play(&mut self, play: &str, hosts: &[String]) -> io::Result<()> {
        self.width = hosts.iter().map(|host| host.chars().count()).max().unwrap_or(0).min(30);
        let count = plural(hosts.len(), "host");
        self.line(&format!("\n{} {}", style(printable::line(play)).bold(), style(format!("({count})")).dim()))
    }

    fn recap(&mut self, hosts: &IndexMap<String, Recap>, duration: u64) -> io::Result<()> {
        let width = hosts.keys().map(|host| host.chars().count()).max().unwrap_or(0);
        self.line("")?;
        for (host, recap) in hosts {
            let counts = self.counts(recap);
            self.line(&format!("{:<width$}  {counts}", printable::line(host)))?;
        }
        let undeclared: u64 = hosts.values().map(|recap| u64::from(recap.undeclared)).sum();
        if undeclared > 0 {
            let actions = plural(undeclared, "action");
            self.line(&format!("{actions} whose effects nobody declared: check mode can't know them"))?;
        }
        #[allow(clippy::cast_precision_loss)] // Milliseconds of a run are far below 2^52.
        let seconds = duration as f64 / 1000.0;
        // By this name it can be taken back.
        let changed = !self.check && hosts.values().any(|recap| recap.changed > 0);
        let run = if changed { format!(", run {}", printable::line(&self.run)) } else { String::new() };
        self.line(&style(format!("{seconds:.2} s{run}")).dim().to_string())
    }

    fn counts(&self, recap: &Recap) -> String {
        let changed = if self.check { "would change" } else { "changed" };
        let mut parts = vec![
            paint(recap.changed, changed, &Style::new().yellow()),
            paint(recap.ok, "ok", &Style::new().green()),
        ];
        if recap.may_change > 0 {
            parts.push(paint(recap.may_change, "may change", &Style::new().magenta()));
        }
        if recap.skipped > 0 {
            parts.push(paint(recap.skipped, "skipped", &Style::new().cyan()));
        }
        if recap.failed {
            parts.push(Style::new().red().bold().apply_to("failed").to_string());
        }
        if recap.unreachable {
            parts.push(Style::new().red().bold().apply_to("unreachable").to_string());
        }
        if recap.interrupted {
            parts.push(Style::new().yellow().apply_to("interrupted").to_string());
        }
        parts.join(", ")
    }
}

fn paint(count: u32, what: &str, color: &Style) -> String {
    let text = format!("{count} {what}");
    if count == 0 { text } else { color.apply_to(text).to_string() }
}

#[allow(clippy::cast_precision_loss)] // Microseconds of a call are far below 2^52.
fn micros(duration: u64) -> f64 {
    duration as f64 / 1000.0
}

fn word(status: Status) -> (&'static str, Style) {
    match status {
        Status::Ok => ("ok", Style::new().green()),
        Status::Changed => ("changed", Style::new().yellow()),
        Status::WouldChange => ("would", Style::new().yellow()),
        Status::MayChange => ("may", Style::new().magenta()),
        Status::Skipped => ("skipped", Style::new().cyan()),
        Status::Failed => ("failed", Style::new().red()),
    }
}

impl<W: Write + Send> Reporter for Terminal<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::RunStarted { check, run, .. } => {
                self.check = *check;
                self.run.clone_from(run);
                Ok(())
            }
            EventKind::PlayStarted { play, hosts } => self.play(play, hosts),
            EventKind::HostStarted { connection } => self.host_started(event, connection),
            EventKind::Task(task) => self.task(event, task),
            EventKind::HandlerStarted { handler, left_by } => {
                let word = style(format!("{:>8}", "handler")).blue();
                let host = self.host(event);
                let why = left_by.as_ref().map(|run| format!("  left by the run {}", printable::line(run)));
                let why = style(why.unwrap_or_default()).dim();
                self.line(&format!("{word} {host} {}{why}", printable::line(handler)))
            }
            EventKind::Warning(warning) => {
                let lead = style(format!("{:>8}", "warning")).yellow().bold();
                let host = self.host(event);
                self.line(&format!("{lead} {host}"))?;
                self.diagnostic("", warning)
            }
            EventKind::Message { text } => {
                let host = self.host(event);
                text.lines()
                    .try_for_each(|text| self.line(&format!("         {host} {}", printable::line(text))))
            }
            EventKind::PredictionEnded(word) => {
                let lead = style(format!("{:>8}", "unknown")).magenta().bold();
                let host = self.host(event);
                self.line(&format!("{lead} {host}"))?;
                self.diagnostic("", word)
            }
            EventKind::HostFailed(error) => self.bad(event, "failed", "", error),
            EventKind::HostUnreachable { stage, error } => {
                self.bad(event, "unreachable", &format!(" ({})", printable::line(stage)), error)
            }
            EventKind::Stopping { now } => {
                let text = if *now {
                    "stopping now: running commands are ended"
                } else {
                    "stopping after the steps in hand; once more to stop now"
                };
                self.line(&style(text).yellow().to_string())
            }
            EventKind::RunFinished { hosts, duration } => self.recap(hosts, *duration),
            EventKind::HostFinished { .. } => Ok(()),
        }?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use refrain_engine::diagnostic::Location;

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
            on(
                "node1",
                EventKind::PredictionEnded(Box::new(Diagnostic::new("the prediction ends here").at(at))),
            ),
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
        let mut terminal = Terminal::new(&mut out, verbose, diff);
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
            let mut terminal = Terminal::new(&mut out, verbose, diff);
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
        Terminal::new(&mut out, 0, false).event(&event).unwrap();
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), 1);
    }

    #[test]
    fn every_event_has_its_place() {
        insta::assert_snapshot!("quiet", shown(0, false));
        insta::assert_snapshot!("verbose", shown(2, true));
    }
}
