//! Whether services run: looking, in check mode also at what was predicted, and the steps that change it.

use refrain_engine::diagnostic::near_match;
use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::Undo;
use refrain_engine::system::View;
use refrain_engine::system::preview::Overlay;
use serde_json::Value;

use super::choice::Manager;
use super::condition::{Condition, State};
use super::found::{Planned, Presumed};
use super::manager::{Order, ServiceManager, command};
use crate::command_step::CommandStep;
use crate::one_or_many::OneOrMany;
use crate::pkg::prediction::Prediction;
use crate::prediction_state::PredictionState;
use crate::runit::service_name::ServiceName;
use crate::seconds::Seconds;

/// The kind of the predictions of this module.
const KIND: &str = "service";

/// Predicts whether a service runs from now on.
pub fn predict(overlay: &Overlay, name: &str, runs: bool) {
    overlay.set_state(KIND, name, Value::Bool(runs));
}

/// What was predicted of a service.
pub fn predicted(host: &dyn View, name: &str) -> Option<bool> {
    host.predicted(KIND, name).and_then(|state| state.as_bool())
}

/// A call that is about services of one manager.
pub struct Call<'a> {
    /// Its surroundings.
    pub context: &'a Context<'a>,
    /// The manager, by its name.
    pub chosen: Manager,
    /// The manager.
    pub manager: &'static dyn ServiceManager,
    /// How long each service may take. As the manager says when absent.
    pub timeout: Option<Seconds>,
}

impl Call<'_> {
    /// Whether the manager can be given orders.
    ///
    /// # Errors
    /// The host can't be looked at.
    pub fn is_at_work(&self) -> Result<bool, Failure> {
        self.chosen.is_at_work(self.context.host)
    }

    /// Says that it can be given orders.
    ///
    /// # Errors
    /// It can't.
    pub fn require_at_work(&self, name: &str) -> Result<(), Failure> {
        if self.is_at_work()? {
            return Ok(());
        }
        Err(Failure::state(format!(
            "`{name}` can't be controlled: {} does not run in this root",
            self.chosen
        ))
        .advise("service::enable is enough here: the service is started when the system boots"))
    }

    /// What the services are at; in check mode what they would be at by now.
    ///
    /// # Errors
    /// The manager can't be asked.
    pub fn conditions(&self, names: &[&ServiceName]) -> Result<Vec<Condition>, Failure> {
        let mut conditions = self.manager.conditions(self.context, names)?;
        for (condition, name) in conditions.iter_mut().zip(names) {
            if let Some(runs) = predicted(self.context.host, name) {
                condition.state = if runs { State::Running } else { State::Stopped };
            }
        }
        Ok(conditions)
    }

    /// The step that gives an order to a service.
    pub fn order(&self, order: Order, name: &ServiceName) -> Planned {
        let told = |order: Order| {
            let mut command = command(self.context, self.manager.order(order, name));
            if let Some(Seconds(timeout)) = self.timeout {
                command.timeout = Some(command.timeout.map_or(timeout, |left| left.min(timeout)));
            }
            command
        };
        let opposite = if order == Order::Stop { Order::Start } else { Order::Stop };
        Planned::Command(CommandStep {
            text: format!("{} the service {name}", order.word()),
            command: told(order),
            brings: vec![(KIND, name.to_string(), Value::Bool(order != Order::Stop))],
            undo: Undo::command(told(opposite)),
        })
    }

    /// The steps after which the services run or don't, as they are ordered.
    ///
    /// # Errors
    /// The manager does not run, or there is no such service.
    pub fn running(&self, names: &OneOrMany<ServiceName>, order: Order) -> Result<Vec<Planned>, Failure> {
        let names: Vec<&ServiceName> = names.0.iter().collect();
        names.iter().try_for_each(|name| self.require_at_work(name))?;
        let conditions = self.conditions(&names)?;
        let mut steps = Vec::new();
        if conditions.iter().any(|condition| condition.is_outdated) {
            steps.extend(self.reread());
        }
        for (name, condition) in names.into_iter().zip(conditions) {
            let is_met =
                if order == Order::Stop { condition.state.is_down() } else { condition.state.is_up() };
            if is_met {
                continue;
            }
            if order == Order::Start && !self.manager.exists(self.context.host, name)? {
                if !self.may_come() {
                    return Err(self.missing(name));
                }
                steps.push(self.presumed(order.word(), name, true));
                continue;
            }
            if order == Order::Start && !condition.lasts {
                return Err(Failure::state(format!(
                    "`{name}` does something and ends, and is never seen running"
                ))
                .advise("service::restart has it done each time"));
            }
            steps.push(self.order(order, name));
        }
        Ok(steps)
    }

    /// The step that has the manager read again what defines services, if that is needed.
    pub fn reread(&self) -> Option<Planned> {
        let words = self.manager.reread()?;
        Some(Planned::Command(CommandStep {
            text: format!("have {} read its units again", self.chosen),
            command: command(self.context, words.iter().copied()),
            brings: Vec::new(),
            undo: Undo::Irreversible("what was read stays read".to_owned()),
        }))
    }

    /// Whether a service that is not there may come with a package that check mode would have installed by now.
    pub fn may_come(&self) -> bool {
        self.context.host.is_predicted() && !Prediction::look(self.context.host).asked.is_empty()
    }

    /// A step about such a service.
    pub fn presumed(&self, order: &str, name: &ServiceName, runs: bool) -> Planned {
        let text = format!("{order} the service {name}");
        Planned::Presumed(Presumed { text, name: name.to_string(), runs })
    }

    /// There is no such service.
    pub fn missing(&self, name: &ServiceName) -> Failure {
        let message = format!("{} has no service `{name}`", self.chosen);
        let known = self.manager.known(self.context.host).unwrap_or_default();
        let hint = match near_match(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "install the package that brings it; `names` says what it is called elsewhere".to_owned(),
        };
        Failure::argument("name", message).advise(hint)
    }
}
