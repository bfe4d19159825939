//! The options that all functions of the namespace `command` take.

use std::collections::BTreeMap;
use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Done, Text};
use refrain_engine::system::{Command, Output};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::effects::Effects;
use super::words::{Word, check_variable_names, environment_schema};
use crate::argument_schema::argument_schema;
use crate::host_path::HostPath;
use crate::one_or_many::OneOrMany;
use crate::seconds::Seconds;

/// The fields of an outcome.
pub const FIELDS: &[&str] = &["stdout", "stderr", "stdout_lines", "stderr_lines", "rc", "truncated"];

/// How a command is run, and what is known about it beforehand.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct Options {
    /// Paths that the command makes. It is not run when all of them are there. `*`, `?` and `[…]` stand for names as in a
    /// shell; a relative path is meant from `directory`. Check mode predicts them: a directory where the path ends in `/`.
    #[serde(default)]
    creates: Option<OneOrMany<String>>,
    /// Paths that the command removes. It is not run when none of them is there. As `creates` otherwise.
    #[serde(default)]
    removes: Option<OneOrMany<String>>,
    /// What it reads on its standard input. Nothing when absent.
    #[serde(default)]
    stdin: Option<Text>,
    /// Variables of its environment. Beside them it has `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL`, `LANG=C.UTF-8`, those of
    /// the play and the enclosing tasks, and of what the agent was started with only the time zone, proxies, the ssh agent
    /// and `XDG_RUNTIME_DIR`.
    #[serde(default)]
    #[schemars(schema_with = "environment_schema")]
    environment: BTreeMap<String, Word>,
    /// Its working directory. `/` when absent.
    #[serde(default)]
    directory: Option<HostPath>,
    /// How long it may take, in seconds; then it is ended, with all that it started. An enclosing task's `timeout` holds
    /// beside it.
    #[serde(default)]
    timeout: Option<Seconds>,
    /// It only reads: it is also run in check mode, and never counts as a change.
    #[serde(default)]
    probe: bool,
    /// Exit statuses that are no failure. 0 when absent.
    #[serde(default)]
    ok_status: Option<Statuses>,
}

impl Options {
    /// What is declared about its effects.
    pub fn effects(&self) -> Effects<'_> {
        Effects {
            directory: self.directory.as_deref().unwrap_or(Path::new("/")),
            creates: paths(self.creates.as_ref()),
            removes: paths(self.removes.as_ref()),
        }
    }

    /// Whether it only reads.
    pub fn probe(&self) -> bool {
        self.probe
    }

    /// Whether standard input and environment are known.
    pub fn known(&self) -> bool {
        self.stdin
            .iter()
            .chain(self.environment.values().map(|word| &word.0))
            .all(|text| text.content.known().is_some())
    }

    /// The command of these words, in the surroundings of the call.
    ///
    /// # Errors
    /// The environment has an impossible name, or something is not known yet.
    pub fn command(&self, context: &Context<'_>, argv: Vec<String>) -> Result<Command, Failure> {
        let mut command = context.command(argv);
        check_variable_names(self.environment.keys())?;
        for (name, value) in &self.environment {
            let Some(value) = value.known() else { return Err(not_known("environment")) };
            command.environment.insert(name.clone(), value);
        }
        if let Some(stdin) = &self.stdin {
            let Some(bytes) = stdin.content.known() else { return Err(not_known("stdin")) };
            command.stdin = Some(bytes.to_vec());
        }
        command.directory = self.directory.as_ref().map(|directory| directory.to_path_buf());
        command.timeout = command.timeout.into_iter().chain(self.timeout.map(|timeout| timeout.0)).min();
        Ok(command)
    }

    /// What to make of the output of the command that people know as `name`.
    pub fn done(&self, output: &Output, name: String) -> Done {
        let expected = match &self.ok_status {
            Some(statuses) => statuses.0.contains(&output.status),
            None => output.status == 0,
        };
        Done {
            changed: !self.probe,
            fields: fields(output),
            failure: (!expected).then(|| output.failure(name)),
        }
    }
}

fn paths(paths: Option<&OneOrMany<String>>) -> &[String] {
    paths.map_or(&[], |paths| &paths.0)
}

fn not_known(argument: &str) -> Failure {
    Failure::argument(argument, format!("`{argument}` is known only in a real run"))
}

/// The fields of an outcome. What is not UTF-8 is replaced by `\u{FFFD}`; newlines at the end don't count.
fn fields(output: &Output) -> Map<String, Value> {
    let text = |stream: &[u8]| String::from_utf8_lossy(stream).trim_end_matches(['\n', '\r']).to_owned();
    let lines = |text: &str| text.lines().map(Value::from).collect::<Value>();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let (stdout_lines, stderr_lines) = (lines(&stdout), lines(&stderr));
    let values = [
        stdout.into(),
        stderr.into(),
        stdout_lines,
        stderr_lines,
        output.status.into(),
        json!(output.dropped > 0),
    ];
    FIELDS.iter().map(|name| (*name).to_owned()).zip(values).collect()
}

/// One exit status or several.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Statuses(Vec<i32>);

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let statuses = match Value::deserialize(deserializer)? {
            Value::Array(statuses) => statuses,
            one => vec![one],
        };
        let number =
            |status: &Value| status.as_u64().and_then(|status| u8::try_from(status).ok()).map(Into::into);
        let numbers = statuses.iter().map(number).collect::<Option<Vec<i32>>>();
        numbers.map(Self).ok_or_else(|| D::Error::custom("an exit status is a number from 0 to 255"))
    }
}

argument_schema!(Statuses, { "type": ["integer", "array"], "items": { "type": "integer", "minimum": 0, "maximum": 255 } });
