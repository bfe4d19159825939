//! Orders that are given each time: what the actions of this namespace have in common.

use std::borrow::Cow;
use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{System, View};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::places::{PlaceOptions, Places};
use super::reported::Reported;
use super::running;
use super::service_name::ServiceName;
use super::supervisor::Supervisor;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// Why an action does nothing in an offline root.
pub const NOTHING_RUNS: &str = "nothing runs in this root";

/// The services that an order is given to. A function takes them in with `#[serde(flatten)]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Services {
    /// One service or an array of them. They have to be enabled.
    name: OneOrMany<ServiceName>,
    #[serde(flatten)]
    places: PlaceOptions,
}

impl Services {
    /// For a function that works with any service manager.
    pub fn for_front(name: OneOrMany<ServiceName>) -> Self {
        Self { name, places: PlaceOptions::default() }
    }

    /// Says that they can be given orders.
    ///
    /// # Errors
    /// One of them is not enabled, or nobody supervises them.
    pub fn require(&self, system: &dyn View) -> Result<Places, Failure> {
        let places = self.places.places(system)?;
        for name in &self.name.0 {
            places.require_supervised(system, name)?;
        }
        Ok(places)
    }

    /// Why nothing can be ordered in an offline root.
    ///
    /// # Errors
    /// The host has no runit.
    pub fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        Ok((!self.places.places(context.host)?.supervised).then(|| NOTHING_RUNS.to_owned()))
    }

    /// Their names.
    pub fn names(&self) -> &OneOrMany<ServiceName> {
        &self.name
    }
}

/// A function that gives an order to services.
pub trait Order: DeserializeOwned + JsonSchema + 'static {
    /// Namespace and function.
    const NAME: &'static str;
    /// The arguments that can be given without a name, in order.
    const POSITIONAL: &'static [&'static str] = &["name"];
    /// Whether `sv` waits for the services to run, and says whether they do.
    const WAITS: bool;

    /// To whom.
    fn services(&self) -> &Services;

    /// What `sv` calls it.
    fn order(&self) -> &'static str;

    /// How long each service may take.
    fn timeout(&self) -> Option<Seconds> {
        None
    }

    /// Why the order does not have to be given to the service whose directory is `directory`.
    fn followed_already(&self, _context: &Context<'_>, _directory: &Path) -> Option<&'static str> {
        None
    }
}

/// A call of such a function.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Give<O>(pub O);

impl<O: JsonSchema> JsonSchema for Give<O> {
    fn schema_name() -> Cow<'static, str> {
        O::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        O::json_schema(generator)
    }
}

impl<O: Order> Action for Give<O> {
    const NAME: &'static str = O::NAME;
    const POSITIONAL: &'static [&'static str] = O::POSITIONAL;

    fn subject(&self) -> String {
        self.0.services().name.to_string()
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        let services = self.0.services();
        let places = services.places.places(context.host)?;
        if !places.supervised {
            return Ok(Some(NOTHING_RUNS.to_owned()));
        }
        let mut reason = None;
        for name in &services.name.0 {
            match self.0.followed_already(context, &places.link(name)) {
                Some(why) => reason = Some(why.to_owned()),
                None => return Ok(None),
            }
        }
        Ok(reason)
    }

    fn predict(&self, overlay: &Overlay) -> Result<bool, Failure> {
        let services = self.0.services();
        services.require(overlay)?;
        if O::WAITS {
            services.name.0.iter().for_each(|name| running::predict(overlay, name, true));
        }
        Ok(true)
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        let services = self.0.services();
        let places = services.require(system)?;
        let supervisor = Supervisor::new(context, &places, self.0.timeout());
        for name in &services.name.0 {
            supervisor.wait_for(system, name)?;
            let command = supervisor.order(self.0.order(), name);
            let output = system.run(&command)?;
            if O::WAITS {
                supervisor.followed(name, &command, &output, Reported::runs)?;
            } else {
                output.require_success(&command)?;
            }
        }
        Ok(Done { changed: true, ..Done::default() })
    }
}
