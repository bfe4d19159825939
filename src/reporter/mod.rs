//! Readers of a run's events, one file each.

pub mod answer;
#[cfg(test)]
mod every_event;
pub mod json;
pub mod junit;
pub mod terminal;

use std::io::{self, IsTerminal};

use refrain_engine::event::Reporter;

use self::terminal::Terminal;
use self::terminal::progress::Progress;
use crate::arguments::{Output, Shown};

/// What writes to standard output as the command line asks for. With `asks`, somebody is asked about every call and looks at
/// each before the next.
pub fn on_standard_output(shown: &Shown, asks: bool) -> Box<dyn Reporter> {
    match shown.format.output {
        Output::Terminal => {
            let terminal =
                Terminal::new(io::stdout(), io::stdout().is_terminal(), shown.format.verbose, shown.diff);
            Box::new(match asks {
                true => terminal.without_delay(),
                false => terminal.with_progress(Progress::on_terminal()),
            })
        }
        Output::Json => Box::new(json::Json),
    }
}
