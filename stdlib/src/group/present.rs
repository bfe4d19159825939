//! `group::present`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::accounts::defaults::Defaults;
use crate::accounts::edit::Editor;
use crate::accounts::name::AccountName;
use crate::accounts::table::{self, Group};
use crate::accounts::{Accounts, id};
use crate::one_or_many::OneOrMany;

/// Keeps a group.
///
/// What is not given stays as it is. The number of a new group is the next free one, as `/etc/login.defs` has it. Only the host's own
/// files count: a group that a directory service knows is not seen. The outcome has `gid` and `members`.
///
/// ```rhai
/// group::present("deploy");
/// group::present("docker", #{ system: true, members: ["ada", "grace"] });
/// group::present("media", #{ gid: 2000 });
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Present {
    /// Its name.
    name: AccountName,
    /// Its number. Where the group has another one, users who have it as their primary group move along; the files that belong
    /// to it do not.
    #[serde(default)]
    gid: Option<u32>,
    /// Whether a new group's number is one of those for the system.
    #[serde(default)]
    system: bool,
    /// The users that have it as a further group: these and no others.
    #[serde(default)]
    members: Option<OneOrMany<AccountName>>,
    /// Members that are not given stay.
    #[serde(default)]
    append: bool,
    /// Another group may have the same number.
    #[serde(default)]
    non_unique: bool,
}

/// The host's accounts, and what new ones are like.
pub struct Found {
    accounts: Accounts,
    defaults: Defaults,
}

impl State for Present {
    const NAME: &'static str = "group::present";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        Ok(Found { accounts: Accounts::look(context.host)?, defaults: Defaults::look(context.host)? })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let mut editor = Editor::new(&found.accounts);
        let verb = match found.accounts.group.get(&self.name).map(Group::from) {
            None => {
                self.create(found, &mut editor)?;
                "create"
            }
            Some(group) => {
                self.renumber(&group, &mut editor)?;
                "change"
            }
        };
        self.set_members(&mut editor);
        Ok(editor.step(&format!("{verb} group {}", self.name)).into_iter().collect())
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        let Some(group) = found.accounts.group.get(&self.name).map(Group::from) else { return Map::new() };
        let fields = [("gid", json!(group.gid)), ("members", json!(group.members))];
        fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
    }
}

impl Present {
    fn create(&self, found: &Found, editor: &mut Editor) -> Result<(), Failure> {
        let gid = match self.gid {
            Some(gid) => self.checked(gid, &found.accounts)?,
            None => id::new_gid(&found.accounts, &found.defaults, self.system, None)?,
        };
        editor.accounts.add_group(&self.name, gid);
        editor.says(format!("gid {gid}"));
        Ok(())
    }

    fn renumber(&self, group: &Group, editor: &mut Editor) -> Result<(), Failure> {
        let Some(gid) = self.gid.filter(|gid| group.gid != Some(*gid)) else { return Ok(()) };
        self.checked(gid, &editor.accounts)?;
        let text = gid.to_string();
        editor.accounts.group.set(&self.name, table::NUMBER, &text);
        let users: Vec<_> =
            editor.accounts.users().filter(|user| user.gid.is_some() && user.gid == group.gid).collect();
        for user in users {
            editor.accounts.passwd.set(&user.name, table::PRIMARY, &text);
        }
        editor.says(match group.gid {
            Some(before) => format!("gid {gid} (was {before})"),
            None => format!("gid {gid}"),
        });
        Ok(())
    }

    /// The number, if the group may have it.
    fn checked(&self, gid: u32, accounts: &Accounts) -> Result<u32, Failure> {
        match accounts.group_numbered(gid).filter(|_| !self.non_unique) {
            Some(other) => {
                Err(Failure::argument("gid", format!("the gid {gid} is that of the group `{}`", other.name))
                    .advise("choose another one, or say `non_unique: true`"))
            }
            None => Ok(gid),
        }
    }

    fn set_members(&self, editor: &mut Editor) {
        let Some(wanted) = &self.members else { return };
        let group = editor.accounts.group.get(&self.name).map(Group::from);
        let before = group.map(|group| group.members).unwrap_or_default();
        let is_wanted = |name: &String| wanted.0.iter().any(|wanted| **wanted == **name);
        let mut after: Vec<String> =
            before.iter().filter(|name| self.append || is_wanted(name)).cloned().collect();
        for name in &wanted.0 {
            if !after.iter().any(|known| **known == **name) {
                after.push(name.to_string());
            }
        }
        if before == after {
            return;
        }
        editor.accounts.set_members(&self.name, &after);
        editor.says_difference("member", &before, &after);
    }
}
