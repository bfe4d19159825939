//! Owner, group and mode: the options of every function that puts files in place.

use refrain_engine::accounts;
use refrain_engine::diagnostic::near_match;
use refrain_engine::failure::Failure;
use refrain_engine::system::{Attributes, Kind, Stat, View};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use crate::mode::{Mode, ModeError};

/// The mode of a new file when none is given.
const NEW_FILE: u32 = 0o644;
/// The mode of a new file that holds a secret when none is given.
const NEW_SECRET: u32 = 0o600;
/// The mode of a new directory when none is given.
const NEW_DIRECTORY: u32 = 0o755;

/// The arguments `owner`, `group` and `mode`. A module takes them in with `#[serde(flatten)]`.
///
/// They are checked by [`AttributeOptions::resolve`], which can point at the argument and give a hint; serde could not.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct AttributeOptions {
    /// The owner: a user's name or number. When absent, what exists keeps its owner, and what is new belongs to the user
    /// that the agent runs as.
    #[serde(default)]
    #[schemars(schema_with = "string_or_integer")]
    owner: Value,
    /// The group: its name or number. When absent, what exists keeps its group, and what is new gets the group of a
    /// set-group-ID directory that it is in, else the group that the agent runs as.
    #[serde(default)]
    #[schemars(schema_with = "string_or_integer")]
    group: Value,
    /// The permissions: `"0644"`, `0o644`, or symbolic as in chmod(1), `"u=rwX,g=rX,o="`. When absent, what exists keeps
    /// its mode; a new file gets 0644, or 0600 if a secret is in it, and a new directory 0755, whatever the umask. A symbolic
    /// mode changes those.
    #[serde(default)]
    #[schemars(schema_with = "string_or_integer")]
    mode: Value,
}

/// The schema of an argument that is a name or number, or a mode.
pub fn string_or_integer(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"] })
}

impl AttributeOptions {
    /// Options of a function that names or explains them in its own way. What is absent is null.
    pub fn new(owner: Value, group: Value, mode: Value) -> Self {
        Self { owner, group, mode }
    }

    /// Looks up the names among the host's accounts, in check mode also among those that were predicted.
    ///
    /// # Errors
    /// [`Failure::Argument`]: there is no such user or group, or the mode is none.
    pub fn resolve(&self, host: &dyn View) -> Result<AttributeRules, Failure> {
        let (uid, gid) = host.identity();
        Ok(AttributeRules {
            owner: number("owner", &self.owner, |name| user(host, name))?,
            group: number("group", &self.group, |name| group(host, name))?,
            mode: mode(&self.mode)?,
            identity: (uid, gid),
        })
    }

    /// The same owner and group with another mode.
    #[must_use]
    pub fn with_mode(&self, mode: &Value) -> Self {
        Self { mode: mode.clone(), ..self.clone() }
    }

    /// Whether none of them is given.
    pub fn is_empty(&self) -> bool {
        self.owner.is_null() && self.group.is_null() && self.mode.is_null()
    }
}

/// What is asked of owner, group and mode, in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeRules {
    owner: Option<u32>,
    group: Option<u32>,
    mode: Option<Mode>,
    /// The user and group that new things belong to.
    identity: (u32, u32),
}

impl AttributeRules {
    /// Nothing in particular: what is new belongs to `identity`.
    pub fn new(identity: (u32, u32)) -> Self {
        Self { owner: None, group: None, mode: None, identity }
    }

    /// What something that exists shall have. A link has no mode of its own to change.
    pub fn of_existing(&self, stat: &Stat) -> Attributes {
        let now = stat.attributes;
        let mode = match &self.mode {
            Some(mode) if stat.kind != Kind::Link => mode.apply(now.mode, stat.kind == Kind::Directory),
            _ => now.mode,
        };
        Attributes { mode, uid: self.owner.unwrap_or(now.uid), gid: self.group.unwrap_or(now.gid) }
    }

    /// What a new file in the directory `parent` shall have.
    pub fn of_new_file(&self, parent: Attributes) -> Attributes {
        self.of_new(NEW_FILE, false, parent)
    }

    /// The same of a file with a secret in it.
    pub fn of_new_secret(&self, parent: Attributes) -> Attributes {
        self.of_new(NEW_SECRET, false, parent)
    }

    /// What a new copy of a file that has the mode `source` shall have: without a mode that is asked for, the same but for
    /// set-ID bits and what others may write.
    pub fn of_new_copy(&self, source: u32, parent: Attributes) -> Attributes {
        self.of_new(source & 0o755, false, parent)
    }

    /// What a new directory in the directory `parent` shall have.
    pub fn of_new_directory(&self, parent: Attributes) -> Attributes {
        self.of_new(NEW_DIRECTORY | parent.mode & 0o2000, true, parent)
    }

    /// What something new in the directory `parent` shall have whose mode is `default` unless one is asked for.
    pub fn of_new(&self, default: u32, is_directory: bool, parent: Attributes) -> Attributes {
        let (uid, gid) = self.identity;
        let gid = if parent.mode & 0o2000 == 0 { gid } else { parent.gid };
        Attributes {
            mode: self.mode.as_ref().map_or(default, |mode| mode.apply(default, is_directory)),
            uid: self.owner.unwrap_or(uid),
            gid: self.group.unwrap_or(gid),
        }
    }
}

