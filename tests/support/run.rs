//! Runs of `refrain`, and what came of them.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::{Event, EventKind};

use super::project::Project;

/// A run that takes longer has got stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// `refrain run play.rhai --output json` with further arguments, ready to be started.
pub fn running(project: &Project, further: &[&str]) -> Command {
    let mut arguments = vec!["run", "play.rhai", "--output", "json"];
    arguments.extend(further);
    project.command(&arguments)
}

/// Runs that.
pub fn run(project: &Project, further: &[&str]) -> Finished {
    finish(&mut running(project, further))
}

/// Writes `play.rhai`: a play on all hosts with this body.
pub fn play(project: &Project, body: &str) {
    project.file("play.rhai", format!("play(\"Test\", #{{ hosts: \"all\" }}, || {{ {body} }});\n"));
}

/// Starts a command and waits for it.
pub fn finish(command: &mut Command) -> Finished {
    wait(command.spawn().unwrap())
}

/// Waits for a command that was started with its output piped.
pub fn wait(mut child: Child) -> Finished {
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = |mut stream: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        })
    };
    let (stdout, stderr) = (read(Box::new(stdout)), read(Box::new(stderr)));
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("stuck: {}\n{}", stdout.join().unwrap(), stderr.join().unwrap());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    Finished { code: status.code(), stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

/// What came of a run.
#[derive(Debug)]
pub struct Finished {
    /// The exit code, unless a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// The events, in order.
    pub fn events(&self) -> Vec<Event> {
        let event = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(event).collect()
    }

    /// The name of the run.
    pub fn run(&self) -> String {
        match self.events().into_iter().next().map(|event| event.kind) {
            Some(EventKind::RunStarted { run, .. }) => run,
            other => panic!("a run begins otherwise: {other:?}"),
        }
    }

    /// What the scripts have printed.
    pub fn messages(&self) -> Vec<String> {
        let message = |event: Event| match event.kind {
            EventKind::Message { text } => Some(text),
            _ => None,
        };
        self.events().into_iter().filter_map(message).collect()
    }

    /// The stage and the text of the error of the host that could not be reached.
    pub fn unreachable(&self) -> String {
        let found = self.events().into_iter().find_map(|event| match event.kind {
            EventKind::HostUnreachable { stage, error } => Some(format!("{stage}: {error}")),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("every host was reached: {self:#?}"))
    }

    /// The error of the host on which the play failed.
    pub fn failure(&self) -> Diagnostic {
        let found = self.events().into_iter().find_map(|event| match event.kind {
            EventKind::HostFailed(error) => Some(*error),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("no host failed: {self:#?}"))
    }

    /// Panics unless all went well.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }
}

/// The files below a directory, by their paths in it, sorted.
pub fn files_below(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                found.push(path.strip_prefix(directory).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}
