//! One call of a simulated program: what it was given, and what it prints.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use refrain_engine::system::{Command, Output, System};

/// A simulated program. It returns its exit status.
pub type Program = fn(&mut Invocation<'_>) -> i32;

/// Reads the whole standard input of a program.
pub type Input<'a> = &'a dyn Fn() -> Vec<u8>;

/// A call of a program on a host.
pub struct Invocation<'a> {
    /// The name that it was called by.
    pub name: &'a str,
    /// What follows the name.
    pub arguments: &'a [String],
    /// Variables of the environment, as far as the caller gave any.
    pub environment: &'a BTreeMap<String, String>,
    /// Its standard input, which may never end: to be read by those who do read it.
    pub stdin: Input<'a>,
    /// The host.
    pub system: &'a dyn System,
    directory: &'a Path,
    stdout: String,
    stderr: String,
}

impl<'a> Invocation<'a> {
    /// The call of the program `name` that `command` means.
    pub fn new(
        name: &'a str,
        arguments: &'a [String],
        command: &'a Command,
        stdin: Input<'a>,
        system: &'a dyn System,
    ) -> Self {
        let environment = &command.environment;
        let directory = command.directory.as_deref().unwrap_or(Path::new("/"));
        let (stdout, stderr) = (String::new(), String::new());
        Self { name, arguments, environment, stdin, system, directory, stdout, stderr }
    }

    /// A path, seen from the working directory.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// The text of a file of the host; empty where there is none that can be read.
    pub fn text(&self, path: &str) -> String {
        let content = self.system.read(Path::new(path)).ok().flatten();
        let known = content.as_ref().and_then(|content| content.known()).unwrap_or_default();
        String::from_utf8_lossy(known).into_owned()
    }

    /// Prints a line on standard output.
    pub fn say(&mut self, line: impl Display) {
        self.print(line);
        self.stdout.push('\n');
    }

    /// Prints on standard output, without an end of the line.
    pub fn print(&mut self, text: impl Display) {
        self.stdout.push_str(&text.to_string());
    }

    /// Prints a line on standard error.
    pub fn complain(&mut self, line: impl Display) {
        self.stderr.push_str(&line.to_string());
        self.stderr.push('\n');
    }

    /// Prints on standard error, without an end of the line.
    pub fn prompt(&mut self, text: impl Display) {
        self.stderr.push_str(&text.to_string());
    }

    /// What is left behind when it ends with `status`.
    pub(crate) fn ended(self, status: i32) -> Output {
        Output { status, stdout: self.stdout.into_bytes(), stderr: self.stderr.into_bytes(), dropped: 0 }
    }
}
