//! Asking Docker, or podman, about images and containers.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan};
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Command, Output, RootKind, System, View};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::ImageName;
use crate::meaning::Meaning;
use crate::prediction_state::PredictionState;
use crate::{pkg, runit, service, xbps};

/// The kind of predictions about images: the identity of one, or `null` where there is none. An empty identity is not known yet.
const IMAGE: &str = "docker image";

/// The service that has to run.
const SERVICE: &str = "docker";

/// What the programs say, in plain words.
const MEANINGS: &[Meaning] = &[
    Meaning {
        message: "Cannot connect to the Docker daemon",
        words: "the Docker daemon does not run",
        hint: Some("`service::enable(\"docker\")` starts it"),
    },
    Meaning {
        message: "permission denied while trying to connect",
        words: "this user may not speak to the Docker daemon",
        hint: Some("`become: true` on the play or the task does it as root"),
    },
];

/// The program that is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Program {
    /// The client of Docker.
    #[default]
    Docker,
    /// Podman, which understands the same.
    Podman,
}

impl Program {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// What is there under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// This.
    There(T),
    /// Nothing.
    Missing,
    /// Only a real run can know: the program, or what it speaks to, would come with an earlier step of this check.
    Unknown,
}

/// A program on a host.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    context: &'a Context<'a>,
    program: Program,
}

impl<'a> Client<'a> {
    /// The program on the host of a call.
    ///
    /// # Errors
    /// Nothing runs in this root.
    pub fn new(context: &'a Context<'a>, program: Program) -> Result<Self, Failure> {
        if context.host.root_kind() == RootKind::Offline {
            let name = program.name();
            let message = format!("`{name}` has no images and no containers in a root in which nothing runs");
            return Err(Failure::state(message).advise("this belongs into a run on the booted host"));
        }
        Ok(Self { context, program })
    }

    /// A command of the program.
    pub fn command<S: Into<String>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let program = std::iter::once(self.program.name().to_owned());
        self.context.command(program.chain(words.into_iter().map(Into::into)))
    }

    /// What has been predicted of something of a kind.
    pub fn predicted(&self, kind: &str, name: &str) -> Option<Value> {
        self.context.host.predicted(kind, &self.key(name))
    }

    /// What something is known by to check mode: the two programs have images and containers of their own.
    fn key(&self, name: &str) -> String {
        format!("{} {name}", self.program.name())
    }

    /// The identities of images; in check mode as they would be by now.
    ///
    /// # Errors
    /// The program can't be asked.
    pub fn images(&self, names: &[ImageName]) -> Result<Vec<Seen<String>>, Failure> {
        let predicted = |name: &ImageName| self.predicted(IMAGE, name);
        // One question for all of them, which is answered whole where all of them are there.
        if names.len() > 1
            && names.iter().all(|name| predicted(name).is_none())
            && let Seen::There(all) = self.inspect("image", "{{.Id}}", names.iter().map(|name| &**name))?
            && all.lines().count() == names.len()
        {
            return Ok(all.lines().map(|id| Seen::There(identity(id))).collect());
        }
        let one = |name: &ImageName| match predicted(name) {
            Some(Value::Null) => Ok(Seen::Missing),
            Some(id) => Ok(Seen::There(id.as_str().unwrap_or_default().to_owned())),
            None => Ok(match self.inspect("image", "{{.Id}}", [&**name])? {
                Seen::There(id) => Seen::There(identity(&id)),
                other => other,
            }),
        };
        names.iter().map(one).collect()
    }

    /// What the program says about things of a kind, in a format of its own. Missing where one of them is.
    ///
    /// # Errors
    /// The program can't be asked.
    pub fn inspect<'n>(
        &self,
        kind: &'n str,
        format: &'n str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Seen<String>, Failure> {
        let host = self.context.host;
        if host.find_program(self.program.name()).is_none() {
            if comes_in_this_check(host) {
                return Ok(Seen::Unknown);
            }
            let name = self.program.name();
            return Err(Failure::state(format!("there is no program `{name}` on the host"))
                .advise(format!("`pkg::install(\"{name}\")` brings it")));
        }
        let command = self.command([kind, "inspect", "--format", format].into_iter().chain(names));
        let output = host.probe(&command)?;
        if output.status == 0 {
            return Ok(Seen::There(String::from_utf8_lossy(&output.stdout).trim_end().to_owned()));
        }
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        if ["no such image", "image not known", "no such container"].iter().any(|words| said.contains(words))
        {
            return Ok(Seen::Missing);
        }
        if starts_in_this_check(host) && said.contains("cannot connect to the docker daemon") {
            return Ok(Seen::Unknown);
        }
        Err(explain(&command, &output))
    }

    /// The step that pulls an image.
    pub fn pull(&self, name: &ImageName) -> ClientStep {
        let undo = Undo::command(self.removing(name));
        self.step(format!("pull {name}"), vec![self.pulling(name)], (IMAGE, name, json!("")), undo)
    }

    /// The step that removes an image.
    pub fn remove(&self, name: &ImageName) -> ClientStep {
        let undo = Undo::command(self.pulling(name));
        self.step(format!("remove {name}"), vec![self.removing(name)], (IMAGE, name, Value::Null), undo)
    }

    fn pulling(&self, name: &ImageName) -> Command {
        self.command(["image", "pull", "-q", name])
    }

    fn removing(&self, name: &ImageName) -> Command {
        self.command(["image", "rm", name])
    }

    /// A step of commands that each have to succeed. It brings about something of a kind, by its name.
    pub fn step(
        &self,
        text: String,
        commands: Vec<Command>,
        (kind, name, state): (&'static str, &str, Value),
        undo: Undo,
    ) -> ClientStep {
        ClientStep { text, commands, brings: (kind, self.key(name), state), undo, certain: true }
    }
}

