//! Taking back what a run has changed on a host.
//!
//! Each path gets back what it was before the run first touched it, the last path first. Nothing is touched if something else
//! has been at one of them since. What is taken back is itself noted, as a run of its own. What tasks have made as another user is
//! taken back as that user, from that user's journal.

mod work;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use self::work::{Hand, Work};
use super::history::{self, Deed};
use super::image::{Contents, Kept};
use super::others::{ByOther, Serials};
use super::recorder::{Objects, run_directory};
use super::turn::{self, Turn};
use super::{Journal, Source};
use crate::diagnostic::Diagnostic;
use crate::escalation::Whom;
use crate::event::{EventKind, Recap};
use crate::failure::{self, Failure};
use crate::interrupt::Interrupt;
use crate::secrets::SecretText;
use crate::system::remote::Remote;
use crate::system::{RootKind, System};

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
    /// What to answer when a program asks for a password that makes somebody one of the run's other users.
    pub password: Option<SecretText>,
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
    let journal: Rc<dyn Journal> = match turn::take(source, &turn, emit, interrupt) {
        Ok((journal, _)) => Rc::from(journal),
        Err(why) => return turn::none(why, emit),
    };
    let serials = Rc::new(Serials::default());
    let others = |whom: &Whom| {
        let there = system.escalate(&whom.with(order.password.clone()))?;
        let (theirs, _) = turn::take(Source::Remote(Rc::clone(&there)), &turn, emit, interrupt)
            .map_err(|why| turn::not_had(&whom.user, why))?;
        let (own, whom, serials) = (Rc::clone(&journal), whom.clone(), Rc::clone(&serials));
        Ok(Other { system: there, journal: Rc::new(ByOther { own, whom, theirs, serials }) })
    };
    let rollback = Rollback {
        directories: &directories,
        run: &order.target,
        host,
        system: Rc::clone(&system),
        journal: Rc::clone(&journal),
        others: &others,
        check: *check,
        emit,
        interrupted: &|| interrupt.is_set(),
    };
    let recap = roll_back(&rollback).unwrap_or_else(|error| {
        emit(EventKind::HostFailed(Box::new(error)));
        Recap { failed: true, ..Recap::default() }
    });
    if let Err(failure) = journal.ended(true, &[]) {
        emit(EventKind::Warning(Box::new(not_noted(&failure))));
    }
    let recap = Recap { interrupted: interrupt.is_set() && !recap.failed, ..recap };
    emit(EventKind::HostFinished { recap });
    recap
}

fn not_noted(failure: &Failure) -> Diagnostic {
    Diagnostic::new("the end of the rollback could not be noted").because(failure.to_string())
}

/// Another user whose part of a run is taken back.
pub struct Other {
    /// The host as that user acts on it.
    pub system: Rc<Remote>,
    /// Notes what is done.
    pub journal: Rc<dyn Journal>,
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
    pub journal: Rc<dyn Journal>,
    /// Becomes another user whose part of the run is taken back.
    pub others: &'a dyn Fn(&Whom) -> Result<Other, Failure>,
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
/// What the run has changed has been changed by something else since, the journal can't be read, a user can't be become, or a
/// change could not be made.
pub fn roll_back(rollback: &Rollback<'_>) -> Result<Recap, Diagnostic> {
    for state in rollback.directories {
        let deeds = history::of(state, rollback.run, rollback.host).map_err(|error| {
            let what = format!("the journal of the run `{}` can't be read", rollback.run);
            Diagnostic::new(what).because(format!("{}: {}", state.display(), failure::reason(&error)))
        })?;
        if let Some(deeds) = deeds {
            return take_back(rollback, state, deeds);
        }
    }
    let text = format!("the run {} has changed nothing here", rollback.run);
    (rollback.emit)(EventKind::Message { text });
    Ok(Recap::default())
}

fn take_back(rollback: &Rollback<'_>, state: &Path, mut deeds: Vec<Deed>) -> Result<Recap, Diagnostic> {
    let all = deeds.len();
    deeds.retain(|deed| deed.serial().is_none());
    if deeds.len() < all {
        let what = format!("{} changes are not taken back", all - deeds.len());
        let warning =
            Diagnostic::new(what).because("tasks of another user's play have made them as this one");
        let hint = "take the run back as the user who has run it, without `--become`";
        (rollback.emit)(EventKind::Warning(Box::new(warning.hint(hint))));
    }
    let own = Hand::new(
        Rc::clone(&rollback.system),
        Rc::clone(&rollback.journal),
        Box::new(Objects(run_directory(state, rollback.run))),
    );
    let mut hands = Vec::new();
    let mut noted = Vec::new();
    for whom in others(&deeds) {
        let refused = |failure: Failure| {
            let what = format!("what the run has changed as `{}` can't be taken back", whom.user);
            let causes = match &failure {
                Failure::Become(error) | Failure::Lost(error) => {
                    [&[error.message.clone()][..], &error.causes].concat()
                }
                failure => vec![failure.to_string()],
            };
            let error = Diagnostic { causes, hint: failure.hint(), ..Diagnostic::new(what) };
            error.with_output(failure.output().unwrap_or_default())
        };
        let other = (rollback.others)(&whom).map_err(refused)?;
        noted.push((whom.clone(), other.system.noted(rollback.run, rollback.host).map_err(refused)?));
        let contents = ThereKept { host: Rc::clone(&other.system), run: rollback.run.to_owned() };
        hands.push((whom, Hand::new(other.system, other.journal, Box::new(contents))));
    }
    let deeds = history::put_together(deeds, noted);
    let recap = Work::new(rollback, state, deeds, own, hands)?.run()?;
    Ok(recap)
}

/// The other users of a run, in the order in which they were become.
fn others(deeds: &[Deed]) -> Vec<Whom> {
    let mut all = Vec::new();
    for deed in deeds {
        if let Deed::ByOther(step) = deed
            && !all.contains(&step.whom)
        {
            all.push(step.whom.clone());
        }
    }
    all
}

/// Contents that another user's journal keeps.
struct ThereKept {
    host: Rc<Remote>,
    run: String,
}

impl Contents for ThereKept {
    fn keep(&self, content: Vec<u8>) -> Result<Kept, Failure> {
        Ok(Kept::Inline(content))
    }

    fn get(&self, kept: &Kept) -> Result<Vec<u8>, Failure> {
        match kept {
            Kept::Inline(content) => Ok(content.clone()),
            Kept::Object(name) => self.host.kept_content(&self.run, name),
        }
    }
}
