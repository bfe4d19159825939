//! Whether services run: looking, in check mode also at what was predicted, and the steps that change it.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan};
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{System, View};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::places::PlaceOptions;
use super::reported::Reported;
use super::service_name::ServiceName;
use super::supervisor::Supervisor;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// The kind of the predictions of this module.
const KIND: &str = "runit";

/// Predicts whether a service runs from now on.
pub fn predict(overlay: &Overlay, name: &ServiceName, runs: bool) {
    overlay.set_state(KIND, name, Value::Bool(runs));
}

/// What was predicted of a service.
pub fn predicted(host: &dyn View, name: &str) -> Option<bool> {
    host.predicted(KIND, name).and_then(|state| state.as_bool())
}

/// What a service shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Wanted {
    /// It runs.
    Up,
    /// It does not.
    Down,
}

impl Wanted {
    /// Whether a service is so.
    pub fn is_met(self, reported: &Reported) -> bool {
        match self {
            Self::Up => reported.is_up(),
            Self::Down => reported.is_down(),
        }
    }

    /// The order to `sv`, which is also the word for people.
    fn order(self) -> &'static str {
        match self {
            Self::Up => "start",
            Self::Down => "stop",
        }
    }
}

/// The services that are not as they shall be.
pub struct Found {
    different: Vec<ServiceName>,
    supervisor: Supervisor,
}

/// Looks which of the services are not as they are wanted.
pub fn look(
    context: &Context<'_>,
    names: &OneOrMany<ServiceName>,
    wanted: Wanted,
    places: &PlaceOptions,
    timeout: Option<Seconds>,
) -> Result<Found, Failure> {
    let host = context.host;
    let places = places.places(host)?;
    for name in &names.0 {
        places.require_supervised(host, name)?;
    }
    let supervisor = Supervisor::new(context, &places, timeout);
    let (foretold, real): (Vec<_>, Vec<_>) = names.0.iter().partition(|name| predicted(host, name).is_some());
    let mut different: Vec<ServiceName> = foretold
        .into_iter()
        .filter(|name| predicted(host, name) != Some(wanted == Wanted::Up))
        .cloned()
        .collect();
    let reported = supervisor.status(host, &real)?;
    let as_is = real.into_iter().zip(&reported).filter(|(_, reported)| !wanted.is_met(reported));
    different.extend(as_is.map(|(name, _)| name.clone()));
    Ok(Found { different, supervisor })
}

/// The steps after which they are.
pub fn plan(found: &Found, wanted: Wanted) -> Plan {
    let order = |name: &ServiceName| -> Box<dyn Step> {
        Box::new(Order { name: name.clone(), wanted, supervisor: found.supervisor.clone() })
    };
    found.different.iter().map(order).collect()
}

/// The step that starts or stops a service.
struct Order {
    name: ServiceName,
    wanted: Wanted,
    supervisor: Supervisor,
}

impl Step for Order {
    fn describe(&self) -> String {
        format!("{} the service {}", self.wanted.order(), self.name)
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        predict(overlay, &self.name, self.wanted == Wanted::Up);
        Ok(())
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        self.supervisor.wait_for(system, &self.name)?;
        let command = self.supervisor.order(self.wanted.order(), &self.name);
        let output = system.run(&command)?;
        self.supervisor.followed(&self.name, &command, &output, |reported| self.wanted.is_met(reported))
    }

    fn undo(&self) -> Undo {
        let opposite = if self.wanted == Wanted::Up { Wanted::Down } else { Wanted::Up };
        let order = self.supervisor.order(opposite.order(), &self.name);
        Undo::command(order)
    }
}
