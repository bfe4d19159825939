//! `pkg::refresh`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{System, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;

use std::path::Path;

use super::choice::Manager;
use super::index::files;
use super::manager::{self, Base, patience};
use super::prediction::Prediction;
use super::transaction;
use crate::prediction_state::PredictionState;
use crate::seconds::Seconds;
use crate::xbps;

/// Brings the index of the repositories up to date, by the host's own package manager.
///
/// ```rhai
/// pkg::refresh();
/// ```
///
/// ```rhai,no_run
/// pkg::refresh(#{ max_age: 86400 });
/// ```
///
/// It has `changed` something when an index is another one than before. An index that can't be fetched is an error. Check mode
/// leaves the index alone, and plans from then on with what the repositories have. On Arch Linux, installing packages after a
/// refresh without `pkg::upgrade` is not supported by the distribution.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// It is not done if the index is younger than this, in seconds. apk, dnf and xbps look after its age by themselves, and don't take
    /// this. It is done each time when absent.
    #[serde(default)]
    max_age: Option<Seconds>,
    /// The package manager, as in `pkg::install`.
    #[serde(default)]
    manager: Option<Manager>,
    /// How long to wait for another program that changes packages, in seconds. 60 when absent.
    #[serde(default)]
    lock_timeout: Option<Seconds>,
}

impl Action for Refresh {
    const NAME: &'static str = "pkg::refresh";
    const POSITIONAL: &'static [&'static str] = &[];

    fn subject(&self) -> String {
        String::new()
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        let Some(Seconds(max_age)) = self.max_age else { return Ok(None) };
        let chosen = Manager::of(self.manager, context.host)?;
        let Some(index) = manager::of(chosen).and_then(|manager| manager.index()) else { return Ok(None) };
        if files(context.host, index)?.is_empty() {
            return Ok(None);
        }
        let Some(stat) = context.host.stat(Path::new(index))? else { return Ok(None) };
        let age = Time::now().seconds.saturating_sub(stat.modified.seconds);
        let is_young = u64::try_from(age).is_ok_and(|age| age < max_age.as_secs());
        Ok(is_young.then(|| format!("the index is {age} s old")))
    }

    fn predict(&self, overlay: &Overlay) -> Result<bool, Failure> {
        if Manager::of(self.manager, overlay)? == Manager::Xbps {
            return xbps::refresh::Refresh {}.predict(overlay);
        }
        Prediction::change(overlay, |prediction| prediction.refreshed = true)?;
        Ok(true)
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        let chosen = Manager::of(self.manager, system)?;
        let Some(manager) = manager::of(chosen) else {
            return xbps::refresh::Refresh {}.run(system, context);
        };
        let look = || manager.index().map(|index| files(system, index)).transpose();
        let before = look()?;
        let refresh = manager.refresh(&Base::new(context));
        transaction::run(system, manager, &refresh, patience(self.lock_timeout))?;
        let after = look()?;
        // One that nobody can see may have changed.
        Ok(Done { changed: after.is_none() || after != before, fields: Map::new(), failure: None })
    }
}
