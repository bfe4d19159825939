//! Readers of a run's events, one file each.

pub mod json;
pub mod terminal;

use std::io::{self, BufWriter};

use refrain_engine::event::Reporter;

use crate::arguments::{Output, Shown};

/// The reader that the command line asks for.
pub fn of(shown: &Shown) -> Box<dyn Reporter> {
    match shown.output {
        Output::Terminal => {
            let out = BufWriter::new(io::stdout());
            Box::new(terminal::Terminal::new(out, shown.verbose, shown.diff))
        }
        Output::Json => Box::new(json::Json),
    }
}
