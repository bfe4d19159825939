//! A small file in a directory that may have to be made first.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::Plan;
use refrain_engine::system::{Content, View};

use crate::attributes::AttributeRules;
use crate::directories::Directories;
use crate::file_target::FileTarget;
use crate::whole_file::WholeFile;

/// The file as it is, and the directories that it needs.
#[derive(Debug)]
pub struct PlacedFile {
    directories: Directories,
    file: WholeFile,
}

impl PlacedFile {
    /// Looks at the place of a file that everybody may read.
    ///
    /// # Errors
    /// Something else is there.
    pub fn look(host: &dyn View, path: &Path) -> Result<Self, Failure> {
        let mut directories = Directories::default();
        let rules = AttributeRules::new(host.identity());
        let target = FileTarget::look(host, path, &rules, |path| {
            let parent = directories.parent(host, path)?;
            Ok(rules.of_new_file(parent))
        })?;
        Ok(Self { file: WholeFile::read(host, target)?, directories })
    }

    /// The steps after which the file is there with this content.
    pub fn plan(&self, content: Vec<u8>) -> Plan {
        let directories = self.directories.changes().map(Into::into);
        directories.chain(self.file.plan(Content::Known(content), true)).collect()
    }
}
