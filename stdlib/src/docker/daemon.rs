//! `docker::daemon`.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::system::{Content, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value};

use crate::attributes::AttributeOptions;
use crate::configuration_file::ConfigurationFile;
use crate::host_path::HostPath;
use crate::validated_file::{CANDIDATE, Validator};

/// Where the daemon looks for its configuration.
const PATH: &str = "/etc/docker/daemon.json";

/// Keeps the configuration of the Docker daemon.
///
/// ```rhai
/// docker::daemon(#{ settings: #{ "insecure-registries": ["registry.example.net:5000"] } });
/// docker::daemon(#{ settings: #{ "log-driver": "local", "log-opts": #{ "max-size": "10m" } }, merge: true });
/// ```
///
/// The file is written as Ansible's `to_nice_json` writes JSON, with four blanks for each level and a newline at its end; keys are
/// in the order of the alphabet. Its directory is made where it is missing, with the mode 0755. Where the host has `dockerd`, that
/// is asked by `--validate` whether it accepts the file, before it is put in place. The daemon is not told: notify a handler that
/// restarts it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Daemon {
    /// The settings, as dockerd(8) describes them.
    settings: Map<String, Value>,
    /// Whether other settings that are in the file stay; one that is named gets the value that is given, as a whole. Default
    /// false: the file holds these settings and no others.
    #[serde(default)]
    merge: bool,
    /// The file. `/etc/docker/daemon.json` when absent.
    #[serde(default)]
    path: Option<HostPath>,
}

impl State for Daemon {
    const NAME: &'static str = "docker::daemon";
    const POSITIONAL: &'static [&'static str] = &[];
    type Found = ConfigurationFile;

    fn subject(&self) -> String {
        self.path().display().to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<ConfigurationFile, Failure> {
        let settings = if self.merge { self.merged(context.host)? } else { self.settings.clone() };
        let text = pretty(&settings)?;
        let validator = Validator::new(["dockerd", "--validate", "--config-file", CANDIDATE]);
        let options = AttributeOptions::default();
        ConfigurationFile::look(context, self.path(), &options, text, |candidate| {
            validator.judge(context, self.path(), candidate)
        })
    }

    fn plan(&self, found: &ConfigurationFile) -> Result<Plan, Failure> {
        Ok(found.plan())
    }
}

impl Daemon {
    fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(PATH))
    }

    /// The settings that are in the file, with ours.
    fn merged(&self, host: &dyn View) -> Result<Map<String, Value>, Failure> {
        let path = self.path().display();
        let mut settings = match host.read(self.path())? {
            None => Map::new(),
            Some(Content::Unknown) => {
                let message =
                    format!("nothing can be merged into `{path}`: what is in it is known only in a real run");
                return Err(Failure::state(message));
            }
            Some(Content::Known(text)) if text.trim_ascii().is_empty() => Map::new(),
            Some(Content::Known(text)) => serde_json::from_slice(&text).map_err(|error| {
                Failure::state(format!("`{path}` holds no settings: {error}"))
                    .advise("without `merge`, the file is replaced as a whole")
            })?,
        };
        settings.extend(self.settings.clone());
        settings.sort_keys();
        Ok(settings)
    }
}

fn pretty(settings: &Map<String, Value>) -> Result<String, Failure> {
    let mut text = Vec::new();
    let mut writer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    "));
    let written =
        settings.serialize(&mut writer).map_err(|error| Failure::argument("settings", error.to_string()));
    written.map(|()| String::from_utf8_lossy(&text).into_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use refrain_engine::module::NoMaterials;
    use refrain_engine::system::sandbox::{NoPrograms, Sandbox};
    use refrain_engine::system::{Attributes, System};
    use serde_json::json;

    use super::*;

    fn planned(arguments: Value, before: Option<&str>) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        let host = Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap();
        if let Some(before) = before {
            let attributes = |mode| Attributes { mode, uid: 0, gid: 0 };
            host.make_directory("/etc/docker".as_ref(), attributes(0o755)).unwrap();
            host.write(PATH.as_ref(), before.as_bytes(), attributes(0o644)).unwrap();
        }
        let daemon: Daemon = serde_json::from_value(arguments).unwrap();
        let context = Context { host: &host, materials: &NoMaterials };
        let found = daemon.look(&context).map_err(|failure| failure.to_string())?;
        let plan = found.plan();
        Ok(plan.iter().flat_map(|step| [step.describe(), step.diff().unwrap_or_default()]).collect())
    }

    #[test]
    fn the_file_is_written_as_ansible_does() {
        let settings =
            json!({ "insecure-registries": ["a:5000"], "labels": [], "log-opts": { "max-file": 3 } });
        let nice = "{\n    \"insecure-registries\": [\n        \"a:5000\"\n    ],\n    \"labels\": [],\n    \
            \"log-opts\": {\n        \"max-file\": 3\n    }\n}\n";
        assert_eq!(pretty(settings.as_object().unwrap()).unwrap(), nice);
        let steps = planned(json!({ "settings": settings }), None).unwrap();
        assert_eq!(steps[0], "make directory /etc/docker (mode 0755)");
        assert_eq!(steps[2], "create /etc/docker/daemon.json (mode 0644)");
        assert!(planned(json!({ "settings": settings }), Some(nice)).unwrap().is_empty());
    }

    #[test]
    fn other_settings_stay_when_asked_for() {
        let before = "{\n    \"b\": {\n        \"x\": 1\n    },\n    \"c\": 2\n}\n";
        let arguments = |merge| json!({ "settings": { "a": 1, "b": {} }, "merge": merge });
        let diff = planned(arguments(true), Some(before)).unwrap().remove(1);
        assert!(
            diff.contains("+    \"a\": 1,")
                && diff.contains(" \"c\": 2")
                && diff.contains("-        \"x\": 1"),
            "{diff}"
        );
        assert!(planned(arguments(false), Some(before)).unwrap()[1].contains("-    \"c\": 2"));
        let failure = planned(arguments(true), Some("[]")).unwrap_err();
        assert!(failure.starts_with("`/etc/docker/daemon.json` holds no settings: "), "{failure}");
        assert!(planned(arguments(true), Some("\n")).is_ok());
    }
}
