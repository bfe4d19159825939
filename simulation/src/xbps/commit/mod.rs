//! A transaction is carried out.

mod configuration_files;
mod fetch;
mod obsolete;
mod remove;
mod unpack;

use std::collections::BTreeMap;

use super::errno::Errno;
use super::handle::Xbps;
use super::package::Package;
use super::plist::Value;
use super::script;
use super::transaction::{Action, Entry, Transaction};
use super::version;

/// Which tool carries it out: they tell different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `xbps-install`
    Install,
    /// `xbps-remove`
    Remove,
}

/// How a transaction is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// The tool.
    pub tool: Tool,
    /// Whether all files are put in place anew.
    pub overwrites: bool,
    /// Whether two packages may have the same file.
    pub ignores_file_conflicts: bool,
    /// Whether no script runs after unpacking.
    pub unpack_only: bool,
    /// Whether the database holds nothing that differs from run to run.
    pub is_reproducible: bool,
    /// Whether files that were changed are removed, too.
    pub removes_changed: bool,
}

/// Carries out a transaction.
///
/// # Errors
/// What was printed: the exit status is this number.
pub fn commit(xbps: &mut Xbps<'_, '_>, transaction: &Transaction, manner: Manner) -> Result<(), Errno> {
    Commit { xbps, transaction, manner, obsolete: BTreeMap::new(), remove_scripts: Vec::new() }.run()
}

struct Commit<'a, 'c, 'h> {
    xbps: &'a mut Xbps<'c, 'h>,
    transaction: &'a Transaction,
    manner: Manner,
    /// Paths that packages remove, by the packages' names.
    obsolete: BTreeMap<String, Vec<String>>,
    /// Scripts of removed packages, which still have to run: with name and version of the package.
    remove_scripts: Vec<(String, Vec<u8>)>,
}

