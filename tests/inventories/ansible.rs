//! Ansible-core, asked many questions by one process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::python;

/// The process; it ends with this.
pub struct Ansible {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    _home: TempDir,
}

impl Ansible {
    /// Starts it; if it is not installed, the test is to be skipped.
    pub fn start() -> Option<Self> {
        let home = TempDir::new().expect("a directory");
        let mut command = python::program("python", home.path())?;
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventories/batch.py"));
        // What ansible-inventory would show for want of hosts.
        command.env("ANSIBLE_LOCALHOST_WARNING", "false").env("ANSIBLE_INVENTORY_UNPARSED_FAILED", "true");
        command.env("ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED", "true");
        // Hosts of groups inside of groups come in the order of a set of Python's, which is another one in each process.
        command.env("PYTHONHASHSEED", "0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("python starts");
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Some(Self { child, questions, answers, _home: home })
    }

    fn ask(&mut self, question: &Value) -> Value {
        let questions = self.questions.as_mut().expect("it runs");
        writeln!(questions, "{question}").expect("it reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        assert!(!answer.is_empty(), "ansible has ended over {question}");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// What `ansible-inventory` prints in a directory.
    ///
    /// # Errors
    /// It fails: what it says then.
    pub fn inventory(&mut self, directory: &Path, arguments: &[&str]) -> Result<String, String> {
        let answer = self.ask(&json!({ "directory": directory, "arguments": arguments }));
        match answer["out"].as_str() {
            Some(printed) if answer["code"] == 0 => Ok(printed.to_owned()),
            _ => Err(answer["error"].to_string()),
        }
    }

    /// What variables of hosts come to; `{"error": …}` where they fail.
    pub fn values(
        &mut self,
        directory: &Path,
        sources: &[&str],
        hosts: &[String],
        names: &[String],
    ) -> Value {
        self.ask(&json!({ "directory": directory, "sources": sources, "hosts": hosts, "names": names }))
    }

    /// The hosts that each pattern selects; null where it fails.
    pub fn select(&mut self, directory: &Path, sources: &[&str], patterns: &[String]) -> Value {
        self.ask(&json!({ "directory": directory, "sources": sources, "patterns": patterns }))
    }
}

impl Drop for Ansible {
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
