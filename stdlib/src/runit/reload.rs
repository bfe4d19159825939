//! `runit::reload`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::order::{Order, Services};
use super::service_name::ServiceName;
use crate::one_or_many::OneOrMany;

/// Has services read their configuration again: they are sent HUP.
///
/// ```rhai,live
/// runit::reload("sshd");
/// ```
///
/// A service that does not run is an error. In a root in which nothing runs there is nothing to do.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Reload {
    #[serde(flatten)]
    services: Services,
}

impl Reload {
    /// For a function that works with any service manager.
    pub fn for_front(name: OneOrMany<ServiceName>) -> Self {
        Self { services: Services::for_front(name) }
    }
}

impl Order for Reload {
    const NAME: &'static str = "runit::reload";
    const WAITS: bool = true;

    fn services(&self) -> &Services {
        &self.services
    }

    fn order(&self) -> &'static str {
        "reload"
    }
}
