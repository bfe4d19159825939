//! What hosts are at, below the output of a run: only where somebody looks on.

use std::env;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};

use console::Term;
use indexmap::IndexMap;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use refrain_engine::event::{Event, EventKind};
use refrain_engine::printable;

/// A play that is over sooner, in milliseconds, shows nothing: that would be a flash.
const DELAY: u64 = 400;

/// At most so many hosts are shown, and no more than fit.
const MOST: usize = 12;

/// The picture that is on the terminal, for whoever has to write there meanwhile.
static SHOWN: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Does something with the terminal while no progress stands there, and none is drawn.
pub fn suspended<T>(act: impl FnOnce() -> T) -> T {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown {
        Some(shown) => shown.suspend(act),
        None => act(),
    }
}

/// Leaves the line on which the progress stands: the program ends in the middle of it.
pub fn leave() {
    if SHOWN.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
        eprintln!();
    }
}

/// The progress of a play.
pub struct Progress {
    /// Absent where nobody looks on.
    picture: Option<Picture>,
}

struct Picture {
    all: MultiProgress,
    /// How far the play is.
    play: Option<ProgressBar>,
    /// When the play began, in milliseconds of the run.
    begun: u64,
    /// The hosts that are at work, in the order in which they began.
    hosts: IndexMap<String, At>,
    finished: usize,
    total: usize,
}

/// What a host is at.
struct At {
    /// What it told last.
    last: String,
    /// When that was, in milliseconds of the run.
    since: u64,
    /// Its line, if it has one.
    line: Option<ProgressBar>,
}

impl Progress {
    /// Shows nothing.
    pub fn none() -> Self {
        Self { picture: None }
    }

    /// Shows the progress on standard error, if that and standard output are a terminal that can move its cursor.
    pub fn on_terminal() -> Self {
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        if dumb || !io::stdout().is_terminal() || !io::stderr().is_terminal() {
            return Self::none();
        }
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(all.clone());
        Self { picture: Some(Picture::new(all)) }
    }

    /// Takes in what happens.
    pub fn event(&mut self, event: &Event) {
        let Some(picture) = &mut self.picture else { return };
        match &event.kind {
            EventKind::PlayStarted { hosts, .. } => picture.begin(hosts.len(), event.at),
            EventKind::RunFinished { .. } => {
                picture.clear();
                *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            kind => {
                if let Some(host) = &event.host {
                    picture.told(host, kind, event.at);
                }
            }
        }
    }

    /// Draws how things are at the time `at`.
    pub fn tick(&mut self, at: u64) {
        if let Some(picture) = &mut self.picture
            && at.saturating_sub(picture.begun) >= DELAY
        {
            picture.draw(at);
        }
    }

    /// Writes something above the progress.
    pub fn suspend<T>(&self, act: impl FnOnce() -> T) -> T {
        match &self.picture {
            Some(picture) => picture.all.suspend(act),
            None => act(),
        }
    }
}

impl Picture {
    fn new(all: MultiProgress) -> Self {
        Self { all, play: None, begun: 0, hosts: IndexMap::new(), finished: 0, total: 0 }
    }

    fn begin(&mut self, total: usize, at: u64) {
        self.clear();
        self.begun = at;
        self.total = total;
        self.finished = 0;
    }

    fn clear(&mut self) {
        for (_, at) in self.hosts.drain(..) {
            at.erase();
        }
        if let Some(bar) = self.play.take() {
            bar.finish_and_clear();
        }
        // What can't be drawn can't be erased either.
        let _ = self.all.clear();
    }

    fn told(&mut self, host: &str, kind: &EventKind, at: u64) {
        let last = match kind {
            EventKind::HostFinished { .. } | EventKind::HostUnreachable { .. } => {
                if let Some(gone) = self.hosts.shift_remove(host) {
                    gone.erase();
                }
                if matches!(kind, EventKind::HostFinished { .. }) {
                    self.finished += 1;
                }
                return;
            }
            EventKind::HostStarted { .. } => "it was reached".to_owned(),
            EventKind::Task(task) => {
                printable::line(&format!("{} {}", task.module, task.subject)).into_owned()
            }
            EventKind::HandlerStarted { handler, .. } => format!("handler {}", printable::line(handler)),
            _ => return,
        };
        match self.hosts.get_mut(host) {
            Some(known) => (known.last, known.since) = (last, at),
            None => {
                self.hosts.insert(host.to_owned(), At { last, since: at, line: None });
            }
        }
    }

    fn draw(&mut self, now: u64) {
        let play = self.play.get_or_insert_with(|| {
            let bar = ProgressBar::new(0).with_style(style("{bar:24} {wide_msg}"));
            self.all.add(bar)
        });
        let rows = usize::from(Term::stderr().size().0);
        let lines = MOST.min(rows.saturating_sub(4));
        let mut taken = self.hosts.values().filter(|at| at.line.is_some()).count();
        let width = self.hosts.keys().map(|host| host.chars().count()).max().unwrap_or(0).min(30);
        for (host, at) in &mut self.hosts {
            if at.line.is_none() && taken < lines {
                let line = ProgressBar::new_spinner().with_style(style("{spinner} {wide_msg}"));
                at.line = Some(self.all.insert_before(play, line));
                taken += 1;
            }
            if let Some(line) = &at.line {
                let seconds = now.saturating_sub(at.since) / 1000;
                let host = printable::line(host);
                line.set_message(format!("{host:<width$}  {seconds} s since {}", at.last));
                line.tick();
            }
        }
        // Before the lines, so that the sum is known when the picture is drawn.
        play.set_length(self.total as u64);
        play.set_position(self.finished as u64);
        let more = match self.hosts.len() - taken {
            0 => String::new(),
            more => format!(", {more} of them not shown"),
        };
        let seconds = now.saturating_sub(self.begun) / 1000;
        play.set_message(format!(
            "{} of {} hosts done, {} at work{more}, {seconds} s",
            self.finished,
            self.total,
            self.hosts.len()
        ));
    }
}

impl At {
    fn erase(self) {
        if let Some(line) = self.line {
            line.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are those of this file; one that indicatif does not take shows its own.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━─")
}
