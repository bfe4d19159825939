//! `user::present`: what it takes and finds. What it does with that is in [`super::change`].

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::ageing::Ageing;
use super::change;
use super::date::{Expiry, today};
use super::home::Home;
use super::password::PasswordHash;
use crate::accounts::Accounts;
use crate::accounts::defaults::Defaults;
use crate::accounts::name::AccountName;
use crate::accounts::table::Passwd;
use crate::host_path::HostPath;
use crate::one_or_many::OneOrMany;

/// Keeps a user's account.
///
/// What is not given stays as it is; a new account gets what `/etc/login.defs` and `/etc/default/useradd` say: the next free
/// number, a group of its own name (one that is there already is taken), a home with what `/etc/skel` holds. Only the host's
/// own files count: a user that a directory service knows is not seen. `/etc/subuid` and mail spools are left alone. The outcome
/// has `uid`, `gid`, `home`, `shell`, `comment` and `groups`.
///
/// ```rhai
/// user::present("ada", #{ groups: ["wheel"], append: true, shell: "/bin/sh" });
/// user::present("nomad", #{ system: true, home: "/var/lib/nomad", shell: "/sbin/nologin" });
/// user::present("grace", #{ password: "*", expires: "2027-01-31", comment: "Grace Hopper" });
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Present {
    /// The login name.
    pub(super) name: AccountName,
    /// The number. Where the user has another one, what the user owns in the home gets the new one too; other files don't.
    #[serde(default)]
    pub(super) uid: Option<u32>,
    /// The primary group, by name or number. Where the user has another one, what the user owns in the home moves along.
    #[serde(default)]
    #[schemars(schema_with = "string_or_integer")]
    pub(super) group: Option<GroupId>,
    /// The further groups: these and no others; none with `[]`.
    #[serde(default)]
    pub(super) groups: Option<OneOrMany<AccountName>>,
    /// Groups that are not given stay.
    #[serde(default)]
    pub(super) append: bool,
    /// The comment: mostly the whole name.
    #[serde(default)]
    pub(super) comment: Option<PlainField>,
    /// The home directory. Where the user has another one, that stays where it is, and nothing in it is moved.
    #[serde(default)]
    pub(super) home: Option<HostPath>,
    /// Whether a home that is missing is made. When absent: those of ordinary users are, those of the system's are not.
    #[serde(default)]
    pub(super) create_home: Option<bool>,
    /// The directory whose content a new home gets. That of `/etc/default/useradd` when absent, mostly `/etc/skel`.
    #[serde(default)]
    pub(super) skeleton: Option<HostPath>,
    /// The login shell.
    #[serde(default)]
    pub(super) shell: Option<HostPath>,
    /// The hash of the password, as `mkpasswd` makes it; `"*"` for none. A new account without one can't log in by password.
    #[serde(default)]
    pub(super) password: Option<PasswordHash>,
    /// Whether the password is kept, or only given to a new account, so that the user can change it.
    #[serde(default)]
    pub(super) update_password: UpdatePassword,
    /// Whether no password fits. A locked account stays locked with a new `password` unless this is `false`.
    #[serde(default)]
    pub(super) lock: Option<bool>,
    /// The day on which the account expires, `"2027-01-31"`, or `"never"`.
    #[serde(default)]
    pub(super) expires: Option<Expiry>,
    /// Days before the password may be changed again. None with a number less than 0; so with the other numbers of days.
    #[serde(default)]
    pub(super) password_min_days: Option<i64>,
    /// Days after which the password has to be changed.
    #[serde(default)]
    pub(super) password_max_days: Option<i64>,
    /// Days of warning before that.
    #[serde(default)]
    pub(super) password_warn_days: Option<i64>,
    /// Days after that until the account is closed.
    #[serde(default)]
    pub(super) password_inactive_days: Option<i64>,
    /// Whether a new account belongs to the system: a number of those, no ageing, no home.
    #[serde(default)]
    pub(super) system: bool,
    /// Another user may have the same number.
    #[serde(default)]
    pub(super) non_unique: bool,
}

fn string_or_integer(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"] })
}

/// A group by name or number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupId {
    /// Its number.
    Number(u32),
    /// Its name, or its number in digits.
    Name(String),
}

impl<'de> Deserialize<'de> for GroupId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok()).map(Self::Number);
        let name = || value.as_str().map(|name| Self::Name(name.to_owned()));
        number.or_else(name).ok_or_else(|| D::Error::custom(format!("{value} is neither a name nor a gid")))
    }
}

/// When a password is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdatePassword {
    /// Whenever it is another one.
    #[default]
    Always,
    /// Only when the account is made.
    OnCreate,
}

/// A text that can stand in a field of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct PlainField(pub String);

impl TryFrom<String> for PlainField {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.chars().find(|letter| *letter == ':' || letter.is_control()) {
            Some(odd) => Err(format!("{odd:?} can't be in it")),
            None => Ok(Self(text)),
        }
    }
}

/// The host's accounts, what new ones are like, and the user's homes.
#[derive(Clone, Debug)]
pub struct Found {
    /// The accounts.
    pub accounts: Accounts,
    /// What new ones are like.
    pub defaults: Defaults,
    /// The home that the user shall have.
    pub home: Home,
    /// The numbers of who owns the home that the user has. Absent when there is none.
    pub home_owner: Option<u32>,
    /// The day that it is.
    pub today: i64,
}

impl State for Present {
    const NAME: &'static str = "user::present";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let accounts = Accounts::look(context.host)?;
        let defaults = Defaults::look(context.host)?;
        let user = accounts.user(&self.name);
        let home_owner =
            match user.as_ref().map(|user| user.home.as_str()).filter(|home| home.starts_with('/')) {
                Some(home) => context.host.lstat(home.as_ref())?.map(|stat| stat.attributes.uid),
                None => None,
            };
        let skeleton = self.skeleton.as_deref().unwrap_or(&defaults.skeleton);
        let home = Home::look(context.host, &self.home(user.as_ref(), &defaults), skeleton)?;
        Ok(Found { accounts, defaults, home, home_owner, today: today() })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        change::plan(self, found)
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        let Some(user) = found.accounts.user(&self.name) else { return Map::new() };
        let fields = [
            ("uid", json!(user.uid)),
            ("gid", json!(user.gid)),
            ("home", json!(user.home)),
            ("shell", json!(user.shell)),
            ("comment", json!(user.comment)),
            ("groups", json!(found.accounts.groups_of(&self.name))),
        ];
        fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
    }
}

impl Present {
    /// The home that the user shall have.
    pub(super) fn home(&self, user: Option<&Passwd>, defaults: &Defaults) -> PathBuf {
        match (&self.home, user) {
            (Some(home), _) => home.to_path_buf(),
            (None, Some(user)) => PathBuf::from(&user.home),
            (None, None) => defaults.homes.join(&*self.name),
        }
    }

    /// How long password and account shall hold.
    pub(super) fn ageing(&self) -> Ageing<'_> {
        Ageing {
            least: self.password_min_days,
            most: self.password_max_days,
            warning: self.password_warn_days,
            inactive: self.password_inactive_days,
            expires: self.expires.as_ref(),
        }
    }
}
