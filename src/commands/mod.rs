//! The commands, one file each.

pub mod agent;
pub mod doc;
pub mod lint;
mod reaching;
pub mod rollback;
pub mod run;
pub mod test;

use refrain_engine::diagnostic::Diagnostic;

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
