//! The commands, one file each.

mod ad_hoc;
pub mod agent;
pub mod call;
pub mod completions;
pub mod definitions;
pub mod doc;
pub mod exec;
pub mod facts;
pub mod init;
pub mod inventory;
pub mod lint;
mod lists;
pub mod man;
mod reaching;
pub mod rollback;
pub mod run;
mod running;
pub mod test;
pub mod vars;
pub mod vendor;

use std::io::{self, Write};

use refrain_engine::diagnostic::Diagnostic;

use crate::exit;

/// Says what is wrong with the input, each problem by itself.
pub fn complain(problems: &[Diagnostic]) {
    for problem in problems {
        eprintln!("{} {problem}\n", console::style("error:").red().bold().for_stderr());
    }
}

/// Says what may be wrong with the input.
pub fn warn(warnings: &[Diagnostic]) {
    for warning in warnings {
        eprintln!("{} {warning}\n", console::style("warning:").yellow().bold().for_stderr());
    }
}

/// Writes a text to standard output, and gives the exit code. Who reads it may stop reading.
pub fn print(text: &str) -> u8 {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&[Diagnostic::new(format!("could not write to standard output: {error}"))]);
            exit::FAILED
        }
        _ => exit::DONE,
    }
}
