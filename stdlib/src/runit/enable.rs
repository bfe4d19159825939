//! `runit::enable`.

use std::path::PathBuf;
use std::time::Duration;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::{Change, Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Fingerprint, Kind, System, View};
use schemars::JsonSchema;
use serde::Deserialize;

use super::places::{PlaceOptions, Places};
use super::reported::Reported;
use super::running;
use super::service_name::ServiceName;
use super::supervisor::Supervisor;
use crate::links::real;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// As long does a service that was just taken up have to be seen running. One that can't run is no failure to enable it.
const MOMENT: Duration = Duration::from_secs(1);

/// Enables services: they are supervised from now on, and started when the system boots.
///
/// ```rhai
/// runit::enable("nomad");
/// runit::enable(["chronyd", "docker"], #{ timeout: 20 });
/// ```
///
/// A service is a directory `/etc/sv/NAME`; enabling it puts a link to that into the directory that runsvdir scans. Where
/// runsvdir is running, the call waits until it has taken up the service, so that the next one can control it. A service with
/// a file `down` is not started by that.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Enable {
    /// One service or an array of them.
    name: OneOrMany<ServiceName>,
    /// How long runsvdir may take to see each service, in seconds. 10 when absent: it looks every 5.
    #[serde(default)]
    timeout: Option<Seconds>,
    #[serde(flatten)]
    places: PlaceOptions,
}

/// What was found.
pub struct Found {
    /// Services that have no right link, and the change that gives them one.
    missing: Vec<(ServiceName, Change)>,
    supervisor: Option<Supervisor>,
}

impl Enable {
    /// For a function that works with any service manager.
    pub fn for_front(name: OneOrMany<ServiceName>, timeout: Option<Seconds>) -> Self {
        Self { name, timeout, places: PlaceOptions::default() }
    }
}

impl State for Enable {
    const NAME: &'static str = "runit::enable";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let host = context.host;
        let places = self.places.places(host)?;
        let looked: Vec<PathBuf> =
            self.name.0.iter().flat_map(|name| [places.link(name), places.definition(name)]).collect();
        host.look_ahead(&looked.iter().map(PathBuf::as_path).collect::<Vec<_>>());
        let mut missing = Vec::new();
        for name in &self.name.0 {
            places.require(host, name)?;
            if let Some(link) = missing_link(host, &places, name)? {
                missing.push((name.clone(), link));
            }
        }
        let supervisor = places.supervised.then(|| Supervisor::new(context, &places, self.timeout));
        Ok(Found { missing, supervisor })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let step = |(name, link): &(ServiceName, Change)| -> Box<dyn Step> {
            Box::new(Link { name: name.clone(), link: link.clone(), supervisor: found.supervisor.clone() })
        };
        Ok(found.missing.iter().map(step).collect())
    }
}

/// The change that enables a service. `None` if it is enabled.
fn missing_link(host: &dyn View, places: &Places, name: &ServiceName) -> Result<Option<Change>, Failure> {
    let (path, target) = (places.link(name), places.definition(name));
    let before = match host.lstat(&path)?.map(|stat| stat.kind) {
        None => None,
        Some(Kind::Link) if real(host, &path)?.0 == real(host, &target)?.0 => return Ok(None),
        Some(Kind::Link) => host.read_link(&path)?,
        Some(kind) => {
            let message = format!("`{}` is a {}, not a link to a service", path.display(), kind.word());
            return Err(Failure::state(message).advise("remove it with file::absent if that is meant"));
        }
    };
    Ok(Some(Change::MakeLink { path, target, before }))
}

/// The step that enables a service.
struct Link {
    name: ServiceName,
    link: Change,
    /// Absent where nobody supervises.
    supervisor: Option<Supervisor>,
}

impl Step for Link {
    fn describe(&self) -> String {
        self.link.describe()
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        self.link.predict(overlay)?;
        let starts = overlay.stat(&self.link.path().join("down"))?.is_none();
        running::predict(overlay, &self.name, starts);
        Ok(())
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        self.link.act(system)?;
        let Some(supervisor) = &self.supervisor else { return Ok(()) };
        supervisor.wait_for(system, &self.name)?;
        // It is taken up a moment before it is started.
        if system.stat(&self.link.path().join("down"))?.is_none() {
            supervisor.wait_until(system, &self.name, MOMENT, Reported::runs)?;
        }
        Ok(())
    }

    fn undo(&self) -> Undo {
        self.link.undo()
    }

    fn leaves(&self) -> Option<Vec<Fingerprint>> {
        self.link.leaves()
    }
}
