//! The namespace `modprobe`: modules of the kernel.

mod absent;
mod blacklist;
mod files;
mod load;
mod module;
mod options;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Entry, Query};
use refrain_engine::system::RootKind;
use schemars::JsonSchema;
use serde::Deserialize;

use module::{ModuleName, is_there};

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[
    Entry::state::<load::ModprobeLoad>(),
    Entry::state::<options::ModprobeOptions>(),
    Entry::state::<blacklist::ModprobeBlacklist>(),
    Entry::state::<absent::ModprobeAbsent>(),
    Entry::query::<ModprobeLoaded>(),
];

/// Returns whether the running kernel has a module, loaded or built in. In an image no kernel runs, and it has none.
///
/// ```rhai
/// if !modprobe::loaded("br_netfilter") { print("bridged packets pass the filter"); }
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModprobeLoaded {
    /// The module's name.
    name: ModuleName,
}

impl Query for ModprobeLoaded {
    const NAME: &'static str = "modprobe::loaded";
    const POSITIONAL: &'static [&'static str] = &["name"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        let runs = context.host.root_kind() != RootKind::Offline;
        Ok((runs && is_there(context.host, &self.name)?).into())
    }
}
