//! `docker::container`.

use std::collections::BTreeMap;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Undo;
use refrain_engine::system::Command;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::{Client, ClientStep, Program, Seen, identity, plan};
use super::names::{ContainerName, ImageName};
use crate::command::words::{Word, check_variable_names, environment_schema, words_schema};
use crate::file::checksum::sha256;
use crate::one_or_many::OneOrMany;

/// The kind of predictions about containers: a [`Made`], or `null` where there is none.
const CONTAINER: &str = "docker container";

/// The label that holds a checksum of the arguments that a container was made with.
const LABEL: &str = "net.refrain.arguments";

/// The program itself would heed variables that begin so, or are called so.
const CLIENTS_OWN: [&str; 6] = ["DOCKER_", "CONTAINER", "PODMAN_", "REGISTRY_", "XDG_", "LD_"];
const EVERY_PROGRAMS: [&str; 7] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TMPDIR"];

/// What is asked about a container. Podman shows a whole one in another form than Docker does.
const FORMAT: &str =
    r#"{"Labels":{{json .Config.Labels}},"Status":{{json .State.Status}},"Image":{{json .Image}}}"#;

/// Keeps a container running.
///
/// ```rhai,live
/// docker::container("registry", "registry:2", #{ ports: "5000:5000", volumes: "/srv/registry:/var/lib/registry" });
/// docker::container("exporter", "prom/node-exporter:v1.8.2", #{
///     network: "host",
///     options: ["--pid=host"],
///     command: ["--path.rootfs=/host"],
///     volumes: "/:/host:ro,rslave",
/// });
/// ```
///
/// The image is pulled where it is not there. A container that was made with other arguments, or of what was another image under this name, is
/// stopped, removed and made anew: what shall stay belongs into a volume. A checksum of the arguments is kept with the container, in the label
/// `net.refrain.arguments`. A container of this name that was not made here is left alone: that is an error.
///
/// Variables of the environment reach the container and nobody's command line; they can be secrets. (Those that Docker itself would heed,
/// such as `DOCKER_HOST` and `PATH`, stand on its command line and can't be.) A container that ends at once is a failure.
/// What runs under Nomad is Nomad's: this is for the few that have to be there without it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The container's name.
    name: ContainerName,
    /// The image, with the tag or the checksum.
    image: ImageName,
    /// The words of the command that it runs. That of the image when absent.
    #[serde(default)]
    #[schemars(schema_with = "words_schema")]
    command: Vec<Word>,
    /// Variables of its environment, beside those of the image.
    #[serde(default)]
    #[schemars(schema_with = "environment_schema")]
    environment: BTreeMap<String, Word>,
    /// Ports that lead into it: `8080:80`, `127.0.0.1:8080:80/tcp`.
    #[serde(default = "nothing")]
    ports: OneOrMany<String>,
    /// Directories and volumes that it sees: `/srv/data:/data:ro`.
    #[serde(default = "nothing")]
    volumes: OneOrMany<String>,
    /// Its network. That of the program when absent.
    #[serde(default)]
    network: Option<String>,
    /// When it is started again by itself: `"no"`, `"always"`, `"on-failure"`, `"unless-stopped"`. The last when absent.
    #[serde(default)]
    restart: Option<String>,
    /// Further options of `docker container create`, each with its value in one word: `"--cap-add=NET_ADMIN"`.
    #[serde(default)]
    options: Vec<String>,
    /// The program: `"docker"` or `"podman"`. Docker when absent.
    #[serde(default)]
    program: Program,
}

fn nothing() -> OneOrMany<String> {
    OneOrMany(Vec::new())
}

/// A container that is there, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The checksum of the arguments that it was made with. Absent when it was not made here; empty when they are not known yet.
    arguments: Option<String>,
    /// The identity of its image. Empty when that is not known yet.
    image: String,
    /// Whether it runs.
    runs: bool,
}

/// What is there, and what would have to be done.
pub struct Found {
    image: Seen<String>,
    container: Seen<Made>,
    /// The checksum of the arguments that are wanted. Absent while check mode does not know them.
    wanted: Option<String>,
    pull: ClientStep,
    remove: ClientStep,
    create: ClientStep,
    start: ClientStep,
}

