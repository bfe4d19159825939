//! `command::shell`.

use refrain_engine::failure::Failure;
use refrain_engine::module::Text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::invocation::Runnable;
use super::options::Options;
use super::words::Word;
use crate::host_path::HostPath;

/// Has a shell run a script: pipes, redirections, patterns.
///
/// Outcome, failure and check mode are those of `command::run`. The status is that of the last command; a script that begins with
/// `set -e` ends where the first one fails. What the script reads from a playbook's variables is better passed in
/// `environment`, where no quoting is needed.
///
/// ```rhai
/// command::shell("zcat /var/backup/*.gz | psql \"$DATABASE\"", #{ environment: #{ DATABASE: "shop" } });
/// let free = command::shell("df -Pk / | awk 'NR == 2 { print $4 }'", #{ probe: true }).stdout;
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shell {
    /// The script.
    #[schemars(schema_with = "script_schema")]
    script: Text,
    /// The shell: it is given `-c` and the script. `/bin/sh` when absent.
    #[serde(default)]
    executable: Option<HostPath>,
    #[serde(flatten)]
    options: Options,
}

/// Check mode need not know the script, but other users of the host see it.
fn script_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "x-unknown": true })
}

impl Runnable for Shell {
    const NAME: &'static str = "command::shell";
    const POSITIONAL: &'static [&'static str] = &["script"];

    fn options(&self) -> &Options {
        &self.options
    }

    fn line(&self) -> String {
        Word(self.script.clone()).known().unwrap_or_else(|| "(unknown)".to_owned())
    }

    fn words(&self) -> Result<Vec<Word>, Failure> {
        let script = Word(self.script.clone());
        if script.known().is_some_and(|script| script.trim().is_empty()) {
            return Err(Failure::argument("script", "the script is empty"));
        }
        let word = |text: &str| Word(Text::new(text.to_owned()));
        let shell = self.executable.as_ref().map_or_else(|| "/bin/sh".to_owned(), ToString::to_string);
        Ok(vec![word(&shell), word("-c"), script])
    }
}
