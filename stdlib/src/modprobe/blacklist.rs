//! `modprobe::blacklist`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::files::{self, ModuleFile};
use super::module::ModuleName;

/// Keeps a module from being loaded for a device.
///
/// ```rhai
/// modprobe::blacklist("pcspkr");
/// modprobe::blacklist("nouveau", #{ never: true });
/// ```
///
/// That is `/etc/modprobe.d/blacklist-NAME.conf`. A module that is loaded stays so until the next start. Where modules are
/// loaded by an initial file system, that has to be made anew.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ModprobeBlacklist {
    /// The module's name.
    name: ModuleName,
    /// Whether it can't be loaded by its name either, nor by a module that needs it. Default false.
    #[serde(default)]
    never: bool,
}

impl State for ModprobeBlacklist {
    const NAME: &'static str = "modprobe::blacklist";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = ModuleFile;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<ModuleFile, Failure> {
        let name = &self.name;
        let mut text = format!("blacklist {name}\n");
        if self.never {
            text.push_str(&format!("install {name} /bin/false\n"));
        }
        ModuleFile::look(context.host, &files::blacklist(name), text)
    }

    fn plan(&self, found: &ModuleFile) -> Result<Plan, Failure> {
        Ok(found.plan())
    }
}
