//! `mount::absent`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::file_system::look_at_fstab;
use super::fstab;
use super::unmounted::{Unmount, removable};
use crate::file::edited_file::{Edit, EditedFile, Inputs, Missing};

/// Keeps a path out of `/etc/fstab`, and unmounts what is there.
///
/// ```rhai
/// mount::absent("/media/cdrom");
/// mount::absent("/dev/sdb2");
/// ```
///
/// The directory stays, with what is in it. Swap has no path and is named by its source; it stays in use until the next start.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct MountAbsent {
    /// The path, or the source of a line for swap.
    path: String,
}

impl MountAbsent {
    fn place(&self) -> &str {
        if self.path.len() > 1 { self.path.trim_end_matches('/') } else { &self.path }
    }
}

impl Edit for MountAbsent {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        Ok(fstab::without(text, self.place()))
    }
}

impl State for MountAbsent {
    const NAME: &'static str = "mount::absent";
    const POSITIONAL: &'static [&'static str] = &["path"];
    type Found = (EditedFile, Option<Unmount>);

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let mounted = if self.place().starts_with('/') {
            Unmount::look(context, &removable("path", self.place())?)?
        } else if self.place().contains('=') {
            None
        } else {
            let message = format!("`{}` is neither a path nor a source such as `UUID=…`", self.path);
            return Err(Failure::argument("path", message));
        };
        Ok((look_at_fstab(context, Missing::Fine)?, mounted))
    }

    fn plan(&self, (fstab, mounted): &Self::Found) -> Result<Plan, Failure> {
        // The line first: a mount that can't go yet will not come back.
        let mut plan = fstab.plan(Inputs::default(), self)?;
        plan.extend(mounted.iter().map(|unmount| Box::new(unmount.step(self.place())) as _));
        Ok(plan)
    }
}
