//! Whether a run has made what check mode foretold: all that it was sure of, and nothing that it had not said.

use std::collections::HashMap;
use std::fmt;

use crate::event::{Status, TaskReport};

/// What check mode said of a host, or a run did to it.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The calls, in order.
    pub tasks: Vec<TaskReport>,
    /// Whether what followed could not be foretold.
    pub ended_early: bool,
}

/// A call about which the prediction was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Module function and subject.
    pub call: String,
    /// File and line.
    pub place: String,
    /// What was foretold.
    pub foretold: String,
    /// What was made.
    pub made: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, place, foretold, made } = self;
        write!(f, "{call} ({place})\n  foretold: {foretold}\n  made:     {made}")
    }
}

/// What a call is known by in both: where it stands, its function, its subject, and how many like it came before.
type Key<'a> = (&'a str, usize, &'a str, &'a str, usize);

fn numbered(tasks: &[TaskReport]) -> Vec<(Key<'_>, &TaskReport)> {
    let mut seen: HashMap<(&str, usize, &str, &str), usize> = HashMap::new();
    tasks
        .iter()
        .map(|task| {
            let place = (task.path.as_str(), task.line, task.module.as_str(), task.subject.as_str());
            let number = seen.entry(place).or_default();
            let key = (place.0, place.1, place.2, place.3, *number);
            *number += 1;
            (key, task)
        })
        .collect()
}

/// The calls that break the promise. `is_statement` says of a module function whether it describes a state: actions are not
/// foretold.
///
/// Where the prediction ended early, or a call's subject was unknown, what it did not say is no difference.
pub fn differences(
    foretold: &Account,
    made: &Account,
    is_statement: impl Fn(&str) -> bool,
) -> Vec<Difference> {
    let (said, done) = (numbered(&foretold.tasks), numbered(&made.tasks));
    let said_of: HashMap<Key<'_>, &TaskReport> = said.iter().copied().collect();
    let done_of: HashMap<Key<'_>, &TaskReport> = done.iter().copied().collect();
    let mut differences = Vec::new();
    for (key, task) in &said {
        let sure = task.status == Status::WouldChange && is_statement(&task.module);
        let made = done_of.get(key).copied();
        let kept = made.is_some_and(|made| made.status == Status::Changed && made.steps == task.steps);
        if sure && !kept {
            differences.push(difference(task, Some(*task), made));
        }
    }
    for (key, task) in &done {
        let foretold_here = said_of.get(key).copied();
        let maybe = |said: &TaskReport| matches!(said.status, Status::WouldChange | Status::MayChange);
        let unknown = || {
            let same_place = |said: &&TaskReport| (said.path.as_str(), said.line) == (key.0, key.1);
            let vague = |said: &TaskReport| said.status == Status::MayChange && said.subject.is_empty();
            foretold.tasks.iter().filter(same_place).any(vague)
        };
        let surprising = task.status == Status::Changed && is_statement(&task.module);
        let excused = foretold_here.map_or_else(|| foretold.ended_early || unknown(), maybe);
        if surprising && !excused {
            differences.push(difference(task, foretold_here, Some(*task)));
        }
    }
    differences
}

fn difference(task: &TaskReport, foretold: Option<&TaskReport>, made: Option<&TaskReport>) -> Difference {
    let (mut said, mut done) = (words(foretold), words(made));
    if said == done {
        // The same steps, to another effect.
        said.push_str(&effects(foretold));
        done.push_str(&effects(made));
    }
    Difference {
        call: format!("{} {}", task.module, task.subject).trim_end().to_owned(),
        place: format!("{}:{}", task.path, task.line),
        foretold: said,
        made: done,
    }
}

/// The differences in files that a call makes, indented.
fn effects(task: Option<&TaskReport>) -> String {
    let diffs = task.into_iter().flat_map(|task| &task.steps).filter_map(|step| step.diff.as_deref());
    diffs.flat_map(str::lines).fold(String::new(), |text, line| text + "\n    " + line)
}

fn words(task: Option<&TaskReport>) -> String {
    let Some(task) = task else { return "nothing".to_owned() };
    let steps: Vec<&str> = task.steps.iter().map(|step| step.text.as_str()).collect();
    match (task.status, steps.is_empty()) {
        (Status::Ok, _) => "no change".to_owned(),
        (Status::Skipped, _) => "nothing: it was skipped".to_owned(),
        (Status::Failed, _) => "nothing: it failed".to_owned(),
        (_, true) => "a change".to_owned(),
        (_, false) => steps.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StepReport;

    fn task(module: &str, subject: &str, line: usize, status: Status, steps: &[&str]) -> TaskReport {
        let step = |text: &&str| StepReport { text: (*text).to_owned(), diff: None };
        TaskReport {
            module: module.to_owned(),
            subject: subject.to_owned(),
            within: Vec::new(),
            role: None,
            status,
            reason: None,
            steps: steps.iter().map(step).collect(),
            error: None,
            path: "site.rhai".to_owned(),
            line,
            duration: 0,
        }
    }

    fn broken(foretold: Vec<TaskReport>, ended_early: bool, made: Vec<TaskReport>) -> Vec<String> {
        let foretold = Account { tasks: foretold, ended_early };
        let made = Account { tasks: made, ended_early: false };
        let is_statement = |module: &str| module != "command::run";
        differences(&foretold, &made, is_statement).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_was_sure_is_made_and_nothing_else() {
        let would = |subject| task("file::copy", subject, 1, Status::WouldChange, &["write"]);
        let may = |subject| task("file::copy", subject, 1, Status::MayChange, &["write"]);
        let changed = |subject| task("file::copy", subject, 1, Status::Changed, &["write"]);
        let ok = |subject| task("file::copy", subject, 1, Status::Ok, &[]);
        let action = |status| task("command::run", "date", 2, status, &[]);
        let fine = Vec::<String>::new();

        assert_eq!(broken(vec![would("/a")], false, vec![changed("/a")]), fine);
        assert_eq!(broken(vec![may("/a"), may("/b")], false, vec![changed("/a"), ok("/b")]), fine);
        assert_eq!(broken(vec![action(Status::Skipped)], false, vec![action(Status::Changed)]), fine);
        assert_eq!(broken(vec![], true, vec![changed("/a")]), fine, "nothing was promised");
        assert_eq!(broken(vec![may("")], false, vec![changed("/a")]), fine, "its name was not known");
        assert_eq!(
            broken(vec![would("/a")], false, vec![ok("/a")]),
            ["file::copy /a (site.rhai:1)\n  foretold: write\n  made:     no change"]
        );
        assert_eq!(
            broken(vec![ok("/a")], true, vec![changed("/a")]),
            ["file::copy /a (site.rhai:1)\n  foretold: no change\n  made:     write"]
        );
        assert_eq!(broken(vec![], false, vec![changed("/a")]).len(), 1);
        assert_eq!(broken(vec![would("/a"), would("/a")], false, vec![changed("/a")]).len(), 1, "each time");
        let other = task("file::copy", "/a", 1, Status::Changed, &["write", "set mode"]);
        assert_eq!(broken(vec![would("/a")], false, vec![other]).len(), 1, "all its steps");
    }
}
