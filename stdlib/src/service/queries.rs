//! Questions about services.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Query};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::choice::Manager;
use super::manager;
use super::running::{Call, predicted};
use crate::runit;
use crate::runit::service_name::ServiceName;

/// The service that a question is about. A function takes it in with `#[serde(flatten)]`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct OneService {
    /// The service.
    name: ServiceName,
    /// The service manager, as in `service::enable`.
    #[serde(default)]
    manager: Option<Manager>,
}

impl OneService {
    fn of(
        &self,
        context: &Context<'_>,
    ) -> Result<(Manager, Option<&'static dyn manager::ServiceManager>), Failure> {
        let chosen = Manager::of(self.manager, context.host)?;
        Ok((chosen, manager::of(chosen)))
    }
}

/// What a service does.
///
/// ```rhai
/// let nomad = service::status("nomad");
/// if nomad.state == "running" { print(`nomad is process ${nomad.pid}`); }
/// ```
///
/// The answer is a map. `state` is `"running"` (also of something that has done its work, if that lasts), `"starting"`,
/// `"stopping"`, `"stopped"`, `"failed"`, or `"unsupervised"` where nothing runs that could tell. `pid` is its process, `()` where
/// it has none or, as OpenRC, the manager does not tell. A service that does not exist is stopped.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Status {
    #[serde(flatten)]
    service: OneService,
}

impl Query for Status {
    const NAME: &'static str = "service::status";
    const POSITIONAL: &'static [&'static str] = &["name"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let name = &self.service.name;
        let (chosen, manager) = self.service.of(context)?;
        let Some(manager) = manager else {
            return Ok(match runit::status::Status::for_front(name.clone()).ask(context)? {
                Answer::Known(status) => of_runit(&status).into(),
                Answer::Unknown => Answer::Unknown,
            });
        };
        if predicted(context.host, name).is_some() {
            return Ok(Answer::Unknown);
        }
        let call = Call { context, chosen, manager, timeout: None };
        if !call.is_at_work()? {
            return Ok(answer("unsupervised", &Value::Null).into());
        }
        let pid = |pid: Option<u32>| pid.map_or(Value::Null, Value::from);
        let condition = call.conditions(&[name])?.swap_remove(0);
        Ok(answer(condition.state.word(), &pid(condition.pid)).into())
    }
}

fn answer(state: &str, pid: &Value) -> Value {
    json!({ "state": state, "pid": pid })
}

/// What `runit::status` says, in the words of all.
fn of_runit(status: &Value) -> Value {
    let state = match status["state"].as_str().unwrap_or_default() {
        "run" => "running",
        "finish" => "stopping",
        "down" | "disabled" => "stopped",
        other => other,
    };
    answer(state, &status["pid"])
}

/// Whether a service is enabled: started when the system boots.
///
/// ```rhai
/// if !service::enabled("sshd") { warn("nobody can log in after the next boot"); }
/// ```
///
/// With systemd, that is so when all links are there that `systemctl enable` makes.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Enabled {
    #[serde(flatten)]
    service: OneService,
}

impl Query for Enabled {
    const NAME: &'static str = "service::enabled";
    const POSITIONAL: &'static [&'static str] = &["name"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let name = &self.service.name;
        let Some(manager) = self.service.of(context)?.1 else {
            return runit::status::Enabled::for_front(name.clone()).ask(context);
        };
        Ok(match manager.is_enabled(context.host, name)? {
            Some(is_enabled) => is_enabled.into(),
            None => Answer::Unknown,
        })
    }
}

/// The host's service manager: `"runit"`, `"systemd"` or `"openrc"`.
///
/// ```rhai
/// if service::manager() == "runit" { file::content("/etc/motd", "Services are in /var/service.\n"); }
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManagerName {}

impl Query for ManagerName {
    const NAME: &'static str = "service::manager";
    const POSITIONAL: &'static [&'static str] = &[];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        Ok(Manager::of(None, context.host)?.to_string().into())
    }
}
