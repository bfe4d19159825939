//! What has to be done with services: by runit in its own namespace, by the other managers in steps.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::{Change, Step, Undo};
use refrain_engine::system::System;
use refrain_engine::system::preview::Overlay;

use super::running;
use crate::command_step::CommandStep;

/// What has to be done; `S` is what the namespace `runit` has for it.
pub enum Found<S: State> {
    /// By runit.
    Runit(Box<(S, S::Found)>),
    /// By another one.
    Other(Vec<Planned>),
}

/// A step of another manager.
#[derive(Clone, Debug)]
pub enum Planned {
    /// A link is made or removed.
    Change(Change),
    /// The manager is given an order.
    Command(CommandStep),
    /// Something about a service that a package may bring.
    Presumed(Presumed),
}

impl<S: State> Found<S> {
    /// What runit finds.
    ///
    /// # Errors
    /// As [`State::look`].
    pub fn by_runit(state: S, context: &Context<'_>) -> Result<Self, Failure> {
        let found = state.look(context)?;
        Ok(Self::Runit(Box::new((state, found))))
    }

    /// The steps, as for [`State::plan`].
    ///
    /// # Errors
    /// As there.
    pub fn plan(&self) -> Result<Plan, Failure> {
        let step = |planned: &Planned| -> Box<dyn Step> {
            match planned {
                Planned::Change(change) => Box::new(change.clone()),
                Planned::Command(command) => Box::new(command.clone()),
                Planned::Presumed(presumed) => Box::new(presumed.clone()),
            }
        };
        match self {
            Self::Runit(both) => both.0.plan(&both.1),
            Self::Other(steps) => Ok(steps.iter().map(step).collect()),
        }
    }
}

/// What check mode can't know: it is about a service of a package that is not there yet, which may enable and start it by itself.
#[derive(Clone, Debug)]
pub struct Presumed {
    /// What would be done, as a short imperative.
    pub text: String,
    /// The service.
    pub name: String,
    /// Whether it runs then.
    pub runs: bool,
}

impl Step for Presumed {
    fn describe(&self) -> String {
        self.text.clone()
    }

    fn certain(&self) -> bool {
        false
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        running::predict(overlay, &self.name, self.runs);
        Ok(())
    }

    fn act(&self, _system: &dyn System) -> Result<(), Failure> {
        Err(Failure::state(format!("there is no service `{}`", self.name)))
    }

    fn undo(&self) -> Undo {
        Undo::Irreversible("it is only foretold".to_owned())
    }
}
