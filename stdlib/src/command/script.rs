//! `command::script`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::invocation::Runnable;
use super::options::Options;
use super::words::{Word, line, words_schema};

/// Runs a script or a binary of the project on the host.
///
/// It is put into a directory of its own that nobody else can enter, run, and removed, also when it fails. A script runs with the
/// interpreter that its first line names, or with `/bin/sh`, also where temporary files can't be executed. Outcome, failure
/// and check mode are those of `command::run`.
///
/// ```rhai
/// command::script("partition.sh", ["/dev/sda"], #{ creates: "/dev/sda1", timeout: 60 });
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The script, in `files/` beside the role or playbook.
    #[schemars(extend("x-source" = "file"))]
    source: String,
    /// Its arguments.
    #[serde(default)]
    #[schemars(schema_with = "words_schema")]
    args: Vec<Word>,
    #[serde(flatten)]
    options: Options,
}

impl Runnable for Script {
    const NAME: &'static str = "command::script";
    const POSITIONAL: &'static [&'static str] = &["source", "args"];

    fn options(&self) -> &Options {
        &self.options
    }

    fn line(&self) -> String {
        line(&self.all())
    }

    fn words(&self) -> Result<Vec<Word>, Failure> {
        Ok(self.all())
    }

    fn program(&self, context: &Context<'_>) -> Result<Option<Vec<u8>>, Failure> {
        context.materials.file(&self.source).map(Some)
    }
}

impl Script {
    fn all(&self) -> Vec<Word> {
        let name = Word(Text::new(self.source.clone()));
        [name].into_iter().chain(self.args.iter().cloned()).collect()
    }
}
