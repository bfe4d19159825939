//! Which services a call is about.

use refrain_engine::failure::Failure;
use refrain_engine::system::View;
use schemars::JsonSchema;
use serde::Deserialize;

use super::choice::Manager;
use crate::one_or_many::OneOrMany;
use crate::runit::service_name::ServiceName;

/// What services are called by those service managers that call them otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// By that of Void Linux.
    runit: Option<OneOrMany<ServiceName>>,
    /// By that of most distributions.
    systemd: Option<OneOrMany<ServiceName>>,
    /// By that of Alpine Linux and Gentoo.
    openrc: Option<OneOrMany<ServiceName>>,
}

/// The services of a call. A function takes them in with `#[serde(flatten)]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Services {
    /// One service or an array of them. With systemd, a name without a suffix is that of a `.service`.
    name: OneOrMany<ServiceName>,
    /// What they are called by a service manager that calls them otherwise, in place of `name`.
    #[serde(default)]
    names: Option<Names>,
    /// The service manager: `"runit"`, `"systemd"` or `"openrc"`. The host's own when absent.
    #[serde(default)]
    manager: Option<Manager>,
}

impl Services {
    /// As they were named, for people.
    pub fn subject(&self) -> String {
        self.name.to_string()
    }

    /// The host's service manager, and what it calls them.
    ///
    /// # Errors
    /// It has none that is known here.
    pub fn of(&self, host: &dyn View) -> Result<(Manager, &OneOrMany<ServiceName>), Failure> {
        let manager = Manager::of(self.manager, host)?;
        let own = self.names.as_ref().and_then(|names| match manager {
            Manager::Runit => names.runit.as_ref(),
            Manager::Systemd => names.systemd.as_ref(),
            Manager::Openrc => names.openrc.as_ref(),
        });
        Ok((manager, own.unwrap_or(&self.name)))
    }
}
