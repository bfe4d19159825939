//! The turn of a run on a host: one at a time is at work there.

use std::time::Duration;

use super::lock::{Holder, NoLock};
use super::{Calls, Journal, Opening, Recorder, Source};
use crate::diagnostic::Diagnostic;
use crate::event::{EventKind, Recap};
use crate::failure::{self, Failure};
use crate::interrupt::Interrupt;
use crate::system::Time;
use crate::system::remote::{self, RemoteJournal};

/// Who takes a turn, and for what.
pub struct Turn<'a> {
    /// The run.
    pub run: &'a str,
    /// The host's name in the inventory.
    pub host: &'a str,
    /// The play's name.
    pub play: &'a str,
    /// Whether nothing is to be changed: then nobody is waited for.
    pub check: bool,
    /// How long to wait for another run, in seconds.
    pub patience: u32,
}

/// Waits for the turn. Gives the journal, and what earlier runs have left behind.
///
/// # Errors
/// See [`NoLock`]; [`none`] makes an ending of it.
pub fn take(
    source: Source,
    turn: &Turn<'_>,
    emit: &dyn Fn(EventKind),
    interrupt: &Interrupt,
) -> Result<(Box<dyn Journal>, Calls), NoLock> {
    let writes = !turn.check;
    let patience = Duration::from_secs(turn.patience.into());
    let waits = |holder: &Holder| {
        let what = format!("waiting for another run on this host: {}", words(holder));
        emit(EventKind::Warning(Box::new(Diagnostic::new(what))));
    };
    let interrupted = || interrupt.is_set();
    let (run, host, play) = (turn.run.to_owned(), turn.host.to_owned(), turn.play.to_owned());
    let journal = match source {
        Source::Given(journal) => journal,
        Source::Remote(host_behind) => {
            let turn = remote::Turn { run, host, play, writes, continues: false };
            Box::new(RemoteJournal::open(host_behind, &turn, patience, waits, interrupted)?)
        }
        Source::Kept { directories, root, lasts } => {
            let continues = false;
            let opening = Opening { directories, root, lasts, run, host, play, writes, continues, patience };
            Box::new(Recorder::open(opening, waits, interrupted)?)
        }
    };
    let pending = journal.pending().unwrap_or_else(|failure| {
        let what = "what earlier runs have left behind on this host can't be read";
        emit(EventKind::Warning(Box::new(Diagnostic::new(what).because(failure.to_string()))));
        Default::default()
    });
    Ok((journal, Calls::new(pending)))
}

fn words(holder: &Holder) -> String {
    let since = Time::now().seconds.saturating_sub(holder.since).max(0);
    match holder.run.as_str() {
        "" => "it has just begun".to_owned(),
        run => format!("{run}, process {}, at work for {since} s", holder.process),
    }
}

/// What there is to say of a turn on `host` that was not had.
pub(crate) fn refused(host: &str, why: NoLock) -> Diagnostic {
    match why {
        NoLock::Interrupted => Diagnostic::new("interrupted"),
        NoLock::Busy(holder) => Diagnostic::new(format!("another run is at work on {host}"))
            .because(words(&holder))
            .hint("`--lock-timeout SECONDS` waits longer for it"),
        NoLock::Io(error) => {
            Diagnostic::new(format!("the journal on {host} can't be opened")).because(failure::reason(&error))
        }
    }
}

/// The failure of a call for which a turn of the user `user` was not had.
pub(crate) fn not_had(user: &str, why: NoLock) -> Failure {
    if matches!(why, NoLock::Interrupted) {
        return Failure::Interrupted;
    }
    let error = refused(&format!("this host, as `{user}`"), why);
    let causes: String = error.causes.iter().map(|cause| format!(": {cause}")).collect();
    Failure::State { message: format!("{}{causes}", error.message), hint: error.hint }
}

/// Tells how a play ends on a host where it never had its turn.
pub fn none(why: NoLock, emit: &dyn Fn(EventKind)) -> Recap {
    let error = match why {
        NoLock::Interrupted => None,
        why => Some(refused("this host", why)),
    };
    let recap = Recap { failed: error.is_some(), ..Recap::default() };
    if let Some(error) = error {
        emit(EventKind::HostFailed(Box::new(error)));
    }
    emit(EventKind::HostFinished { recap });
    recap
}
