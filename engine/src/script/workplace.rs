//! The hosts that a play works on: its own, and others for a while (`on`).

use std::rc::Rc;

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use super::actors::Actors;
use super::fault::Ending;
use super::host::{self, Host};
use super::words::error;
use crate::diagnostic::Diagnostic;
use crate::ended::Foretold;
use crate::escalation::TaskEscalation;
use crate::facts::HostFacts;
use crate::journal::lock::NoLock;
use crate::journal::turn;
use crate::journal::{Calls, Journal, Source};
use crate::system::System;

/// A host that a play works on.
pub(super) struct Workplace {
    /// Its name in the inventory.
    pub name: String,
    /// The host itself.
    pub system: Rc<dyn System>,
    /// What it is.
    pub facts: Rc<dyn HostFacts>,
    /// Its journal.
    pub journal: Rc<dyn Journal>,
    /// The calls that are made there.
    pub calls: Calls,
    /// As whom they are made.
    pub actors: Actors,
}

/// Takes in what a play has foretold of a host, so that later plays know it.
pub type Remember = Box<dyn Fn(Foretold)>;

/// Another host that a play works on.
pub(super) struct Elsewhere {
    pub workplace: Rc<Workplace>,
    pub remember: Remember,
}

/// Another host that was reached, and where its journal is kept.
pub struct OtherHost {
    /// The host itself.
    pub system: Rc<dyn System>,
    /// What it is.
    pub facts: Rc<dyn HostFacts>,
    /// Where its journal is kept.
    pub journal: Source,
    /// What earlier plays have foretold of it.
    pub foretold: Vec<Foretold>,
    /// Takes in what this one foretells.
    pub remember: Remember,
}

impl Workplace {
    pub fn new(
        name: String,
        system: Rc<dyn System>,
        facts: Rc<dyn HostFacts>,
        journal: Box<dyn Journal>,
        calls: Calls,
        tasks: TaskEscalation,
        foretold: Vec<Foretold>,
    ) -> Self {
        let calls = calls.when_settled(foretold.iter().map(|foretold| &foretold.settled));
        let earlier = foretold.into_iter().map(|foretold| foretold.predicted).collect();
        let actors = Actors::new(Rc::clone(&system), tasks, earlier);
        Self { name, system, facts, journal: Rc::from(journal), calls, actors }
    }
}

impl Host {
    /// Runs a body against another host: its system and its facts, and the variables of the play's own host.
    pub(super) fn run_on(
        &self,
        context: &NativeCallContext<'_>,
        name: &str,
        body: &FnPtr,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        let there = if name == self.bundle.host.name {
            None
        } else {
            match self.workplace(name) {
                Ok(there) => Some(there),
                Err(None) => return Err(Ending::Interrupted.throw(None)),
                Err(Some(problem)) => return error(context, *problem),
            }
        };
        let mut scope = self.scope();
        scope.there = there;
        scope.within.push(format!("on {name}"));
        self.inside(scope, || body.call_within_context::<Dynamic>(context, ()))
    }

    /// Another host, which is reached once in a play. The error is absent where the run shall stop.
    fn workplace(&self, name: &str) -> Result<Rc<Workplace>, Option<Box<Diagnostic>>> {
        if let Some(known) = self.others.borrow().get(name) {
            return Ok(Rc::clone(&known.workplace));
        }
        let problem = |problem| Some(Box::new(problem));
        let Some(controller) = &self.controller else {
            let error = Diagnostic::new("`on` needs a play that is evaluated on the controller");
            return Err(problem(error.hint("say `placement: \"controller\"` in the play's options")));
        };
        let reached = controller.reach(name).map_err(problem)?;
        let emit = |event| self.emit(event);
        let turn = turn::take(reached.journal, &host::turn(&self.bundle, name), &emit, &self.interrupt);
        let (journal, calls) = turn.map_err(|why| match why {
            NoLock::Interrupted => None,
            why => problem(turn::refused(&format!("`{name}`"), why)),
        })?;
        let OtherHost { system, facts, foretold, remember, .. } = reached;
        let tasks = TaskEscalation::default();
        let workplace =
            Rc::new(Workplace::new(name.to_owned(), system, facts, journal, calls, tasks, foretold));
        let there = Rc::clone(&workplace);
        self.others.borrow_mut().insert(name.to_owned(), Elsewhere { workplace, remember });
        Ok(there)
    }

    /// The host that is worked on at the moment.
    pub(super) fn here(&self) -> Rc<Workplace> {
        self.with_scope(|scope| scope.there.clone()).unwrap_or_else(|| Rc::clone(&self.own))
    }

    /// Why another host is gone, or another user here or there, if one is.
    pub(super) fn lost_other(&self) -> Option<Diagnostic> {
        let others = self.others.borrow();
        let there = others.values().map(|there| &there.workplace);
        let lost = |place: &Rc<Workplace>| place.system.lost().or_else(|| place.actors.lost());
        self.own.actors.lost().or_else(|| there.into_iter().find_map(lost))
    }
}
