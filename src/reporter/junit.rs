//! Events as a report in the format of JUnit: a suite for each host, a case for each call.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;

use indexmap::IndexMap;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::{Event, EventKind, Recap, Reporter, Status, TaskReport};

use crate::junit::{Case, File, Suite, Trouble, Verdict};

/// Collects a report, and writes it when the run ends.
pub struct Junit {
    /// Until it is written.
    file: Option<File>,
    /// As the file was named.
    destination: String,
    /// Whether differences are in it.
    diff: bool,
    /// Whether it counts as a failure that something would change.
    changes_fail: bool,
    /// The play that runs.
    play: String,
    hosts: HashMap<String, HostReport>,
}

/// What is kept of a host.
#[derive(Default)]
struct HostReport {
    suite: Suite,
    /// The place among the cases of the call that failed last, until the play ends by it.
    failed: Option<usize>,
}

impl Junit {
    /// Writes to the file, differences with `diff`. With `changes_fail`, what would change is a failure.
    pub fn new(file: File, diff: bool, changes_fail: bool) -> Self {
        let destination = format!("`{}`", file.path().display());
        Self { file: Some(file), destination, diff, changes_fail, play: String::new(), hosts: HashMap::new() }
    }

    fn report(&mut self, host: &str) -> &mut HostReport {
        self.hosts.entry(host.to_owned()).or_default()
    }

    fn suite(&mut self, host: &str) -> &mut Suite {
        &mut self.report(host).suite
    }

    fn on_host(&mut self, host: &str, kind: &EventKind) {
        match kind {
            EventKind::Task(task) => {
                let case = self.case(task);
                let report = self.report(host);
                if task.status == Status::Failed {
                    report.failed = Some(report.suite.cases.len());
                }
                report.suite.cases.push(case);
            }
            EventKind::PredictionEnded(why) => {
                let case = self.own_case("prediction ended", why, Verdict::Skipped(why.message.clone()));
                self.suite(host).cases.push(Case { output: why.to_string(), ..case });
            }
            EventKind::HostFailed(error) => self.failed(host, error),
            EventKind::HostUnreachable { stage, error } => {
                let verdict = Verdict::Error(Trouble::of("unreachable", error));
                let case = self.own_case(stage, error, verdict);
                self.suite(host).cases.push(case);
            }
            EventKind::Warning(warning) => line(&mut self.suite(host).warnings, warning),
            EventKind::Message { text } => line(&mut self.suite(host).output, text),
            EventKind::HandlerStarted { handler, left_by } => {
                let by = left_by.as_ref().map(|run| format!(", left by the run {run}")).unwrap_or_default();
                line(&mut self.suite(host).output, &format!("handler {handler}{by}"));
            }
            _ => {}
        }
    }

    fn case(&self, task: &TaskReport) -> Case {
        let mut name: String = task.within.iter().map(|task| format!("{task} > ")).collect();
        name.push_str(&task.module);
        if !task.subject.is_empty() {
            let _ = write!(name, " {}", task.subject);
        }
        let (steps, words) = (self.steps(task), would_change(task));
        let verdict = match (task.status, words) {
            (Status::Skipped, _) => Verdict::Skipped(task.reason.clone().unwrap_or_default()),
            (_, Some(words)) if self.changes_fail => Verdict::Failed(Trouble {
                kind: "would-change",
                message: format!("{name} {words}"),
                text: steps.clone(),
            }),
            _ => Verdict::Passed,
        };
        let output = match task.status {
            Status::Ok | Status::Skipped => String::new(),
            Status::Changed => format!("changed\n{steps}"),
            Status::WouldChange | Status::MayChange => format!("{}\n{steps}", words.unwrap_or_default()),
            // Until it is known whether that ends the play, the script is taken to have caught it.
            Status::Failed => {
                let error = task.error.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("failed, and the playbook went on\n{error}\n{steps}")
            }
        };
        let place = Some((task.path.clone(), task.line));
        let class = self.class(task.role.as_deref());
        Case { class, name, place, duration: task.duration, verdict, output }
    }

    fn steps(&self, task: &TaskReport) -> String {
        let mut text = String::new();
        for step in &task.steps {
            line(&mut text, &step.text);
            if let Some(diff) = step.diff.as_ref().filter(|_| self.diff) {
                line(&mut text, &diff.trim_end());
            }
        }
        text
    }

