//! `pkg::remove`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::choice::Manager;
use super::index::Index;
use super::installed::Installed;
use super::manager::{self, Base, PATIENCE, PackageManager, Wish};
use super::package::{Names, Package, names};
use super::planned::{Deed, Planned, told};
use super::prediction::Prediction;
use super::transaction::Transaction;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;
use crate::xbps;
use crate::xbps::created::Created;

/// Removes packages by the host's own package manager, all of them in one transaction.
///
/// ```rhai
/// pkg::remove("vim");
/// pkg::remove(["openssh", "snooze"], #{ recursive: true });
/// ```
///
/// ```rhai,no_run
/// pkg::remove("apache2", #{ purge: true, names: #{ dnf: "httpd" } });
/// ```
///
/// What another installed package needs is not removed: that is an error, whatever the manager would do. Configuration files
/// that were edited stay without `purge`. The outcome has `packages`, as that of `pkg::install`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// The names of the packages.
    packages: OneOrMany<Package>,
    /// What they are called by a package manager that calls them otherwise, in place of `packages`.
    #[serde(default)]
    names: Option<Names>,
    /// Whether their configuration files go along, edited or not. Not with xbps and dnf, which can't do that. Of a package that is
    /// gone already, nothing more is removed.
    #[serde(default)]
    purge: bool,
    /// Whether the packages go along that are there only for the sake of these. apk always does that.
    #[serde(default)]
    recursive: bool,
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
    Xbps(xbps::remove::Remove, Option<xbps::transaction::Transaction>),
    /// By another one. Nothing when absent.
    Other(Option<Transaction>),
}

impl State for Remove {
    const NAME: &'static str = "pkg::remove";
    const POSITIONAL: &'static [&'static str] = &["packages"];
    type Found = Found;

    fn subject(&self) -> String {
        self.packages.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let chosen = Manager::of(self.manager, context.host)?;
        let packages = Names::of(self.names.as_ref(), chosen, &self.packages.0);
        names(packages)?;
        if self.purge && matches!(chosen, Manager::Xbps | Manager::Dnf) {
            let message = format!("{chosen} can't remove configuration files along with a package");
            return Err(Failure::argument("purge", message).advise("remove them with file::absent"));
        }
        let Some(manager) = manager::of(chosen) else {
            let remove =
                xbps::remove::Remove::for_front(&names(packages)?, self.recursive, self.lock_timeout)?;
            let found = remove.look(context)?;
            return Ok(Found::Xbps(remove, found));
        };
        self.transaction(context, chosen, manager, packages).map(Found::Other)
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        match found {
            Found::Xbps(remove, found) => remove.plan(found),
            Found::Other(transaction) => {
                Ok(transaction.iter().map(|one| Box::new(one.clone()) as _).collect())
            }
        }
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        match found {
            Found::Xbps(remove, found) => remove.fields(found),
            Found::Other(transaction) => {
                let planned = transaction.as_ref().map_or(&[][..], |transaction| &transaction.planned);
                Map::from_iter([("packages".to_owned(), told(planned))])
            }
        }
    }

    fn changed(&self, before: &Found, _after: &Found) -> Map<String, Value> {
        self.fields(before)
    }
}

impl Remove {
    fn transaction(
        &self,
        context: &Context<'_>,
        chosen: Manager,
        manager: &dyn PackageManager,
        packages: &[Package],
    ) -> Result<Option<Transaction>, Failure> {
        let prediction = Prediction::look(context.host);
        let real = manager.installed(context, packages)?;
        let mut now = Installed::clone(&real);
        prediction.over(&mut now);
        let wanted = names(packages)?.into_iter().filter(|name| now.versions.contains_key(name));
        let (installed, foretold): (Vec<_>, Vec<_>) =
            wanted.partition(|name| real.versions.contains_key(name));
        if installed.is_empty() && foretold.is_empty() {
            return Ok(None);
        }
        // From here on it is also about packages that were not named.
        let real = manager.installed(context, &[])?;
        let wish = |names| Wish::Remove { names, purge: self.purge, recursive: self.recursive };
        // What is there only by prediction, the manager does not know.
        let mut planned: Vec<Planned> =
            foretold.iter().map(|name| Planned::going(name, &now.versions[name])).collect();
        if !installed.is_empty() {
            let gone = prediction.removed.iter().filter(|name| real.versions.contains_key(*name));
            let wish = wish(gone.chain(&installed).cloned().collect());
            planned.extend(manager::plan(manager, context, &wish, Index::Current, &real)?);
            planned.retain(|line| prediction.versions.get(&line.name) != Some(&None));
        }
        self.require_alone(chosen, manager, context, &installed, &planned, &real)?;
        let base = Base::new(context);
        let removed = installed.iter().chain(&foretold).cloned();
        Ok(Some(Transaction {
            manager: chosen,
            undo: manager.undo(&planned, &real, context.host)?,
            commands: vec![manager.command(&base, &wish(installed.clone()))],
            patience: self.lock_timeout.map_or(PATIENCE, |Seconds(patience)| patience),
            asked: Vec::new(),
            removed: removed.collect(),
            created: Created::default(),
            upgrades: false,
            planned,
        }))
    }

    /// Says that nothing may go that needs these packages.
    fn require_alone(
        &self,
        chosen: Manager,
        manager: &dyn PackageManager,
        context: &Context<'_>,
        names: &[String],
        planned: &[Planned],
        real: &Installed,
    ) -> Result<(), Failure> {
        let is_other = |line: &&Planned| line.deed == Deed::Remove && !names.contains(&line.name);
        let mut others: Vec<String> = planned.iter().filter(is_other).map(|line| line.name.clone()).collect();
        if others.is_empty() || matches!(chosen, Manager::Apk | Manager::Pacman) {
            // These two refuse by themselves.
            return Ok(());
        }
        if self.recursive {
            // What goes as well without it needs them; the rest is what they need.
            let wish = Wish::Remove { names: names.to_vec(), purge: self.purge, recursive: false };
            let alone = manager::plan(manager, context, &wish, Index::Current, real)?;
            others = alone.iter().filter(is_other).map(|line| line.name.clone()).collect();
        }
        if others.is_empty() {
            return Ok(());
        }
        let others = others.join("`, `");
        let message =
            format!("`{others}` would be removed along with `{}`: it is needed", names.join("`, `"));
        Err(Failure::argument("packages", message).advise("name it, too, if that is meant"))
    }
}
