//! The stages of a test.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use console::style;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::{Status, TaskReport, elapsed};
use refrain_engine::interrupt::Interrupt;
use refrain_engine::module::{Contract, Registry};
use refrain_engine::prediction::{Account, differences};
use refrain_engine::runner::{self, Options, Stage};

use super::recorder::{Record, Recorder};
use crate::junit::{Case, Trouble, Verdict};
use crate::plural::plural;
use crate::prompt;

/// As many details are shown of a stage that failed.
const SHOWN: usize = 20;

/// Why a test came to its end early.
pub enum Ended {
    /// A playbook, the inventory or a variable is wrong.
    BadInput(Vec<Diagnostic>),
    /// A promise was broken: in these words.
    Failed(Vec<String>),
    /// It was told to stop.
    Interrupted,
}

/// Makes the options of a run of a playbook, in check mode or not.
type MakeOptions<'a> = &'a dyn Fn(&Path, bool) -> Options;

/// What the stages of one test have in common.
pub struct Stages<'a> {
    registry: Arc<Registry>,
    options: MakeOptions<'a>,
    interrupt: Arc<Interrupt>,
    /// What came of each so far, and when the last one ended.
    cases: RefCell<Vec<Case>>,
    since: Cell<Instant>,
}

impl<'a> Stages<'a> {
    /// Runs get their options from `options`.
    pub fn new(options: MakeOptions<'a>, interrupt: Arc<Interrupt>) -> Self {
        let (cases, since) = (RefCell::default(), Cell::new(Instant::now()));
        Self { registry: Arc::new(refrain_stdlib::registry()), options, interrupt, cases, since }
    }

    /// What came of the stages that were gone through, as cases of this class.
    pub fn into_cases(self, class: &str) -> Vec<Case> {
        let cases = self.cases.into_inner().into_iter();
        cases.map(|case| Case { class: class.to_owned(), ..case }).collect()
    }

    /// All of them, up to the first that fails.
    pub fn go_through(&self, playbook: &Path) -> Result<(), Ended> {
        let setup = beside(playbook, "setup");
        if setup.is_file() {
            self.stage("set up", self.run(&setup, false).and_then(without_failures))?;
            self.keep("set up", Verdict::Passed, String::new());
        }
        let foretold = self.stage("foretold", self.run(playbook, true).and_then(without_failures))?;
        let perhaps = match foretold.count(|task| task.status == Status::MayChange) {
            0 => String::new(),
            count => format!(", {count} uncertain"),
        };
        let changes = plural(foretold.count(|task| task.status == Status::WouldChange), "change");
        self.passed("foretold", &format!("{changes} on {}{perhaps}", plural(foretold.hosts.len(), "host")));
        for (host, why) in &foretold.ends {
            println!("  {} {host}: {}", style("note:").yellow(), indented(why));
        }
        let made = self.stage("made", self.run(playbook, false).and_then(without_failures))?;
        let changed = |task: &TaskReport| task.status == Status::Changed;
        let changes = made.count(|task| changed(task) && self.is_statement(&task.module));
        let actions = match made.count(|task| changed(task) && !self.is_statement(&task.module)) {
            0 => String::new(),
            count => format!(", {}", plural(count, "action")),
        };
        self.passed("made", &format!("{}{actions}", plural(changes, "change")));
        self.stage("as foretold", self.as_foretold(&foretold, &made))?;
        self.passed("as foretold", "");
        let again = self.run(playbook, false).and_then(without_failures);
        self.stage("at rest", again.and_then(|again| self.at_rest(&again)))?;
        self.passed("at rest", "a second run changes nothing");
        let assertions = beside(playbook, "test");
        if assertions.is_file() {
            self.stage("assertions", self.run(&assertions, false).and_then(without_failures))?;
            self.passed("assertions", &assertions.display().to_string());
        }
        Ok(())
    }

    /// The result of a stage; if it failed, that is said.
    fn stage<T>(&self, name: &str, result: Result<T, Ended>) -> Result<T, Ended> {
        if self.interrupt.is_set() {
            return Err(Ended::Interrupted);
        }
        result.map_err(|ended| self.failed(name, ended))
    }

    /// Says that a stage has passed.
    fn passed(&self, stage: &str, detail: &str) {
        println!("  {} {stage:<12} {detail}", style("ok").green());
        self.keep(stage, Verdict::Passed, detail.to_owned());
    }

