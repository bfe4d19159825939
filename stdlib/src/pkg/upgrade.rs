//! `pkg::upgrade`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::choice::Manager;
use super::index::Index;
use super::manager::{self, Base, PATIENCE, PackageManager, Wish};
use super::planned::told;
use super::prediction::Prediction;
use super::transaction::Transaction;
use crate::seconds::Seconds;
use crate::xbps;
use crate::xbps::created::Created;

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

/// What has to be done.
#[derive(Debug)]
pub enum Found {
    /// By xbps.
    Xbps(xbps::upgrade::Upgrade, xbps::upgrade::Found),
    /// By another one. Nothing when absent.
    Other(Option<Transaction>),
}

impl State for Upgrade {
    const NAME: &'static str = "pkg::upgrade";
    const POSITIONAL: &'static [&'static str] = &[];
    type Found = Found;

    fn subject(&self) -> String {
        String::new()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let chosen = Manager::of(self.manager, context.host)?;
        match manager::of(chosen) {
            None => {
                let upgrade = xbps::upgrade::Upgrade::for_front(self.lock_timeout);
                let found = upgrade.look(context)?;
                Ok(Found::Xbps(upgrade, found))
            }
            Some(manager) => self.transaction(context, chosen, manager).map(Found::Other),
        }
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        match found {
            Found::Xbps(upgrade, found) => upgrade.plan(found),
            Found::Other(transaction) => {
                Ok(transaction.iter().map(|one| Box::new(one.clone()) as _).collect())
            }
        }
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        match found {
            Found::Xbps(upgrade, found) => upgrade.fields(found),
            Found::Other(transaction) => {
                let planned = transaction.as_ref().map_or(&[][..], |transaction| &transaction.planned);
                Map::from_iter([("packages".to_owned(), told(planned))])
            }
        }
    }

    fn changed(&self, before: &Found, after: &Found) -> Map<String, Value> {
        match (before, after) {
            (Found::Xbps(upgrade, before), Found::Xbps(_, after)) => upgrade.changed(before, after),
            (before, _) => self.fields(before),
        }
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
        let refresh = (index == Index::Missing).then(|| manager.refresh(&base));
        Ok(Some(Transaction {
            manager: chosen,
            undo: manager.undo(&planned, &installed, context.host)?,
            commands: refresh.into_iter().chain([manager.command(&base, &Wish::Upgrade)]).collect(),
            patience: self.lock_timeout.map_or(PATIENCE, |Seconds(patience)| patience),
            asked: Vec::new(),
            removed: Default::default(),
            created: Created::default(),
            upgrades: true,
            planned,
        }))
    }
}
