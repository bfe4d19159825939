//! Commands that give a shell on a host.

use std::fmt;
use std::process::Command;

use crate::diagnostic::Diagnostic;
use crate::shell_words;
use crate::transport::{Stage, Unreachable};

/// A command whose last word is a POSIX shell on the host: `podman exec -i web sh`. `-c` and a script are put behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandLine {
    words: Vec<String>,
}

impl CommandLine {
    /// The command in a line, split into words as a shell does; nothing else in it has a meaning.
    ///
    /// # Errors
    /// A quote is not closed, or there is no word.
    pub fn new(line: &str) -> Result<Self, Diagnostic> {
        let words = shell_words::split(line)
            .ok_or_else(|| Diagnostic::new(format!("a quote is not closed: `{line}`")))?;
        if words.is_empty() {
            return Err(Diagnostic::new("a command connection needs a command"));
        }
        Ok(Self { words })
    }

    /// The command of these words.
    pub(crate) fn of(words: &[&str]) -> Self {
        Self { words: words.iter().map(|word| (*word).to_owned()).collect() }
    }

    pub(super) fn program(&self, script: &str) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).args(["-c", script]);
        command
    }

    pub(super) fn no_way(&self, ending: &str, said: &str) -> Unreachable {
        let error = Diagnostic::new(format!("`{self}` gives no shell")).because(ending).with_output(said);
        Unreachable { stage: Stage::Connection, error }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}
