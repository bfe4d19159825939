//! `reboot::now`.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::{Command, RootKind, System, View};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;

use crate::seconds::Seconds;

/// Says which boot of the machine this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// How long a machine may take by default.
const TIMEOUT: Duration = Duration::from_secs(600);
/// How often it is looked whether it is back.
const PAUSE: Duration = Duration::from_secs(1);

/// Reboots the host, and waits until it is back.
///
/// ```rhai,no_run
/// if file::exists("/run/reboot-required") { reboot::now(#{ timeout: 900 }); }
/// ```
///
/// It is back when one can log in again and the kernel says that this is another boot. A play that calls this is evaluated on
/// the controller; it can't reboot the machine that is the controller itself. The outcome has `seconds`: how long it took.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebootNow {
    /// How long the host may take, in seconds. 600 when absent.
    #[serde(default)]
    timeout: Option<Seconds>,
    /// The command that reboots the host. `["reboot"]` when absent.
    #[serde(default)]
    command: Option<Vec<String>>,
}

impl Action for RebootNow {
    const NAME: &'static str = "reboot::now";
    const POSITIONAL: &'static [&'static str] = &[];
    const FIELDS: &'static [&'static str] = &["seconds"];

    fn subject(&self) -> String {
        String::new()
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        if system.root_kind() != RootKind::Live || !system.reconnects() {
            return Err(Failure::state("there is no way back to this host after a reboot")
                .advise("only a host that is reached over a connection can be rebooted"));
        }
        let before = boot_id(system)?;
        let start = Instant::now();
        self.go_down(system, context)?;
        let timeout = self.timeout.map_or(TIMEOUT, |Seconds(timeout)| timeout);
        let timeout = context.materials.time_left().map_or(timeout, |left| left.min(timeout));
        let mut last = "it has not gone down".to_owned();
        while start.elapsed() < timeout {
            thread::sleep(PAUSE.min(timeout.saturating_sub(start.elapsed())));
            match system.reconnect().and_then(|()| boot_id(system)) {
                Ok(id) if id != before => return Ok(done(start.elapsed())),
                Ok(_) => "it has not gone down".clone_into(&mut last),
                Err(Failure::Interrupted) => return Err(Failure::Interrupted),
                Err(failure) => last = reason(&failure),
            }
        }
        let what = "the reboot".to_owned();
        Err(Failure::Timeout { what, seconds: timeout.as_secs_f64(), output: last })
    }
}

impl RebootNow {
    /// Gives the command. The host may be gone before it has said how that ended.
    fn go_down(&self, system: &dyn System, context: &Context<'_>) -> Result<(), Failure> {
        let words = self.command.clone().unwrap_or_else(|| vec!["reboot".to_owned()]);
        let command = Command { timeout: None, ..context.command(words) };
        match system.run(&command) {
            Ok(output) => output.require_success(&command).map(drop),
            Err(Failure::Lost(_)) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

/// Which boot of the host this is.
fn boot_id(host: &dyn View) -> Result<Vec<u8>, Failure> {
    let content = host.read(Path::new(BOOT_ID))?;
    match content.as_ref().and_then(|content| content.known()) {
        Some(id) if !id.is_empty() => Ok(id.to_vec()),
        _ => Err(Failure::state(format!("the host does not say in `{BOOT_ID}` which boot this is"))),
    }
}

fn done(took: Duration) -> Done {
    let seconds = took.as_secs_f64().into();
    Done { changed: true, fields: Map::from_iter([("seconds".to_owned(), seconds)]), failure: None }
}

/// Why the host can't be reached, in one line: the innermost cause says most.
fn reason(failure: &Failure) -> String {
    match failure {
        Failure::Lost(error) => error.causes.last().unwrap_or(&error.message).clone(),
        other => other.to_string(),
    }
}
