//! The executable `simulated`: where tests find it, and its names.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::PROGRAMS;

/// The executable, as built along with the running test.
///
/// # Errors
/// It is not there or older than its sources: cargo builds it for tests of the whole workspace, and not for those of a single
/// package.
pub fn executable() -> Result<PathBuf, String> {
    let hint = "run `cargo build -p refrain-simulation` first";
    let test = std::env::current_exe().map_err(|error| error.to_string())?;
    let place = test.ancestors().nth(2).unwrap_or(&test).join("simulated");
    let built = fs::metadata(&place).and_then(|metadata| metadata.modified());
    let built = built.map_err(|_| format!("`{}` is not there: {hint}", place.display()))?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    match newest(&sources) {
        Some(changed) if changed > built => Err(format!("`{}` is out of date: {hint}", place.display())),
        _ => Ok(place),
    }
}

/// Gives the executable `simulated`, which is in `directory` or will be, the name of each program there.
///
/// # Errors
/// A link can't be made.
pub fn link_programs(directory: &Path) -> io::Result<()> {
    PROGRAMS.iter().try_for_each(|(name, _)| symlink("simulated", directory.join(name)))
}

/// When a file below a directory was last changed.
fn newest(directory: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(directory).ok()?.flatten();
    let changed = |path: PathBuf| match path.is_dir() {
        true => newest(&path),
        false => fs::metadata(&path).ok()?.modified().ok(),
    };
    entries.filter_map(|entry| changed(entry.path())).max()
}
