//! `modprobe::load`.

use std::collections::BTreeMap;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Undo;
use refrain_engine::system::{Command, RootKind};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::files::{self, ModuleFile, options_line};
use super::module::{MODULE, ModuleName, is_there};
use crate::command_step::CommandStep;

/// Loads a module into the kernel, now and whenever the machine starts.
///
/// ```rhai
/// modprobe::load("br_netfilter");
/// modprobe::load("dummy", #{ options: #{ numdummies: 2 } });
/// ```
///
/// `/etc/modules-load.d/NAME.conf` names it for the start, and options are kept in `/etc/modprobe.d/NAME.conf`. A module that is
/// loaded already, or built into the kernel, is not loaded again: new options hold from the next load on. In an image only the
/// files are written.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ModprobeLoad {
    /// The module's name.
    name: ModuleName,
    /// What it is loaded with: options of the module and their values. What `/etc/modprobe.d` says stays when absent.
    #[serde(default)]
    options: BTreeMap<String, Value>,
    /// Whether it is also loaded when the machine starts. Default true.
    #[serde(default = "yes")]
    persist: bool,
}

fn yes() -> bool {
    true
}

/// The files, and whether the module has to be loaded.
#[derive(Debug)]
pub struct Found {
    files: Vec<ModuleFile>,
    load: Option<Command>,
}

impl State for ModprobeLoad {
    const NAME: &'static str = "modprobe::load";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let host = context.host;
        let mut files = Vec::new();
        if !self.options.is_empty() {
            let line = options_line(&self.name, &self.options)?;
            files.push(ModuleFile::look(host, &files::options(&self.name), line)?);
        }
        if self.persist {
            files.push(ModuleFile::look(host, &files::load(&self.name), format!("{}\n", self.name))?);
        }
        let runs = host.root_kind() != RootKind::Offline;
        let load = runs && !is_there(host, &self.name)?;
        Ok(Found { files, load: load.then(|| context.command(["modprobe", &self.name.to_string()])) })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let mut plan: Plan = found.files.iter().flat_map(ModuleFile::plan).collect();
        if let Some(command) = &found.load {
            plan.push(Box::new(CommandStep {
                text: format!("load the module {}", self.name),
                command: command.clone(),
                brings: vec![(MODULE, self.name.kernels(), true.into())],
                undo: Undo::command(Command { argv: unload(&self.name), ..command.clone() }),
            }));
        }
        Ok(plan)
    }
}

/// The words of the command that takes a module out of the kernel, with those that only it had needed.
pub fn unload(module: &ModuleName) -> Vec<String> {
    ["modprobe", "-r", &module.to_string()].map(str::to_owned).to_vec()
}
