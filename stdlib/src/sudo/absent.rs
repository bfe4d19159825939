//! `sudo::absent`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use refrain_engine::system::Kind;
use schemars::JsonSchema;
use serde::Deserialize;

use super::rule_file::RuleName;
use crate::links::look_at;

/// Removes rules: a file in `/etc/sudoers.d`.
///
/// ```rhai
/// sudo::absent("old-admins");
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SudoAbsent {
    /// The name of the file.
    name: RuleName,
}

impl State for SudoAbsent {
    const NAME: &'static str = "sudo::absent";
    const POSITIONAL: &'static [&'static str] = &["name"];
    /// What is there.
    type Found = Option<Kind>;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Option<Kind>, Failure> {
        Ok(look_at(context.host, &self.name.path())?.map(|stat| stat.kind))
    }

    fn plan(&self, found: &Option<Kind>) -> Result<Plan, Failure> {
        let path = self.name.path();
        match found {
            None => Ok(Plan::new()),
            Some(Kind::Directory) => {
                Err(Failure::state(format!("`{}` is a directory, not a file of rules", path.display())))
            }
            Some(kind) => Ok(vec![Change::Remove { path, what: kind.word() }.into()]),
        }
    }
}
