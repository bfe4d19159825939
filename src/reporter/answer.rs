//! For commands that ask one question: the answer alone.

use std::io::{self, Write};

use console::style;
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::{Event, EventKind, Reporter};
use refrain_engine::printable::acts;
use serde_json::Value;

/// Writes the `answer` of what a script prints as JSON to standard output, and what goes wrong to standard error.
pub struct Answer;

impl Reporter for Answer {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &event.kind {
            EventKind::Message { text } => {
                let value: Value = serde_json::from_str(text)?;
                io::stdout().write_all(spelled(&value["answer"]).as_bytes())?;
            }
            EventKind::Warning(warning) => say("warning:", event, warning),
            EventKind::HostFailed(error) | EventKind::HostUnreachable { error, .. } => {
                say("error:", event, error)
            }
            _ => {}
        }
        Ok(())
    }

    fn destination(&self) -> String {
        "standard output".to_owned()
    }
}

fn say(what: &str, event: &Event, about: &Diagnostic) {
    // The script was written for the question: where in it something went wrong is nothing to anybody.
    let about = Diagnostic { at: None, ..about.clone() };
    let host = event.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default();
    eprintln!("{} {host}{about}\n", style(what).bold().for_stderr());
}

/// A value from a host. A text stands for itself, all else is JSON; nothing in it acts on a terminal.
fn spelled(value: &Value) -> String {
    let text = match value {
        Value::String(text) => refrain_engine::printable::lines(text),
        value => {
            let json = serde_json::to_string_pretty(value).unwrap_or_default();
            let letter = |letter: char| match letter {
                '\n' => "\n".to_owned(),
                letter if acts(letter) => format!("\\u{:04x}", u32::from(letter)),
                letter => letter.to_string(),
            };
            json.chars().map(letter).collect()
        }
    };
    text + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_would_act_is_spelled_in_json() {
        let value = json!({ "a": "\u{9b}2J\u{202e}\u{1b}", "ü": "\n" });
        let text = spelled(&value);
        assert_eq!(text, "{\n  \"a\": \"\\u009b2J\\u202e\\u001b\",\n  \"ü\": \"\\n\"\n}\n");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert_eq!(spelled(&json!("node1\u{1b}")), "node1^[\n");
    }
}
