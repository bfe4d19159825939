//! A package is configured: its script runs, and it counts as installed.

use super::commit::bare;
use super::errno::Errno;
use super::handle::Xbps;
use super::plist::Value;
use super::script;

/// Runs the script of an installed package and notes that it is done. `pkgver` is also what messages call it.
///
/// # Errors
/// The script failed, which is printed.
pub fn run(xbps: &mut Xbps<'_, '_>, pkgver: &str, is_update: bool) -> Result<(), Errno> {
    let name = bare(pkgver).to_owned();
    let package = xbps.database.get(&name).ok_or(Errno::ENOENT)?;
    let (installed, text) = (package.pkgver().to_owned(), package.data("install-script").map(<[u8]>::to_vec));
    if let Some(text) = text
        && let Err(errno) = script::run(xbps, &text, &installed, "post", is_update)
    {
        xbps.error(format!(
            "{pkgver}: [configure] INSTALL script failed to execute the post ACTION: {errno}"
        ));
        return Err(errno);
    }
    if let Some(package) = xbps.database.get_mut(&name) {
        package.set("state", Value::from("installed"));
    }
    Ok(())
}
