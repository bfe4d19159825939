//! Lists of packages and repositories.

use super::super::super::handle::Xbps;
use super::super::super::package::Package;

pub(super) fn repositories(xbps: &mut Xbps<'_, '_>) {
    for url in xbps.pool.urls.clone() {
        let repository = match xbps.pool.opener.open(&url) {
            Ok(repository) => repository,
            Err(complaint) => {
                complaint.into_iter().for_each(|complaint| xbps.error(complaint));
                xbps.say(format!("{:>5} {url} (RSA maybe-signed)", -1));
                continue;
            }
        };
        let signed = if repository.key.is_some() { "signed" } else { "unsigned" };
        xbps.say(format!("{:>5} {url} (RSA {signed})", repository.packages.len()));
        if let Some(key) = repository.key.filter(|_| xbps.is_verbose) {
            xbps.say(format!("      Signed-by: {}", key.owner));
            xbps.say(format!("      {} {}", key.size, key.fingerprint().unwrap_or_default()));
        }
    }
}

pub(super) fn installed(xbps: &mut Xbps<'_, '_>) {
    let width = xbps.database.packages().map(|package| package.pkgver().len()).max().unwrap_or_default();
    let line = |package: &Package| {
        let (state, pkgver) = (package.state().letters(), package.pkgver());
        format!("{state} {pkgver:width$} {}", package.text("short_desc"))
    };
    let lines: Vec<String> = xbps.database.packages().map(line).collect();
    lines.into_iter().for_each(|line| xbps.say(line));
}

/// The installed packages that fit.
pub(super) fn those(xbps: &mut Xbps<'_, '_>, fits: impl Fn(&Package) -> bool) {
    let fitting = xbps.database.packages().filter(|package| fits(package));
    let pkgvers: Vec<String> = fitting.map(|package| package.pkgver().to_owned()).collect();
    pkgvers.into_iter().for_each(|pkgver| xbps.say(pkgver));
}

pub(super) fn orphans(xbps: &mut Xbps<'_, '_>) {
    let orphans = xbps.database.orphans(&xbps.providers);
    let pkgvers: Vec<String> = orphans.iter().map(|package| package.pkgver().to_owned()).collect();
    pkgvers.into_iter().for_each(|pkgver| xbps.say(pkgver));
}
