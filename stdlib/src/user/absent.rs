//! `user::absent`.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use refrain_engine::system::{Kind, Stat};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::accounts::Accounts;
use crate::accounts::defaults::Defaults;
use crate::accounts::edit::Editor;
use crate::accounts::name::AccountName;
use crate::accounts::table::{ADMINISTRATORS, Passwd, list};

/// Removes a user's account.
///
/// It leaves all groups; the group of its own goes too, where nobody else is in it. Programs that the user runs go on, files keep
/// the number. `/etc/subuid` and mail spools are left alone.
///
/// ```rhai
/// user::absent("games");
/// user::absent("mallory", #{ remove: true });
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Absent {
    /// The login name.
    name: AccountName,
    /// Whether the home goes too, with all that is in it. It has to be a directory that the user owns, and nobody else's home may
    /// be in it.
    #[serde(default)]
    remove: bool,
}

/// The host's accounts, what they are like, and what the user's home is.
pub struct Found {
    accounts: Accounts,
    defaults: Defaults,
    home: Option<Stat>,
}

impl State for Absent {
    const NAME: &'static str = "user::absent";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let accounts = Accounts::look(context.host)?;
        let home = match accounts.user(&self.name).filter(|user| self.remove && user.home.starts_with('/')) {
            Some(user) => context.host.lstat(user.home.as_ref())?,
            None => None,
        };
        Ok(Found { accounts, defaults: Defaults::look(context.host)?, home })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let mut plan = Plan::new();
        let user = found.accounts.user(&self.name);
        // The home goes first: once the account is gone, nobody knows where it was.
        if let (Some(user), Some(stat)) = (&user, &found.home) {
            plan.push(self.remove_home(user, stat, &found.accounts)?.into());
        }
        let mut editor = Editor::new(&found.accounts);
        self.remove_account(user.as_ref(), &found.defaults, &mut editor);
        plan.extend(editor.step(&format!("remove user {}", self.name)));
        Ok(plan)
    }
}

impl Absent {
    fn remove_account(&self, user: Option<&Passwd>, defaults: &Defaults, editor: &mut Editor<'_>) {
        let accounts = &mut editor.accounts;
        accounts.passwd.remove(&self.name);
        if let Some(shadow) = &mut accounts.shadow {
            shadow.remove(&self.name);
        }
        let groups = accounts.groups_of(&self.name);
        for group in &groups {
            accounts.set_member(group, &self.name, false);
        }
        leave_gshadow(accounts, &self.name);
        let own = accounts.group_named("name", &self.name).ok().filter(|own| {
            let is_primary = |user: &Passwd| user.gid.is_some() && user.gid == own.gid;
            defaults.private_groups
                && user.is_some_and(is_primary)
                && own.members.is_empty()
                && !accounts.users().any(|user| is_primary(&user))
        });
        if let Some(own) = own {
            accounts.remove_group(&own.name);
            editor.says(format!("-group {}", own.name));
        }
        editor.says_difference("group", &groups, &[]);
    }

    fn remove_home(&self, user: &Passwd, stat: &Stat, accounts: &Accounts) -> Result<Change, Failure> {
        let path = PathBuf::from(&user.home);
        let refuse = |why: String| {
            Err(Failure::state(format!("the home `{}` is not removed: {why}", user.home))
                .advise("leave `remove` out, and remove by hand what is to go"))
        };
        let other = accounts.users().find(|other| other.name != user.name && is_in(&other.home, &path));
        match (stat.kind, other) {
            (_, Some(other)) => refuse(format!("the home of `{}` is in it", other.name)),
            (Kind::Directory, None) if Some(stat.attributes.uid) == user.uid => {
                Ok(Change::Remove { path, what: "directory" })
            }
            (Kind::Directory, None) => refuse(format!("it belongs to uid {}", stat.attributes.uid)),
            (kind, None) => refuse(format!("it is a {}", kind.word())),
        }
    }
}

fn is_in(home: &str, directory: &Path) -> bool {
    Path::new(home).starts_with(directory)
}

/// Takes a user out of the members and administrators in gshadow that group does not tell of.
fn leave_gshadow(accounts: &mut Accounts, name: &str) {
    let Some(gshadow) = &mut accounts.gshadow else { return };
    let groups: Vec<Vec<String>> = gshadow.entries().collect();
    for group in groups {
        for field in [ADMINISTRATORS, crate::accounts::table::MEMBERS] {
            let mut names = list(group.get(field).map_or("", String::as_str));
            if names.iter().any(|known| known == name) {
                names.retain(|known| known != name);
                gshadow.set(&group[0], field, &names.join(","));
            }
        }
    }
}
