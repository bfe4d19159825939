//! `pkg::remove`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::choice::Manager;
use super::found::Found;
use super::index::Index;
use super::installed::Installed;
use super::manager::{self, Base, PackageManager, Wish};
use super::package::{Names, Package, names};
use super::planned::{Deed, Planned};
use super::prediction::Prediction;
use super::transaction::Transaction;
use crate::one_or_many::OneOrMany;
use crate::prediction_state::PredictionState;
use crate::seconds::Seconds;
use crate::xbps;

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

impl State for Remove {
    const NAME: &'static str = "pkg::remove";
    const POSITIONAL: &'static [&'static str] = &["packages"];
    type Found = Found<xbps::remove::Remove>;

    fn subject(&self) -> String {
        self.packages.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let chosen = Manager::of(self.manager, context.host)?;
        let packages = Names::of(self.names.as_ref(), chosen, &self.packages.0);
        let names = names(packages)?;
        if self.purge && matches!(chosen, Manager::Xbps | Manager::Dnf) {
            let message = format!("{chosen} can't remove configuration files along with a package");
            return Err(Failure::argument("purge", message).advise("remove them with file::absent"));
        }
        let Some(manager) = manager::of(chosen) else {
            let remove = xbps::remove::Remove::for_front(&names, self.recursive, self.lock_timeout)?;
            return Found::by_xbps(remove, context);
        };
        let installed = manager.installed(context, packages)?;
        self.transaction(context, chosen, manager, names, &installed).map(Found::by_other)
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

impl Remove {
    fn transaction(
        &self,
        context: &Context<'_>,
        chosen: Manager,
        manager: &dyn PackageManager,
        names: Vec<String>,
        real: &Installed,
    ) -> Result<Option<Transaction>, Failure> {
        let prediction = Prediction::look(context.host);
        let mut now = real.clone();
        prediction.over(&mut now);
        let wanted = names.into_iter().filter(|name| now.versions.contains_key(name));
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
        let removed = removed.collect();
        let commands = vec![manager.command(&base, &wish(installed))];
        let undo = manager.undo(&planned, &real, context.host)?;
        let transaction = Transaction::new(chosen, planned, commands, undo, self.lock_timeout);
        Ok(Some(Transaction { removed, ..transaction }))
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