impl Commit<'_, '_, '_> {
    fn run(&mut self) -> Result<(), Errno> {
        if let Err(errno) = self.xbps.disk.make_directories(&self.xbps.cache.clone()) {
            let cache = self.xbps.cache.display().to_string();
            self.xbps.error(format!("[trans] cannot create cachedir `{cache}': {errno}"));
            return Err(errno);
        }
        self.fetch()?;
        if self.transaction.manner.download_only {
            return self.xbps.save();
        }
        self.heading("Collecting package files");
        self.collect_obsolete()?;
        self.heading("Unpacking packages");
        self.run_scripts_before()?;
        self.apply()?;
        if !self.manner.unpack_only {
            self.xbps.save()?;
            self.run_remove_scripts()?;
            self.configure()?;
        }
        self.xbps.save()
    }

    /// Tells what begins now.
    fn heading(&mut self, text: &str) {
        self.tell(format!("\n[*] {text}"));
    }

    /// Tells what only `xbps-install` tells.
    fn tell(&mut self, line: String) {
        if self.manner.tool == Tool::Install {
            self.xbps.say(line);
        }
    }

    fn run_scripts_before(&mut self) -> Result<(), Errno> {
        let transaction = self.transaction;
        for entry in &transaction.entries {
            if !matches!(entry.action, Action::Install | Action::Hold | Action::Configure) {
                self.run_remove_script_before(entry)?;
            }
        }
        for entry in &transaction.entries {
            if matches!(entry.action, Action::Remove | Action::Hold) {
                continue;
            }
            let package = self.with_scripts(&entry.package, entry.action);
            let script = package.data("install-script").map(<[u8]>::to_vec);
            if let Err(errno) =
                self.run_script(script, package.pkgver(), "pre", entry.action == Action::Update)
            {
                let pkgver = package.pkgver();
                self.xbps
                    .error(format!("{pkgver}: [trans] INSTALL script failed to execute pre ACTION: {errno}"));
                return Err(errno);
            }
        }
        Ok(())
    }

    fn run_remove_script_before(&mut self, entry: &Entry) -> Result<(), Errno> {
        let Some(installed) = self.xbps.database.get(entry.package.name()) else {
            return if entry.is_replaced { Ok(()) } else { Err(Errno::ENOENT) };
        };
        let Some(script) = installed.data("remove-script").map(<[u8]>::to_vec) else { return Ok(()) };
        let installed = installed.pkgver().to_owned();
        let is_update = entry.action == Action::Update;
        if let Err(errno) = self.run_script(Some(script.clone()), &installed, "pre", is_update) {
            let pkgver = entry.package.pkgver();
            self.xbps.error(format!("{pkgver}: [trans] REMOVE script failed to execute pre ACTION: {errno}"));
            return Err(errno);
        }
        if !is_update {
            self.remove_scripts.push((installed, script));
        }
        Ok(())
    }

    fn run_remove_scripts(&mut self) -> Result<(), Errno> {
        for (pkgver, script) in std::mem::take(&mut self.remove_scripts) {
            for action in ["post", "purge"] {
                if let Err(errno) = self.run_script(Some(script.clone()), &pkgver, action, false) {
                    self.xbps.error(format!(
                        "{pkgver}: [trans] REMOVE script failed to execute pre ACTION: {errno}"
                    ));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn run_script(
        &mut self,
        script: Option<Vec<u8>>,
        pkgver: &str,
        action: &str,
        is_update: bool,
    ) -> Result<(), Errno> {
        script.map_or(Ok(()), |text| script::run(self.xbps, &text, pkgver, action, is_update))
    }

    /// A package of the transaction with the scripts of its file.
    fn with_scripts(&self, package: &Package, action: Action) -> Package {
        let mut package = package.clone();
        if action.unpacks()
            && let Some(definition) = self.definition(&package)
        {
            definition.scripts().for_each(|(name, script)| package.set(name, Value::Data(script)));
        }
        package
    }

    /// Removes, updates and installs.
    fn apply(&mut self) -> Result<(), Errno> {
        let transaction = self.transaction;
        for entry in &transaction.entries {
            let name = entry.package.name();
            match entry.action {
                Action::Remove => {
                    if !entry.is_replaced || self.xbps.database.get(name).is_some() {
                        self.remove(&entry.package)?;
                    }
                    continue;
                }
                Action::Configure | Action::Hold | Action::Download => continue,
                Action::Update => self.leave_old(&entry.package),
                Action::Install | Action::Reinstall => {}
            }
            self.unpack(&entry.package)?;
            self.register(entry);
        }
        Ok(())
    }

    /// An update begins: the old version is not removed, it only leaves its alternatives.
    fn leave_old(&mut self, package: &Package) {
        let Some(installed) = self.xbps.database.get(package.name()).cloned() else { return };
        self.tell(format!("{}: updating to {} ...", installed.pkgver(), package.version()));
        super::alternatives::leave(self.xbps, &installed, true);
    }

    fn register(&mut self, entry: &Entry) {
        let mut package = self.with_scripts(&entry.package, entry.action);
        let name = package.name().to_owned();
        package.set("state", Value::from("unpacked"));
        if self.manner.is_reproducible {
            package.0.remove("repository");
        } else {
            let now = refrain_engine::system::Time::now().seconds;
            package.set("install-date", Value::Text(date(now)));
        }
        let files = super::database::files_place(&self.xbps.meta, &name);
        if let Ok(sha256) = self.xbps.disk.sha256(&files) {
            package.set("metafile-sha256", Value::Text(sha256));
        }
        package.0.remove("pkgname");
        self.xbps.database.insert(package);
    }

    fn configure(&mut self) -> Result<(), Errno> {
        self.heading("Configuring unpacked packages");
        let transaction = self.transaction;
        for entry in &transaction.entries {
            if matches!(entry.action, Action::Remove | Action::Hold) {
                continue;
            }
            let pkgver = entry.package.pkgver();
            let is_update = entry.action == Action::Update;
            self.tell(format!("{pkgver}: configuring ..."));
            super::configure::run(self.xbps, pkgver, is_update)?;
            let done = if is_update { "updated" } else { "installed" };
            self.tell(format!("{pkgver}: {done} successfully."));
        }
        Ok(())
    }
}

/// The moment, so many seconds after the beginning of 1970, as xbps notes it: `2026-11-23 03:02 UTC`.
pub fn date(seconds: i64) -> String {
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since March of the year 0, so that a leap day is the last of its year.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", second / 3600, second % 3600 / 60)
}

/// The name of a package in messages that want it without its version.
pub fn bare(pkgver: &str) -> &str {
    version::name(pkgver).unwrap_or(pkgver)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn a_date_is_read_off_the_seconds() {
        let cases = [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59 UTC"),
            (1_795_402_920, "2026-11-23 03:02 UTC"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(date(seconds), expected, "{seconds}");
        }
    }
}
