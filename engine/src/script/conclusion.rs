//! How a play ends on its hosts: what is said, what is noted, and what later plays are told.

use super::fault::{Ending, Stop};
use super::host::Host;
use super::workplace::Workplace;
use crate::diagnostic::Diagnostic;
use crate::ended::{Ended, Foretold};
use crate::event::EventKind;
use crate::journal::Settled;
use crate::system::preview::Predicted;

impl Host {
    /// Notes in a host's journal that the play has ended. A host that is lost finds out by itself, when a later run comes.
    pub(super) fn note_end(&self, host: &Workplace) {
        let (complete, met) = (self.complete.get(), host.calls.met());
        let mut others = host.actors.journals().into_iter();
        let noted = others.try_for_each(|other| other.ended(complete, &met));
        if let Err(failure) = noted.and_then(|()| host.journal.ended(complete, &met))
            && host.system.lost().is_none()
        {
            let warning =
                Diagnostic::new("the end of the play could not be noted").because(failure.to_string());
            self.emit(EventKind::Warning(Box::new(warning)));
        }
    }

    /// What the plays behind this one have to know of a host.
    pub(super) fn foretell(&self, host: &Workplace) -> Foretold {
        if !self.bundle.settings.check {
            return Foretold::default();
        }
        let calls = if self.complete.get() { host.calls.met() } else { Vec::new() };
        let settled = Settled { handlers: host.calls.handled(), calls };
        let predicted = host.actors.predicted().unwrap_or_else(|| {
            let warning = Diagnostic::new("what this play would make is too much to be told to later plays")
                .hint("what they foretell may not hold; check them in a run of their own");
            self.emit(EventKind::Warning(Box::new(warning)));
            Predicted::default()
        });
        Foretold { predicted, settled }
    }

    /// Says how the play stopped.
    pub(super) fn conclude(&self, stop: Stop, ended: &mut Ended) {
        match stop {
            Stop::Error(error) => {
                ended.recap.failed = true;
                self.emit(EventKind::HostFailed(error));
            }
            // The loss of the host itself is told by whoever had the connection to it.
            Stop::Ending(Ending::Lost, at) if !self.is_lost() => {
                let mut error = self.lost_other().unwrap_or_default();
                error.at = at;
                ended.recap.failed = true;
                self.emit(EventKind::HostFailed(Box::new(error)));
            }
            Stop::Ending(Ending::Lost, _) => {}
            Stop::Ending(Ending::Host, _) => ended.host_done = true,
            Stop::Ending(Ending::Play, _) => ended.play_done = true,
            // The task whose time it is makes an error of `Overdue`; nothing is left of it here.
            Stop::Ending(Ending::Interrupted | Ending::Overdue, _) => ended.recap.interrupted = true,
            Stop::Ending(Ending::Unknown, at) => {
                let mut word = Diagnostic::new("the prediction ends here")
                    .because("what follows depends on a value that only a real run knows")
                    .hint(
                        "an action that only reads can say `probe: true`; then check mode knows its result",
                    );
                word.at = at;
                self.emit(EventKind::PredictionEnded(Box::new(word)));
            }
        }
    }
}
