//! Taking back what a run has changed on a host.
//!
//! Each path gets back what it was before the run first touched it, the last path first. Nothing is touched if something else
//! has been at one of them since. What is taken back is itself noted, as a run of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::history::{self, Deed, PathHistory};
use super::image::Image;
use super::log::LoggedUndo;
use super::recorder::{Objects, run_directory};
use super::turn::{self, Turn};
use super::{CallIdentity, Journal, Source, StepNote};
use crate::diagnostic::Diagnostic;
use crate::event::{EventKind, Recap, Status, StepReport, TaskReport, elapsed};
use crate::failure::{self, Failure};
use crate::interrupt::Interrupt;
use crate::step::{Change, Step};
use crate::system::preview::Overlay;
use crate::system::{Fingerprint, Kind, RootKind, System, Time, View};

/// That a run is to be taken back on a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Identifies the run that takes back.
    pub run: String,
    /// The run that is taken back.
    pub target: String,
    /// The host's name in the inventory.
    pub host: String,
    /// Only say what would be done.
    pub check: bool,
    /// How long to wait for another run that is at work on the host, in seconds.
    pub lock_timeout: u32,
    /// What kind of root the agent will find.
    pub root_kind: RootKind,
}

/// Follows an order on the host `system`. Tells and returns what happened.
pub fn follow(
    order: &Order,
    system: Rc<dyn System>,
    source: Source,
    emit: &dyn Fn(EventKind),
    interrupt: &Interrupt,
) -> Recap {
    let directories = match &source {
        Source::Kept { directories, .. } => directories.clone(),
        Source::Remote(_) | Source::Given(_) => Vec::new(),
    };
    let Order { run, host, check, lock_timeout: patience, .. } = order;
    let turn = Turn { run, host, play: "rollback", check: *check, patience: *patience };
    let (journal, _) = match turn::take(source, &turn, emit, interrupt) {
        Ok(taken) => taken,
        Err(why) => return turn::none(why, emit),
    };
    let rollback = Rollback {
        directories: &directories,
        run: &order.target,
        host,
        system,
        journal: &*journal,
        check: *check,
        emit,
        interrupted: &|| interrupt.is_set(),
    };
    let recap = roll_back(&rollback).unwrap_or_else(|error| {
        emit(EventKind::HostFailed(Box::new(error)));
        Recap { failed: true, ..Recap::default() }
    });
    if let Err(failure) = journal.ended(true, &[]) {
        let warning = Diagnostic::new("the end of the rollback could not be noted");
        emit(EventKind::Warning(Box::new(warning.because(failure.to_string()))));
    }
    let recap = Recap { interrupted: interrupt.is_set() && !recap.failed, ..recap };
    emit(EventKind::HostFinished { recap });
    recap
}

/// What is to be taken back, and where.
pub struct Rollback<'a> {
    /// The directories that may hold the journal, the best one first.
    pub directories: &'a [PathBuf],
    /// The run that is taken back.
    pub run: &'a str,
    /// The host's name in the inventory.
    pub host: &'a str,
    /// The host itself.
    pub system: Rc<dyn System>,
    /// Notes what is done.
    pub journal: &'a dyn Journal,
    /// Only say what would be done.
    pub check: bool,
    /// Takes in what happens.
    pub emit: &'a dyn Fn(EventKind),
    /// Whether to stop after the change in hand.
    pub interrupted: &'a dyn Fn() -> bool,
}

/// Takes back what a run has changed. Returns what happened; that the run has changed nothing here is said and is no failure.
///
/// # Errors
/// What the run has changed has been changed by something else since, the journal can't be read, or a change could not be made.
pub fn roll_back(rollback: &Rollback<'_>) -> Result<Recap, Diagnostic> {
    for state in rollback.directories {
        let deeds = history::of(state, rollback.run, rollback.host).map_err(|error| {
            let what = format!("the journal of the run `{}` can't be read", rollback.run);
            Diagnostic::new(what).because(format!("{}: {}", state.display(), failure::reason(&error)))
        })?;
        if let Some(deeds) = deeds {
            return Work::new(rollback, state, deeds)?.run();
        }
    }
    let text = format!("the run {} has changed nothing here", rollback.run);
    (rollback.emit)(EventKind::Message { text });
    Ok(Recap::default())
}

