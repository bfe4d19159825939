//! Looking and changing: what the engine does with a call, for every module alike.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Action, Answer, Context, Done, Materials, Plan, Query, State, arguments};
use crate::event::{Status, StepReport};
use crate::failure::Failure;
use crate::journal::{CallIdentity, Calls, Journal, NoJournal, StepNote};
use crate::system::preview::Overlay;
use crate::system::{System, View, changes};

/// How changes are treated in this run.
#[derive(Clone, Copy)]
pub enum Mode<'a> {
    /// They are made.
    Change(&'a dyn System),
    /// They are predicted.
    Check(&'a Overlay),
}

/// The surroundings of one call.
pub struct Call<'a> {
    /// Make changes or predict them.
    pub mode: Mode<'a>,
    /// What the play brings along.
    pub materials: &'a dyn Materials,
    /// Told of every step.
    pub journal: &'a dyn Journal,
    /// The calls of the play.
    pub calls: &'a Calls,
    /// Where the call stands: the role, or the playbook.
    pub place: &'a str,
}

impl<'a> Call<'a> {
    /// A call outside of a play: nothing is noted.
    pub fn new(mode: Mode<'a>, materials: &'a dyn Materials, calls: &'a Calls) -> Self {
        Self { mode, materials, journal: &NoJournal, calls, place: "" }
    }

    fn context(&self) -> Context<'a> {
        let host: &dyn View = match self.mode {
            Mode::Change(system) => system,
            Mode::Check(overlay) => overlay,
        };
        Context { host, materials: self.materials }
    }

    /// The report of a call that has come to its end.
    fn met(&self, identity: CallIdentity, report: Report) -> Report {
        if report.failure.is_none() {
            self.calls.meet(&identity);
        }
        Report { call: Some(identity), ..report }
    }

    /// A report of a call that had nothing to do. If an earlier run has done it and died then, what depends on it is still
    /// to be done.
    fn needless(&self, identity: &CallIdentity, report: Report) -> Report {
        match self.calls.left(identity) {
            None => report,
            Some(left) => Report {
                changed: Field::Known(Value::Bool(true)),
                reason: Some(format!("changed by the run {}, which did not come to its end", left.run)),
                ..report
            },
        }
    }
}

/// A field of an outcome.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// This value.
    Known(Value),
    /// Check mode can't know it.
    Unknown,
}

/// How a call ended.
#[derive(Debug)]
pub struct Report {
    /// What it was about.
    pub subject: String,
    /// How it ended.
    pub status: Status,
    /// Why nothing was done.
    pub reason: Option<String>,
    /// The steps that were made, or would be.
    pub steps: Vec<StepReport>,
    /// Whether it changed the host, as far as that is known.
    pub changed: Field,
    /// What the module says beyond that. For a query, `value` is the answer.
    pub fields: Vec<(String, Field)>,
    /// An action that check mode did not do and whose effects nobody declared.
    pub undeclared: bool,
    /// Whether an action was really done: then the playbook may judge it by `changed_when` and `failed_when`.
    pub done: bool,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What the call is known by in other runs. Absent for queries, and where it did not get so far.
    pub call: Option<CallIdentity>,
}

impl Report {
    /// A report about nothing yet.
    pub fn empty(status: Status) -> Self {
        Self::new(String::new(), status)
    }

    fn new(subject: String, status: Status) -> Self {
        Self {
            subject,
            status,
            reason: None,
            steps: Vec::new(),
            changed: Field::Known(Value::Bool(matches!(status, Status::Changed | Status::WouldChange))),
            fields: Vec::new(),
            undeclared: false,
            done: false,
            failure: None,
            call: None,
        }
    }

    fn failed(subject: String, failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::new(subject, Status::Failed) }
    }

    fn done(subject: String, done: Done) -> Self {
        let status = match (&done.failure, done.changed) {
            (Some(_), _) => Status::Failed,
            (None, true) => Status::Changed,
            (None, false) => Status::Ok,
        };
        Self {
            changed: Field::Known(Value::Bool(done.changed)),
            done: true,
            failure: done.failure,
            ..Self::new(subject, status).with(done.fields)
        }
    }

    fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    fn with(mut self, fields: Map<String, Value>) -> Self {
        self.fields = fields.into_iter().map(|(name, value)| (name, Field::Known(value))).collect();
        self
    }
}

