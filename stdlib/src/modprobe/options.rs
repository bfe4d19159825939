//! `modprobe::options`.

use std::collections::BTreeMap;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::files::{self, ModuleFile, options_line};
use super::module::ModuleName;

/// Sets what a module is loaded with, by whatever it is loaded.
///
/// ```rhai
/// modprobe::options("snd_hda_intel", #{ options: #{ power_save: 1 } });
/// ```
///
/// `/etc/modprobe.d/NAME.conf` holds these options and nothing else. They hold from the next load on.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ModprobeOptions {
    /// The module's name.
    name: ModuleName,
    /// Options of the module and their values: numbers, texts, or booleans that stand for 1 or 0.
    options: BTreeMap<String, Value>,
}

impl State for ModprobeOptions {
    const NAME: &'static str = "modprobe::options";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = ModuleFile;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<ModuleFile, Failure> {
        if self.options.is_empty() {
            return Err(Failure::argument("options", "there is no option in `options`")
                .advise("modprobe::absent takes the options of a module away"));
        }
        let line = options_line(&self.name, &self.options)?;
        ModuleFile::look(context.host, &files::options(&self.name), line)
    }

    fn plan(&self, found: &ModuleFile) -> Result<Plan, Failure> {
        Ok(found.plan())
    }
}
