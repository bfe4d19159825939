//! `runit::restart`.

use std::path::Path;

use refrain_engine::module::Context;
use schemars::JsonSchema;
use serde::Deserialize;

use super::order::{Order, Services};
use super::service_name::ServiceName;
use super::started::started;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// Restarts services.
///
/// ```rhai,live
/// runit::restart("sshd");
/// ```
/// ```rhai
/// let restart = handler("Restart sshd", || runit::restart("sshd"));
/// ```
///
/// The service is sent TERM, started again when it has ended, and waited for; if it has a `check` script, until that says that
/// it is available. It has to be enabled. In a root in which nothing runs there is nothing to do.
///
/// In a handler, a service that was started after what notified the handler was changed is not restarted: it has seen the
/// change. So a handler that ends the very run that it is part of, as restarting docker does where refrain runs in a container,
/// does so once, and not again in the next run. (Plays that are evaluated on the controller only know that of earlier runs.)
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Restart {
    #[serde(flatten)]
    services: Services,
    /// How long each service may take, in seconds. 10 when absent.
    #[serde(default)]
    timeout: Option<Seconds>,
}

impl Restart {
    /// For a function that works with any service manager.
    pub fn for_front(name: OneOrMany<ServiceName>, timeout: Option<Seconds>) -> Self {
        Self { services: Services::for_front(name), timeout }
    }
}

impl Order for Restart {
    const NAME: &'static str = "runit::restart";
    const WAITS: bool = true;

    fn services(&self) -> &Services {
        &self.services
    }

    fn order(&self) -> &'static str {
        "restart"
    }

    fn timeout(&self) -> Option<Seconds> {
        self.timeout
    }

    fn followed_already(&self, context: &Context<'_>, directory: &Path) -> Option<&'static str> {
        let notified = context.materials.notified_at()?;
        let start = started(context.host, directory)?;
        (start > notified).then_some("it was started after the change")
    }
}
