//! Transcripts of the real package manager.

use std::path::Path;

/// A command, what it printed and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub command: String,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
    pub status: i32,
}

impl Step {
    /// The text of a command that only tells something.
    pub fn comment(&self) -> Option<&str> {
        self.command.strip_prefix(": '")?.strip_suffix('\'')
    }
}

/// The steps of a transcript.
pub fn read(name: &str) -> Vec<Step> {
    let place =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/xbps").join(format!("{name}.txt"));
    let text = std::fs::read_to_string(&place).unwrap();
    let mut steps = Vec::new();
    let mut step: Option<Step> = None;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            assert!(step.is_none(), "{name}: `{command}` begins before the one before it ends");
            let command = command.to_owned();
            step = Some(Step { command, stdout: Vec::new(), stderr: Vec::new(), status: 0 });
            continue;
        }
        let Some(current) = &mut step else { continue };
        let (line, status) = ending(line);
        if let Some(line) = line.strip_prefix("out| ") {
            current.stdout.push(line.to_owned());
        } else if let Some(line) = line.strip_prefix("err| ") {
            current.stderr.push(line.to_owned());
        }
        if let Some(status) = status {
            current.status = status;
            steps.extend(step.take());
        }
    }
    assert!(step.is_none(), "{name}: the last command does not end");
    steps
}

/// Splits off `exit N`, which stands on a line of its own, or behind output that has no end of the line.
fn ending(line: &str) -> (&str, Option<i32>) {
    let Some(at) = line.rfind("exit ") else { return (line, None) };
    let is_ending = at == 0 || line.starts_with("err| ") && line[..at].ends_with("[Y/n] ");
    match line[at + 5..].parse() {
        Ok(status) if is_ending => (&line[..at], Some(status)),
        _ => (line, None),
    }
}
