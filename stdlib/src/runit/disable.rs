//! `runit::disable`.

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::{Change, Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Fingerprint, Kind, System};
use schemars::JsonSchema;
use serde::Deserialize;

use super::places::{PlaceOptions, Places};
use super::running;
use super::service_name::ServiceName;
use super::supervisor::Supervisor;
use crate::links::real;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// Disables services: they are not supervised any more, and not started when the system boots.
///
/// ```rhai
/// runit::disable("telnetd");
/// ```
///
/// The link to the service is removed from the directory that runsvdir scans. Where runsvdir is running, the service and its
/// supervisor are ended then: by TERM and, if it has not ended in time, by KILL. What defines it in `/etc/sv` stays.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Disable {
    /// One service or an array of them. One that does not exist is disabled.
    name: OneOrMany<ServiceName>,
    /// How long each service may take to end by itself, in seconds. 10 when absent.
    #[serde(default)]
    timeout: Option<Seconds>,
    #[serde(flatten)]
    places: PlaceOptions,
}

/// What was found.
pub struct Found {
    places: Places,
    /// Services that are enabled, and the directories that their links lead to.
    enabled: Vec<(ServiceName, PathBuf)>,
    supervisor: Option<Supervisor>,
}

impl Disable {
    /// For a function that works with any service manager.
    pub fn for_front(name: OneOrMany<ServiceName>, timeout: Option<Seconds>) -> Self {
        Self { name, timeout, places: PlaceOptions::default() }
    }
}

impl State for Disable {
    const NAME: &'static str = "runit::disable";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let host = context.host;
        let places = self.places.places(host)?;
        let mut enabled = Vec::new();
        for name in &self.name.0 {
            let link = places.link(name);
            match host.lstat(&link)?.map(|stat| stat.kind) {
                None => {}
                Some(Kind::Link) => enabled.push((name.clone(), real(host, &link)?.0)),
                Some(kind) => {
                    let message =
                        format!("`{}` is a {}, not a link to a service", link.display(), kind.word());
                    return Err(Failure::state(message)
                        .advise("runit::stop ends it; remove it with file::absent if that is meant"));
                }
            }
        }
        let supervisor = places.supervised.then(|| Supervisor::new(context, &places, self.timeout));
        Ok(Found { places, enabled, supervisor })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let step = |(name, directory): &(ServiceName, PathBuf)| -> Box<dyn Step> {
            let link = Change::Remove { path: found.places.link(name), what: Kind::Link.word() };
            let (name, directory) = (name.clone(), directory.clone());
            Box::new(Unlink { name, directory, link, supervisor: found.supervisor.clone() })
        };
        Ok(found.enabled.iter().map(step).collect())
    }
}

/// The step that disables a service.
struct Unlink {
    name: ServiceName,
    /// Where it is defined.
    directory: PathBuf,
    link: Change,
    /// Absent where nobody supervises.
    supervisor: Option<Supervisor>,
}

impl Step for Unlink {
    fn describe(&self) -> String {
        self.link.describe()
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        self.link.predict(overlay)?;
        running::predict(overlay, &self.name, false);
        Ok(())
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        // In this order: a supervisor that ends while it has a link is started again.
        self.link.act(system)?;
        self.supervisor.as_ref().map_or(Ok(()), |supervisor| supervisor.end(system, &self.directory))
    }

    fn undo(&self) -> Undo {
        self.link.undo()
    }

    fn leaves(&self) -> Option<Vec<Fingerprint>> {
        self.link.leaves()
    }
}
