//! `service::stop`.

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

/// Stops services that run, until they are started again or the system boots.
///
/// ```rhai,live
/// service::stop("sshd");
/// ```
///
/// See `service::disable` for one that shall not run at all. In a root in which nothing runs it is an error.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Stop {
    #[serde(flatten)]
    services: Services,
    /// How long each service may take, in seconds. With runit 10 when absent; the others have limits of their own.
    #[serde(default)]
    timeout: Option<Seconds>,
}

impl State for Stop {
    const NAME: &'static str = "service::stop";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found<runit::stop::Stop>;

    fn subject(&self) -> String {
        self.services.subject()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let (chosen, names) = self.services.of(context.host)?;
        let Some(manager) = manager::of(chosen) else {
            return Found::by_runit(runit::stop::Stop::for_front(names.clone(), self.timeout), context);
        };
        let call = Call { context, chosen, manager, timeout: self.timeout };
        call.running(names, Order::Stop).map(Found::Other)
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        found.plan()
    }
}
