//! Taking a transaction back: the commands for that, and what they can't do.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::step::Undo;
use refrain_engine::system::{Command, View};

use super::database::{Database, Package};
use super::planned::{Deed, Planned};

/// Where xbps keeps the packages that it has downloaded.
pub const CACHE: &str = "/var/cache/xbps";

/// How a transaction is taken back: what it installs is removed, and what it updates or removes is installed again in the
/// version that was there, as far as that is still to be had. `before` are the packages as they are.
///
/// # Errors
/// The host can't be looked at.
pub fn of(planned: &[Planned], before: &Database, host: &dyn View) -> Result<Undo, Failure> {
    let mut back = Back::default();
    for line in planned {
        match line.deed {
            Deed::Install => back.removed.push(line.name.clone()),
            Deed::Update | Deed::Remove => back.take(line, before, host)?,
            Deed::Reinstall | Deed::Configure | Deed::Hold => {}
        }
    }
    Ok(back.undo())
}

/// What has to come back, and what has to go.
#[derive(Default)]
struct Back {
    removed: Vec<String>,
    /// Packages in their old versions.
    installed: Vec<String>,
    /// The files of those in the cache.
    cached: Vec<String>,
    /// Modes that are set afterwards, with their packages.
    modes: [(&'static str, Vec<String>); 3],
    /// Packages whose old version is no more.
    lost: Vec<String>,
}

impl Back {
    fn take(&mut self, line: &Planned, before: &Database, host: &dyn View) -> Result<(), Failure> {
        let Some(package) = before.packages.get(&line.name) else { return Ok(()) };
        let pkgver = format!("{}-{}", line.name, package.version);
        let architecture =
            if package.architecture.is_empty() { &line.architecture } else { &package.architecture };
        let file = format!("{CACHE}/{pkgver}.{architecture}.xbps");
        let is_cached = host.stat(Path::new(&file))?.is_some();
        match (is_cached, line.deed) {
            (true, _) => self.cached.push(file),
            // What was removed, a repository still has, unless it has a newer one by now.
            (false, Deed::Remove) => {}
            (false, _) => {
                self.lost.push(pkgver);
                return Ok(());
            }
        }
        self.installed.push(pkgver);
        if line.deed == Deed::Remove {
            self.remember_modes(&line.name, package);
        }
        Ok(())
    }

    fn remember_modes(&mut self, name: &str, package: &Package) {
        let modes = [("auto", package.automatic), ("hold", package.hold), ("repolock", package.repolock)];
        for ((mode, names), (word, given)) in self.modes.iter_mut().zip(modes) {
            *mode = word;
            if given {
                names.push(name.to_owned());
            }
        }
    }

    fn undo(self) -> Undo {
        let mut commands = Vec::new();
        let mut add = |words: &[&str], names: Vec<String>| {
            if !names.is_empty() {
                commands.push(Command::new(words.iter().map(|word| (*word).to_owned()).chain(names)));
            }
        };
        add(&["xbps-remove", "-y"], self.removed);
        let from_cache = !self.cached.is_empty();
        add(&["xbps-rindex", "-a"], self.cached);
        // The cache may have been cleaned since, of these or of what was taken back before.
        add(&["xbps-rindex", "-c"], from_cache.then(|| CACHE.to_owned()).into_iter().collect());
        let cache = format!("--repository={CACHE}");
        // Forced, because the version that is there may be newer.
        let install = ["xbps-install", "-y", "-f", &cache];
        add(if from_cache { &install } else { &install[..3] }, self.installed);
        for (mode, names) in self.modes {
            add(&["xbps-pkgdb", "-m", mode], names);
        }
        let lost = self.lost.join("`, `");
        let kept = (!lost.is_empty())
            .then(|| format!("`{lost}` can't be had any more: neither a repository nor `{CACHE}` has it"));
        match kept {
            Some(reason) if commands.is_empty() => Undo::Irreversible(reason),
            kept => Undo::Run { commands, kept },
        }
    }
}
