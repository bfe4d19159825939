//! A run that is going on, to be told to stop.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::project::{Outcome, Project, binary};

/// Nothing takes that long; what waits for ever is found out.
const LONG: Duration = Duration::from_secs(60);

/// A run of `refrain` that has been started.
pub struct Started<'a> {
    project: &'a Project,
    child: Child,
    stdout: PathBuf,
}

impl<'a> Started<'a> {
    /// Starts `refrain` in a project. It heeds all signals, whatever whoever started the tests ignores.
    pub fn of(project: &'a Project, arguments: &[&str]) -> Self {
        let plain = project.command(arguments);
        let mut command = Command::new("/usr/bin/env");
        command.arg("--default-signal=INT,TERM,HUP").arg(binary()).args(arguments);
        command.current_dir(project.path("")).env_clear();
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self::by(project, &mut command)
    }

    /// Starts a command in a project.
    pub fn by(project: &'a Project, command: &mut Command) -> Self {
        let stdout = project.path("stdout");
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command.stdout(File::create(&stdout).expect("a file for the output"));
        Self { project, child: command.spawn().expect("it starts"), stdout }
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        kill_process(process(self.child.id()), signal).expect("it is running");
    }

    /// What it has written so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.stdout).expect("its output")
    }

    /// Waits until it has written something.
    #[track_caller]
    pub fn until_it_says(&self, words: &str) {
        until(|| self.said().contains(words), &format!("it never says `{words}`"));
    }

    /// Waits until there is something at a path of the project.
    #[track_caller]
    pub fn until_there_is(&self, path: &str) {
        let path = self.project.path(path);
        until(|| path.exists(), &format!("there is never a {}", path.display()));
    }

    /// Waits for its end.
    pub fn end(self) -> Outcome {
        let output = self.child.wait_with_output().expect("it ends");
        let stdout = fs::read(&self.stdout).expect("its output");
        Outcome::of(&Output { stdout, ..output }, &self.project.path(""))
    }
}

/// The process of this number.
pub fn process(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).expect("a process")).expect("a process")
}

/// Whether a process runs; one that has ended and was not waited for does not.
pub fn runs(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

/// Waits until something holds.
#[track_caller]
pub fn until(condition: impl Fn() -> bool, otherwise: &str) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "{otherwise}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
