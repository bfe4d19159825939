//! How much a transaction is, and how that is shown.

use super::super::handle::Xbps;
use super::super::network::is_remote;
use super::{Action, Transaction};

/// What is added to the size of a download for its signature.
const SIGNATURE: u64 = 512;

/// How many packages and bytes a transaction is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packages to be fetched.
    pub downloads: usize,
    /// Packages to be installed or reinstalled.
    pub installs: usize,
    /// Packages to be updated.
    pub updates: usize,
    /// Packages to be configured only.
    pub configures: usize,
    /// Packages to be removed.
    pub removes: usize,
    /// Packages that would be updated and are held.
    pub holds: usize,
    /// Bytes to be fetched.
    pub download_size: u64,
    /// Bytes that are taken on the disk.
    pub installed_size: u64,
    /// Bytes that are freed on the disk.
    pub removed_size: u64,
    /// Bytes that are free on the disk.
    pub free_size: u64,
}

impl Transaction {
    /// Sums up, and notes what has to be fetched.
    pub fn sum_up(&mut self, xbps: &Xbps<'_, '_>) -> Totals {
        let mut totals = Totals::default();
        for entry in &mut self.entries {
            let package = &entry.package;
            match entry.action {
                Action::Install | Action::Reinstall => totals.installs += 1,
                Action::Update => totals.updates += 1,
                Action::Configure => totals.configures += 1,
                Action::Remove => totals.removes += 1,
                Action::Hold => totals.holds += 1,
                Action::Download => {}
            }
            let takes = entry.action.unpacks() || entry.action == Action::Download;
            if takes && is_remote(package.text("repository")) && !xbps.disk.exists(&xbps.kept_file(package)) {
                totals.downloads += 1;
                totals.download_size += package.number("filename-size") + SIGNATURE;
                entry.needs_download = true;
            }
            if takes && !self.manner.download_only {
                totals.installed_size += package.number("installed_size");
            }
            let frees =
                entry.action == Action::Remove || entry.action == Action::Update && !package.is("preserve");
            if frees && !self.manner.download_only {
                // As the real one looks it up: an update frees nothing, unless it is to the same version, and nor does what is
                // replaced before it was installed.
                let installed = xbps.database.get(package.pkgver());
                totals.removed_size += installed.map_or(0, |installed| installed.number("installed_size"));
            }
        }
        let both = totals.installed_size.min(totals.removed_size);
        totals.installed_size -= both;
        totals.removed_size -= both;
        totals.free_size = xbps.free_space();
        totals
    }
}

/// A number of bytes in at most six characters, as xbps shows it: `2773B`, `9.8KB`, `293KB`.
pub fn humanized(bytes: u64) -> String {
    let units = ["", "K", "M", "G", "T", "P", "E"];
    // Hundredths, so that there is something to round.
    let (mut value, mut unit) = (u128::from(bytes) * 100, 0);
    while value >= 1_000_000 - 50 && unit < units.len() - 1 {
        value /= 1024;
        unit += 1;
    }
    if value < 995 && unit > 0 {
        let tenths = (value + 5) / 10;
        return format!("{}.{}{}B", tenths / 10, tenths % 10, units[unit]);
    }
    format!("{}{}B", (value + 50) / 100, units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_as_in_the_recordings() {
        let cases = [
            (0, "0B"),
            (56, "56B"),
            (2773, "2773B"),
            (8881, "8881B"),
            (9999, "9999B"),
            (10_077, "9.8KB"),
            (25_000, "24KB"),
            (300_115, "293KB"),
            (301_392, "294KB"),
            (3_000_000, "2930KB"),
            (40_000_000, "38MB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(humanized(bytes), expected, "{bytes}");
        }
    }
}
