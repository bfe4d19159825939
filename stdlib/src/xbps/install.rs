//! `xbps::install`.

use std::collections::BTreeSet;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::contents::Contents;
use super::created::Created;
use super::dry_run::DryRun;
use super::lock;
use super::mode::{Mode, ModeChange};
use super::pattern::Pattern;
use super::planned::{Deed, Planned};
use super::prediction::Packages;
use super::program::Xbps;
use super::transaction::{Asked, Transaction, told};
use super::{trust, undo};
use crate::accounts::name::AccountName;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// Installs packages, all of them in one transaction.
///
/// ```rhai
/// xbps::install("chrony");
/// xbps::install(["nomad>=1.9", "snooze"], #{ update: true });
/// xbps::install(["libseccomp", "vim"], #{ mode: "auto" });
/// ```
///
/// ```rhai,no_run
/// xbps::install("chrony", #{ creates_users: "_chrony" });
/// file::directory("/var/log/chrony", #{ owner: "_chrony" });
/// ```
///
/// A package that is installed in a version that fits is left alone, and then no program is started. What has to be done,
/// xbps itself says beforehand; check mode asks it, too, and lays the files and service directories over the host that new
/// packages would bring. The mode of such a file is a guess by its name. Where xbps itself has to be updated before it does anything
/// else, that is done first.
///
/// The outcome has `packages`: for each package that was changed its `name`, `version`, the version `before`, and the `change`
/// (`install`, `update`, `remove`, …).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// The packages, each a name, a name with a version (`nomad-1.9.3_2`) or with bounds (`nomad>=1.9<2`).
    packages: OneOrMany<Pattern>,
    /// Whether each shall be in the newest version that the repositories have. That has to be asked each time.
    #[serde(default)]
    update: bool,
    /// Whether they are there for their own sake, `"manual"`, or only for that of others, `"auto"`, and then orphans when those are
    /// gone. When absent, a new package is manual, and what is installed stays as it is.
    #[serde(default)]
    mode: Option<Mode>,
    /// Repositories beside those that are configured, before them.
    #[serde(default)]
    repositories: Option<OneOrMany<String>>,
    /// Whether the index of the repositories is brought up to date when something has to be installed. True when absent.
    #[serde(default)]
    refresh: Option<bool>,
    /// Users that the packages create, each with a group of its own. Check mode foretells them, a run looks whether they are there.
    #[serde(default)]
    creates_users: Option<OneOrMany<AccountName>>,
    /// Groups that the packages create, beside those of such users.
    #[serde(default)]
    creates_groups: Option<OneOrMany<AccountName>>,
    /// How long to wait for another program that changes packages, in seconds. 60 when absent.
    #[serde(default)]
    lock_timeout: Option<Seconds>,
}

/// What has to be done.
#[derive(Debug, Default)]
pub struct Found {
    transaction: Option<Transaction>,
    modes: Option<ModeChange>,
}

impl State for Install {
    const NAME: &'static str = "xbps::install";
    const POSITIONAL: &'static [&'static str] = &["packages"];
    type Found = Found;

    fn subject(&self) -> String {
        self.packages.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let packages = Packages::look(context.host)?;
        let missing: Vec<&Pattern> =
            self.packages.0.iter().filter(|pattern| !is_there(pattern, &packages)).collect();
        if missing.is_empty() && !self.update {
            return Ok(Found { transaction: None, modes: self.modes(&packages) });
        }
        let transaction = self.transaction(context, &packages, &missing)?;
        Ok(Found { transaction, modes: self.modes(&packages) })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let mut plan = Plan::new();
        if let Some(transaction) = &found.transaction {
            plan.push(Box::new(transaction.clone()));
        }
        if let Some(modes) = &found.modes {
            plan.push(Box::new(modes.clone()));
        }
        Ok(plan)
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        let planned = found.transaction.as_ref().map_or(&[][..], |transaction| &transaction.planned);
        Map::from_iter([("packages".to_owned(), told(planned))])
    }

    fn changed(&self, before: &Found, _after: &Found) -> Map<String, Value> {
        self.fields(before)
    }
}

