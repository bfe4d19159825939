//! One call of a simulated program: what it was given, and what it prints.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use refrain_engine::system::{Command, Output, System};

/// A simulated program. It returns its exit status.
pub type Program = fn(&mut Invocation<'_>) -> i32;

/// Reads the whole standard input of a program.
pub type Input<'a> = &'a dyn Fn() -> Vec<u8>;

/// What a program can do that is a process of its own, and not played inside another one.
pub trait Process {
    /// Holds the lock on a file, which is made if it is not there, until the process ends. `waits` is called when another one
    /// holds it.
    ///
    /// # Errors
    /// The file can't be opened for writing.
    fn lock(&self, path: &Path, waits: &mut dyn FnMut()) -> io::Result<()>;

    /// Lets time pass.
    fn sleep(&self, time: Duration);

    /// Prints on standard output at once.
    fn print(&self, text: &str);

    /// Prints on standard error at once.
    fn complain(&self, text: &str);

    /// How many bytes are free on the file system that a path is on.
    fn free_space(&self, path: &Path) -> Option<u64>;
}

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
    /// The process that it is, if it is one.
    pub process: Option<&'a dyn Process>,
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
        process: Option<&'a dyn Process>,
    ) -> Self {
        let environment = &command.environment;
        let directory = command.directory.as_deref().unwrap_or(Path::new("/"));
        let (stdout, stderr) = (String::new(), String::new());
        Self { name, arguments, environment, stdin, system, process, directory, stdout, stderr }
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
        self.print(format!("{line}\n"));
    }

    /// Prints on standard output, without an end of the line.
    pub fn print(&mut self, text: impl Display) {
        let text = text.to_string();
        match self.process {
            Some(process) => process.print(&text),
            None => self.stdout.push_str(&text),
        }
    }

    /// Prints a line on standard error.
    pub fn complain(&mut self, line: impl Display) {
        self.prompt(format!("{line}\n"));
    }

    /// Prints on standard error, without an end of the line.
    pub fn prompt(&mut self, text: impl Display) {
        let text = text.to_string();
        match self.process {
            Some(process) => process.complain(&text),
            None => self.stderr.push_str(&text),
        }
    }

    /// What is left behind when it ends with `status`.
    pub(crate) fn ended(self, status: i32) -> Output {
        Output { status, stdout: self.stdout.into_bytes(), stderr: self.stderr.into_bytes(), dropped: 0 }
    }
}