/// A module function without its type.
pub type CallFn = fn(Value, &Call<'_>) -> Report;

/// The arguments, or the report of why there are none.
fn parse<M: DeserializeOwned + JsonSchema + 'static>(
    positional: &[&str],
    values: &Value,
) -> Result<M, Box<Report>> {
    if let Some(name) = arguments::unknown::<M>(positional, values) {
        let mut report = Report::new(String::new(), Status::MayChange)
            .because(format!("the argument `{name}` is known only in a real run"));
        report.changed = Field::Unknown;
        return Err(Box::new(report));
    }
    arguments::parse(positional, values).map_err(|failure| Box::new(Report::failed(String::new(), failure)))
}

pub(super) fn state<M: State>(values: Value, call: &Call<'_>) -> Report {
    let module = match parse::<M>(M::POSITIONAL, &values) {
        Ok(module) => module,
        Err(report) => return *report,
    };
    let subject = module.subject();
    let identity = call.calls.identify(call.place, M::NAME, &subject);
    let report = converge(&module, call, subject, &identity);
    call.met(identity, report)
}

fn converge<M: State>(module: &M, call: &Call<'_>, subject: String, identity: &CallIdentity) -> Report {
    let planned = module.look(&call.context()).and_then(|found| Ok((module.plan(&found)?, found)));
    let (plan, found) = match planned {
        Ok(planned) => planned,
        Err(failure) => return Report::failed(subject, failure),
    };
    if plan.is_empty() {
        return call.needless(identity, Report::new(subject, Status::Ok).with(module.fields(&found)));
    }
    let steps = tell(&plan);
    let mut report = match call.mode {
        Mode::Check(overlay) => predict(module, (&found, &plan), overlay, call, subject),
        Mode::Change(system) => change(module, (&found, &plan), system, call, identity, subject),
    };
    report.steps = steps;
    report
}

/// As many steps of one call are told; the others are counted. An event has to fit into a frame, and a person's patience.
const MOST_STEPS: usize = 5000;
/// As many bytes of differences are told of one call.
const MOST_DIFFERENCES: usize = 2 * 1024 * 1024;

/// The steps in words.
fn tell(plan: &Plan) -> Vec<StepReport> {
    let mut left = Some(MOST_DIFFERENCES);
    let mut told: Vec<StepReport> = Vec::new();
    for (index, step) in plan.iter().enumerate() {
        if told.len() >= MOST_STEPS {
            let text = format!("and {} more steps", plan.len() - index);
            told.push(StepReport { text, diff: None });
            break;
        }
        if left.is_none() {
            told.push(StepReport { text: step.describe(), diff: None });
            continue;
        }
        for mut report in step.reports() {
            left = left.and_then(|left| left.checked_sub(report.diff.as_ref().map_or(0, String::len)));
            if left.is_none() {
                let too_much = || "(this and what follows is too much to be shown)\n".to_owned();
                report.diff = report.diff.map(|_| too_much());
            }
            told.push(report);
        }
    }
    told
}

fn predict<M: State>(
    module: &M,
    (found, plan): (&M::Found, &Plan),
    overlay: &Overlay,
    call: &Call<'_>,
    subject: String,
) -> Report {
    for step in plan {
        if let Err(failure) = step.predict(overlay) {
            return Report::failed(subject, failure);
        }
    }
    // As after a change: what the module says of the outcome, it says of what is there by then.
    let after = module.look(&call.context());
    if plan.iter().any(|step| step.certain()) {
        return match after {
            Ok(after) => Report::new(subject, Status::WouldChange).with(module.changed(found, &after)),
            Err(failure) => Report::failed(subject, failure),
        };
    }
    let fields = after.map(|after| module.changed(found, &after)).unwrap_or_default();
    Report {
        changed: Field::Unknown,
        fields: fields.into_iter().map(|(name, _)| (name, Field::Unknown)).collect(),
        ..Report::new(subject, Status::MayChange)
    }
}

fn change<M: State>(
    module: &M,
    (found, plan): (&M::Found, &Plan),
    system: &dyn System,
    call: &Call<'_>,
    identity: &CallIdentity,
    subject: String,
) -> Report {
    for step in plan {
        let note = StepNote::new(identity, step.as_ref());
        let made = call.journal.before(&note, system).and_then(|()| step.act(system));
        changes::note();
        let made = made.and_then(|()| call.journal.after(system));
        if let Err(failure) = made {
            return Report::failed(subject, failure);
        }
    }
    let again = module.look(&call.context()).and_then(|found| Ok((module.plan(&found)?, found)));
    match again {
        Err(failure) => Report::failed(subject, failure),
        Ok((left, _)) if !left.is_empty() => {
            let left = left.iter().map(|step| step.describe()).collect();
            Report::failed(subject, Failure::NotConverged { left })
        }
        Ok((_, after)) => Report::new(subject, Status::Changed).with(module.changed(found, &after)),
    }
}