/// Whether check mode has foretold that packages are installed, which may bring the program.
fn comes_in_this_check(host: &dyn View) -> bool {
    let by_xbps = || !xbps::prediction::Prediction::look(host).installed.is_empty();
    host.is_predicted() && (by_xbps() || !pkg::prediction::Prediction::look(host).asked.is_empty())
}

/// Whether check mode has foretold that the daemon is started.
fn starts_in_this_check(host: &dyn View) -> bool {
    [service::running::predicted, runit::running::predicted]
        .iter()
        .any(|predicted| predicted(host, SERVICE) == Some(true))
}

/// An identity as all commands spell it: podman leaves out what Docker says of the kind of checksum.
pub fn identity(id: &str) -> String {
    id.trim().trim_start_matches("sha256:").to_owned()
}

/// The failure of a command, in plain words where they are known.
pub fn explain(command: &Command, output: &Output) -> Failure {
    let said = String::from_utf8_lossy(&output.stderr);
    Meaning::explain_by(MEANINGS, output.failure(command.to_shell()), &said)
}

/// Commands of the program that change something.
#[derive(Clone, Debug)]
pub struct ClientStep {
    text: String,
    commands: Vec<Command>,
    /// What check mode then knows: the kind of thing, its name, and how it is.
    brings: (&'static str, String, Value),
    undo: Undo,
    certain: bool,
}

impl ClientStep {
    /// The same; if not `certain`, check mode says that it may turn out to be needless.
    #[must_use]
    pub fn certain_if(self, certain: bool) -> Self {
        Self { certain, ..self }
    }
}

impl Step for ClientStep {
    fn describe(&self) -> String {
        self.text.clone()
    }

    fn certain(&self) -> bool {
        self.certain
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        let (kind, name, state) = &self.brings;
        overlay.set_state(kind, name, state.clone());
        Ok(())
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        for command in &self.commands {
            let output = system.run(command)?;
            if output.status != 0 {
                return Err(explain(command, &output));
            }
        }
        Ok(())
    }

    fn undo(&self) -> Undo {
        self.undo.clone()
    }
}

/// The plan that steps make.
pub fn plan(steps: impl IntoIterator<Item = ClientStep>) -> Plan {
    steps.into_iter().map(|step| Box::new(step) as _).collect()
}
