//! Calls of module functions, as whoever the enclosing tasks become.

use std::rc::Rc;

use serde_json::Value;

use super::actors::Actor;
use super::host::{self, Host};
use super::workplace::Workplace;
use crate::event::Status;
use crate::failure::Failure;
use crate::journal::{Journal, turn};
use crate::module::Entry;
use crate::module::converge::{Call, Field, Mode, Report};

impl Host {
    /// Calls a module function, as the user whom the enclosing tasks become.
    pub(super) fn call(&self, entry: &Entry, arguments: Value) -> Report {
        let here = self.here();
        let whom = self.with_scope(|scope| scope.escalation.clone());
        let failed = |failure| Report { failure: Some(failure), ..Report::empty(Status::Failed) };
        let actor = match here.actors.acting(&whom, self.checking()) {
            Ok(Some(actor)) => actor,
            Ok(None) => return of_predicted_user(),
            Err(failure) => return failed(failure),
        };
        let journal = match self.journal(&here, &actor) {
            Ok(journal) => journal,
            Err(failure) => return failed(failure),
        };
        let (calls, place) = (&here.calls, &self.place());
        let call = |mode| Call { mode, materials: self, journal: &*journal, calls, place };
        if self.checking() {
            let overlay = here.actors.overlay(&actor);
            entry.call(arguments, &call(Mode::Check(&overlay)))
        } else {
            here.actors.forget_host();
            entry.call(arguments, &call(Mode::Change(&*actor.system)))
        }
    }

    /// Where it is noted what `actor` changes.
    fn journal(&self, here: &Workplace, actor: &Actor) -> Result<Rc<dyn Journal>, Failure> {
        if self.checking() {
            // Nothing is.
            return Ok(Rc::clone(&here.journal));
        }
        here.actors.journal(actor, &here.journal, |whom, source| {
            let turn = host::turn(&self.bundle, &here.name);
            let taken = turn::take(source, &turn, &|event| self.emit(event), &self.interrupt);
            taken.map(|(journal, _)| journal).map_err(|why| turn::not_had(&whom.user, why))
        })
    }
}

/// The report of a call that check mode can't predict, since its user is only predicted.
fn of_predicted_user() -> Report {
    Report {
        reason: Some("the user whom the task becomes is not there yet".to_owned()),
        changed: Field::Unknown,
        fields: vec![("value".to_owned(), Field::Unknown)],
        ..Report::empty(Status::MayChange)
    }
}
