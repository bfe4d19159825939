//! Events for people.
//!
//! What is unchanged is hidden unless asked for; a change is a line, with its difference below it when that is asked for; a
//! failure is shown whole. Hosts that say the same within a moment share a line. At the end stands what came of each host.
//!
//! What comes from a host is shown as it can be shown: nothing in it reaches the terminal that would act there.

mod block;
mod grouping;
mod host_names;
pub mod progress;
mod recap;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use console::style;
use refrain_engine::event::{Event, EventKind, Reporter};
use refrain_engine::printable;

use self::block::{Block, Detail};
use self::grouping::{Group, Held};
use self::progress::Progress;
use crate::plural::plural;

/// What one host says is held back so long for others that may say the same, in milliseconds.
const PATIENCE: u64 = 1000;

/// The same where nobody looks on: a log is better short than at once.
const PATIENCE_OF_LOGS: u64 = 10_000;

/// The column of hosts is not wider than this for names that are longer.
const COLUMN: usize = 30;

/// Names of hosts that are longer together stand below the line that is about them.
const NAMES: usize = 48;

/// Writes to a terminal or pipe, with colors where standard output is a terminal that wants them.
pub struct Terminal<W> {
    out: W,
    /// What has not been written yet: lines of the same moment are written at once, between two pictures of the progress.
    written: String,
    detail: Detail,
    /// The hosts that are only played: a sandbox is there to be looked at, so their differences are always shown.
    sandboxes: HashSet<String>,
    /// What the run is known by.
    run: String,
    /// The hosts of the play, with the place of each.
    hosts: HashMap<String, usize>,
    /// How many of them are through.
    finished: usize,
    /// The width of the column of hosts, so that lines are aligned.
    width: usize,
    held: Held,
    /// Whether what one host says waits for others that say the same.
    holds_back: bool,
    progress: Progress,
}

impl<W: Write> Terminal<W> {
    /// Shows unchanged calls with `verbose` 1 and timings with 2, and differences with `diff`. Whoever looks on, if it is watched,
    /// wants to know soon.
    pub fn new(out: W, is_watched: bool, verbose: u8, diff: bool) -> Self {
        Self {
            out,
            written: String::new(),
            detail: Detail { verbose, diff, check: false },
            sandboxes: HashSet::new(),
            run: String::new(),
            hosts: HashMap::new(),
            finished: 0,
            width: 0,
            held: Held::new(if is_watched { PATIENCE } else { PATIENCE_OF_LOGS }),
            holds_back: true,
            progress: Progress::none(),
        }
    }

    /// Shows at once what each host says: for somebody who is asked about every call.
    #[must_use]
    pub fn without_delay(mut self) -> Self {
        self.holds_back = false;
        self
    }

    /// Shows what the hosts are at, below all else.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    fn line(&mut self, text: &str) {
        self.written.push_str(text.trim_end());
        self.written.push('\n');
    }

    /// What an event on a host says.
    fn on_host(&mut self, host: &str, event: &Event) {
        if let EventKind::HostStarted { connection } = &event.kind
            && connection.starts_with("sandbox")
        {
            self.sandboxes.insert(host.to_owned());
        }
        let diff = self.detail.diff || self.sandboxes.contains(host);
        for block in block::blocks(&event.kind, Detail { diff, ..self.detail }) {
            if self.holds_back {
                self.held.add(host, block, event.at);
            } else {
                self.block(&block, &[host.to_owned()]);
            }
        }
        if matches!(event.kind, EventKind::HostFinished { .. }) {
            self.finished += 1;
        }
        if self.finished >= self.hosts.len() {
            self.let_go();
        } else {
            self.let_go_what_is_due(event.at);
        }
    }

    /// Shows what has been held back long enough.
    fn let_go_what_is_due(&mut self, now: u64) {
        while let Some(group) = self.held.due(self.hosts.len(), now) {
            self.group(group);
        }
    }

    /// Shows all that is held back.
    fn let_go(&mut self) {
        while let Some(group) = self.held.take() {
            self.group(group);
        }
    }

    fn group(&mut self, group: Group) {
        let mut hosts = group.hosts;
        hosts.sort_by_cached_key(|host| self.hosts.get(host).copied().unwrap_or(usize::MAX));
        self.block(&group.block, &hosts);
    }

    fn block(&mut self, block: &Block, hosts: &[String]) {
        let names = host_names::folded(hosts.iter().map(String::as_str));
        let names = printable::line(&names);
        let is_long = hosts.len() > 1 && names.chars().count() > NAMES;
        let shown = if is_long { plural(hosts.len(), "host") } else { names.clone().into_owned() };
        self.line(&format!("{} {shown:<width$} {}", block.lead, block.text, width = self.width));
        if is_long {
            self.line(&format!("             {}", style(&names).dim()));
        }
        block.below.iter().for_each(|line| self.line(line));
    }

    /// What an event says that concerns all hosts.
    fn on_all(&mut self, event: &Event) {
        self.let_go();
        match &event.kind {
            EventKind::RunStarted { check, run, .. } => {
                self.detail.check = *check;
                self.run.clone_from(run);
            }
            EventKind::PlayStarted { play, hosts } => self.play(play, hosts),
            EventKind::Stopping { now } => {
                // Whatever is told from now on may be the last that can be told.
                self.holds_back = false;
                let text = if *now {
                    "stopping now: running commands are ended"
                } else {
                    "stopping after the steps in hand; once more to stop now"
                };
                self.line(&style(text).yellow().to_string());
            }
            EventKind::RunFinished { hosts, duration } => {
                recap::lines(hosts, *duration, &self.run, self.detail.check)
                    .iter()
                    .for_each(|line| self.line(line));
            }
            kind => {
                for block in block::blocks(kind, self.detail) {
                    self.block(&block, &["-".to_owned()]);
                }
            }
        }
    }

    fn play(&mut self, play: &str, hosts: &[String]) {
        self.held.begin_again();
        self.finished = 0;
        self.hosts = hosts.iter().cloned().zip(0..).collect();
        let longest = hosts.iter().map(|host| host.chars().count()).max().unwrap_or(0);
        let all = host_names::folded(hosts.iter().map(String::as_str)).chars().count();
        // Two names on a line are rare, and the column would be wide for nothing.
        let is_wide = hosts.len() > 2 && all <= COLUMN;
        self.width = if is_wide { longest.max(all) } else { longest.min(COLUMN) };
        let mut line = format!("\n{}", style(printable::line(play)).bold());
        // Writing to a text can't fail.
        let _ = write!(line, " {}", style(format!("({})", plural(hosts.len(), "host"))).dim());
        self.line(&line);
    }

    fn write(&mut self) -> io::Result<()> {
        if self.written.is_empty() {
            return Ok(());
        }
        let written = std::mem::take(&mut self.written);
        let out = &mut self.out;
        self.progress.suspend(|| {
            out.write_all(written.as_bytes())?;
            out.flush()
        })
    }
}

impl<W: Write + Send> Reporter for Terminal<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.progress.event(event);
        match &event.host {
            Some(host) => self.on_host(host, event),
            None => self.on_all(event),
        }
        self.write()
    }

    fn destination(&self) -> String {
        "standard output".to_owned()
    }

    fn tick(&mut self, at: u64) -> io::Result<()> {
        self.let_go_what_is_due(at);
        self.write()?;
        self.progress.tick(at);
        Ok(())
    }
}