    /// Says that a stage has failed, and leaves what is shown of why.
    fn failed(&self, stage: &str, ended: Ended) -> Ended {
        println!("  {} {stage}", style("FAILED").red().bold());
        let (kind, details) = match &ended {
            Ended::Failed(details) => ("broken", details.clone()),
            Ended::BadInput(problems) => ("bad-input", problems.iter().map(ToString::to_string).collect()),
            Ended::Interrupted => ("interrupted", Vec::new()),
        };
        let message = details.first().and_then(|detail| detail.lines().next()).unwrap_or(kind).to_owned();
        let trouble = Trouble { kind, message, text: details.join("\n") };
        self.keep(stage, Verdict::Failed(trouble), String::new());
        match ended {
            Ended::Failed(details) => Ended::Failed(shown(details)),
            other => other,
        }
    }

    /// Keeps for a report what came of a stage that ends now.
    fn keep(&self, stage: &str, verdict: Verdict, output: String) {
        let began = self.since.replace(Instant::now());
        let name = stage.to_owned();
        let case =
            Case { class: String::new(), name, place: None, duration: elapsed(began), verdict, output };
        self.cases.borrow_mut().push(case);
    }

    /// Runs a playbook, and says what happened.
    fn run(&self, playbook: &Path, check: bool) -> Result<Record, Ended> {
        let options = (self.options)(playbook, check);
        let prepared = runner::prepare(options, &self.registry, || Box::new(prompt::ask));
        let prepared = Arc::new(prepared.map_err(Ended::BadInput)?);
        let recorder = Recorder::default();
        let (registry, interrupt) = (Arc::clone(&self.registry), Arc::clone(&self.interrupt));
        runner::run(&prepared, Stage { registry, reporters: vec![Box::new(recorder.clone())], interrupt });
        Ok(recorder.take())
    }

    fn is_statement(&self, module: &str) -> bool {
        self.registry.get(module).is_some_and(|entry| entry.contract == Contract::State)
    }

    fn as_foretold(&self, foretold: &Record, made: &Record) -> Result<(), Ended> {
        let nothing = Account::default();
        let mut broken = Vec::new();
        for (host, made) in &made.hosts {
            let foretold = foretold.hosts.get(host).unwrap_or(&nothing);
            let differences = differences(foretold, made, |module| self.is_statement(module));
            broken.extend(differences.iter().map(|difference| format!("{host}: {difference}")));
        }
        if broken.is_empty() { Ok(()) } else { Err(Ended::Failed(broken)) }
    }

    fn at_rest(&self, again: &Record) -> Result<(), Ended> {
        let mut restless = Vec::new();
        for (host, account) in &again.hosts {
            for task in &account.tasks {
                if task.status == Status::Changed && self.is_statement(&task.module) {
                    let steps: Vec<&str> = task.steps.iter().map(|step| step.text.as_str()).collect();
                    let (module, subject) = (&task.module, &task.subject);
                    let place = format!("{}:{}", task.path, task.line);
                    restless.push(format!("{host}: {module} {subject} ({place}): {}", steps.join(", ")));
                }
            }
        }
        if restless.is_empty() { Ok(()) } else { Err(Ended::Failed(restless)) }
    }
}

/// The script beside a playbook that is named after it: `base.test.rhai`.
fn beside(playbook: &Path, what: &str) -> PathBuf {
    playbook.with_extension(format!("{what}.rhai"))
}

fn without_failures(record: Record) -> Result<Record, Ended> {
    if record.failures.is_empty() {
        return Ok(record);
    }
    let words = |(host, error): &(String, Diagnostic)| format!("{host}: {error}");
    Err(Ended::Failed(record.failures.iter().map(words).collect()))
}

/// The first details of what is broken, as they are shown.
fn shown(mut details: Vec<String>) -> Vec<String> {
    let more = details.len().saturating_sub(SHOWN);
    details.truncate(SHOWN);
    let mut details: Vec<String> = details.iter().map(|detail| format!("    {}", indented(detail))).collect();
    if more > 0 {
        details.push(format!("    and {more} more"));
    }
    details
}

/// A text of several lines in the place of one that is indented.
fn indented(text: &impl ToString) -> String {
    text.to_string().replace('\n', "\n    ")
}
