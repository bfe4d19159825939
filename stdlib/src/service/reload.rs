//! `service::reload`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::manager::Order;
use super::names::Services;
use super::order::Ordering;
use crate::one_or_many::OneOrMany;
use crate::runit;
use crate::runit::service_name::ServiceName;
use crate::seconds::Seconds;

/// Has services read their configuration again.
///
/// ```rhai,live
/// service::reload("sshd");
/// ```
///
/// With runit they are sent HUP; the others know how each does it, and fail for one that can't. A service that does not run is an
/// error. In a root in which nothing runs there is nothing to do.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Reload {
    #[serde(flatten)]
    services: Services,
}

impl Ordering for Reload {
    const NAME: &'static str = "service::reload";
    const ORDER: Order = Order::Reload;
    type Runit = runit::reload::Reload;

    fn services(&self) -> &Services {
        &self.services
    }

    fn timeout(&self) -> Option<Seconds> {
        None
    }

    fn for_runit(&self, names: OneOrMany<ServiceName>) -> Self::Runit {
        runit::reload::Reload::for_front(names)
    }
}
