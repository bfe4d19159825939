//! What an event on a host shows.

use std::fmt::Write as _;

use console::{Style, style};
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::{EventKind, Status, StepReport, TaskReport};
use refrain_engine::printable;

/// A line about a host, with what is said below it. The hosts that have the same to say share one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Block {
    /// What stands before the names of the hosts: a word, as wide as all of them.
    pub(super) lead: String,
    /// What stands after the names.
    pub(super) text: String,
    /// The lines below.
    pub(super) below: Vec<String>,
}

/// How much is shown.
#[derive(Clone, Copy)]
pub(super) struct Detail {
    /// 1: unchanged calls, too; 2: timings and connections, too.
    pub(super) verbose: u8,
    /// Whether differences are shown.
    pub(super) diff: bool,
    /// Whether changes are only predicted.
    pub(super) check: bool,
}

/// The blocks of an event on a host, in order. None for what is not shown.
pub(super) fn blocks(kind: &EventKind, detail: Detail) -> Vec<Block> {
    let block = match kind {
        EventKind::HostStarted { connection } if detail.verbose > 1 => {
            let text = style(printable::line(connection)).dim().to_string();
            Block { lead: lead(""), text, below: Vec::new() }
        }
        EventKind::Task(task) => return task_block(task, detail).into_iter().collect(),
        EventKind::HandlerStarted { handler, left_by } => {
            let why = left_by.as_ref().map(|run| format!("  left by the run {}", printable::line(run)));
            let why = style(why.unwrap_or_default()).dim();
            let text = format!("{}{why}", printable::line(handler));
            Block { lead: style(lead("handler")).blue().to_string(), text, below: Vec::new() }
        }
        EventKind::Warning(warning) => {
            let lead = style(lead("warning")).yellow().bold().to_string();
            Block { lead, text: String::new(), below: diagnostic("", warning) }
        }
        EventKind::Message { text } => {
            let line = |line: &str| Block {
                lead: lead(""),
                text: printable::line(line).into_owned(),
                below: Vec::new(),
            };
            return text.lines().map(line).collect();
        }
        EventKind::PredictionEnded(why) => {
            let lead = style(lead("unknown")).magenta().bold().to_string();
            Block { lead, text: String::new(), below: diagnostic("", why) }
        }
        EventKind::HostFailed(error) => bad("failed", String::new(), error),
        EventKind::HostUnreachable { stage, error } => {
            bad("unreachable", format!("({})", printable::line(stage)), error)
        }
        _ => return Vec::new(),
    };
    vec![block]
}

fn lead(word: &str) -> String {
    format!("{word:>8}")
}

fn bad(word: &str, text: String, error: &Diagnostic) -> Block {
    let lead = Style::new().red().bold().apply_to(lead(word)).to_string();
    Block { lead, text, below: diagnostic("error: ", error) }
}

fn task_block(task: &TaskReport, detail: Detail) -> Option<Block> {
    let (word, color) = word(task.status);
    let quiet = matches!(task.status, Status::Ok | Status::Skipped);
    let undeclared = task.status == Status::Skipped && detail.check && task.reason.is_some();
    if quiet && detail.verbose == 0 && !(undeclared && detail.diff) {
        return None;
    }
    // A failure that ends the play comes again, whole, as the host's.
    if task.status == Status::Failed && detail.verbose == 0 {
        return None;
    }
    let mut text = printable::line(&task.module).into_owned();
    if !task.subject.is_empty() {
        let _ = write!(text, " {}", style(printable::line(&task.subject)).bold());
    }
    let mut about: Vec<String> = Vec::new();
    about.extend(task.role.iter().map(|role| format!("role {role}")));
    about.extend(task.within.iter().cloned());
    if !about.is_empty() {
        let _ = write!(text, " {}", style(format!("[{}]", printable::line(&about.join(" > ")))).dim());
    }
    if let Some(reason) = task.reason.as_ref().filter(|_| quiet || task.status == Status::MayChange) {
        let _ = write!(text, " {}", style(format!("({})", printable::line(reason))).dim());
    }
    if detail.verbose > 1 {
        let _ = write!(text, " {}", style(format!("{:.1} ms", milliseconds(task.duration))).dim());
    }
    let mut below: Vec<String> =
        task.steps.iter().flat_map(|step| step_lines(task.steps.len(), step, detail)).collect();
    if let Some(error) = task.error.as_ref().filter(|_| detail.verbose > 0) {
        below.extend(diagnostic("", error));
    }
    Some(Block { lead: color.apply_to(lead(word)).to_string(), text, below })
}

/// What is shown of one of so many steps.
fn step_lines(steps: usize, step: &StepReport, detail: Detail) -> Vec<String> {
    let mut lines = Vec::new();
    // A single step whose words repeat the line above says nothing new.
    if steps > 1 || detail.verbose > 0 || !step.text.starts_with("write ") {
        lines.push(format!("             {}", style(printable::line(&step.text)).dim()));
    }
    if let Some(text) = step.diff.as_ref().filter(|_| detail.diff) {
        lines.extend(text.lines().map(difference));
    }
    lines
}

/// A line of a difference, in its color.
pub(super) fn difference(line: &str) -> String {
    let color = match line.as_bytes().first() {
        Some(b'+') => Style::new().green(),
        Some(b'-') => Style::new().red(),
        Some(b'@') => Style::new().cyan(),
        _ => Style::new().dim(),
    };
    format!("             {}", color.apply_to(printable::line(line)))
}

/// The lines of a diagnostic, `before` in front of its message.
pub(super) fn diagnostic(before: &str, diagnostic: &Diagnostic) -> Vec<String> {
    format!("{before}{diagnostic}").lines().map(|line| format!("    {}", printable::line(line))).collect()
}

#[allow(clippy::cast_precision_loss)] // Microseconds of a call are far below 2^52.
fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1000.0
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
