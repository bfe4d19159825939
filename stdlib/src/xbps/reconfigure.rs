//! `xbps::reconfigure`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::System;
use refrain_engine::system::preview::Overlay;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;

use super::lock;
use super::name::PackageName;
use super::prediction::{Packages, Prediction};
use super::program::run;
use crate::one_or_many::OneOrMany;
use crate::prediction_state::PredictionState;
use crate::seconds::Seconds;

/// Configures packages that are unpacked and were not configured, because a script failed or the host went down.
///
/// ```rhai
/// xbps::reconfigure();
/// xbps::reconfigure("openssh", #{ force: true });
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reconfigure {
    /// The names of the packages. All when absent.
    #[serde(default)]
    packages: Option<OneOrMany<PackageName>>,
    /// Whether packages are configured again that are so already, each time.
    #[serde(default)]
    force: bool,
    /// How long to wait for another program that changes packages, in seconds. 60 when absent.
    #[serde(default)]
    lock_timeout: Option<Seconds>,
}

impl Reconfigure {
    fn is_meant(&self, name: &str) -> bool {
        self.packages.as_ref().is_none_or(|packages| packages.0.iter().any(|package| &**package == name))
    }
}

impl Action for Reconfigure {
    const NAME: &'static str = "xbps::reconfigure";
    const POSITIONAL: &'static [&'static str] = &["packages"];

    fn subject(&self) -> String {
        self.packages.as_ref().map_or_else(String::new, ToString::to_string)
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        let packages = Packages::look(context.host)?;
        let mut names = self.packages.iter().flat_map(|packages| &packages.0);
        if let Some(name) = names.find(|name| !packages.now.packages.contains_key(&***name)) {
            return Err(Failure::argument("packages", format!("`{name}` is not installed")));
        }
        let left =
            packages.now.packages.iter().any(|(name, package)| package.unpacked && self.is_meant(name));
        Ok((!left && !self.force).then(|| "all are configured".to_owned()))
    }

    fn predict(&self, overlay: &Overlay) -> Result<bool, Failure> {
        let packages = Packages::look(overlay)?;
        Prediction::change(overlay, |prediction| {
            let meant = packages.now.packages.iter().filter(|(name, _)| self.is_meant(name));
            for (name, package) in meant.filter(|(_, package)| package.unpacked) {
                let mut package = package.clone();
                package.unpacked = false;
                prediction.packages.insert(name.clone(), Some(package));
            }
        })?;
        // What the scripts of packages do is not known.
        Ok(false)
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        let names = match &self.packages {
            Some(packages) => packages.0.iter().map(ToString::to_string).collect(),
            None => vec!["-a".to_owned()],
        };
        let force = self.force.then(|| "-f".to_owned());
        let command = context.command(["xbps-reconfigure".to_owned()].into_iter().chain(force).chain(names));
        let patience = self.lock_timeout.map_or(lock::PATIENCE, |Seconds(patience)| patience);
        lock::wait(system, &command, patience)?;
        run(system, &command)?;
        Ok(Done { changed: true, fields: Map::new(), failure: None })
    }
}
