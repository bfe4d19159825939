//! `file::directory`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::attributes::AttributeOptions;
use crate::directories::Directories;
use crate::file::attributes::below;
use crate::host_path::HostPath;
use crate::one_or_many::OneOrMany;

/// Makes directories, and those above them that are missing.
///
/// ```rhai
/// file::directory("/srv/web/htdocs", #{ owner: "root", mode: "0750" });
/// file::directory(["/var/cache/web", "/var/log/web"]);
/// ```
///
/// The options are for the directories that are named; those made on the way to them have mode 0755 and belong to the
/// agent's user. A link that leads to a directory is one.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileDirectory {
    /// One path or an array of them.
    path: OneOrMany<HostPath>,
    /// Give `owner`, `group` and `mode` also to everything that is in the directory already. In a symbolic mode, `X` gives
    /// execute to directories, and to files that someone may execute: `"u=rwX,g=rX,o="`. Default false.
    #[serde(default)]
    recurse: bool,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

impl State for FileDirectory {
    const NAME: &'static str = "file::directory";
    const POSITIONAL: &'static [&'static str] = &["path"];
    type Found = Directories;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Directories, Failure> {
        if self.recurse && self.attributes.is_empty() {
            return Err(Failure::argument("recurse", "nothing is asked for that `recurse` could spread")
                .advise("give `owner`, `group` or `mode`"));
        }
        context.host.look_ahead(&self.path.0.iter().map(|path| &**path).collect::<Vec<_>>());
        let rules = self.attributes.resolve(context.host)?;
        let mut found = Directories::default();
        for path in &self.path.0 {
            let exists = found.look(context.host, path, &rules)?;
            if self.recurse && exists {
                below(context.host, path, &rules)?.into_iter().for_each(|change| found.add(change));
            }
        }
        Ok(found)
    }

    fn plan(&self, found: &Directories) -> Result<Plan, Failure> {
        Ok(found.changes().map(Into::into).collect())
    }
}