impl State for Container {
    const NAME: &'static str = "docker::container";
    const POSITIONAL: &'static [&'static str] = &["name", "image"];
    type Found = Found;

    fn subject(&self) -> String {
        self.name.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        self.check()?;
        let client = Client::new(context, self.program)?;
        let image = client.images(std::slice::from_ref(&self.image))?.pop().unwrap_or(Seen::Missing);
        let wanted = self.checksum();
        let name = &self.name;
        let brings = |runs: bool| {
            let image = if let Seen::There(id) = &image { id.clone() } else { String::new() };
            let arguments = Some(wanted.clone().unwrap_or_default());
            (CONTAINER, &**name, json!(Made { arguments, image, runs }))
        };
        let command = |words: &[&str]| client.command(["container"].iter().chain(words).copied());
        Ok(Found {
            container: look_at(&client, name)?,
            pull: client.pull(&self.image),
            remove: removal(&client, name, format!("remove the container {name}, which was made otherwise")),
            create: client.step(
                format!("make the container {name} of {}", self.image),
                vec![self.create(&client, wanted.as_deref().unwrap_or_default())],
                brings(false),
                Undo::command(command(&["rm", "--force", name])),
            ),
            start: client.step(
                format!("start the container {name}"),
                vec![command(&["start", name])],
                brings(true),
                Undo::command(command(&["stop", name])),
            ),
            image,
            wanted,
        })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let Found { image, container, wanted, pull, remove, create, start } = found;
        let pull = (*image == Seen::Missing).then_some(pull);
        let made = match container {
            Seen::Unknown => return Ok(plan([start.clone().certain_if(false)])),
            Seen::Missing => return Ok(plan(pull.into_iter().chain([create, start]).cloned())),
            Seen::There(made) => made,
        };
        let Some(arguments) = &made.arguments else {
            let message = format!("there is a container `{}` that was not made here", self.name);
            let remove = format!("docker::container_absent(\"{}\")", self.name);
            return Err(Failure::state(message).advise(format!("if it may go, remove it first: {remove}")));
        };
        let is_same_image = match image {
            Seen::There(id) => id.is_empty() || made.image.is_empty() || *id == made.image,
            // It has lost its name, and is what the container runs all the same.
            Seen::Missing | Seen::Unknown => true,
        };
        let is_known = wanted.is_some() || arguments.is_empty();
        if is_known && is_same_image && wanted.as_ref().is_none_or(|wanted| wanted == arguments) {
            return Ok(plan((!made.runs).then(|| start.clone())));
        }
        let steps = pull.into_iter().chain([remove, create, start]);
        Ok(plan(steps.map(|step| step.clone().certain_if(is_known))))
    }
}

impl Container {
    /// Whether the arguments make sense.
    fn check(&self) -> Result<(), Failure> {
        check_variable_names(self.environment.keys())?;
        let seen = self.environment.iter().find(|(name, word)| is_clients_own(name) && word.0.secret);
        if let Some((name, _)) = seen {
            let program = self.program.name();
            let message = format!(
                "`{name}` can't be a secret: `{program}` itself would heed it, so that it has to be seen"
            );
            return Err(Failure::argument("environment", message)
                .advise("a file of the host that the container sees can hold it: `volumes`"));
        }
        if let Some(word) = self.options.iter().find(|word| !word.starts_with('-')) {
            let message = format!("`{word}` is no option");
            return Err(Failure::argument("options", message)
                .advise("an option and its value are one word: \"--cap-add=NET_ADMIN\""));
        }
        Ok(())
    }

    /// What the container is made with, as a checksum. Absent while check mode does not know all of it.
    fn checksum(&self) -> Option<String> {
        let command: Option<Vec<String>> = self.command.iter().map(Word::known).collect();
        let environment: Option<BTreeMap<&String, String>> =
            self.environment.iter().map(|(name, word)| Some((name, word.known()?))).collect();
        let arguments = json!([
            *self.image,
            command?,
            environment?,
            self.ports.0,
            self.volumes.0,
            self.network,
            self.restart(),
            self.options
        ]);
        Some(sha256(arguments.to_string().as_bytes()))
    }

    fn restart(&self) -> &str {
        self.restart.as_deref().unwrap_or("unless-stopped")
    }

