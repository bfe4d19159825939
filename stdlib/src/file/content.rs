//! `file::content`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::attributes::AttributeOptions;
use crate::host_path::HostPath;
use crate::whole_file::WholeFile;

/// Puts a file with exactly this text in place.
///
/// ```rhai
/// file::content("/etc/motd", "Welcome.\n");
/// file::content("/etc/app.conf", "port = 80\n", #{ owner: "root", mode: "0640" });
/// ```
///
/// The text is taken as it is: no newline is added. The file is replaced as a whole and never seen half written. Where
/// `path` is a link, the file that it leads to is written and the link stays.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileContent {
    /// Where the file shall be. Its directory has to exist.
    path: HostPath,
    /// All that shall be in it.
    content: Text,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

impl State for FileContent {
    const NAME: &'static str = "file::content";
    const POSITIONAL: &'static [&'static str] = &["path", "content"];
    type Found = WholeFile;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<WholeFile, Failure> {
        WholeFile::look(context.host, &self.path, &self.attributes)
    }

    fn plan(&self, found: &WholeFile) -> Result<Plan, Failure> {
        Ok(found.plan(self.content.content.clone(), !self.content.secret))
    }
}
