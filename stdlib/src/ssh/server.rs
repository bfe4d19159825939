//! `ssh::server`.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::system::Content;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::server_edit;
use super::server_judge::judge_server;
use super::settings::{self, Setting};
use crate::attributes::AttributeOptions;
use crate::configuration_file::ConfigurationFile;
use crate::document::{Document, LineEndings};
use crate::whole_file::WholeFile;

/// The configuration of sshd.
const MAIN: &str = "/etc/ssh/sshd_config";
/// What it may include.
const DIRECTORY: &str = "/etc/ssh/sshd_config.d";
/// sshd takes the first value that it finds, so these shall be found early.
const NAME: &str = "10-refrain";

/// Keeps settings of sshd.
///
/// Where `/etc/ssh/sshd_config` includes `/etc/ssh/sshd_config.d/*.conf`, they are a file there. Else they are made right in the main
/// file: where a setting stands already, or in front of the first `Match`; all else there stays as it is. sshd takes the first value
/// that it finds: a setting that stands in the main file in front of the `Include` is an error, since the file would say nothing.
///
/// ```rhai
/// ssh::server(#{ permit_root_login: false, password_authentication: false, allow_groups: "wheel" });
/// ssh::server(#{ settings: #{ MaxStartups: "10:30:60", AcceptEnv: ["LANG", "LC_*"] }, name: "20-limits" });
/// ```
///
/// Where the host has `sshd`, that is asked by `-t` whether it accepts the settings, before they are put in place. sshd is not told:
/// notify a handler that restarts it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The ports to listen at.
    #[serde(default)]
    #[schemars(schema_with = "ports")]
    port: Value,
    /// The addresses to listen at.
    #[serde(default)]
    #[schemars(schema_with = "words")]
    listen_address: Value,
    /// Whether root may log in: a boolean, `"prohibit-password"` or `"forced-commands-only"`.
    #[serde(default)]
    #[schemars(schema_with = "bool_or_word")]
    permit_root_login: Value,
    /// Whether a password is enough to log in.
    #[serde(default)]
    password_authentication: Option<bool>,
    /// Whether a key is.
    #[serde(default)]
    pubkey_authentication: Option<bool>,
    /// Whether PAM may ask its own questions, a password among them.
    #[serde(default)]
    kbd_interactive_authentication: Option<bool>,
    /// Users who may log in, and no others: patterns.
    #[serde(default)]
    #[schemars(schema_with = "words")]
    allow_users: Value,
    /// Groups whose members may log in, and no others: patterns.
    #[serde(default)]
    #[schemars(schema_with = "words")]
    allow_groups: Value,
    /// How often somebody may try to log in on one connection.
    #[serde(default)]
    max_auth_tries: Option<u32>,
    /// After so many seconds of silence the client is asked whether it is there.
    #[serde(default)]
    client_alive_interval: Option<u32>,
    /// Whether windows can be shown on the client.
    #[serde(default)]
    x11_forwarding: Option<bool>,
    /// Any other settings, by the keywords of sshd_config(5): booleans, numbers, texts, or an array for several lines.
    #[serde(default)]
    settings: Map<String, Value>,
    /// The name of the file in `/etc/ssh/sshd_config.d`, without `.conf`. `10-refrain` when absent: files are read in the order of
    /// their names, and the first value counts.
    #[serde(default)]
    name: Option<String>,
}

fn ports(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["integer", "array"], "items": { "type": "integer" } })
}

fn words(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "array"], "items": { "type": "string" } })
}

fn bool_or_word(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["boolean", "string"] })
}

/// The file that holds the settings.
pub enum Found {
    /// One of its own.
    DropIn(ConfigurationFile),
    /// The main file, and what it shall hold.
    Main(WholeFile, Content),
}

