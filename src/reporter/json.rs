//! Events as JSON lines.

use std::io::{self, Write};

use refrain_engine::event::{Event, Reporter};

/// Writes one event a line to standard output.
pub struct Json;

impl Reporter for Json {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        let mut out = io::stdout().lock();
        out.write_all(&line)?;
        out.flush()
    }
}
