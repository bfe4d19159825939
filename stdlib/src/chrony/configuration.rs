//! Where chronyd's configuration is, and whether chronyd accepts one.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::system::View;

use crate::host_path::HostPath;
use crate::validated_file::{CANDIDATE, Validator};

/// Where Debian and its kin have it.
const IN_DIRECTORY: &str = "/etc/chrony/chrony.conf";
/// Where all others have it, Void among them.
const PLAIN: &str = "/etc/chrony.conf";

/// The configuration on a host: where one is told, else where one is, else where its directory is.
///
/// # Errors
/// The host can't be looked at.
pub fn place(host: &dyn View, path: Option<&HostPath>) -> Result<PathBuf, Failure> {
    if let Some(path) = path {
        return Ok(path.to_path_buf());
    }
    let (in_directory, plain) = (Path::new(IN_DIRECTORY), Path::new(PLAIN));
    host.look_ahead(&[plain, in_directory]);
    if host.stat(plain)?.is_some() {
        return Ok(plain.to_owned());
    }
    let directory = in_directory.parent().unwrap_or(in_directory);
    let has_directory = host.stat(directory)?.is_some();
    Ok(if has_directory { in_directory } else { plain }.to_owned())
}

/// Where chronyd keeps how fast the host's clock is, by the place of its configuration.
pub fn drift_file(place: &Path) -> &'static str {
    if place == Path::new(IN_DIRECTORY) { "/var/lib/chrony/chrony.drift" } else { "/var/lib/chrony/drift" }
}

/// Asks chronyd, where the host has it, whether it accepts a configuration.
///
/// # Errors
/// It does not.
pub fn judge(context: &Context<'_>, path: &Path, candidate: &[u8]) -> Result<(), Failure> {
    Validator::new(["chronyd", "-p", "-f", CANDIDATE]).judge(context, path, candidate)
}
