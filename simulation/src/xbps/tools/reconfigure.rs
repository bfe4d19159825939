//! `xbps-reconfigure`

use super::super::commit::bare;
use super::super::configure;
use super::super::errno::Errno;
use super::super::handle::Xbps;
use super::super::options::Argument::{None, Required};
use super::super::options::{Known, Options};
use super::super::package::{Package, State};
use super::super::version;
use crate::invocation::Invocation;

const KNOWN: &[Known] = &[
    ('a', "all", None),
    ('C', "config", Required),
    ('d', "debug", None),
    ('f', "force", None),
    ('h', "help", None),
    ('i', "ignore", Required),
    ('r', "rootdir", Required),
    ('x', "deps", None),
    ('v', "verbose", None),
    ('V', "version", None),
    ('1', "fulldeptree", None),
];

const USAGE: &str = include_str!("usage/xbps-reconfigure.txt");

/// Runs it.
pub fn run(call: &mut Invocation<'_>) -> i32 {
    let options = match Options::parse(call, KNOWN, USAGE) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() && !options.has('a') {
        call.print(USAGE);
        return 1;
    }
    let mut xbps = match Xbps::open(call, &options, Vec::new(), false, false) {
        Ok(xbps) => xbps,
        Err(_) => return 1,
    };
    if xbps.lock().is_err() {
        return 1;
    }
    let is_done = if options.has('a') { all(&mut xbps, &options) } else { named(&mut xbps, &options) };
    i32::from(!is_done || xbps.save().is_err())
}

fn all(xbps: &mut Xbps<'_, '_>, options: &Options) -> bool {
    if xbps.database.is_missing {
        return false;
    }
    let is_ignored =
        |package: &Package| options.all('i').any(|name| name == package.name() || name == package.pkgver());
    let packages = xbps.database.packages().filter(|package| !is_ignored(package));
    let pkgvers: Vec<String> = packages.map(|package| package.pkgver().to_owned()).collect();
    pkgvers.iter().all(|pkgver| configure(xbps, pkgver, options.has('f')).is_ok())
}

fn named(xbps: &mut Xbps<'_, '_>, options: &Options) -> bool {
    let mut is_done = true;
    for name in &options.operands {
        let dependencies =
            if options.has('x') { dependencies(xbps, name, options.has('1')) } else { Vec::new() };
        for one in dependencies.iter().chain([name]) {
            let result = configure(xbps, one, options.has('f'));
            if let Err(errno) = result {
                xbps.error(format!("failed to reconfigure `{one}': {errno}"));
            }
            // That of the last one counts.
            is_done = result.is_ok();
        }
    }
    is_done
}

fn dependencies(xbps: &Xbps<'_, '_>, name: &str, all: bool) -> Vec<String> {
    let Some(package) = xbps.database.get(name) else { return Vec::new() };
    if all {
        let tree = xbps.database.all_dependencies(&xbps.providers, package);
        return tree.iter().map(|pkgver| bare(pkgver).to_owned()).collect();
    }
    package.texts("run_depends").filter_map(version::required_name).map(str::to_owned).collect()
}

/// Configures a package that is not, or also one that is.
fn configure(xbps: &mut Xbps<'_, '_>, pkgver: &str, force: bool) -> Result<(), Errno> {
    let package = xbps.database.get(bare(pkgver)).ok_or(Errno::ENOENT)?;
    match package.state() {
        State::Installed if !force => return Ok(()),
        State::Installed | State::Unpacked => {}
        _ => return Err(Errno::EINVAL),
    }
    xbps.say(format!("{pkgver}: configuring ..."));
    configure::run(xbps, pkgver, false)?;
    xbps.say(format!("{pkgver}: configured successfully."));
    Ok(())
}
