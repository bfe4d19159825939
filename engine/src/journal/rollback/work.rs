//! Taking back deed by deed, each as the user who has done it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use super::super::history::{self, Deed, DirectoryTimes, Stretch};
use super::super::image::{Contents, Image};
use super::super::log::LoggedUndo;
use super::super::{CallIdentity, Journal, StepNote};
use super::{Rollback, not_noted};
use crate::diagnostic::Diagnostic;
use crate::escalation::Whom;
use crate::event::{EventKind, Recap, Status, StepReport, TaskReport, elapsed};
use crate::failure::Failure;
use crate::step::{Change, Step};
use crate::system::preview::Overlay;
use crate::system::{Command, Fingerprint, Kind, System, Time, View, changes};

/// As whom something is taken back, and what was kept for that.
pub(super) struct Hand {
    system: Rc<dyn System>,
    journal: Rc<dyn Journal>,
    contents: Box<dyn Contents>,
    /// Where nothing is to be changed.
    overlay: Option<Overlay>,
}

impl Hand {
    pub fn new(system: Rc<dyn System>, journal: Rc<dyn Journal>, contents: Box<dyn Contents>) -> Self {
        Self { system, journal, contents, overlay: None }
    }

    fn view(&self) -> &dyn View {
        match &self.overlay {
            Some(overlay) => overlay,
            None => &*self.system,
        }
    }

    fn base(&self) -> Rc<dyn View> {
        Rc::clone(&self.system) as Rc<dyn View>
    }
}

/// A run that is being taken back.
pub(super) struct Work<'a> {
    rollback: &'a Rollback<'a>,
    state: &'a Path,
    deeds: Vec<Deed>,
    /// What was done to each path, but what has been taken back already.
    paths: BTreeMap<PathBuf, Vec<Stretch>>,
    own: Hand,
    others: Vec<(Whom, Hand)>,
    recap: Recap,
}

/// Where a path stands.
enum Stands {
    /// After so many of the stretches; the later ones have been taken back, or were not begun.
    After(usize),
    /// Something else has been there: in words.
    Elsewhere(String),
}

/// How something was taken back.
struct Taken {
    steps: Vec<StepReport>,
    /// Why it is left as it is.
    kept: Option<String>,
}

impl<'a> Work<'a> {
    /// # Errors
    /// Something else has been there since.
    pub fn new(
        rollback: &'a Rollback<'a>,
        state: &'a Path,
        deeds: Vec<Deed>,
        mut own: Hand,
        mut others: Vec<(Whom, Hand)>,
    ) -> Result<Self, Diagnostic> {
        if rollback.check {
            let overlay = Overlay::new(own.base());
            for (_, other) in &mut others {
                other.overlay = Some(overlay.seen_by(other.base()));
            }
            own.overlay = Some(overlay);
        }
        let paths = history::by_path(&deeds);
        let mut work = Self { rollback, state, deeds, paths, own, others, recap: Recap::default() };
        work.refuse_conflicts()?;
        Ok(work)
    }

    fn hand(&self, by: Option<&Whom>) -> &Hand {
        let other = by.and_then(|by| self.others.iter().find(|(whom, _)| whom == by));
        other.map_or(&self.own, |(_, hand)| hand)
    }

    /// What was there before a stretch.
    fn image(&self, stretch: &Stretch) -> Option<&Image> {
        let (deed, index) = stretch.first;
        match self.deeds.get(deed)? {
            Deed::Step { step, .. } => match &step.undo {
                LoggedUndo::Images { images, .. } => images.get(index).map(|(_, image)| image),
                _ => None,
            },
            Deed::ByOther(_) | Deed::Action(_) => None,
        }
    }

