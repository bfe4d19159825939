//! `xbps::remove`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::created::Created;
use super::dry_run::DryRun;
use super::explanation::explain;
use super::name::PackageName;
use super::planned::{Deed, Planned};
use super::prediction::Packages;
use super::program::Xbps;
use super::transaction::{Asked, Transaction, told};
use super::{lock, undo};
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// Removes packages, all of them in one transaction.
///
/// ```rhai
/// xbps::remove("vim");
/// xbps::remove(["openssh", "snooze"], #{ recursive: true });
/// ```
///
/// ```rhai,no_run
/// xbps::remove([], #{ orphans: true });
/// ```
///
/// What another installed package needs is not removed: that is an error. Configuration files that were edited stay, as do
/// accounts. The outcome has `packages`, as that of `xbps::install`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// The names of the packages. May be empty with `orphans`.
    packages: OneOrMany<PackageName>,
    /// Whether the packages go along that are there only for the sake of these.
    #[serde(default)]
    recursive: bool,
    /// Whether all packages go along that are there only for the sake of others which are gone. That has to be asked each time.
    #[serde(default)]
    orphans: bool,
    /// How long to wait for another program that changes packages, in seconds. 60 when absent.
    #[serde(default)]
    lock_timeout: Option<Seconds>,
}

impl State for Remove {
    const NAME: &'static str = "xbps::remove";
    const POSITIONAL: &'static [&'static str] = &["packages"];
    type Found = Option<Transaction>;

    fn subject(&self) -> String {
        let orphans = self.orphans.then(|| "orphans".to_owned());
        let names = self.packages.0.iter().map(ToString::to_string);
        names.chain(orphans).collect::<Vec<_>>().join(", ")
    }

    fn look(&self, context: &Context<'_>) -> Result<Option<Transaction>, Failure> {
        let packages = Packages::look(context.host)?;
        let is_there = |name: &String| packages.now.packages.contains_key(name);
        let names: Vec<String> =
            self.packages.0.iter().map(|name| name.to_string()).filter(is_there).collect();
        if names.is_empty() && !self.orphans {
            return Ok(None);
        }
        let planned = self.planned(context, &packages, &names)?;
        let unknown = self.unknown(&packages);
        if planned.is_empty() && unknown.is_none() {
            return Ok(None);
        }
        let xbps = Xbps::new(context, &[], false)?;
        let words = self.options().map(str::to_owned).chain(names.iter().cloned());
        Ok(Some(Transaction {
            undo: undo::of(&planned, &packages.now, context.host)?,
            commands: vec![xbps.changing("xbps-remove", words)],
            patience: self.lock_timeout.map_or(lock::PATIENCE, |Seconds(patience)| patience),
            contents: Vec::new(),
            created: Created::default(),
            asked: Asked { removed: names, ..Asked::default() },
            refreshes: false,
            unknown,
            planned,
        }))
    }

    fn plan(&self, found: &Option<Transaction>) -> Result<Plan, Failure> {
        Ok(found.iter().map(|transaction| Box::new(transaction.clone()) as _).collect())
    }

    fn fields(&self, found: &Option<Transaction>) -> Map<String, Value> {
        let planned = found.as_ref().map_or(&[][..], |transaction| &transaction.planned);
        Map::from_iter([("packages".to_owned(), told(planned))])
    }

    fn changed(&self, before: &Option<Transaction>, _after: &Option<Transaction>) -> Map<String, Value> {
        self.fields(before)
    }
}

impl Remove {
    /// That of another namespace, which names only what all package managers have in common.
    ///
    /// # Errors
    /// One of the names can't be that of a package.
    pub fn for_front(
        names: &[String],
        recursive: bool,
        lock_timeout: Option<Seconds>,
    ) -> Result<Self, Failure> {
        let names = names.iter().map(|name| PackageName::new(name));
        let packages = names.collect::<Result<_, _>>().map_err(|why| Failure::argument("packages", why))?;
        Ok(Self { packages: OneOrMany(packages), recursive, orphans: false, lock_timeout })
    }

    fn options(&self) -> impl Iterator<Item = &'static str> {
        [(self.recursive, "-R"), (self.orphans, "-o")]
            .into_iter()
            .filter(|(given, _)| *given)
            .map(|(_, word)| word)
    }

    /// What xbps can't say beforehand: what else goes along of packages that are there only by prediction.
    fn unknown(&self, packages: &Packages) -> Option<&'static str> {
        let mut predicted = packages.now.packages.keys();
        let is_new = |name: &String| !packages.real.packages.contains_key(name);
        let depends = (self.recursive || self.orphans) && predicted.any(is_new);
        depends.then_some("remove what nothing else needs then")
    }

    /// What would be removed: what is really there, as xbps says; what is there only by prediction, by itself.
    fn planned(
        &self,
        context: &Context<'_>,
        packages: &Packages,
        names: &[String],
    ) -> Result<Vec<Planned>, Failure> {
        let (real, predicted): (Vec<_>, Vec<_>) =
            names.iter().cloned().partition(|name| packages.real.packages.contains_key(name));
        let mut planned: Vec<Planned> =
            predicted.iter().filter_map(|name| by_itself(name, packages)).collect();
        let before =
            packages.prediction.removed.iter().filter(|name| packages.real.packages.contains_key(*name));
        let all: Vec<String> = before.cloned().chain(real.iter().cloned()).collect();
        if real.is_empty() && !self.orphans {
            return Ok(planned);
        }
        let words = ["xbps-remove", "-n"].into_iter().chain(self.options()).map(str::to_owned);
        let command = context.command(words.chain(all));
        let output = Xbps::new(context, &[], false)?.ask(&command)?;
        let run = DryRun::read(&output, packages).ok_or_else(|| explain(&command, &output))?;
        planned.extend(run.planned);
        Ok(planned)
    }
}

fn by_itself(name: &str, packages: &Packages) -> Option<Planned> {
    let package = packages.now.packages.get(name)?;
    Some(Planned {
        deed: Deed::Remove,
        name: name.to_owned(),
        version: package.version.clone(),
        before: None,
        architecture: package.architecture.clone(),
        repository: String::new(),
    })
}
