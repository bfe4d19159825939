//! `service::start`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::found::Found;
use super::manager::{self, Order};
use super::names::Services;
use super::running::Call;
use crate::runit;
use crate::seconds::Seconds;

/// Starts services that don't run.
///
/// ```rhai,live
/// service::start("backup");
/// ```
///
/// It waits as the service manager does: with runit until the service runs, with the others until they say that it is started. See
/// `service::enable` for one that shall also run after the system has booted again. With runit, it has to be enabled. In a root in
/// which nothing runs it is an error, and so is a service of systemd that does something and ends (`Type=oneshot`): it never runs.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Start {
    #[serde(flatten)]
    services: Services,
    /// How long each service may take, in seconds. With runit 10 when absent; the others have limits of their own.
    #[serde(default)]
    timeout: Option<Seconds>,
}

impl State for Start {
    const NAME: &'static str = "service::start";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found<runit::start::Start>;

    fn subject(&self) -> String {
        self.services.subject()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let (chosen, names) = self.services.of(context.host)?;
        let Some(manager) = manager::of(chosen) else {
            return Found::by_runit(runit::start::Start::for_front(names.clone(), self.timeout), context);
        };
        let call = Call { context, chosen, manager, timeout: self.timeout };
        call.running(names, Order::Start).map(Found::Other)
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        found.plan()
    }
}