/// The number that an argument stands for: itself, digits, or what `look_up` knows of a name.
fn number(
    argument: &str,
    value: &Value,
    look_up: impl Fn(&str) -> Result<u32, Failure>,
) -> Result<Option<u32>, Failure> {
    let out_of_range = |value: &dyn std::fmt::Display| {
        Failure::argument(argument, format!("`{argument}` is no number of an account: {value}"))
    };
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => {
            // The highest number means "leave it" to the kernel.
            let id = number.as_u64().and_then(|id| u32::try_from(id).ok()).filter(|id| *id != u32::MAX);
            id.map(Some).ok_or_else(|| out_of_range(number))
        }
        Value::String(text) if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) => {
            let id = text.parse().ok().filter(|id| *id != u32::MAX);
            id.map(Some).ok_or_else(|| out_of_range(text))
        }
        Value::String(name) => look_up(name).map(Some),
        other => Err(ill_typed(argument, other)),
    }
}

fn ill_typed(argument: &str, value: &Value) -> Failure {
    Failure::argument(argument, format!("argument `{argument}` has to be string or integer, not {value}"))
}

fn user(host: &dyn View, name: &str) -> Result<u32, Failure> {
    let users = accounts::users(host)?;
    match users.iter().find(|user| user.name == name) {
        Some(user) => Ok(user.uid),
        None => Err(no_account("owner", "user", name, users.iter().map(|user| user.name.as_str()))),
    }
}

fn group(host: &dyn View, name: &str) -> Result<u32, Failure> {
    let groups = accounts::groups(host)?;
    match groups.iter().find(|group| group.name == name) {
        Some(group) => Ok(group.gid),
        None => Err(no_account("group", "group", name, groups.iter().map(|group| group.name.as_str()))),
    }
}

fn no_account<'a>(argument: &str, what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let hint = match near_match(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("make the {what} first; one that only a directory service knows needs its number"),
    };
    Failure::argument(argument, format!("the host has no {what} `{name}`")).advise(hint)
}

fn mode(value: &Value) -> Result<Option<Mode>, Failure> {
    let parsed = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => Mode::from_integer(number.as_i64().ok_or_else(|| ill_typed("mode", value))?),
        Value::String(text) => text.parse(),
        other => return Err(ill_typed("mode", other)),
    };
    parsed.map(Some).map_err(|error: ModeError| {
        let hint = error.hint();
        Failure::argument("mode", error.to_string()).advise(hint)
    })
}

#[cfg(test)]
mod tests {
    use refrain_engine::system::Time;
    use refrain_engine::system::sandbox::{NoPrograms, Sandbox};
    use serde_json::json;

    use super::*;

    const ROOT: Attributes = Attributes { mode: 0o755, uid: 0, gid: 0 };

    fn resolve(options: Value) -> Result<AttributeRules, Failure> {
        let directory = tempfile::tempdir().unwrap();
        let host = Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap();
        serde_json::from_value::<AttributeOptions>(options).unwrap().resolve(&host)
    }

    #[test]
    fn defaults_leave_what_exists_alone() {
        let rules = resolve(json!({})).unwrap();
        let attributes = Attributes { mode: 0o4711, uid: 7, gid: 8 };
        let stat = Stat { kind: Kind::File, attributes, size: 0, modified: Time::default() };
        assert_eq!(rules.of_existing(&stat), attributes);
        assert_eq!(rules.of_new_file(ROOT), Attributes { mode: 0o644, uid: 0, gid: 0 });
        assert_eq!(rules.of_new_directory(ROOT), Attributes { mode: 0o755, uid: 0, gid: 0 });
    }

    #[test]
    fn a_set_group_id_directory_hands_its_group_on() {
        let rules = resolve(json!({ "owner": 5 })).unwrap();
        let parent = Attributes { mode: 0o2775, uid: 1, gid: 9 };
        assert_eq!(rules.of_new_file(parent), Attributes { mode: 0o644, uid: 5, gid: 9 });
        assert_eq!(rules.of_new_directory(parent), Attributes { mode: 0o2755, uid: 5, gid: 9 });
    }

    #[test]
    fn accounts_have_names_and_numbers() {
        let rules = resolve(json!({ "owner": "root", "group": "12", "mode": "u=rwX,g=rX,o=" })).unwrap();
        assert_eq!(rules.of_new_file(ROOT), Attributes { mode: 0o640, uid: 0, gid: 12 });
        assert_eq!(rules.of_new_directory(ROOT).mode, 0o750);
    }

    #[test]
    fn what_makes_no_sense_is_an_error_with_a_hint() {
        let cases = [
            (json!({ "owner": "rot" }), "the host has no user `rot`", "did you mean `root`?"),
            (
                json!({ "mode": 644 }),
                "the number 644 is the mode 1204",
                "for the mode 0644, write \"0644\" or 0o644",
            ),
            (
                json!({ "group": "nobody" }),
                "the host has no group `nobody`",
                "make the group first; one that only a directory service knows needs its number",
            ),
        ];
        for (options, message, hint) in cases {
            let failure = resolve(options).unwrap_err();
            assert_eq!((failure.to_string().as_str(), failure.hint().as_deref()), (message, Some(hint)));
        }
        assert!(resolve(json!({ "owner": -1 })).is_err());
        assert!(resolve(json!({ "owner": 4_294_967_295_u32 })).is_err());
        assert!(resolve(json!({ "mode": true })).is_err());
    }
}
