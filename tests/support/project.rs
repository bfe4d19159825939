//! Projects to run, the binary to run them with, and what came of it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use regex::Regex;
use tempfile::TempDir;

/// A project in a directory of its own.
pub struct Project {
    directory: TempDir,
}

impl Project {
    /// An empty project.
    pub fn new() -> Self {
        let directory = TempDir::with_prefix("refrain-test-").expect("a temporary directory");
        let project = Self { directory };
        project.file("refrain.toml", "");
        project
    }

    /// A project with one playbook, `site.rhai`.
    pub fn of(playbook: &str) -> Self {
        let project = Self::new();
        project.file("site.rhai", playbook);
        project
    }

    /// Writes a file of the project.
    pub fn file(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a path in the project")).expect("a directory");
        fs::write(path, text).expect("a file");
        self
    }

    /// A path in the project, on disk.
    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Runs `refrain` in the project.
    pub fn refrain(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&self.command(arguments).output().expect("the binary starts"), &self.path(""))
    }

    /// `refrain`, ready to be started in the project with a clean environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.path(""))
            .env_clear()
            .env("HOME", self.path(""))
            .env("REFRAIN_STATE_DIRECTORY", self.path(".state"))
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// The binary under test.
pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_refrain"))
}

/// Copies the binary under test to where it can be started.
pub fn copy_binary(to: &Path) {
    copy_program(binary(), to);
}

/// Copies a program to where it can be started.
///
/// Another process does it: a file that this one has open for writing is inherited by whatever other tests start meanwhile, and
/// the kernel executes nothing that is open for writing.
pub fn copy_program(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg(from).arg(to).status().expect("cp starts");
    assert!(copied.success(), "the program can be copied");
}

/// How a run ended.
pub struct Outcome {
    /// The exit code.
    pub code: i32,
    /// Standard output, volatile parts masked.
    pub stdout: String,
    /// Standard error, volatile parts masked.
    pub stderr: String,
}

impl Outcome {
    /// What a finished process left, with the paths below `directory` and all times masked.
    pub fn of(output: &Output, directory: &Path) -> Self {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).replace(&*directory.to_string_lossy(), "[project]/");
            let seconds = Regex::new(r"(?m)^\d+\.\d\d s(, run [0-9a-f-]+)?$").expect("a pattern");
            seconds.replace_all(&text, "[time]").into_owned()
        };
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The run has to have ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// The name of the run, of a run that wrote its events as JSON.
    #[track_caller]
    pub fn run(&self) -> String {
        let first = self.stdout.lines().next().expect("an event");
        let first: serde_json::Value = serde_json::from_str(first).expect("JSON");
        first["run"].as_str().expect("a name").to_owned()
    }

    /// Everything in one text, for snapshots.
    pub fn whole(&self) -> String {
        let mut text = format!("exit code {}\n", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("--- {name}\n{stream}"));
            }
        }
        text
    }
}

/// Whether a test can run: `false` says why not, and fails where nothing may be missing (`CI`).
#[must_use]
pub fn possible(condition: bool, what: &str) -> bool {
    if !condition {
        assert!(std::env::var_os("CI").is_none(), "{what} is missing, and CI must have it");
        // Straight to the stream: the test harness would keep it to itself.
        let _ = writeln!(std::io::stderr(), "skipped: {what} is missing");
    }
    condition
}

/// What is below a directory: one line each with kind, mode, owner and content.
pub fn tree(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut todo = vec![root.to_owned()];
    while let Some(path) = todo.pop() {
        let metadata = fs::symlink_metadata(&path).expect("it is there");
        let name = path.strip_prefix(root).unwrap_or(&path).display();
        let (mode, uid, gid) = (metadata.permissions().mode() & 0o7777, metadata.uid(), metadata.gid());
        if metadata.is_dir() {
            lines.push(format!("/{name} directory {mode:04o} {uid}:{gid}"));
            todo.extend(
                fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()),
            );
        } else if metadata.is_symlink() {
            lines.push(format!("/{name} -> {} {uid}:{gid}", fs::read_link(&path).expect("a link").display()));
        } else {
            let content = fs::read(&path).expect("a file");
            lines.push(format!("/{name} {mode:04o} {uid}:{gid} {:?}", String::from_utf8_lossy(&content)));
        }
    }
    lines.sort();
    lines
}
