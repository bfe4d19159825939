//! `sudo::file`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::rule_file::{self, RuleName};
use crate::configuration_file::ConfigurationFile;

/// Keeps a file of rules in sudo's own language, for what `sudo::rule` has no words for.
///
/// ```rhai
/// sudo::file("10-defaults", "Defaults timestamp_timeout=5\nDefaults:ada !requiretty\n");
/// ```
///
/// The file is in `/etc/sudoers.d`, belongs to root and has the mode 0440. Where the host has `visudo`, that is asked whether it
/// accepts the file, before it is put in place.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SudoFile {
    /// The name of the file. One with a dot or with `~` at its end is refused: sudo passes over such files.
    name: RuleName,
    /// All that shall be in it, as sudoers(5) describes it.
    content: String,
}

impl State for SudoFile {
    const NAME: &'static str = "sudo::file";
    const POSITIONAL: &'static [&'static str] = &["name", "content"];
    type Found = ConfigurationFile;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<ConfigurationFile, Failure> {
        rule_file::look(context, &self.name, self.content.clone())
    }

    fn plan(&self, found: &ConfigurationFile) -> Result<Plan, Failure> {
        Ok(found.plan())
    }
}
