//! Why a module could not bring about what a playbook asked for.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::raw_path;

/// Why a module call failed on a host. A playbook can catch it.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
pub enum Failure {
    /// A syscall on a path failed.
    #[error("could not {act} `{}`: {reason}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `write`, `remove`.
        act: Cow<'static, str>,
        /// The path it was tried on.
        #[serde(with = "raw_path")]
        path: PathBuf,
        /// The system's words, lower case.
        reason: String,
    },
    /// A command ran and said no.
    #[error("`{command}` exited with status {status}{}", in_words(reason.as_deref()))]
    Command {
        /// The command as a shell would be given it.
        command: String,
        /// Exit status, 0 to 255; 128 + N when signal N ended it.
        status: i32,
        /// Both streams: many programs complain on standard output.
        output: String,
        /// What that means, where the caller knows the program.
        reason: Option<String>,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A program that knows the format of a file does not accept what would have been put in place.
    #[error("`{program}` does not accept what `{}` would be", path.display())]
    Refused {
        /// The program, as it was asked for.
        program: String,
        /// Where the file would have been.
        #[serde(with = "raw_path")]
        path: PathBuf,
        /// What the program said.
        output: String,
    },
    /// A command could not be started.
    #[error("could not start `{program}`: {reason}")]
    Start {
        /// The program's name or path as it was asked for.
        program: String,
        /// The system's words, lower case.
        reason: String,
    },
    /// A command or a task took longer than it was given.
    #[error("{what} took longer than {seconds} s")]
    Timeout {
        /// The command or task.
        what: String,
        /// The limit, in seconds.
        seconds: f64,
        /// What it had said by then.
        output: String,
    },
    /// The arguments contradict each other, or the host.
    #[error("{message}")]
    Argument {
        /// What is wrong with it.
        message: String,
        /// Which argument, to point at it in the source. Absent when it is not about a single one.
        argument: Option<String>,
        /// What to do instead.
        hint: Option<String>,
    },
    /// The state of the host does not allow what was asked for.
    #[error("{message}")]
    State {
        /// What is in the way.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Every step was made, and yet looking again found differences.
    #[error("it did not last: after the change it would still {}", left.join(", "))]
    NotConverged {
        /// The steps that a second plan still wants.
        left: Vec<String>,
    },
    /// A template, or a value in a variable file, could not be evaluated.
    #[error("{}", .0.message)]
    Source(Box<Diagnostic>),
    /// The user whom a task becomes could not be become.
    #[error("{}", .0.message)]
    Become(Box<Diagnostic>),
    /// The run was interrupted before this call.
    #[error("interrupted")]
    Interrupted,
    /// The host, or the way to it, is gone. Every further call on it fails.
    #[error("{}", .0.message)]
    Lost(Box<Diagnostic>),
    /// A command was ended before its end, because the run was told to stop now.
    #[error("`{command}` was ended: the run was told to stop now")]
    Stopped {
        /// The command as a shell would be given it.
        command: String,
        /// What it had said by then.
        output: String,
    },
}

impl Failure {
    /// A failed syscall on `path`; `act` is a verb.
    pub fn io(act: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::Io { act: act.into(), path: path.to_owned(), reason: reason(error) }
    }

    /// Something in the host's state is in the way.
    pub fn state(message: impl Into<String>) -> Self {
        Self::State { message: message.into(), hint: None }
    }

    /// The argument `argument` can't be right.
    pub fn argument(argument: &str, message: impl Into<String>) -> Self {
        Self::Argument { message: message.into(), argument: Some(argument.to_owned()), hint: None }
    }

    /// The same failure, saying why the command said no, where it is one of a command.
    #[must_use]
    pub fn explain(mut self, explanation: impl Into<String>) -> Self {
        if let Self::Command { reason, .. } = &mut self {
            *reason = Some(explanation.into());
        }
        self
    }

    /// The same failure with advice, where its kind has room for advice.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        match &mut self {
            Self::State { hint, .. } | Self::Argument { hint, .. } | Self::Command { hint, .. } => {
                *hint = Some(advice.into());
            }
            Self::Source(error) => error.hint = Some(advice.into()),
            _ => {}
        }
        self
    }

    /// Whether nothing failed: the run was told to stop.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted | Self::Stopped { .. })
    }

    /// What the failed program said.
    pub fn output(&self) -> Option<&str> {
        match self {
            Self::Command { output, .. }
            | Self::Refused { output, .. }
            | Self::Timeout { output, .. }
            | Self::Stopped { output, .. } => Some(output),
            Self::Source(error) | Self::Become(error) | Self::Lost(error) => error.output.as_deref(),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::State { hint, .. } | Self::Argument { hint, .. } | Self::Command { hint, .. } => {
                hint.clone()
            }
            Self::Source(error) | Self::Become(error) | Self::Lost(error) => error.hint.clone(),
            Self::Refused { .. } => Some("the file is as it was: nothing has been changed".to_owned()),
            Self::NotConverged { .. } => {
                Some("something on the host undoes the change, or the module does not see it".to_owned())
            }
            Self::Io { reason, .. } if reason == "permission denied" => {
                Some("the agent is not root here: does the play need `become`?".to_owned())
            }
            _ => None,
        }
    }
}

/// An explanation as it follows on an exit status.
fn in_words(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

/// The system's words for an I/O error, in lower case and without the error number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        // `ENOENT` and the like stay as they are; a sentence's first letter goes down.
        Some(first) if letters.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
