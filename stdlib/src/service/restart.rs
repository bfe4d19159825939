//! `service::restart`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::manager::Order;
use super::names::Services;
use super::order::Ordering;
use crate::one_or_many::OneOrMany;
use crate::runit;
use crate::runit::service_name::ServiceName;
use crate::seconds::Seconds;

/// Restarts services.
///
/// ```rhai,live
/// service::restart("sshd");
/// ```
/// ```rhai
/// let restart = handler("Restart sshd", || service::restart("sshd", #{ names: #{ systemd: "ssh" } }));
/// ```
///
/// A service that does not run is started. In a root in which nothing runs there is nothing to do. What defines it is read again
/// before, if that was changed.
///
/// In a handler, a service that was started after what notified the handler was changed is not restarted: it has seen the
/// change.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Restart {
    #[serde(flatten)]
    services: Services,
    /// How long each service may take, in seconds. With runit 10 when absent; the others have limits of their own.
    #[serde(default)]
    timeout: Option<Seconds>,
}

impl Ordering for Restart {
    const NAME: &'static str = "service::restart";
    const ORDER: Order = Order::Restart;
    type Runit = runit::restart::Restart;

    fn services(&self) -> &Services {
        &self.services
    }

    fn timeout(&self) -> Option<Seconds> {
        self.timeout
    }

    fn for_runit(&self, names: OneOrMany<ServiceName>) -> Self::Runit {
        runit::restart::Restart::for_front(names, self.timeout)
    }
}