pub(super) fn action<M: Action>(values: Value, call: &Call<'_>) -> Report {
    let module = match parse::<M>(M::POSITIONAL, &values) {
        Ok(module) => module,
        Err(report) => return *report,
    };
    let subject = module.subject();
    let identity = call.calls.identify(call.place, M::NAME, &subject);
    let report = act(&module, call, subject, &identity);
    call.met(identity, report)
}

fn act<M: Action>(module: &M, call: &Call<'_>, subject: String, identity: &CallIdentity) -> Report {
    let context = call.context();
    match module.needless(&context) {
        Err(failure) => return Report::failed(subject, failure),
        Ok(Some(reason)) => {
            let mut report = Report::new(subject, Status::Ok).because(reason);
            report.fields = fields::<M>(&Field::Known(Value::Null));
            return call.needless(identity, report);
        }
        Ok(None) => {}
    }
    if module.only_reads() {
        return match module.probe(&context) {
            Ok(done) => Report::done(subject, Done { changed: false, ..done }),
            Err(failure) => Report::failed(subject, failure),
        };
    }
    match call.mode {
        Mode::Change(system) => {
            let done = call.journal.action(identity).and_then(|()| module.run(system, &context));
            changes::note();
            match done {
                Ok(done) => Report::done(subject, done),
                Err(failure) => Report::failed(subject, failure),
            }
        }
        Mode::Check(overlay) => match module.predict(overlay) {
            Ok(declared) => {
                let mut report =
                    Report::new(subject, Status::Skipped).because("an action: check mode does not do it");
                report.changed = Field::Unknown;
                report.undeclared = !declared;
                report.fields = fields::<M>(&Field::Unknown);
                report
            }
            Err(failure) => Report::failed(subject, failure),
        },
    }
}

/// The fields of an action that was not done.
fn fields<M: Action>(value: &Field) -> Vec<(String, Field)> {
    M::FIELDS.iter().map(|name| ((*name).to_owned(), value.clone())).collect()
}

pub(super) fn query<M: Query>(values: Value, call: &Call<'_>) -> Report {
    let module = match parse::<M>(M::POSITIONAL, &values) {
        Ok(module) => module,
        Err(mut report) => {
            if report.failure.is_none() {
                report.status = Status::Ok;
                report.fields = vec![("value".to_owned(), Field::Unknown)];
            }
            return *report;
        }
    };
    let answer = match module.ask(&call.context()) {
        Ok(answer) => answer,
        Err(failure) => return Report::failed(String::new(), failure),
    };
    let mut report = Report::new(String::new(), Status::Ok);
    let value = match answer {
        Answer::Known(value) => Field::Known(value),
        Answer::Unknown => Field::Unknown,
    };
    report.fields = vec![("value".to_owned(), value)];
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::{Change, Step};
    use crate::system::{Attributes, Content};

    fn write(content: Vec<u8>) -> Box<dyn Step> {
        let (path, before, after) = ("/x".into(), Some(Content::Known(Vec::new())), Content::Known(content));
        let attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };
        Change::Write { path, before, after, attributes, shown: true }.into()
    }

    #[test]
    fn what_is_told_has_an_end() {
        let large = || write(b"a line of some length, again and again\n".repeat(10_000));
        let told = tell(&(0..20).map(|_| large()).collect());
        let shown = told.iter().filter(|step| step.diff.as_ref().is_some_and(|diff| diff.len() > 100));
        assert_eq!(shown.count(), 5);
        assert!(told[5].diff.as_ref().is_some_and(|diff| diff.starts_with("(this and what follows")));
        assert!(told[6..].iter().all(|step| step.diff.is_none() && step.text == "write /x"));

        let told = tell(&(0..MOST_STEPS + 7).map(|_| write(b"x".to_vec())).collect());
        assert_eq!(told.len(), MOST_STEPS + 1);
        assert_eq!(told[MOST_STEPS].text, "and 7 more steps");
    }
}
