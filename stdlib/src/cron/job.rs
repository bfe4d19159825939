//! `cron::job`.

use std::collections::BTreeMap;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::crontab;
use super::job_name::JobName;
use super::schedule::Schedule;
use super::scheduler::Scheduler;
use super::service::{self, Service};
use crate::accounts::of_name::account;
use crate::attributes::AttributeOptions;
use crate::configuration_file::ConfigurationFile;
use crate::runit::places::PlaceOptions;

/// Runs a command at certain times.
///
/// ```rhai
/// cron::job("backup", #{ schedule: "30 4 * * *", command: "/usr/local/bin/backup --all" });
/// cron::job("report", #{
///     schedule: "0 7 * * mon-fri",
///     user: "ada",
///     command: "date +%F | mail -s Report ada",
///     environment: #{ MAILTO: "ada@example.net" },
/// });
/// cron::job("rotate", #{ schedule: "@daily", command: "rotate-logs", scheduler: "snooze" });
/// ```
///
/// With cronie or Debian's cron the job is the file `/etc/cron.d/NAME`. With dcron, too; that runs only jobs of root, and sees a new
/// one within an hour. With snooze it is a runit service, `cron-NAME`, that is enabled; a changed one goes by its old times until
/// it is restarted, so notify a handler for that. The crontabs that users edit themselves are left alone.
///
/// The command is one line for `/bin/sh`, and means the same everywhere: a percent sign is a percent sign.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CronJob {
    /// The name of the job: letters, digits, `-` and `_`.
    name: JobName,
    /// When: minute, hour, day of the month, month and day of the week as in crontab(5), or `@hourly`, `@daily`, `@weekly`,
    /// `@monthly`, `@yearly`, and but for snooze `@reboot`.
    schedule: Schedule,
    /// What to run.
    command: String,
    /// As whom. `root` when absent.
    #[serde(default)]
    user: Option<String>,
    /// Variables of its environment.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Whether the job is kept, but not run. Default false.
    #[serde(default)]
    disabled: bool,
    /// What runs it. When absent, what the host has: cron before snooze.
    #[serde(default)]
    scheduler: Option<Scheduler>,
}

/// The job as it is on the host.
#[derive(Debug)]
pub enum Found {
    /// A crontab.
    Crontab(ConfigurationFile),
    /// A service.
    Service(Service),
}

impl State for CronJob {
    const NAME: &'static str = "cron::job";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        self.check()?;
        let scheduler = match self.scheduler {
            Some(scheduler) => scheduler,
            None => Scheduler::find(context.host)?,
        };
        let user = self.user.as_deref().unwrap_or("root");
        let account = account(context.host, "user", user)?;
        let (environment, disabled) = (&self.environment, self.disabled);
        let text = match scheduler {
            Scheduler::Snooze => {
                let script = service::script(&self.schedule, &account, &self.command, environment)?;
                return self.service(context, script).map(Found::Service);
            }
            Scheduler::Cron => {
                crontab::with_user(&self.schedule, user, &self.command, environment, disabled)?
            }
            Scheduler::Dcron if account.uid == 0 => {
                crontab::without_user(&self.schedule, &self.command, environment, disabled)
            }
            Scheduler::Dcron => {
                return Err(Failure::argument(
                    "user",
                    format!("dcron runs no jobs of `{user}` from `/etc/cron.d`"),
                )
                .advise("cronie does; or let root run `su`"));
            }
        };
        let file = ConfigurationFile::look(context, &self.name.crontab(), &roots("0644"), text, |_| Ok(()))?;
        Ok(Found::Crontab(file))
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(match found {
            Found::Crontab(file) => file.plan(),
            Found::Service(service) => service.plan(),
        })
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        let service = match found {
            Found::Service(_) => self.name.service().into(),
            Found::Crontab(_) => Value::Null,
        };
        Map::from_iter([("service".to_owned(), service)])
    }
}

