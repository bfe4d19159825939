//! `pkg::upgrade`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::choice::Manager;
use super::found::Found;
use super::index::Index;
use super::manager::{self, Base, PackageManager, Wish};
use super::prediction::Prediction;
use super::transaction::Transaction;
use crate::prediction_state::PredictionState;
use crate::seconds::Seconds;
use crate::xbps;

/// Brings all packages to the newest version that the repositories have, by the host's own package manager.
///
/// ```rhai,no_run
/// pkg::refresh(#{ max_age: 3600 });
/// let done = pkg::upgrade();
/// if done.changed { print(done.packages); }
/// ```
///
/// The newest version is that in the index on the host: `pkg::refresh` brings that up to date (apk, dnf and xbps look by
/// themselves). apt installs new packages where an upgrade needs them, and removes none: it leaves what can't be upgraded so. The
/// outcome has `packages`, as that of `pkg::install`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// The package manager, as in `pkg::install`.
    #[serde(default)]
    manager: Option<Manager>,
    /// How long to wait for another program that changes packages, in seconds. 60 when absent.
    #[serde(default)]
    lock_timeout: Option<Seconds>,
}

impl State for Upgrade {
    const NAME: &'static str = "pkg::upgrade";
    const POSITIONAL: &'static [&'static str] = &[];
    type Found = Found<xbps::upgrade::Upgrade>;

    fn subject(&self) -> String {
        String::new()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let chosen = Manager::of(self.manager, context.host)?;
        match manager::of(chosen) {
            None => Found::by_xbps(xbps::upgrade::Upgrade::for_front(self.lock_timeout), context),
            Some(manager) => self.transaction(context, chosen, manager).map(Found::by_other),
        }
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        found.plan()
    }

    fn fields(&self, found: &Self::Found) -> Map<String, Value> {
        found.fields()
    }

    fn changed(&self, before: &Self::Found, after: &Self::Found) -> Map<String, Value> {
        before.changed(after)
    }
}

impl Upgrade {
    fn transaction(
        &self,
        context: &Context<'_>,
        chosen: Manager,
        manager: &dyn PackageManager,
    ) -> Result<Option<Transaction>, Failure> {
        let prediction = Prediction::look(context.host);
        if prediction.upgraded {
            return Ok(None);
        }
        let installed = manager.installed(context, &[])?;
        let index = Index::look(manager, context.host)?;
        let mut planned = manager::plan(manager, context, &Wish::Upgrade, index, &installed)?;
        planned.retain(|line| prediction.versions.get(&line.name) != Some(&Some(line.version.clone())));
        if planned.is_empty() {
            return Ok(None);
        }
        let base = Base::new(context);
        let commands =
            index.fetch(manager, &base).into_iter().chain([manager.command(&base, &Wish::Upgrade)]);
        let undo = manager.undo(&planned, &installed, context.host)?;
        let transaction = Transaction::new(chosen, planned, commands.collect(), undo, self.lock_timeout);
        Ok(Some(Transaction { upgrades: true, ..transaction }))
    }
}
