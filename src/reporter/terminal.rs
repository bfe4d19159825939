//! Events for people.
//!
//! What is unchanged is hidden unless asked for; a change is a line, with its difference below it when that is asked for; a
//! failure is shown whole. At the end stands one line per host.

use std::fmt::Write as _;
use std::io;

use console::{Style, Term, style};
use indexmap::IndexMap;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::{Event, EventKind, Recap, Reporter, Status, StepReport, TaskReport};

/// Writes to standard output, with colors where that is a terminal that wants them.
pub struct Terminal {
    out: Term,
    verbose: u8,
    diff: bool,
    check: bool,
    /// The widest host name of the play, so that columns line up.
    width: usize,
}

impl Terminal {
    /// A terminal that shows unchanged calls with `verbose` 1 and timings with 2, and differences with `diff`.
    pub fn new(verbose: u8, diff: bool) -> Self {
        Self { out: Term::buffered_stdout(), verbose, diff, check: false, width: 0 }
    }

    fn line(&self, text: &str) -> io::Result<()> {
        self.out.write_line(text.trim_end())
    }

    fn host(&self, event: &Event) -> String {
        let name = event.host.as_deref().unwrap_or("-");
        format!("{name:<width$}", width = self.width)
    }

    fn task(&self, event: &Event, task: &TaskReport) -> io::Result<()> {
        let (word, color) = word(task.status);
        let quiet = matches!(task.status, Status::Ok | Status::Skipped);
        let undeclared = task.status == Status::Skipped && self.check && task.reason.is_some();
        if quiet && self.verbose == 0 && !(undeclared && self.diff) {
            return Ok(());
        }
        // A failure that ends the play comes again, whole, as the host's.
        if task.status == Status::Failed && self.verbose == 0 {
            return Ok(());
        }
        let mut line =
            format!("{} {} {}", color.apply_to(format!("{word:>8}")), self.host(event), task.module);
        if !task.subject.is_empty() {
            let _ = write!(line, " {}", style(&task.subject).bold());
        }
        let mut about: Vec<String> = Vec::new();
        about.extend(task.role.iter().map(|role| format!("role {role}")));
        about.extend(task.within.iter().cloned());
        if !about.is_empty() {
            let _ = write!(line, " {}", style(format!("[{}]", about.join(" > "))).dim());
        }
        if let Some(reason) = task.reason.as_ref().filter(|_| quiet || task.status == Status::MayChange) {
            let _ = write!(line, " {}", style(format!("({reason})")).dim());
        }
        if self.verbose > 1 {
            let _ = write!(line, " {}", style(format!("{:.1} ms", micros(task.duration))).dim());
        }
        self.line(&line)?;
        for step in &task.steps {
            self.step(task, step)?;
        }
        if let Some(error) = task.error.as_ref().filter(|_| self.verbose > 0) {
            self.diagnostic("", error)?;
        }
        Ok(())
    }

    fn step(&self, task: &TaskReport, step: &StepReport) -> io::Result<()> {
        // A single step whose words repeat the line above says nothing new.
        let says_more = task.steps.len() > 1 || self.verbose > 0 || !step.text.starts_with("write ");
        if says_more {
            self.line(&format!("             {}", style(&step.text).dim()))?;
        }
        match &step.diff {
            Some(diff) if self.diff => diff.lines().try_for_each(|line| self.diff_line(line)),
            _ => Ok(()),
        }
    }

    fn diff_line(&self, line: &str) -> io::Result<()> {
        let color = match line.as_bytes().first() {
            Some(b'+') => Style::new().green(),
            Some(b'-') => Style::new().red(),
            Some(b'@') => Style::new().cyan(),
            _ => Style::new().dim(),
        };
        self.line(&format!("             {}", color.apply_to(line)))
    }

    fn diagnostic(&self, lead: &str, diagnostic: &Diagnostic) -> io::Result<()> {
        for line in format!("{lead}{diagnostic}").lines() {
            self.line(&format!("    {line}"))?;
        }
        Ok(())
    }

    fn bad(&self, event: &Event, word: &str, diagnostic: &Diagnostic) -> io::Result<()> {
        let lead = Style::new().red().bold().apply_to(format!("{word:>8}"));
        self.line(&format!("{lead} {}", self.host(event)))?;
        self.diagnostic("error: ", diagnostic)
    }

    fn play(&mut self, play: &str, hosts: &[String]) -> io::Result<()> {
        self.width = hosts.iter().map(|host| host.chars().count()).max().unwrap_or(0).min(30);
        let count = hosts.len();
        let plural = if count == 1 { "" } else { "s" };
        self.line(&format!("\n{} {}", style(play).bold(), style(format!("({count} host{plural})")).dim()))
    }

    fn recap(&self, hosts: &IndexMap<String, Recap>, duration: u64) -> io::Result<()> {
        let width = hosts.keys().map(|host| host.chars().count()).max().unwrap_or(0);
        self.line("")?;
        for (host, recap) in hosts {
            self.line(&format!("{host:<width$}  {}", self.counts(recap)))?;
        }
        let undeclared: u32 = hosts.values().map(|recap| recap.undeclared).sum();
        if undeclared > 0 {
            let plural = if undeclared == 1 { "" } else { "s" };
            self.line(&format!(
                "{undeclared} action{plural} whose effects nobody declared: check mode can't know them"
            ))?;
        }
        #[allow(clippy::cast_precision_loss)] // Milliseconds of a run are far below 2^52.
        let seconds = duration as f64 / 1000.0;
        self.line(&style(format!("{seconds:.2} s")).dim().to_string())
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

impl Reporter for Terminal {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::RunStarted { check, .. } => {
                self.check = *check;
                Ok(())
            }
            EventKind::PlayStarted { play, hosts } => self.play(play, hosts),
            EventKind::HostStarted { connection } if self.verbose > 1 => {
                self.line(&format!("         {} {}", self.host(event), style(connection).dim()))
            }
            EventKind::Task(task) => self.task(event, task),
            EventKind::HandlerStarted { handler } => {
                let word = style(format!("{:>8}", "handler")).blue();
                self.line(&format!("{word} {} {handler}", self.host(event)))
            }
            EventKind::Warning(warning) => {
                let lead = style(format!("{:>8}", "warning")).yellow().bold();
                self.line(&format!("{lead} {}", self.host(event)))?;
                self.diagnostic("", warning)
            }
            EventKind::Message { text } => {
                text.lines().try_for_each(|text| self.line(&format!("         {} {text}", self.host(event))))
            }
            EventKind::PredictionEnded(word) => {
                let lead = style(format!("{:>8}", "unknown")).magenta().bold();
                self.line(&format!("{lead} {}", self.host(event)))?;
                self.diagnostic("", word)
            }
            EventKind::HostFailed(error) => self.bad(event, "failed", error),
            EventKind::HostUnreachable { stage, error } => {
                self.bad(event, "no reach", error)?;
                self.line(&style(format!("    (stage: {stage})")).dim().to_string())
            }
            EventKind::RunFinished { hosts, duration } => self.recap(hosts, *duration),
            EventKind::HostStarted { .. } | EventKind::HostFinished { .. } => Ok(()),
        }?;
        self.out.flush()
    }
}