/// Whether a package is there in a version that is meant, and configured.
fn is_there(pattern: &Pattern, packages: &Packages) -> bool {
    let unpacked = packages.now.packages.get(pattern.name()).is_some_and(|package| package.unpacked);
    !unpacked && packages.now.version_of(pattern.name()).is_some_and(|version| pattern.allows(version))
}

impl Install {
    /// That of another namespace, which names only what all package managers have in common.
    pub fn for_front(
        packages: Vec<Pattern>,
        update: bool,
        created: Created,
        lock_timeout: Option<Seconds>,
    ) -> Self {
        let (packages, mode, repositories, refresh) = (OneOrMany(packages), None, None, None);
        let creates_users = Some(OneOrMany(created.users));
        let creates_groups = Some(OneOrMany(created.groups));
        Self { packages, update, mode, repositories, refresh, creates_users, creates_groups, lock_timeout }
    }

    fn transaction(
        &self,
        context: &Context<'_>,
        packages: &Packages,
        missing: &[&Pattern],
    ) -> Result<Option<Transaction>, Failure> {
        let repositories = self.repositories.as_ref().map_or(&[][..], |repositories| &repositories.0);
        let xbps = Xbps::new(context, repositories, self.refresh.unwrap_or(true))?;
        let asks = self.asks(packages, missing);
        let mut run = if asks.names.is_empty() {
            DryRun::default()
        } else {
            self.dry_run(&xbps, packages, missing, &asks)?
        };
        run.planned.extend(asks.unpacked.iter().map(|(name, version)| configure(name, version)));
        if run.planned.is_empty() {
            return self.require_nothing(missing, &run).map(|()| None);
        }
        let commands = self.commands(&xbps, context, &asks, &run);
        let mut contents = Vec::new();
        if context.host.is_predicted() {
            trust::foretell(&xbps, context.host, &run.planned, packages)?;
            let new = run.planned.iter().filter(|line| line.deed == Deed::Install);
            contents = new.map(|line| Contents::ask(&xbps, line)).collect::<Result<_, _>>()?;
        }
        Ok(Some(Transaction {
            undo: undo::of(&run.planned, &packages.now, context.host)?,
            commands,
            patience: self.lock_timeout.map_or(lock::PATIENCE, |Seconds(patience)| patience),
            contents,
            created: self.created(),
            refreshes: xbps.is_fresh(),
            unknown: unknown(packages),
            asked: Asked { installed: asks.names, manual: self.manual(), ..Asked::default() },
            planned: run.planned,
        }))
    }

    /// What xbps is asked for. It does not configure what was left unpacked, so that is not asked for.
    fn asks(&self, packages: &Packages, missing: &[&Pattern]) -> Asks {
        let mut asks = Asks::default();
        for pattern in &self.packages.0 {
            let unpacked = packages.now.packages.get(pattern.name()).filter(|package| package.unpacked);
            if let Some(package) = unpacked.filter(|package| pattern.allows(&package.version)) {
                asks.unpacked.push((pattern.name().to_owned(), package.version.clone()));
            } else if self.update || missing.contains(&pattern) {
                asks.names.push(pattern.to_string());
            }
        }
        asks
    }

    fn dry_run(
        &self,
        xbps: &Xbps<'_>,
        packages: &Packages,
        missing: &[&Pattern],
        asks: &Asks,
    ) -> Result<DryRun, Failure> {
        let run = DryRun::install(xbps, self.options(), &asks.names, packages)?;
        let is_older = |pattern: &&&Pattern| {
            let planned = run.planned.iter().chain(&run.held).any(|line| line.name == pattern.name());
            packages.real.packages.contains_key(pattern.name()) && !planned
        };
        if missing.iter().any(|pattern| is_older(&pattern)) {
            // Without force, xbps neither goes back to an older version nor plans for what is gone only by prediction.
            return DryRun::install(xbps, &self.forced(), &asks.names, packages);
        }
        Ok(run)
    }