impl CronJob {
    fn check(&self) -> Result<(), Failure> {
        if self.command.trim().is_empty() || self.command.contains(['\n', '\r', '\0']) {
            return Err(Failure::argument("command", "the command has to be one line")
                .advise("put a script in place with file::content, and run that"));
        }
        for (name, value) in &self.environment {
            let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if name.is_empty() || !name.bytes().all(letter) || name.as_bytes()[0].is_ascii_digit() {
                return Err(Failure::argument("environment", format!("`{name}` is no name of a variable")));
            }
            if value.contains(['\n', '\r', '\0']) {
                return Err(Failure::argument(
                    "environment",
                    format!("the value of `{name}` has to be one line"),
                ));
            }
        }
        Ok(())
    }

    fn service(&self, context: &Context<'_>, script: String) -> Result<Service, Failure> {
        let places = PlaceOptions::default().places(context.host)?;
        let definition = service::definition(&places, &self.name);
        let run =
            ConfigurationFile::look(context, &definition.join("run"), &roots("0755"), script, |_| Ok(()))?;
        let (link, leads_to) = service::look_at_link(context.host, &places, &self.name)?;
        let wanted = (!self.disabled).then_some(definition);
        Ok(Service { run, link, leads_to, wanted })
    }
}

/// What belongs to root and has this mode.
fn roots(mode: &str) -> AttributeOptions {
    AttributeOptions::new(json!(0), json!(0), mode.into())
}

#[cfg(test)]
mod tests {
    use refrain_engine::module::NoMaterials;
    use refrain_engine::system::sandbox::{NoPrograms, Sandbox};
    use refrain_engine::system::{Attributes, System};

    use super::*;

    /// The steps of a job on a host that has these files.
    fn planned(files: &[&str], arguments: Value) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        let host = Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap();
        for file in files {
            host.write(file.as_ref(), b"", Attributes { mode: 0o755, uid: 0, gid: 0 }).unwrap();
        }
        let job: CronJob = serde_json::from_value(arguments).map_err(|error| error.to_string())?;
        let context = Context { host: &host, materials: &NoMaterials };
        let found = job.look(&context).map_err(|failure| failure.to_string())?;
        Ok(job.plan(&found).unwrap().iter().map(|step| step.describe()).collect())
    }

    #[test]
    fn a_job_is_kept_by_what_the_host_has() {
        let arguments = json!({ "name": "a", "schedule": "@daily", "command": "x" });
        let crontab = ["make directory /etc/cron.d (mode 0755)", "create /etc/cron.d/a (mode 0644)"];
        assert_eq!(planned(&["/usr/sbin/cron", "/usr/bin/snooze"], arguments.clone()).unwrap(), crontab);
        assert_eq!(planned(&["/usr/bin/dcron"], arguments.clone()).unwrap(), crontab);
        assert_eq!(
            planned(&["/usr/bin/snooze"], arguments.clone()).unwrap(),
            [
                "make directory /etc/sv/cron-a (mode 0755)",
                "create /etc/sv/cron-a/run (mode 0755)",
                "link /var/service/cron-a -> /etc/sv/cron-a",
            ]
        );
        assert_eq!(
            planned(&[], arguments).unwrap_err(),
            "nothing on the host runs commands at certain times: neither cron nor snooze is there"
        );
    }

    #[test]
    fn what_cron_would_read_otherwise_is_refused() {
        let job = |options: Value| {
            let mut arguments =
                json!({ "name": "a", "schedule": "@daily", "command": "x", "scheduler": "cron" });
            arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
            planned(&[], arguments).unwrap_err()
        };
        assert!(job(json!({ "name": "a.b" })).starts_with("`a.b` is no name of a job"));
        assert_eq!(job(json!({ "command": "a\nb" })), "the command has to be one line");
        assert_eq!(job(json!({ "environment": { "A B": "" } })), "`A B` is no name of a variable");
        assert_eq!(job(json!({ "environment": { "A": "a\nb" } })), "the value of `A` has to be one line");
        assert_eq!(job(json!({ "user": "nobody" })), "the host has no user `nobody`");
    }
}