    /// The command that makes the container. The values of variables are in its environment, where nobody else sees them; but
    /// not those that it would heed itself.
    fn create(&self, client: &Client<'_>, checksum: &str) -> Command {
        let option = |name: &str, value: &str| format!("--{name}={value}");
        let mut words = vec!["container".to_owned(), "create".to_owned()];
        words.push(option("name", &self.name));
        words.push(option("label", &format!("{LABEL}={checksum}")));
        words.push(option("restart", self.restart()));
        words.extend(self.network.iter().map(|network| option("network", network)));
        words.extend(self.ports.0.iter().map(|port| option("publish", port)));
        words.extend(self.volumes.0.iter().map(|volume| option("volume", volume)));
        let known = self.environment.iter().filter_map(|(name, word)| Some((name, word.known()?)));
        let (seen, unseen): (Vec<_>, Vec<_>) = known.partition(|(name, _)| is_clients_own(name));
        words.extend(seen.iter().map(|(name, value)| option("env", &format!("{name}={value}"))));
        words.extend(unseen.iter().map(|(name, _)| option("env", name)));
        words.extend(self.options.iter().cloned());
        words.push(self.image.to_string());
        words.extend(self.command.iter().filter_map(Word::known));
        let mut command = client.command(words);
        command.environment.extend(unseen.into_iter().map(|(name, value)| (name.clone(), value)));
        command
    }
}

/// Whether the program that makes containers would heed a variable that is meant for what runs in one.
fn is_clients_own(name: &str) -> bool {
    EVERY_PROGRAMS.contains(&name) || CLIENTS_OWN.iter().any(|own| name.starts_with(own))
}

/// The container of this name; in check mode as it would be by now.
///
/// # Errors
/// The program can't be asked, or its answer can't be read.
pub fn look_at(client: &Client<'_>, name: &ContainerName) -> Result<Seen<Made>, Failure> {
    if let Some(predicted) = client.predicted(CONTAINER, name) {
        return Ok(serde_json::from_value(predicted).map_or(Seen::Missing, Seen::There));
    }
    let text = match client.inspect("container", FORMAT, [&**name])? {
        Seen::There(text) => text,
        Seen::Missing => return Ok(Seen::Missing),
        Seen::Unknown => return Ok(Seen::Unknown),
    };
    let unreadable = |error: serde_json::Error| {
        Failure::state(format!("what is said of the container `{name}` can't be read: {error}"))
    };
    let said: Value = serde_json::from_str(&text).map_err(unreadable)?;
    Ok(Seen::There(Made {
        arguments: said["Labels"][LABEL].as_str().map(str::to_owned),
        image: identity(said["Image"].as_str().unwrap_or_default()),
        runs: said["Status"] == "running",
    }))
}

/// The step that stops a container and removes it.
pub fn removal(client: &Client<'_>, name: &ContainerName, text: String) -> ClientStep {
    let commands = ["stop", "rm"].map(|word| client.command(["container", word, name]));
    let gone = "the container is gone, with what it had written outside of volumes";
    client.step(text, commands.into(), (CONTAINER, name, Value::Null), Undo::Irreversible(gone.to_owned()))
}

#[cfg(test)]
mod tests {
    use refrain_engine::module::NoMaterials;
    use refrain_engine::system::sandbox::{NoPrograms, Sandbox};

    use super::*;

    #[test]
    fn what_is_meant_for_the_container_does_not_reach_the_client() {
        let directory = tempfile::tempdir().unwrap();
        let host = Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap();
        let context = Context { host: &host, materials: &NoMaterials };
        let environment =
            json!({ "DOCKER_HOST": "tcp://dind:2375", "PATH": "/app", "TOKEN": "t", "PORT": 80 });
        let container: Container =
            serde_json::from_value(json!({ "name": "app", "image": "app:1", "environment": environment }))
                .unwrap();
        container.check().unwrap();
        let command = container.create(&Client::new(&context, Program::Docker).unwrap(), "");
        let given: Vec<&str> = command.argv.iter().filter_map(|word| word.strip_prefix("--env=")).collect();
        assert_eq!(given, ["DOCKER_HOST=tcp://dind:2375", "PATH=/app", "PORT", "TOKEN"]);
        assert_eq!(
            command.environment,
            BTreeMap::from(
                [("PORT", "80"), ("TOKEN", "t")].map(|(name, value)| (name.to_owned(), value.to_owned()))
            )
        );
    }

    #[test]
    fn every_argument_counts_for_the_checksum() {
        let checksum = |more: Value| {
            let mut arguments = json!({ "name": "app", "image": "app:1" });
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<Container>(arguments).unwrap().checksum().unwrap()
        };
        let plain = checksum(json!({}));
        assert_eq!(checksum(json!({ "restart": "unless-stopped", "ports": [] })), plain);
        for other in [
            json!({ "command": ["serve"] }),
            json!({ "environment": { "A": "1" } }),
            json!({ "ports": "80:80" }),
            json!({ "volumes": "/srv:/srv" }),
            json!({ "network": "host" }),
            json!({ "restart": "no" }),
            json!({ "options": ["--init"] }),
        ] {
            assert_ne!(checksum(other.clone()), plain, "{other}");
        }
    }
}
