//! `runit::start`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::places::PlaceOptions;
use super::running::{self, Found, Wanted};
use super::service_name::ServiceName;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// Starts services that don't run, and keeps them running.
///
/// ```rhai,live
/// runit::start("backup");
/// runit::start(["backup", "sshd"], #{ timeout: 30 });
/// ```
///
/// It waits until the service runs and, if it has a `check` script, until that says so. Enabling a service starts it, too
/// (see `runit::enable`), so that this is for one that somebody has stopped or that has a file `down`. In a root in which
/// nothing runs it is an error.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Start {
    /// One service or an array of them. They have to be enabled.
    name: OneOrMany<ServiceName>,
    /// How long each service may take, in seconds. 10 when absent.
    #[serde(default)]
    timeout: Option<Seconds>,
    #[serde(flatten)]
    places: PlaceOptions,
}

impl Start {
    /// For a function that works with any service manager.
    pub fn for_front(name: OneOrMany<ServiceName>, timeout: Option<Seconds>) -> Self {
        Self { name, timeout, places: PlaceOptions::default() }
    }
}

impl State for Start {
    const NAME: &'static str = "runit::start";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        running::look(context, &self.name, Wanted::Up, &self.places, self.timeout)
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(running::plan(found, Wanted::Up))
    }
}
