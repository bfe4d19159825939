//! The configuration that xbps would find: in check mode, repositories may be there only by prediction.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::system::scratch::{PLACEHOLDER, Scratch};
use refrain_engine::system::{Content, View};

/// Where the host's own configuration is. A file there hides that of the same name in [`VENDOR`].
pub const DIRECTORY: &str = "/etc/xbps.d";
/// Where that of the distribution is.
pub const VENDOR: &str = "/usr/share/xbps.d";

/// The files of [`DIRECTORY`] as they would be, for one command. `None` outside of check mode, where they are what they are.
///
/// # Errors
/// They can't be read, or check mode does not know what will be in one.
pub fn predicted(host: &dyn View) -> Result<Option<Scratch>, Failure> {
    if !host.is_predicted() {
        return Ok(None);
    }
    let directory = Path::new(DIRECTORY);
    let mut files = Scratch::default();
    for name in host.list(directory)? {
        let Some(name) = name.to_str().filter(|name| name.ends_with(".conf")) else { continue };
        let path = directory.join(name);
        match host.read(&path)? {
            Some(Content::Known(content)) => files = files.with(format!("xbps.d/{name}"), content),
            Some(Content::Unknown) => {
                let message = format!("what `{}` will hold is known only in a real run", path.display());
                return Err(Failure::state(message));
            }
            None => {}
        }
    }
    Ok(Some(files))
}

/// The directory that a command knows the predicted files by.
pub fn place() -> String {
    format!("{PLACEHOLDER}/xbps.d")
}
