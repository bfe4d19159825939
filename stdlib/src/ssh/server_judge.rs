//! Asking sshd whether it accepts a configuration.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::system::scratch::{PLACEHOLDER, Scratch};

/// What `sshd -t` says of a host on which it can't run yet, and not of the configuration, which it has read by then.
const NOT_THE_CONFIGURATION: [&str; 4] = [
    "Unable to load host key",
    "Could not load host key",
    "sshd: no hostkeys available",
    "Missing privilege separation directory",
];

/// Asks sshd, where the host has it, whether it accepts a file of settings.
///
/// # Errors
/// It does not.
pub fn judge_server(context: &Context<'_>, path: &Path, candidate: &[u8]) -> Result<(), Failure> {
    // sshd insists on being started by its whole path.
    let Some(sshd) = context.host.find_program("sshd") else { return Ok(()) };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let place = format!("{PLACEHOLDER}/{name}");
    let mut command = context.command([&*sshd.to_string_lossy(), "-t", "-f", &place]);
    command.scratch = Some(Scratch::file(name, candidate));
    let output = context.host.probe(&command)?;
    if output.status == 0 {
        return Ok(());
    }
    // People know the file by the name that it will have.
    let said = output.both_streams().replace(&place, &path.to_string_lossy());
    let is_about_the_host = |line: &str| NOT_THE_CONFIGURATION.iter().any(|start| line.starts_with(start));
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    if lines.peek().is_some() && lines.all(is_about_the_host) {
        return Ok(());
    }
    Err(Failure::Refused { program: "sshd".to_owned(), path: path.to_owned(), output: said })
}
