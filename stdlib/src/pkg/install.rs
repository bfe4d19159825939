//! `pkg::install`.

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
use super::package::{Names, Package};
use super::planned::Planned;
use super::prediction::Prediction;
use super::transaction::Transaction;
use crate::accounts::name::AccountName;
use crate::one_or_many::OneOrMany;
use crate::prediction_state::PredictionState;
use crate::seconds::Seconds;
use crate::xbps;
use crate::xbps::created::Created;

/// Installs packages by the host's own package manager, all of them in one transaction.
///
/// ```rhai
/// pkg::install("chrony");
/// pkg::install(["nomad", "snooze"], #{ update: true });
/// pkg::install("cron", #{ names: #{ xbps: "snooze", dnf: "cronie" } });
/// ```
///
/// ```rhai,no_run
/// pkg::install("nginx=1.22.1-9", #{ recommends: false, creates_users: "www-data" });
/// ```
///
/// The manager is the one of the host's distribution: xbps, apt, apk, pacman or dnf. What is installed is read from its database;
/// a call that finds all packages starts no program (but `rpm -q`). What has to be done, the manager's own dry run says beforehand,
/// in check mode, too. An index of the repositories that was never fetched is fetched first; one that is old is for `pkg::refresh`.
/// apt asks nothing: configuration files that were edited stay. In a root in which nothing runs, its packages start no services.
///
/// Check mode does not know which files a new package brings (but with xbps).
///
/// The outcome has `packages`: for each package that was changed its `name`, `version`, the version `before`, and the `change`
/// (`install`, `update`, `remove`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// The packages, each a name, or a name with a version (`curl=7.88.1-10`; not with pacman, which has only the newest).
    packages: OneOrMany<Package>,
    /// What they are called by a package manager that calls them otherwise, in place of `packages`.
    #[serde(default)]
    names: Option<Names>,
    /// Whether each shall be in the newest version that the repositories have. That has to be asked each time.
    #[serde(default)]
    update: bool,
    /// Whether packages come along that these only recommend. As the manager is configured when absent; apk, pacman and xbps have no
    /// such packages.
    #[serde(default)]
    recommends: Option<bool>,
    /// Users that the packages create, each with a group of its own. Check mode foretells them, a run looks whether they are there.
    #[serde(default)]
    creates_users: Option<OneOrMany<AccountName>>,
    /// Groups that the packages create, beside those of such users.
    #[serde(default)]
    creates_groups: Option<OneOrMany<AccountName>>,
    /// The package manager: `"xbps"`, `"apt"`, `"apk"`, `"pacman"` or `"dnf"`. The host's own when absent.
    #[serde(default)]
    manager: Option<Manager>,
    /// How long to wait for another program that changes packages, in seconds. 60 when absent.
    #[serde(default)]
    lock_timeout: Option<Seconds>,
}

