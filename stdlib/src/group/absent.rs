//! `group::absent`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::accounts::Accounts;
use crate::accounts::edit::Editor;
use crate::accounts::name::AccountName;

/// Removes a group.
///
/// Files that belong to it keep its number. A group that is a user's primary group is not removed: that is a failure.
///
/// ```rhai
/// group::absent("games");
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Absent {
    /// Its name.
    name: AccountName,
}

impl State for Absent {
    const NAME: &'static str = "group::absent";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Accounts;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Accounts, Failure> {
        Accounts::look(context.host)
    }

    fn plan(&self, found: &Accounts) -> Result<Plan, Failure> {
        if let Ok(group) = found.group_named("name", &self.name) {
            let user = found.users().find(|user| user.gid.is_some() && user.gid == group.gid);
            let shared = found.groups().any(|other| other.name != group.name && other.gid == group.gid);
            if let Some(user) = user.filter(|_| !shared) {
                let message = format!("`{}` is the primary group of the user `{}`", self.name, user.name);
                return Err(Failure::state(message).advise("remove the user first, or give it another group"));
            }
        }
        let mut editor = Editor::new(found);
        editor.accounts.remove_group(&self.name);
        Ok(editor.step(&format!("remove group {}", self.name)).into_iter().collect())
    }
}
