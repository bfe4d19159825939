//! Events as JSON lines.

use std::io::{self, Write};

use refrain_engine::event::{Event, Reporter};
use refrain_engine::printable;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// Writes one event a line to standard output.
pub struct Json;

impl Reporter for Json {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let line = line(event)?;
        let mut out = io::stdout().lock();
        out.write_all(&line)?;
        out.flush()
    }

    fn destination(&self) -> String {
        "standard output".to_owned()
    }
}

fn line(event: &Event) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    event.serialize(&mut Serializer::with_formatter(&mut line, Escaping))?;
    line.push(b'\n');
    Ok(line)
}

/// Escapes more than JSON wants it: whatever a terminal would not just show, in case somebody looks at the lines there.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(printable::acts) {
            let (plain, more) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, plain)?;
            let mut letters = more.chars();
            // All of these have four digits.
            if let Some(letter) = letters.next() {
                write!(writer, "\\u{:04x}", u32::from(letter))?;
            }
            rest = letters.as_str();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use refrain_engine::event::EventKind;

    use super::*;

    #[test]
    fn nothing_in_a_line_acts_on_a_terminal() {
        let text = "\u{1b}[31m\u{9b}1A\u{7f}\u{202e}\"größer\"\t\n".to_owned();
        let event = Event { at: 1, host: Some("web\u{9b}".to_owned()), kind: EventKind::Message { text } };
        let line = String::from_utf8(line(&event).unwrap()).unwrap();
        assert_eq!(
            line,
            "{\"time\":1,\"host\":\"web\\u009b\",\"event\":\"message\",\
             \"text\":\"\\u001b[31m\\u009b1A\\u007f\\u202e\\\"größer\\\"\\t\\n\"}\n"
        );
        let back: Event = serde_json::from_str(&line).unwrap();
        assert!(matches!(back.kind, EventKind::Message { text } if text.ends_with("\"größer\"\t\n")));
    }
}