impl State for Install {
    const NAME: &'static str = "pkg::install";
    const POSITIONAL: &'static [&'static str] = &["packages"];
    type Found = Found<xbps::install::Install>;

    fn subject(&self) -> String {
        self.packages.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let chosen = Manager::of(self.manager, context.host)?;
        let packages = Names::of(self.names.as_ref(), chosen, &self.packages.0);
        match manager::of(chosen) {
            None => Found::by_xbps(self.for_xbps(packages)?, context),
            Some(manager) => self.transaction(context, chosen, manager, packages).map(Found::by_other),
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

impl Install {
    fn created(&self) -> Created {
        let names =
            |names: &Option<OneOrMany<AccountName>>| names.as_ref().map_or(Vec::new(), |all| all.0.clone());
        Created { users: names(&self.creates_users), groups: names(&self.creates_groups) }
    }

    fn for_xbps(&self, packages: &[Package]) -> Result<xbps::install::Install, Failure> {
        let spell = |package: &Package| match &package.version {
            Some(version) => format!("{}-{version}", package.name),
            None => package.name.clone(),
        };
        let patterns = packages.iter().map(|package| xbps::pattern::Pattern::new(&spell(package)));
        let patterns =
            patterns.collect::<Result<_, _>>().map_err(|why| Failure::argument("packages", why))?;
        Ok(xbps::install::Install::for_front(patterns, self.update, self.created(), self.lock_timeout))
    }

    fn transaction(
        &self,
        context: &Context<'_>,
        chosen: Manager,
        manager: &dyn PackageManager,
        packages: &[Package],
    ) -> Result<Option<Transaction>, Failure> {
        require_possible(chosen, packages)?;
        let prediction = Prediction::look(context.host);
        let real = manager.installed(context, packages)?;
        let mut now = Installed::clone(&real);
        prediction.over(&mut now);
        let missing: Vec<Package> = packages.iter().filter(|package| !now.has(package)).cloned().collect();
        if missing.is_empty() && !self.update {
            return Ok(None);
        }
        // From here on it is also about packages that were not named.
        let real = manager.installed(context, &[])?;
        let index = Index::look(manager, context.host)?;
        let wishes = self.wishes(chosen, packages, &missing);
        let mut planned = Vec::new();
        for wish in wishes.iter().map(|wish| with_earlier(wish, &prediction)) {
            planned.extend(manager::plan(manager, context, &wish, index, &real)?);
        }
        // What earlier calls would have done by now.
        planned.retain(|line| now.versions.get(&line.name) != Some(&line.version));
        planned.extend(come_back(&missing, &real, &prediction));
        if planned.is_empty() {
            return nothing_to_do(chosen, &missing).map(|()| None);
        }
        let base = Base::new(context);
        let wished = wishes.iter().map(|wish| manager.command(&base, wish));
        let commands = index.fetch(manager, &base).into_iter().chain(wished);
        let undo = manager.undo(&planned, &real, context.host)?;
        let transaction = Transaction::new(chosen, planned, commands.collect(), undo, self.lock_timeout);
        let asked = missing.iter().map(ToString::to_string).collect();
        Ok(Some(Transaction { asked, created: self.created(), ..transaction }))
    }

    /// What the manager is asked for. dnf has one order for what is new and another one for what is there.
    fn wishes(&self, chosen: Manager, packages: &[Package], missing: &[Package]) -> Vec<Wish> {
        let wish =
            |packages: Vec<Package>, update| Wish::Install { packages, update, recommends: self.recommends };
        if !self.update {
            return vec![wish(missing.to_vec(), false)];
        }
        if chosen != Manager::Dnf {
            return vec![wish(packages.to_vec(), true)];
        }
        let (new, old): (Vec<_>, Vec<_>) =
            packages.iter().cloned().partition(|package| missing.contains(package));
        [(new, false), (old, true)]
            .into_iter()
            .filter(|(packages, _)| !packages.is_empty())
            .map(|(packages, update)| wish(packages, update))
            .collect()
    }
}

/// Says what a manager can't do.
fn require_possible(chosen: Manager, packages: &[Package]) -> Result<(), Failure> {
    match packages.iter().find(|package| package.version.is_some()) {
        Some(package) if chosen == Manager::Pacman => {
            let message = format!("pacman has only the newest version of `{}`", package.name);
            Err(Failure::argument("packages", message))
        }
        _ => Ok(()),
    }
}

/// The wish together with what earlier calls of check mode would have installed, so that both are resolved as they would be one
/// after the other.
fn with_earlier(wish: &Wish, prediction: &Prediction) -> Wish {
    let Wish::Install { packages, update: false, recommends } = wish else { return wish.clone() };
    let earlier = prediction.asked.iter().filter_map(|text| Package::new(text).ok());
    Wish::Install {
        packages: earlier.chain(packages.iter().cloned()).collect(),
        update: false,
        recommends: *recommends,
    }
}

/// Packages that are there, would be gone by now, and shall be there again: the manager itself sees nothing to do for them.
fn come_back(missing: &[Package], real: &Installed, prediction: &Prediction) -> Vec<Planned> {
    let is_gone = |name: &String| prediction.versions.get(name) == Some(&None);
    let names = missing.iter().map(|package| &package.name).filter(|name| is_gone(name));
    names.filter_map(|name| Some(Planned::coming(name, real.versions.get(name)?, None))).collect()
}

/// The manager sees nothing to do.
fn nothing_to_do(chosen: Manager, missing: &[Package]) -> Result<(), Failure> {
    match missing.first() {
        None => Ok(()),
        Some(package) => {
            Err(Failure::state(format!("{chosen} has nothing to do for `{package}`, which is missing"))
                .advise("is it held in another version, or does it go by another name?"))
        }
    }
}
