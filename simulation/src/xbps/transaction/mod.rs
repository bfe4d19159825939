//! What is to be done with packages: collected from the command line, completed with dependencies, checked, summed up.

mod checks;
mod dependencies;
mod replaces;
mod request;
mod totals;

pub use request::Updates;
pub use totals::{Totals, humanized};

use super::configuration::Providers;
use super::errno::Errno;
use super::handle::Xbps;
use super::package::Package;
use super::version;

/// What is to be done with a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is not installed, and shall be.
    Install,
    /// It is installed, perhaps as a later version, and is put in place again.
    Reinstall,
    /// Another version is put in place.
    Update,
    /// It is unpacked, and its script has to run.
    Configure,
    /// It goes.
    Remove,
    /// It would be updated, but is not to be touched.
    Hold,
    /// It is only fetched.
    Download,
}

impl Action {
    /// The word for it in a plan.
    pub fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Reinstall => "reinstall",
            Self::Update => "update",
            Self::Configure => "configure",
            Self::Remove => "remove",
            Self::Hold => "hold",
            Self::Download => "download",
        }
    }

    /// Whether a package file is unpacked.
    pub fn unpacks(self) -> bool {
        matches!(self, Self::Install | Self::Reinstall | Self::Update)
    }
}

/// A package of a transaction.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The package as it shall be, or as it is if it goes.
    pub package: Package,
    /// What is to be done with it.
    pub action: Action,
    /// Whether it goes because another takes its place.
    pub is_replaced: bool,
    /// Whether its file has to be fetched.
    pub needs_download: bool,
}

impl Entry {
    fn new(package: Package, action: Action) -> Self {
        Self { package, action, is_replaced: false, needs_download: false }
    }
}

/// How a transaction is to be made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Nothing is done but fetching.
    pub download_only: bool,
    /// What is newly installed counts as if others had needed it.
    pub automatic: bool,
    /// What breaks other packages is done all the same.
    pub breaks_others: bool,
}

/// Why a transaction can't be made, with the lines to be printed.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Dependencies are missing, or others would miss theirs.
    Dependencies(Vec<String>),
    /// Packages don't go together.
    Conflicts(Vec<String>),
    /// Shared libraries are missing.
    Libraries(Vec<String>),
    /// Anything else.
    Other(Errno),
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self::Other(errno)
    }
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct Transaction {
    /// How.
    pub manner: Manner,
    /// The packages, in the order in which they are dealt with.
    pub entries: Vec<Entry>,
    missing: Vec<String>,
}

impl Transaction {
    /// One without packages.
    pub fn new(manner: Manner) -> Self {
        Self { manner, ..Self::default() }
    }

    /// The first package that is what `wanted` asks for.
    fn find(&self, wanted: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.package.is_called(wanted))
    }

    /// The first package that is what `wanted` asks for, if this is to be done with it.
    fn find_with(&self, wanted: &str, action: Action) -> Option<usize> {
        self.find(wanted).filter(|at| self.entries[*at].action == action)
    }

    /// The first package that provides what `wanted` asks for.
    fn find_provider(&self, providers: &Providers, wanted: &str) -> Option<usize> {
        find_provider(self.entries.iter().map(|entry| &entry.package), providers, wanted)
    }

    /// Adds a package, unless it is there as the same or a later version. It is told of if more is to be told.
    fn add(&mut self, xbps: &mut Xbps<'_, '_>, entry: Entry) {
        let package = &entry.package;
        if let Some(at) = self.find(package.name()) {
            if version::compare(package.pkgver(), self.entries[at].package.pkgver()).is_le() {
                return;
            }
            self.entries.remove(at);
        }
        if xbps.is_verbose && entry.action != Action::Remove {
            xbps.say(format!("Found {} in repository {}", package.pkgver(), package.text("repository")));
        }
        self.entries.push(entry);
    }

    /// Adds dependencies and replaced packages, brings all into order, and looks for what is in the way.
    ///
    /// # Errors
    /// It can't be done.
    pub fn prepare(&mut self, xbps: &mut Xbps<'_, '_>) -> Result<(), Refusal> {
        let requested = self.entries.len();
        self.add_dependencies(xbps, requested)?;
        let mut first = self.entries.iter().take(requested);
        if self.manner.download_only || first.all(|entry| entry.action == Action::Hold) {
            return Ok(());
        }
        self.add_replaced(xbps);
        self.check_dependants(xbps);
        if !self.missing.is_empty() && !self.manner.breaks_others {
            return Err(Refusal::Dependencies(std::mem::take(&mut self.missing)));
        }
        let conflicts = self.conflicts(xbps);
        if !conflicts.is_empty() {
            return Err(Refusal::Conflicts(conflicts));
        }
        let libraries = self.missing_libraries(xbps);
        if !libraries.is_empty() && !self.manner.breaks_others {
            return Err(Refusal::Libraries(libraries));
        }
        Ok(())
    }
}

/// The first of some packages that provides what `wanted` asks for.
fn find_provider<'a>(
    packages: impl Iterator<Item = &'a Package> + Clone,
    providers: &Providers,
    wanted: &str,
) -> Option<usize> {
    let chosen = providers.choose(wanted);
    let chosen = chosen.and_then(|provider| packages.clone().position(|package| package.provides(provider)));
    chosen.or_else(|| packages.clone().position(|package| package.provides(wanted)))
}