    /// Refuses to take anything back if something else has been there since.
    fn refuse_conflicts(&mut self) -> Result<(), Diagnostic> {
        let mut conflicts = Vec::new();
        let mut left = BTreeMap::new();
        for (path, stretches) in &self.paths {
            match self.stands(path, stretches) {
                Ok(Stands::After(count)) => _ = left.insert(path.clone(), count),
                Ok(Stands::Elsewhere(words)) => conflicts.push(format!("{}: {words}", path.display())),
                Err(failure) => conflicts.push(format!("{}: {failure}", path.display())),
            }
        }
        for (path, count) in left {
            self.paths.entry(path).or_default().truncate(count);
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

    /// Where a path stands between what the run has found there and what it has left.
    fn stands(&self, path: &Path, stretches: &[Stretch]) -> Result<Stands, Failure> {
        let Some(last) = stretches.last() else { return Ok(Stands::After(0)) };
        // Who has touched it last can look at it.
        let now = Fingerprint::of(&*self.hand(last.by.as_ref()).system, path)?;
        let is_left = |stretch: &Stretch| stretch.left.contains(&now) || stretch.unknown;
        if let Some(stretch) = stretches.iter().rposition(is_left) {
            return Ok(Stands::After(stretch + 1));
        }
        let hand = self.hand(stretches[0].by.as_ref());
        let restored = match self.image(&stretches[0]) {
            Some(image) => image.restore(path, &*hand.system, &*hand.contents)?.is_empty(),
            None => true,
        };
        if restored {
            return Ok(Stands::After(0));
        }
        let by = history::later_run(self.state, self.rollback.run, path);
        let by = by.map(|run| format!(" by the run {run}")).unwrap_or_default();
        Ok(Stands::Elsewhere(match now {
            Fingerprint::Nothing => format!("was removed{by}"),
            _ => format!("was changed{by}"),
        }))
    }

    pub fn run(mut self) -> Result<Recap, Diagnostic> {
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
        for (_, other) in &self.others {
            if let Err(failure) = other.journal.ended(true, &[]) {
                (self.rollback.emit)(EventKind::Warning(Box::new(not_noted(&failure))));
            }
        }
        Ok(self.recap)
    }

    /// Takes back one deed: the paths that it was the first to touch.
    fn take_back(&self, number: usize, taken: &mut Taken) -> Result<(), Failure> {
        let Deed::Step { step, by, .. } = &self.deeds[number] else {
            taken.kept = Some("an action: what it has done stays".to_owned());
            return Ok(());
        };
        match &step.undo {
            LoggedUndo::Irreversible(reason) => {
                taken.kept = Some(format!("can't be taken back: {reason}"));
                Ok(())
            }
            LoggedUndo::KernelValue { path, value } => {
                let text = format!("set {} to {value}", path.display());
                taken.steps.push(StepReport { text, diff: None });
                if self.rollback.check {
                    return Ok(());
                }
                let hand = self.hand(by.as_ref());
                hand.journal.action(&step.call)?;
                hand.system.set_kernel_value(path, &format!("{value}\n"))
            }
            LoggedUndo::Commands { commands, kept } => {
                taken.kept.clone_from(kept);
                let hand = self.hand(by.as_ref());
                commands.iter().try_for_each(|command| self.run_command(hand, &step.call, command, taken))
            }
            LoggedUndo::Images { images, .. } => {
                for (index, (path, image)) in images.iter().enumerate().rev() {
                    let mut stretches = self.paths.get(path).into_iter().flatten();
                    if stretches.any(|stretch| stretch.first == (number, index)) {
                        self.restore(self.hand(by.as_ref()), &step.call, path, image, taken)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn run_command(
        &self,
        hand: &Hand,
        call: &CallIdentity,
        command: &Command,
        taken: &mut Taken,
    ) -> Result<(), Failure> {
        taken.steps.push(StepReport { text: format!("run {}", command.to_shell()), diff: None });
        if self.rollback.check {
            return Ok(());
        }
        hand.journal.action(call)?;
        hand.system.run(command)?.require_success(command).map(drop)
    }

    fn restore(
        &self,
        hand: &Hand,
        call: &CallIdentity,
        path: &Path,
        image: &Image,
        taken: &mut Taken,
    ) -> Result<(), Failure> {
        if let (Image::Nothing, Some(name)) = (image, first_in(hand, path)?) {
            taken.kept = Some(format!("`{}` is in it", name.display()));
            return Ok(());
        }
        for change in image.restore(path, hand.view(), &*hand.contents)? {
            change_by(hand, call, &change)?;
            if !matches!(change, Change::SetModified { .. }) {
                taken.steps.extend(change.reports());
            }
        }
        Ok(())
    }

    /// The times that directories shall have in the end: of those above what is taken back, unless something else has been
    /// done in them since, and of those that come back.
    fn directories(&self) -> Vec<(Option<Whom>, PathBuf, Time)> {
        let mut times = Vec::new();
        for (path, stretches) in &self.paths {
            let first =
                stretches.first().and_then(|stretch| Some((stretch.by.clone(), self.image(stretch)?)));
            let come_back = first.map(|(by, image)| (by, image.directory_times(path)));
            times.extend(come_back.into_iter().flat_map(|(by, all)| {
                all.into_iter().map(move |(directory, modified)| (by.clone(), directory, modified))
            }));
        }
        for (directory, DirectoryTimes { before, after, by }) in history::directory_times(&self.deeds) {
            let stat = self.hand(by.as_ref()).system.lstat(&directory);
            let now = stat.ok().flatten().map(|stat| stat.modified);
            // One that is gone comes back, and with it what was done in it before it went.
            if after.is_none() || now.is_none() || after == now {
                times.push((by, directory, before));
            }
        }
        times
    }

    fn restore_times(&self, directories: Vec<(Option<Whom>, PathBuf, Time)>) {
        for (by, directory, modified) in directories.into_iter().filter(|_| !self.rollback.check) {
            let system = &self.hand(by.as_ref()).system;
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
            Deed::ByOther(step) => &step.call,
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

/// Something that is in a directory which shall be nothing again: others have put it there.
fn first_in(hand: &Hand, path: &Path) -> Result<Option<PathBuf>, Failure> {
    let is_directory = hand.view().lstat(path)?.is_some_and(|stat| stat.kind == Kind::Directory);
    let mut names = if is_directory { hand.view().list(path)? } else { Vec::new() };
    Ok((!names.is_empty()).then(|| names.swap_remove(0).into()))
}

fn change_by(hand: &Hand, call: &CallIdentity, change: &Change) -> Result<(), Failure> {
    if let Some(overlay) = &hand.overlay {
        return change.predict(overlay);
    }
    hand.journal.before(&StepNote::new(call, change), &*hand.system)?;
    let made = change.act(&*hand.system);
    changes::note();
    made.and_then(|()| hand.journal.after(&*hand.system))
}
