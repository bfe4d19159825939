//! Asking xbps what it would do: its own answer is the plan.

use refrain_engine::failure::Failure;
use refrain_engine::system::Output;

use super::explanation::{explain, is_partial};
use super::planned::{Deed, Planned, parse};
use super::prediction::Packages;
use super::program::Xbps;

/// The status with which xbps refuses to do anything before it is updated itself; also that of another error.
const XBPS_FIRST: i32 = 16;

/// What xbps would do.
#[derive(Clone, Debug, Default)]
pub struct DryRun {
    /// What would be done to packages, in its order. What check mode has foretold already is not part of it.
    pub planned: Vec<Planned>,
    /// Packages that it leaves alone, since they are on hold: each as it would be.
    pub held: Vec<Planned>,
    /// Whether xbps itself has to be updated before the rest.
    pub xbps_first: bool,
}

impl DryRun {
    /// Asks for `names`, after those that were asked for before.
    ///
    /// # Errors
    /// xbps would refuse, or has not seen all repositories.
    pub fn install(
        xbps: &Xbps<'_>,
        options: &[&str],
        names: &[String],
        packages: &Packages,
    ) -> Result<Self, Failure> {
        let all: Vec<String> = packages.prediction.installed.iter().chain(names).cloned().collect();
        let command = xbps.plan_install(options, &all);
        let output = xbps.ask(&command)?;
        if !needs_xbps_first(&output) {
            return Self::read(&output, packages).ok_or_else(|| explain(&command, &output));
        }
        // Named before all others, xbps takes itself along and plans the rest.
        let with_xbps: Vec<String> = ["xbps".to_owned()].into_iter().chain(all).collect();
        let command = xbps.plan_install(options, &with_xbps);
        let output = xbps.ask(&command)?;
        let run = Self::read(&output, packages).ok_or_else(|| explain(&command, &output))?;
        Ok(Self { xbps_first: run.planned.iter().any(|line| line.name == "xbps"), ..run })
    }

    /// What a whole and successful answer says.
    pub fn read(output: &Output, packages: &Packages) -> Option<Self> {
        if output.status != 0 || is_partial(output) {
            return None;
        }
        let mut run = Self::default();
        for line in parse(&String::from_utf8_lossy(&output.stdout), &packages.real) {
            run.add(line, packages);
        }
        Some(run)
    }

    fn add(&mut self, mut line: Planned, packages: &Packages) {
        if packages.is_predicted(&line.name) {
            let now = packages.now.packages.get(&line.name);
            let is_so = match line.deed {
                Deed::Remove => now.is_none(),
                _ => now.is_some_and(|now| now.version == line.version),
            };
            if is_so {
                return;
            }
            line.before = now.map(|now| now.version.clone());
            if now.is_none() {
                // What xbps still sees would be gone by then.
                line.deed = Deed::Install;
            }
        }
        // Asked for bounds, or forced, xbps would change it all the same.
        let is_held = packages.now.packages.get(&line.name).is_some_and(|package| package.hold);
        if is_held && line.deed == Deed::Update {
            line.deed = Deed::Hold;
        }
        if line.deed == Deed::Hold { self.held.push(line) } else { self.planned.push(line) }
    }
}

/// Whether xbps wants to be updated before anything else.
pub fn needs_xbps_first(output: &Output) -> bool {
    output.status == XBPS_FIRST
        && String::from_utf8_lossy(&output.stderr).contains("'xbps' package must be updated")
}
