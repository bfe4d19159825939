//! `cron::absent`.

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use refrain_engine::system::Kind;
use schemars::JsonSchema;
use serde::Deserialize;

use super::job_name::JobName;
use super::service;
use crate::links::look_at;
use crate::runit::places::PlaceOptions;

/// Removes a job, whatever runs it.
///
/// ```rhai
/// cron::absent("old-backup");
/// ```
///
/// That is the file `/etc/cron.d/NAME`, and the runit service `cron-NAME`. A command that is running goes on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CronAbsent {
    /// The name of the job.
    name: JobName,
}

impl State for CronAbsent {
    const NAME: &'static str = "cron::absent";
    const POSITIONAL: &'static [&'static str] = &["name"];
    /// What is there, in the order in which it goes.
    type Found = Vec<(PathBuf, Kind)>;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let mut found = Self::Found::new();
        let mut paths = vec![self.name.crontab()];
        // A host without runit has no such service.
        if let Ok(places) = PlaceOptions::default().places(context.host) {
            let (link, leads_to) = service::look_at_link(context.host, &places, &self.name)?;
            // The link goes first: without it nothing looks at the service any more.
            found.extend(leads_to.map(|_| (link, Kind::Link)));
            paths.insert(0, service::definition(&places, &self.name));
        }
        for path in paths {
            let there = look_at(context.host, &path)?;
            found.extend(there.map(|stat| (path, stat.kind)));
        }
        Ok(found)
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        let remove =
            |(path, kind): &(PathBuf, Kind)| Change::Remove { path: path.clone(), what: kind.word() };
        Ok(found.iter().map(remove).map(Into::into).collect())
    }
}