struct Work<'a> {
    rollback: &'a Rollback<'a>,
    state: &'a Path,
    deeds: Vec<Deed>,
    paths: BTreeMap<PathBuf, PathHistory>,
    contents: Objects,
    overlay: Option<Overlay>,
    recap: Recap,
}

/// How something was taken back.
struct Taken {
    steps: Vec<StepReport>,
    /// Why it is left as it is.
    kept: Option<String>,
}

impl<'a> Work<'a> {
    fn new(rollback: &'a Rollback<'a>, state: &'a Path, deeds: Vec<Deed>) -> Result<Self, Diagnostic> {
        let overlay = rollback.check.then(|| Overlay::new(Rc::clone(&rollback.system) as Rc<dyn View>));
        let work = Self {
            rollback,
            state,
            paths: history::by_path(&deeds),
            deeds,
            contents: Objects(run_directory(state, rollback.run)),
            overlay,
            recap: Recap::default(),
        };
        work.refuse_conflicts()?;
        Ok(work)
    }

    fn view(&self) -> &dyn View {
        match &self.overlay {
            Some(overlay) => overlay,
            None => &*self.rollback.system,
        }
    }

    fn image(&self, history: &PathHistory) -> Option<&Image> {
        let (deed, index) = history.first;
        match self.deeds.get(deed)? {
            Deed::Step { step, .. } => match &step.undo {
                LoggedUndo::Images { images, .. } => images.get(index).map(|(_, image)| image),
                _ => None,
            },
            Deed::Action(_) => None,
        }
    }

    /// Refuses to take anything back if something else has been there since.
    fn refuse_conflicts(&self) -> Result<(), Diagnostic> {
        let mut conflicts = Vec::new();
        for (path, history) in &self.paths {
            match self.conflict(path, history) {
                Ok(None) => {}
                Ok(Some(words)) => conflicts.push(format!("{}: {words}", path.display())),
                Err(failure) => conflicts.push(format!("{}: {failure}", path.display())),
            }
        }
        if conflicts.is_empty() {
            return Ok(());
        }
        let what = format!("the run {} can't be taken back here", self.rollback.run);
        Err(Diagnostic::new(what)
            .because("what it has changed has been changed again since")
            .with_output(conflicts.join("\n"))
            .hint("nothing was touched; put these paths back as the run has left them, or take back the later run first"))
    }

    fn conflict(&self, path: &Path, history: &PathHistory) -> Result<Option<String>, Failure> {
        let view = &*self.rollback.system;
        let now = Fingerprint::of(view, path)?;
        let is_ours = history.left.contains(&now) || history.unknown;
        let Some(image) = self.image(history) else { return Ok(None) };
        if is_ours || image.restore(path, view, &self.contents)?.is_empty() {
            return Ok(None);
        }
        let by = history::later_run(self.state, self.rollback.run, path);
        let by = by.map(|run| format!(" by the run {run}")).unwrap_or_default();
        Ok(Some(match now {
            Fingerprint::Nothing => format!("was removed{by}"),
            _ => format!("was changed{by}"),
        }))
    }

    fn run(mut self) -> Result<Recap, Diagnostic> {
        let directories = self.directories();
        for number in (0..self.deeds.len()).rev() {
            if (self.rollback.interrupted)() {
                break;
            }
            let start = Instant::now();
            let mut taken = Taken { steps: Vec::new(), kept: None };
            let result = self.take_back(number, &mut taken);
            self.tell(number, taken, &result, start);
            result.map_err(|failure| {
                let what = format!("the run {} could be taken back only in part", self.rollback.run);
                let error = Diagnostic::new(what).because(failure.to_string());
                error.with_output(failure.output().unwrap_or_default().to_owned())
            })?;
        }
        self.restore_times(directories);
        Ok(self.recap)
    }

