//! `modprobe::absent`.

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::{Change, Undo};
use refrain_engine::system::{Command, Kind, RootKind};
use schemars::JsonSchema;
use serde::Deserialize;

use super::files;
use super::load::unload;
use super::module::{MODULE, ModuleName, is_loaded};
use crate::command_step::CommandStep;

/// Takes away what the other functions have said of a module: that it is loaded at the start, its options, and that it is on a
/// blacklist.
///
/// ```rhai
/// modprobe::absent("floppy");
/// modprobe::absent("usb_storage", #{ unload: true });
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ModprobeAbsent {
    /// The module's name.
    name: ModuleName,
    /// Whether the running kernel lets go of it, too, unless it is built in. One that is in use is an error. Default false.
    #[serde(default)]
    unload: bool,
}

/// What there is of a module.
#[derive(Debug)]
pub struct Found {
    files: Vec<PathBuf>,
    unload: Option<Command>,
}

impl State for ModprobeAbsent {
    const NAME: &'static str = "modprobe::absent";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let host = context.host;
        let all = [files::load(&self.name), files::options(&self.name), files::blacklist(&self.name)];
        host.look_ahead(&all.each_ref().map(PathBuf::as_path));
        let mut files = Vec::new();
        for path in all {
            if host.lstat(&path)?.is_some() {
                files.push(path);
            }
        }
        let runs = host.root_kind() != RootKind::Offline;
        let goes = self.unload && runs && is_loaded(host, &self.name)?;
        Ok(Found { files, unload: goes.then(|| context.command(unload(&self.name))) })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let remove = |path: &PathBuf| Change::Remove { path: path.clone(), what: Kind::File.word() }.into();
        let mut plan: Plan = found.files.iter().map(remove).collect();
        if let Some(command) = &found.unload {
            let argv = ["modprobe", &self.name.to_string()].map(str::to_owned).to_vec();
            plan.push(Box::new(CommandStep {
                text: format!("unload the module {}", self.name),
                command: command.clone(),
                brings: vec![(MODULE, self.name.kernels(), false.into())],
                undo: Undo::command(Command { argv, ..command.clone() }),
            }));
        }
        Ok(plan)
    }
}
