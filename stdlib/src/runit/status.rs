//! `runit::status` and `runit::enabled`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Query};
use refrain_engine::system::Kind;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::places::PlaceOptions;
use super::reported::Reported;
use super::running::predicted;
use super::service_name::ServiceName;
use super::supervisor::Supervisor;

/// What a service does.
///
/// ```rhai
/// let nomad = runit::status("nomad");
/// if nomad.state == "run" { print(`nomad has run for ${nomad.seconds} s as process ${nomad.pid}`); }
/// ```
///
/// The answer is a map. `state` is `"run"`, `"finish"` (it has ended, its `finish` script runs), `"down"`, `"unsupervised"`
/// (nobody looks after it) or `"disabled"`. `pid` is its process, `seconds` how long the state has lasted; `()` where there is none.
/// `remarks` are the supervisor's own words: `"want down"`, `"normally down"`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Status {
    /// The service.
    name: ServiceName,
    #[serde(flatten)]
    places: PlaceOptions,
}

impl Status {
    /// For a function that works with any service manager.
    pub fn for_front(name: ServiceName) -> Self {
        Self { name, places: PlaceOptions::default() }
    }
}

impl Query for Status {
    const NAME: &'static str = "runit::status";
    const POSITIONAL: &'static [&'static str] = &["name"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let places = self.places.places(context.host)?;
        if predicted(context.host, &self.name).is_some() {
            return Ok(Answer::Unknown);
        }
        let map = |state: &str, pid: Option<u32>, seconds: Option<u64>, remarks: &[String]| {
            json!({ "state": state, "pid": pid, "seconds": seconds, "remarks": remarks }).into()
        };
        if context.host.lstat(&places.link(&self.name))?.is_none() {
            return Ok(map("disabled", None, None, &[]));
        }
        if !places.supervised {
            return Ok(map("unsupervised", None, None, &[]));
        }
        let supervisor = Supervisor::new(context, &places, None);
        Ok(match supervisor.status(context.host, &[&self.name])?.swap_remove(0) {
            Reported::Run { pid, seconds, remarks } => map("run", Some(pid), Some(seconds), &remarks),
            Reported::Finish { seconds, remarks } => map("finish", None, Some(seconds), &remarks),
            Reported::Down { seconds, remarks } => map("down", None, Some(seconds), &remarks),
            Reported::Unsupervised(reason) => map("unsupervised", None, None, &[reason]),
        })
    }
}

/// Whether a service is enabled: supervised, and started when the system boots.
///
/// ```rhai
/// if !runit::enabled("sshd") { warn("nobody can log in after the next boot"); }
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Enabled {
    /// The service.
    name: ServiceName,
    #[serde(flatten)]
    places: PlaceOptions,
}

impl Enabled {
    /// For a function that works with any service manager.
    pub fn for_front(name: ServiceName) -> Self {
        Self { name, places: PlaceOptions::default() }
    }
}

impl Query for Enabled {
    const NAME: &'static str = "runit::enabled";
    const POSITIONAL: &'static [&'static str] = &["name"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let places = self.places.places(context.host)?;
        // A link that leads nowhere enables nothing.
        let leads_to = context.host.stat(&places.link(&self.name))?.map(|stat| stat.kind);
        Ok((leads_to == Some(Kind::Directory)).into())
    }
}