    /// Takes back one deed: the paths that it was the first to touch.
    fn take_back(&self, number: usize, taken: &mut Taken) -> Result<(), Failure> {
        let Deed::Step { step, .. } = &self.deeds[number] else {
            taken.kept = Some("an action: what it has done stays".to_owned());
            return Ok(());
        };
        match &step.undo {
            LoggedUndo::Irreversible(reason) => {
                taken.kept = Some(format!("can't be taken back: {reason}"));
                Ok(())
            }
            LoggedUndo::Command(command) => {
                taken.steps.push(StepReport { text: format!("run {}", command.to_shell()), diff: None });
                if self.rollback.check {
                    return Ok(());
                }
                self.rollback.journal.action(&step.call)?;
                self.rollback.system.run(command)?.require_success(command).map(drop)
            }
            LoggedUndo::Images { images, .. } => {
                for (index, (path, image)) in images.iter().enumerate().rev() {
                    if self.paths.get(path).is_some_and(|history| history.first == (number, index)) {
                        self.restore(&step.call, path, image, taken)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn restore(
        &self,
        call: &CallIdentity,
        path: &Path,
        image: &Image,
        taken: &mut Taken,
    ) -> Result<(), Failure> {
        if let (Image::Nothing, Some(name)) = (image, self.first_in(path)?) {
            taken.kept = Some(format!("`{}` is in it", name.display()));
            return Ok(());
        }
        for change in image.restore(path, self.view(), &self.contents)? {
            self.change(call, &change)?;
            if !matches!(change, Change::SetModified { .. }) {
                taken.steps.push(change.report());
            }
        }
        Ok(())
    }

    /// Something that is in a directory which shall be nothing again: others have put it there.
    fn first_in(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        let is_directory = self.view().lstat(path)?.is_some_and(|stat| stat.kind == Kind::Directory);
        let mut names = if is_directory { self.view().list(path)? } else { Vec::new() };
        Ok((!names.is_empty()).then(|| names.swap_remove(0).into()))
    }

    fn change(&self, call: &CallIdentity, change: &Change) -> Result<(), Failure> {
        if let Some(overlay) = &self.overlay {
            return change.predict(overlay);
        }
        let Rollback { system, journal, .. } = self.rollback;
        journal.before(&StepNote::new(call, change), &**system)?;
        change.act(&**system)?;
        journal.after(&**system)
    }

    /// The times that directories shall have in the end: of those above what is taken back, unless something else has been
    /// done in them since, and of those that come back.
    fn directories(&self) -> Vec<(PathBuf, Time)> {
        let come_back = self.paths.iter().filter_map(|(path, history)| Some((path, self.image(history)?)));
        let mut times: Vec<_> = come_back.flat_map(|(path, image)| image.directory_times(path)).collect();
        for (directory, (before, after)) in history::directory_times(&self.deeds) {
            let now = self.rollback.system.lstat(&directory).ok().flatten().map(|stat| stat.modified);
            // One that is gone comes back, and with it what was done in it before it went.
            if after.is_none() || now.is_none() || after == now {
                times.push((directory, before));
            }
        }
        times
    }

    fn restore_times(&self, directories: Vec<(PathBuf, Time)>) {
        let system = &self.rollback.system;
        for (directory, modified) in directories.into_iter().filter(|_| !self.rollback.check) {
            let stat = system.lstat(&directory).ok().flatten();
            if stat.is_some_and(|stat| stat.kind == Kind::Directory && stat.modified != modified) {
                // A time is no reason to fail when all else is as it was.
                let _ = system.set_modified(&directory, modified);
            }
        }
    }

    fn tell(&mut self, number: usize, taken: Taken, result: &Result<(), Failure>, start: Instant) {
        let call = match &self.deeds[number] {
            Deed::Step { step, .. } => &step.call,
            Deed::Action(call) => call,
        };
        let status = match (result, &taken.kept, taken.steps.is_empty()) {
            (Err(_), ..) => Status::Failed,
            (_, Some(_), _) => Status::Skipped,
            (_, None, true) => Status::Ok,
            (_, None, false) if self.rollback.check => Status::WouldChange,
            (_, None, false) => Status::Changed,
        };
        self.recap.count(status);
        if let Some(kept) = &taken.kept {
            let what = format!("{} `{}` is not taken back", call.function, call.subject);
            (self.rollback.emit)(EventKind::Warning(Box::new(Diagnostic::new(what).because(kept.clone()))));
        }
        (self.rollback.emit)(EventKind::Task(Box::new(TaskReport {
            module: call.function.clone(),
            subject: call.subject.clone(),
            within: Vec::new(),
            role: None,
            status,
            reason: taken.kept,
            steps: taken.steps,
            error: None,
            path: String::new(),
            line: 0,
            duration: elapsed(start),
        })));
    }
}