    /// The play and the role that a case belongs to.
    fn class(&self, role: Option<&str>) -> String {
        role.map_or_else(|| self.play.clone(), |role| format!("{}/{role}", self.play))
    }

    /// A case for what is about no call.
    fn own_case(&self, name: &str, about: &Diagnostic, verdict: Verdict) -> Case {
        let place = about.at.as_ref().map(|at| (at.path.clone(), at.line));
        let (class, name) = (self.class(None), name.to_owned());
        Case { class, name, place, duration: 0, verdict, output: String::new() }
    }

    /// The play ends on a host: by the call that failed last, or by what the script says itself.
    fn failed(&mut self, host: &str, error: &Diagnostic) {
        let own = self.own_case("play", error, Verdict::Failed(Trouble::of("failed", error)));
        let HostReport { suite, failed } = self.report(host);
        let call = failed.take().and_then(|place| suite.cases.get_mut(place));
        match call.filter(|call| call.place == own.place) {
            Some(call) => {
                call.verdict = own.verdict;
                call.output.clear();
            }
            None => suite.cases.push(own),
        }
    }

    fn finish(&mut self, hosts: &IndexMap<String, Recap>) -> io::Result<()> {
        let suites: Vec<Suite> = hosts.iter().map(|(host, recap)| self.finished(host, recap)).collect();
        self.file.take().map_or(Ok(()), |file| file.write("refrain run", &suites))
    }

    fn finished(&mut self, host: &str, recap: &Recap) -> Suite {
        let mut suite = self.hosts.remove(host).unwrap_or_default().suite;
        if recap.interrupted {
            let told = Diagnostic::new("the run was told to stop before the end of the play");
            let verdict = Verdict::Error(Trouble::of("interrupted", &told));
            suite.cases.push(self.own_case("play", &told, verdict));
        }
        Suite { name: host.to_owned(), host: Some(host.to_owned()), ..suite }
    }
}

/// What check mode says of a call that is not at rest.
fn would_change(task: &TaskReport) -> Option<&'static str> {
    match task.status {
        Status::WouldChange => Some("would change"),
        Status::MayChange => Some("may change"),
        _ => None,
    }
}

fn line(text: &mut String, line: &impl ToString) {
    text.push_str(&line.to_string());
    text.push('\n');
}

impl Reporter for Junit {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match (&event.host, &event.kind) {
            (Some(host), kind) => self.on_host(host, kind),
            (None, EventKind::PlayStarted { play, .. }) => self.play.clone_from(play),
            (None, EventKind::RunFinished { hosts, .. }) => self.finish(hosts)?,
            _ => {}
        }
        Ok(())
    }

    fn destination(&self) -> String {
        self.destination.clone()
    }
}

#[cfg(test)]
mod tests {
    use refrain_engine::printable;

    use super::super::every_event::{events, poisoned};
    use super::*;

    fn report(events: &[Event], diff: bool) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.xml");
        let mut junit = Junit::new(File::create(&path).unwrap(), diff, false);
        events.iter().for_each(|event| junit.event(event).unwrap());
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn every_event_has_its_place() {
        insta::assert_snapshot!(report(&events(), true));
    }

    #[test]
    fn nothing_from_a_host_is_more_than_text() {
        let acting = "<failure/>&\"']]>\u{1b}[2J\r\u{9b}\0\u{fffe}";
        let poisoned = |event: &Event| Event { host: event.host.clone(), ..poisoned(event, acting) };
        let events: Vec<Event> = events().iter().map(poisoned).collect();
        let report = report(&events, true);
        let acts = |letter: &char| *letter != '\n' && printable::acts(*letter);
        assert_eq!(report.chars().filter(acts).count(), 0, "{report}");
        assert_eq!(report.matches("<failure/>").count(), 0, "{report}");
        assert!(report.contains("&lt;failure/&gt;&amp;") && report.contains("^[[2J^M"), "{report}");
    }

    #[test]
    fn an_old_report_stays_until_the_new_one_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.xml");
        std::fs::write(&path, "old").unwrap();
        let all = events();
        let mut junit = Junit::new(File::create(&path).unwrap(), true, false);
        all[..all.len() - 1].iter().for_each(|event| junit.event(event).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        drop(junit);
        let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
