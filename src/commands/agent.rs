//! `refrain agent`: the other end of a connection.

use std::fs::File;
use std::io;

use refrain_engine::agent::server;

use crate::exit;
use crate::signals::Signals;

/// Serves one play over standard input and output.
pub fn execute() -> u8 {
    match serve() {
        Ok(()) => exit::DONE,
        Err(error) => {
            eprintln!("refrain agent: {error}");
            exit::FAILED
        }
    }
}

fn serve() -> io::Result<()> {
    // The stream to the controller gets a descriptor of its own; whatever writes to standard output by mistake ends up on
    // standard error instead of among the frames.
    let output = File::from(rustix::io::dup(rustix::stdio::stdout())?);
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    let input = File::from(rustix::io::dup(rustix::stdio::stdin())?);
    let signals = Signals::watch();
    signals.stop_gently();
    server::serve(&refrain_stdlib::registry(), input, output, signals.interrupt())
}
