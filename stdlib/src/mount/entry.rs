//! `mount::entry`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::file_system::{Declaration, FileSystem, look_at_fstab};
use super::fstab;
use crate::file::edited_file::{Edit, EditedFile, Inputs, Missing};

/// Keeps a file system in `/etc/fstab`, without mounting it.
///
/// ```rhai
/// mount::entry("/srv/data", "UUID=1111-2222", "ext4", #{ options: ["noatime", "nofail"], pass: 2 });
/// mount::entry("none", "/dev/sda2", "swap");
/// ```
///
/// A line for the same path is changed in its place; swap is known by its source. All other lines stay as they are.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct MountEntry {
    #[serde(flatten)]
    declaration: Declaration,
}

/// The line that shall be in a text.
pub struct Entered<'a>(pub &'a FileSystem);

impl Edit for Entered<'_> {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        Ok(fstab::with(text, self.0))
    }
}

impl State for MountEntry {
    const NAME: &'static str = "mount::entry";
    const POSITIONAL: &'static [&'static str] = &["path", "source", "fstype"];
    type Found = (EditedFile, FileSystem);

    fn subject(&self) -> String {
        self.declaration.subject()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let wanted = self.declaration.file_system()?;
        Ok((look_at_fstab(context, Missing::Create)?, wanted))
    }

    fn plan(&self, (fstab, wanted): &Self::Found) -> Result<Plan, Failure> {
        fstab.plan(Inputs::default(), &Entered(wanted))
    }
}
