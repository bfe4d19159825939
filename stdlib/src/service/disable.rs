//! `service::disable`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::found::{Found, Planned};
use super::manager::{self, Order};
use super::names::Services;
use super::running::Call;
use crate::runit;
use crate::seconds::Seconds;

/// Disables services: they don't run any more, and are not started when the system boots.
///
/// ```rhai
/// service::disable("telnetd");
/// ```
///
/// The links that enable them are removed, as by `systemctl disable` and `rc-update del`; what defines them stays, and something
/// else may still start them. Where the service manager runs, services that run are stopped.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Disable {
    /// One that does not exist is disabled.
    #[serde(flatten)]
    services: Services,
    /// With OpenRC, the only runlevel in which they are not started. When absent, they are not in any.
    #[serde(default)]
    runlevel: Option<String>,
    /// How long each service may take, in seconds. With runit 10 when absent; the others have limits of their own.
    #[serde(default)]
    timeout: Option<Seconds>,
}

impl State for Disable {
    const NAME: &'static str = "service::disable";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found<runit::disable::Disable>;

    fn subject(&self) -> String {
        self.services.subject()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let (chosen, names) = self.services.of(context.host)?;
        let Some(manager) = manager::of(chosen) else {
            return Found::by_runit(runit::disable::Disable::for_front(names.clone(), self.timeout), context);
        };
        let call = Call { context, chosen, manager, timeout: self.timeout };
        let mut steps = Vec::new();
        for name in &names.0 {
            let changes = manager.disabling(context.host, name, self.runlevel.as_deref())?;
            steps.extend(changes.into_iter().map(Planned::Change));
        }
        if call.is_at_work()? {
            if !steps.is_empty() {
                steps.extend(call.reread());
            }
            let names: Vec<_> = names.0.iter().collect();
            let conditions = call.conditions(&names)?;
            let running = names.into_iter().zip(conditions).filter(|(_, now)| !now.state.is_down());
            steps.extend(running.map(|(name, _)| call.order(Order::Stop, name)));
        }
        Ok(Found::Other(steps))
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        found.plan()
    }
}
