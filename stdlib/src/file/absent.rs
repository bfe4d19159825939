//! `file::absent`.

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::host_path::HostPath;
use crate::links::look_at;
use crate::one_or_many::OneOrMany;

/// Removes files, links, and directories with all that is in them.
///
/// ```rhai
/// file::absent("/etc/motd");
/// file::absent(["/etc/app.conf.old", "/var/cache/app"]);
/// ```
///
/// A link itself is removed, not what it leads to. A directory in which something is mounted is refused.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileAbsent {
    /// One path or an array of them.
    path: OneOrMany<HostPath>,
}

impl State for FileAbsent {
    const NAME: &'static str = "file::absent";
    const POSITIONAL: &'static [&'static str] = &["path"];
    /// What is there: its path, and the word for it.
    type Found = Vec<(PathBuf, &'static str)>;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let mut found: Self::Found = Vec::new();
        for path in &self.path.0 {
            if path.parent().is_none() {
                return Err(Failure::argument("path", "the root directory can't be removed"));
            }
            let covered = found.iter().any(|(other, _)| path.starts_with(other));
            if let Some(stat) = look_at(context.host, path)?.filter(|_| !covered) {
                found.push((path.to_path_buf(), stat.kind.word()));
            }
        }
        Ok(found)
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        Ok(found.iter().map(|(path, what)| Change::Remove { path: path.clone(), what }.into()).collect())
    }
}
