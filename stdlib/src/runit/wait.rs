//! `runit::wait`.

use std::time::{Duration, Instant};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::System;
use refrain_engine::system::preview::Overlay;
use schemars::JsonSchema;
use serde::Deserialize;

use super::order::Services;
use super::reported::Reported;
use super::running::Wanted;
use super::supervisor::Supervisor;
use crate::seconds::Seconds;

/// Waits until services run, or have ended.
///
/// ```rhai,live
/// runit::wait("sshd", #{ stable: 1, timeout: 60 });
/// ```
/// ```rhai,no_run
/// runit::wait("backup", #{ state: "down", timeout: 3600 });
/// ```
///
/// A service that ends as soon as it is started runs for a moment, again and again: `stable` says how long it has to have run.
/// If it has a `check` script, that has to say that it is available. It changes nothing. In a root in which nothing runs there
/// is nothing to wait for.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Wait {
    #[serde(flatten)]
    services: Services,
    /// What is waited for: `"up"`, the default, or `"down"`.
    #[serde(default)]
    state: Option<Wanted>,
    /// How long it has to be so already, in seconds. It need not when absent.
    #[serde(default)]
    stable: Option<Seconds>,
    /// How long each service may take, in seconds. 10 when absent.
    #[serde(default)]
    timeout: Option<Seconds>,
}

impl Action for Wait {
    const NAME: &'static str = "runit::wait";
    const POSITIONAL: &'static [&'static str] = &["name"];

    fn subject(&self) -> String {
        self.services.names().to_string()
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        self.services.needless(context)
    }

    fn predict(&self, overlay: &Overlay) -> Result<bool, Failure> {
        self.services.require(overlay).map(|_| true)
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        let places = self.services.require(system)?;
        let supervisor = Supervisor::new(context, &places, self.timeout);
        for name in &self.services.names().0 {
            let start = Instant::now();
            supervisor.wait_for(system, name)?;
            let left = |start: Instant| supervisor.patience().saturating_sub(start.elapsed());
            let last = supervisor.wait_until(system, name, left(start), |reported| self.is_met(reported))?;
            if !self.is_met(&last) {
                return Err(Failure::Timeout {
                    what: format!("waiting for `{name}`"),
                    seconds: supervisor.patience().as_secs_f64(),
                    output: format!("{name} {}", last.words()),
                });
            }
            let command = supervisor.order("check", name);
            system.probe(&command)?.require_success(&command)?;
        }
        Ok(Done::default())
    }
}

impl Wait {
    fn is_met(&self, reported: &Reported) -> bool {
        let (Reported::Run { seconds, .. }
        | Reported::Finish { seconds, .. }
        | Reported::Down { seconds, .. }) = reported
        else {
            return false;
        };
        let stable = self.stable.map_or(Duration::ZERO, |Seconds(stable)| stable);
        let wanted = self.state.unwrap_or(Wanted::Up);
        wanted.is_met(reported) && Duration::from_secs(*seconds) >= stable
    }
}