    fn options(&self) -> &'static [&'static str] {
        if self.mode == Some(Mode::Auto) { &["-A"] } else { &[] }
    }

    fn forced(&self) -> Vec<&'static str> {
        self.options().iter().copied().chain(["-f"]).collect()
    }

    /// What is missing and will stay so: on hold in another version.
    fn require_nothing(&self, missing: &[&Pattern], run: &DryRun) -> Result<(), Failure> {
        let held = |pattern: &&&Pattern| run.held.iter().any(|line| line.name == pattern.name());
        match missing.iter().find(held) {
            None => Ok(()),
            Some(pattern) => Err(on_hold(pattern)),
        }
    }

    fn commands(
        &self,
        xbps: &Xbps<'_>,
        context: &Context<'_>,
        asks: &Asks,
        run: &DryRun,
    ) -> Vec<refrain_engine::system::Command> {
        let mut commands = Vec::new();
        let sync = xbps.is_fresh().then(|| "-S".to_owned());
        if run.xbps_first {
            commands.push(xbps.changing("xbps-install", sync.iter().cloned().chain(["xbps".to_owned()])));
        }
        if !asks.names.is_empty() {
            let is_back = |line: &Planned| {
                let before = line.before.as_deref();
                before.is_some_and(|before| super::version::compare(&line.version, before).is_lt())
            };
            let options =
                if run.planned.iter().any(is_back) { self.forced() } else { self.options().to_vec() };
            let sync = sync.filter(|_| !run.xbps_first);
            let names = asks.names.iter().map(|name| exact(name, &run.planned));
            let words = options.into_iter().map(str::to_owned).chain(sync).chain(names);
            commands.push(xbps.changing("xbps-install", words));
        }
        if !asks.unpacked.is_empty() {
            let names = asks.unpacked.iter().map(|(name, _)| name.clone());
            commands.push(context.command(["xbps-reconfigure".to_owned()].into_iter().chain(names)));
        }
        commands
    }

    fn created(&self) -> Created {
        let names = |given: &Option<OneOrMany<AccountName>>| {
            given.as_ref().map_or_else(Vec::new, |given| given.0.clone())
        };
        Created { users: names(&self.creates_users), groups: names(&self.creates_groups) }
    }

    fn manual(&self) -> BTreeSet<String> {
        let names = self.packages.0.iter().map(|pattern| pattern.name().to_owned());
        names.filter(|_| self.mode != Some(Mode::Auto)).collect()
    }

    /// The modes of what is installed already.
    fn modes(&self, packages: &Packages) -> Option<ModeChange> {
        let names = self.packages.0.iter().map(|pattern| pattern.name().to_owned());
        let known: Vec<String> = names.filter(|name| packages.now.packages.contains_key(name)).collect();
        ModeChange::of(self.mode?.into(), &known, packages)
    }
}

/// What xbps can't say beforehand: it still sees what is gone only by prediction.
fn unknown(packages: &Packages) -> Option<&'static str> {
    let mut predicted = packages.prediction.packages.iter();
    let is_gone =
        predicted.any(|(name, package)| package.is_none() && packages.real.packages.contains_key(name));
    is_gone.then_some("install again what it needs of what was removed")
}

/// What xbps has to be asked for.
#[derive(Default)]
struct Asks {
    names: Vec<String>,
    /// Packages that are there and have only to be configured, with their versions.
    unpacked: Vec<(String, String)>,
}

/// The version that bounds have come to, of a package that is there in another one: asked for bounds, xbps would install it
/// as if it were new, and leave files of the old version behind.
fn exact(name: &str, planned: &[Planned]) -> String {
    let pattern = Pattern::new(name).ok().filter(Pattern::is_bounded);
    let is_meant = |line: &&Planned| pattern.as_ref().is_some_and(|pattern| pattern.name() == line.name);
    let line = planned.iter().filter(|line| line.deed == Deed::Update).find(is_meant);
    line.map_or_else(|| name.to_owned(), Planned::package)
}

fn configure(name: &str, version: &str) -> Planned {
    Planned {
        deed: Deed::Configure,
        name: name.to_owned(),
        version: version.to_owned(),
        before: None,
        architecture: String::new(),
        repository: String::new(),
    }
}

fn on_hold(pattern: &Pattern) -> Failure {
    let name = pattern.name();
    Failure::state(format!("`{name}` is on hold in a version that is not `{pattern}`"))
        .advise(format!("xbps::unhold({name:?}) lets it be changed"))
}
