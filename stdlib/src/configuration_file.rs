//! The configuration file of a program: a whole file whose directory is made where it is missing, and which the program has
//! to accept before it is put in place.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan};
use refrain_engine::system::Content;

use crate::attributes::AttributeOptions;
use crate::directories::Directories;
use crate::whole_file::WholeFile;

/// Such a file, as it is and as it shall be.
#[derive(Debug)]
pub struct ConfigurationFile {
    directories: Directories,
    file: WholeFile,
    content: Vec<u8>,
}

impl ConfigurationFile {
    /// Looks at the file at `path`, which shall hold `text`; `options` tell its owner, group and mode. `judge` is asked only
    /// about what would be put in place.
    ///
    /// # Errors
    /// Something else is in the way, or what `judge` fails with.
    pub fn look(
        context: &Context<'_>,
        path: &Path,
        options: &AttributeOptions,
        text: String,
        judge: impl FnOnce(&[u8]) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let mut directories = Directories::default();
        let parent = |path: &Path| directories.parent(context.host, path);
        let file = WholeFile::look_in(context.host, path, options, parent)?;
        let content = text.into_bytes();
        if file.content() != Some(&Content::Known(content.clone())) {
            judge(&content)?;
        }
        Ok(Self { directories, file, content })
    }

    /// The steps after which the file is there, with its content and attributes. None when it is so.
    pub fn plan(&self) -> Plan {
        let mut plan: Plan = self.directories.changes().map(Into::into).collect();
        plan.extend(self.file.plan(Content::Known(self.content.clone()), true));
        plan
    }
}
