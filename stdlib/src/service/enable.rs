//! `service::enable`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use schemars::JsonSchema;
use serde::Deserialize;

use super::found::{Found, Planned};
use super::manager::{self, Enabling, Order};
use super::names::Services;
use super::running::Call;
use crate::runit;
use crate::seconds::Seconds;

/// Enables services: they run from now on, and are started when the system boots.
///
/// ```rhai
/// service::enable("chronyd");
/// ```
/// ```rhai,no_run
/// service::enable("sshd", #{ names: #{ systemd: "ssh" } });
/// service::enable(["nginx", "getty@tty9", "logrotate.timer"]);
/// ```
///
/// The service manager is the one that runs, or else that of the host's distribution: runit, systemd or OpenRC. What enables a
/// service are links, which are made as `systemctl enable` and `rc-update add` make them; in a root in which nothing runs that is
/// all. Where the manager runs, services that don't are started. With systemd, one that does something and ends (`Type=oneshot`)
/// is not.
///
/// Check mode does not know the services of a package that it would install (but on Void Linux); of those it says that they may
/// change.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Enable {
    #[serde(flatten)]
    services: Services,
    /// With OpenRC, the runlevel in which they are started. When absent, `default`, unless it is `sysinit` or `boot` already.
    #[serde(default)]
    runlevel: Option<String>,
    /// How long each service may take, in seconds. With runit 10 when absent; the others have limits of their own.
    #[serde(default)]
    timeout: Option<Seconds>,
}

impl State for Enable {
    const NAME: &'static str = "service::enable";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found<runit::enable::Enable>;

    fn subject(&self) -> String {
        self.services.subject()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let (chosen, names) = self.services.of(context.host)?;
        let Some(manager) = manager::of(chosen) else {
            return Found::by_runit(runit::enable::Enable::for_front(names.clone(), self.timeout), context);
        };
        let call = Call { context, chosen, manager, timeout: self.timeout };
        // Services can have links and directories in common.
        let mut links: Vec<Change> = Vec::new();
        let (mut steps, mut known) = (Vec::new(), Vec::new());
        for name in &names.0 {
            match manager.enabling(context.host, name, self.runlevel.as_deref())? {
                Enabling::Changes(changes) => {
                    for change in changes {
                        if !links.contains(&change) {
                            links.push(change);
                        }
                    }
                    known.push(name);
                }
                Enabling::Missing if !call.may_come() => return Err(call.missing(name)),
                Enabling::Missing | Enabling::Unknown => steps.push(call.presumed("enable", name, true)),
            }
        }
        let is_new = !links.is_empty();
        steps.extend(links.into_iter().map(Planned::Change));
        if call.is_at_work()? {
            let conditions = call.conditions(&known)?;
            if is_new || conditions.iter().any(|condition| condition.is_outdated) {
                steps.extend(call.reread());
            }
            let stopped = known.iter().zip(&conditions).filter(|(_, now)| now.lasts && !now.state.is_up());
            steps.extend(stopped.map(|(name, _)| call.order(Order::Start, name)));
        }
        Ok(Found::Other(steps))
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        found.plan()
    }
}
