//! `wait::command`.

use std::time::Duration;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::system::Command;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

use super::condition::{Condition, Patience, Seen};

/// Waits until a command succeeds.
///
/// ```rhai,no_run
/// wait::command(["nomad", "server", "members"], #{ timeout: 120 });
/// wait::command(["pgrep", "-x", "dpkg"], #{ status: 1 });
/// ```
///
/// The outcome has `stdout` and `stderr` of the last time, without the newlines at their ends, and `rc`. The command must change nothing: it
/// is run again and again. Check mode does not run it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct WaitCommand {
    /// The program and its arguments; no shell reads them.
    argv: Vec<String>,
    /// The exit status that is waited for. Default 0.
    #[serde(default)]
    status: i32,
    #[serde(flatten)]
    patience: Patience,
}

impl Condition for WaitCommand {
    const NAME: &'static str = "wait::command";
    const POSITIONAL: &'static [&'static str] = &["argv"];
    const FIELDS: &'static [&'static str] = &["stdout", "stderr", "rc"];

    fn subject(&self) -> String {
        format!("`{}`", Command::new(self.argv.clone()).to_shell())
    }

    fn patience(&self) -> &Patience {
        &self.patience
    }

    fn looks_only(&self) -> bool {
        false
    }

    fn look(&self, context: &Context<'_>, left: Duration) -> Result<Seen, Failure> {
        if self.argv.is_empty() {
            return Err(Failure::argument("argv", "the command is empty"));
        }
        // One that hangs is ended with the waiting, not before.
        let command =
            Command { timeout: Some(left.max(Duration::from_secs(1))), ..context.command(self.argv.clone()) };
        let output = match context.host.probe(&command) {
            Ok(output) => output,
            Err(Failure::Timeout { output, .. }) => return Ok(Seen::new(false, output)),
            Err(failure) => return Err(failure),
        };
        let text = |stream: &[u8]| String::from_utf8_lossy(stream).trim_end_matches('\n').to_owned();
        let words = format!("it ended with {}\n{}", output.status, output.both_streams());
        let fields = Map::from_iter([
            ("stdout".to_owned(), json!(text(&output.stdout))),
            ("stderr".to_owned(), json!(text(&output.stderr))),
            ("rc".to_owned(), json!(output.status)),
        ]);
        Ok(Seen { is_met: output.status == self.status, words, fields })
    }
}
