//! `xbps::upgrade`.

use std::collections::HashSet;
use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::system::View;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::contents::{Contents, Installed};
use super::created::Created;
use super::dry_run::DryRun;
use super::explanation::explain;
use super::planned::{Deed, Planned};
use super::prediction::Packages;
use super::program::Xbps;
use super::services;
use super::transaction::{Asked, Transaction, told};
use super::{lock, trust, undo};
use crate::seconds::Seconds;

/// Brings all packages to the newest version that the repositories have.
///
/// ```rhai,no_run
/// let done = xbps::upgrade();
/// if done.changed { warn("still running what was replaced: " + done.services); }
/// ```
///
/// Where xbps itself has to be updated before it does anything else, that is done first, and then the rest. Packages on hold stay
/// as they are.
///
/// The outcome has `packages`, as that of `xbps::install`, and `services`: the names of the runit services that run what was
/// replaced or removed on disk, of a running system, and that should be restarted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// Whether the index of the repositories is brought up to date before. True when absent.
    #[serde(default)]
    refresh: Option<bool>,
    /// How long to wait for another program that changes packages, in seconds. 60 when absent.
    #[serde(default)]
    lock_timeout: Option<Seconds>,
}

/// What has to be done, and what runs.
#[derive(Debug, Default)]
pub struct Found {
    transaction: Option<Transaction>,
    /// Services that run what is no longer there. In check mode: that would run it after the upgrade.
    services: Vec<String>,
}

impl State for Upgrade {
    const NAME: &'static str = "xbps::upgrade";
    const POSITIONAL: &'static [&'static str] = &[];
    type Found = Found;

    fn subject(&self) -> String {
        String::new()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let packages = Packages::look(context.host)?;
        let xbps = Xbps::new(context, &[], self.refresh.unwrap_or(true))?;
        let run = dry_run(&xbps, &packages)?;
        let mut services = services::outdated(context.host)?;
        if run.planned.is_empty() {
            return Ok(Found { transaction: None, services });
        }
        let mut contents = Vec::new();
        if context.host.is_predicted() {
            trust::foretell(&xbps, context.host, &run.planned, &packages)?;
            let new = run.planned.iter().filter(|line| line.deed == Deed::Install);
            contents = new.map(|line| Contents::ask(&xbps, line)).collect::<Result<_, _>>()?;
            services.extend(services::using(context.host, &replaced(context.host, &run.planned)?)?);
            services.sort();
            services.dedup();
        }
        let transaction = Transaction {
            undo: undo::of(&run.planned, &packages.now, context.host)?,
            commands: commands(&xbps, run.xbps_first),
            patience: self.lock_timeout.map_or(lock::PATIENCE, |Seconds(patience)| patience),
            contents,
            created: Created::default(),
            asked: Asked::default(),
            refreshes: xbps.is_fresh(),
            unknown: None,
            planned: run.planned,
        };
        Ok(Found { transaction: Some(transaction), services })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(found.transaction.iter().map(|transaction| Box::new(transaction.clone()) as _).collect())
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        outcome(found, &found.services)
    }

    fn changed(&self, before: &Found, after: &Found) -> Map<String, Value> {
        // Check mode knew the services before it foretold the new packages.
        let services = if after.services.is_empty() { &before.services } else { &after.services };
        outcome(before, services)
    }
}

impl Upgrade {
    /// That of another namespace, which names only what all package managers have in common.
    pub fn for_front(lock_timeout: Option<Seconds>) -> Self {
        Self { refresh: None, lock_timeout }
    }
}

fn outcome(found: &Found, services: &[String]) -> Map<String, Value> {
    let planned = found.transaction.as_ref().map_or(&[][..], |transaction| &transaction.planned);
    Map::from_iter([("packages".to_owned(), told(planned)), ("services".to_owned(), json!(services))])
}

/// Asks xbps for a whole upgrade. While an update of xbps itself is pending, it names that alone; then it is asked for all
/// packages by name.
fn dry_run(xbps: &Xbps<'_>, packages: &Packages) -> Result<DryRun, Failure> {
    let command = xbps.plan_install(&["-u"], &[]);
    let output = xbps.ask(&command)?;
    let run = DryRun::read(&output, packages).ok_or_else(|| explain(&command, &output))?;
    if !run.planned.iter().any(|line| line.name == "xbps") {
        return Ok(run);
    }
    let mut names = vec!["xbps".to_owned()];
    names.extend(packages.real.packages.keys().filter(|name| *name != "xbps").cloned());
    loop {
        let command = xbps.plan_install(&["-u"], &names);
        let output = xbps.ask(&command)?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        // By name, xbps insists on what no repository has any more; a whole upgrade leaves that alone.
        match not_found(&stderr).and_then(|name| names.iter().position(|known| known == name)) {
            Some(position) => drop(names.remove(position)),
            None => {
                let run = DryRun::read(&output, packages).ok_or_else(|| explain(&command, &output))?;
                return Ok(DryRun { xbps_first: true, ..run });
            }
        }
    }
}

/// The package that no repository has.
fn not_found(stderr: &str) -> Option<&str> {
    let line = stderr.lines().find(|line| line.contains("not found in repository pool"))?;
    line.split('\'').nth(1)
}

fn commands(xbps: &Xbps<'_>, xbps_first: bool) -> Vec<refrain_engine::system::Command> {
    let sync = xbps.is_fresh().then(|| "-S".to_owned());
    let update = "-u".to_owned();
    if xbps_first {
        let itself = xbps.changing("xbps-install", sync.into_iter().chain(["xbps".to_owned()]));
        return vec![itself, xbps.changing("xbps-install", [update])];
    }
    vec![xbps.changing("xbps-install", sync.into_iter().chain([update]))]
}

/// The files of the packages that would be replaced.
fn replaced(host: &dyn View, planned: &[Planned]) -> Result<HashSet<PathBuf>, Failure> {
    let mut files = HashSet::new();
    for line in planned.iter().filter(|line| matches!(line.deed, Deed::Update | Deed::Remove)) {
        files.extend(Installed::look(host, &line.name)?.paths("files"));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_package_is_named() {
        let stderr =
            "Package 'chrony' is up to date.\nERROR: Package 'old-tool' not found in repository pool.\n";
        assert_eq!(not_found(stderr), Some("old-tool"));
        assert_eq!(not_found("Package 'chrony' is up to date.\n"), None);
    }
}
