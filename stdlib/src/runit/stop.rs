//! `runit::stop`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::places::PlaceOptions;
use super::running::{self, Found, Wanted};
use super::service_name::ServiceName;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// Stops services that run, until they are started again or the system boots.
///
/// ```rhai,live
/// runit::stop("sshd");
/// ```
///
/// A service that takes longer to end than `timeout` is left to its end, and the call fails. See `runit::disable` for one that
/// shall not run at all.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Stop {
    /// One service or an array of them. They have to be enabled.
    name: OneOrMany<ServiceName>,
    /// How long each service may take to end, in seconds. 10 when absent.
    #[serde(default)]
    timeout: Option<Seconds>,
    #[serde(flatten)]
    places: PlaceOptions,
}

impl Stop {
    /// For a function that works with any service manager.
    pub fn for_front(name: OneOrMany<ServiceName>, timeout: Option<Seconds>) -> Self {
        Self { name, timeout, places: PlaceOptions::default() }
    }
}

impl State for Stop {
    const NAME: &'static str = "runit::stop";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        running::look(context, &self.name, Wanted::Down, &self.places, self.timeout)
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(running::plan(found, Wanted::Down))
    }
}
