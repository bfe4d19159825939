//! `ssh::client`.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::system::Content;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::settings;
use crate::attributes::AttributeOptions;
use crate::configuration_file::ConfigurationFile;
use crate::one_or_many::OneOrMany;
use crate::validated_file::{CANDIDATE, Validator};

/// The configuration of ssh, for all users.
const MAIN: &str = "/etc/ssh/ssh_config";
/// What it may include.
const DIRECTORY: &str = "/etc/ssh/ssh_config.d";

/// Keeps settings of ssh for all users of the host: a file in `/etc/ssh/ssh_config.d`.
///
/// ```rhai
/// ssh::client("10-backup", #{ hosts: "backup.example.net", settings: #{ Port: 2222, StrictHostKeyChecking: true } });
/// ```
///
/// `/etc/ssh/ssh_config` has to include that directory, as it does in most distributions. Where the host has `ssh`, that has to
/// accept the settings before they are put in place.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The name of the file, without `.conf`. Files are read in the order of their names, and the first value counts.
    name: String,
    /// The hosts that the settings are for: patterns. All when absent.
    #[serde(default)]
    hosts: Option<OneOrMany<String>>,
    /// The settings, by the keywords of ssh_config(5): booleans, numbers, texts, or an array for several lines.
    settings: Map<String, Value>,
}

impl State for Client {
    const NAME: &'static str = "ssh::client";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = ConfigurationFile;

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn look(&self, context: &Context<'_>) -> Result<ConfigurationFile, Failure> {
        let path = self.path()?;
        context.host.look_ahead(&[Path::new(MAIN), &path]);
        if let Some(Content::Known(main)) = context.host.read(Path::new(MAIN))? {
            let main = String::from_utf8_lossy(&main);
            if !settings::includes(&main, DIRECTORY).0 {
                return Err(Failure::state(format!(
                    "ssh does not read `{DIRECTORY}`: `{MAIN}` does not include it"
                ))
                .advise(format!(
                    "file::line({MAIN:?}, \"Include {DIRECTORY}/*.conf\", #{{ insert_before: \"BOF\" }})"
                )));
            }
        }
        // It says what it would do for a host that nobody has, and asks nobody about that.
        let validator = Validator::new(["ssh", "-G", "-F", CANDIDATE, "refrain.invalid"]);
        let options = AttributeOptions::default();
        ConfigurationFile::look(context, &path, &options, self.text()?, |candidate| {
            validator.judge(context, &path, candidate)
        })
    }

    fn plan(&self, found: &ConfigurationFile) -> Result<Plan, Failure> {
        Ok(found.plan())
    }
}

impl Client {
    fn path(&self) -> Result<PathBuf, Failure> {
        let name = &self.name;
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0', '\n']) {
            return Err(Failure::argument(
                "name",
                format!("`{name}` is no name of a file that ssh would read"),
            ));
        }
        Ok(Path::new(DIRECTORY).join(format!("{name}.conf")))
    }

    fn text(&self) -> Result<String, Failure> {
        let all = OneOrMany(vec!["*".to_owned()]);
        let hosts = self.hosts.as_ref().unwrap_or(&all).0.join(" ");
        if hosts.trim().is_empty() || hosts.contains(['\n', '\r']) {
            return Err(Failure::argument("hosts", "the settings are for no host"));
        }
        let settings = settings::of_map("settings", &self.settings)?;
        if settings.is_empty() {
            return Err(Failure::argument("settings", "no setting is given"));
        }
        Ok(format!("Host {hosts}\n{}", settings::lines(&settings, "    ")))
    }
}