impl State for Server {
    const NAME: &'static str = "ssh::server";
    const POSITIONAL: &'static [&'static str] = &[];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.clone().unwrap_or_else(|| NAME.to_owned())
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let settings = self.all()?;
        let drop_in = self.drop_in()?;
        context.host.look_ahead(&[Path::new(MAIN), &drop_in]);
        let Some(content) = context.host.read(Path::new(MAIN))? else {
            return Err(
                Failure::state(format!("there is no `{MAIN}`")).advise("install OpenSSH's server first")
            );
        };
        let Content::Known(main) = content else {
            let file = WholeFile::look(context.host, Path::new(MAIN), &AttributeOptions::default())?;
            return Ok(Found::Main(file, Content::Unknown));
        };
        let document = Document::decode(&main, LineEndings::Unified);
        let (included, before) = settings::includes(&document.text, DIRECTORY);
        if included {
            refuse_overruled(&settings, &before)?;
            let text = settings::lines(&settings, "");
            let options = AttributeOptions::default();
            let judge = |candidate: &[u8]| judge_server(context, &drop_in, candidate);
            return ConfigurationFile::look(context, &drop_in, &options, text, judge).map(Found::DropIn);
        }
        let file = WholeFile::look(context.host, Path::new(MAIN), &AttributeOptions::default())?;
        let after = document.encode(&server_edit::with_settings(&document.text, &settings));
        if after != main {
            judge_server(context, Path::new(MAIN), &after)?;
        }
        Ok(Found::Main(file, Content::Known(after)))
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(match found {
            Found::DropIn(file) => file.plan(),
            Found::Main(file, after) => file.plan(after.clone(), true),
        })
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        let path = match found {
            Found::DropIn(_) => self.drop_in().map(|path| path.display().to_string()).unwrap_or_default(),
            Found::Main(..) => MAIN.to_owned(),
        };
        Map::from_iter([("path".to_owned(), path.into())])
    }
}

impl Server {
    fn drop_in(&self) -> Result<PathBuf, Failure> {
        let name = self.name.as_deref().unwrap_or(NAME);
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0', '\n']) {
            return Err(Failure::argument(
                "name",
                format!("`{name}` is no name of a file that sshd would read"),
            ));
        }
        Ok(Path::new(DIRECTORY).join(format!("{name}.conf")))
    }

    /// All settings, those with a name of their own first.
    fn all(&self) -> Result<Vec<Setting>, Failure> {
        let number = |number: Option<u32>| number.map_or(Value::Null, Value::from);
        let flag = |flag: Option<bool>| flag.map_or(Value::Null, Value::from);
        let named = [
            ("port", "Port", self.port.clone()),
            ("listen_address", "ListenAddress", self.listen_address.clone()),
            ("permit_root_login", "PermitRootLogin", self.permit_root_login.clone()),
            ("password_authentication", "PasswordAuthentication", flag(self.password_authentication)),
            ("pubkey_authentication", "PubkeyAuthentication", flag(self.pubkey_authentication)),
            (
                "kbd_interactive_authentication",
                "KbdInteractiveAuthentication",
                flag(self.kbd_interactive_authentication),
            ),
            ("allow_users", "AllowUsers", self.allow_users.clone()),
            ("allow_groups", "AllowGroups", self.allow_groups.clone()),
            ("max_auth_tries", "MaxAuthTries", number(self.max_auth_tries)),
            ("client_alive_interval", "ClientAliveInterval", number(self.client_alive_interval)),
            ("x11_forwarding", "X11Forwarding", flag(self.x11_forwarding)),
        ];
        let given = named.iter().filter(|(_, _, value)| !value.is_null());
        let mut all = given
            .map(|(argument, keyword, value)| settings::setting(argument, keyword, value))
            .collect::<Result<Vec<_>, _>>()?;
        all.extend(settings::of_map("settings", &self.settings)?);
        for (index, (keyword, _)) in all.iter().enumerate() {
            if all[..index].iter().any(|(other, _)| other.eq_ignore_ascii_case(keyword)) {
                return Err(Failure::argument("settings", format!("`{keyword}` is given twice")));
            }
        }
        if all.is_empty() {
            return Err(Failure::argument("settings", "no setting is given"));
        }
        Ok(all)
    }
}

/// Refuses settings that the main file overrules: the first value counts.
fn refuse_overruled(settings: &[Setting], before: &[(usize, String, &str)]) -> Result<(), Failure> {
    for (keyword, values) in settings {
        let overrules = |(_, other, value): &&(usize, String, &str)| {
            other.eq_ignore_ascii_case(keyword) && !values.iter().any(|wanted| wanted == value)
        };
        if let Some((number, _, value)) = before.iter().find(overrules) {
            let message = format!(
                "`{keyword} {value}` stands in line {number} of `{MAIN}`, in front of the files that it includes: that counts"
            );
            return Err(Failure::state(message).advise("remove that line first with file::line"));
        }
    }
    Ok(())
}
