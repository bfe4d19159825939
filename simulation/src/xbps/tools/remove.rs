//! `xbps-remove`

use super::super::commit::{Manner, Tool};
use super::super::errno::Errno;
use super::super::handle::Xbps;
use super::super::options::Argument::{None, Required};
use super::super::options::{Known, Options, status};
use super::super::transaction::{self, Transaction};
use super::super::version;
use super::transact::{Wish, plain, transact};
use crate::invocation::Invocation;

const KNOWN: &[Known] = &[
    ('C', "config", Required),
    ('c', "cachedir", Required),
    ('d', "debug", None),
    ('F', "force-revdeps", None),
    ('f', "force", None),
    ('h', "help", None),
    ('n', "dry-run", None),
    ('O', "clean-cache", None),
    ('o', "remove-orphans", None),
    ('R', "recursive", None),
    ('r', "rootdir", Required),
    ('v', "verbose", None),
    ('V', "version", None),
    ('y', "yes", None),
];

const USAGE: &str = include_str!("usage/xbps-remove.txt");

/// Runs it.
pub fn run(call: &mut Invocation<'_>) -> i32 {
    let options = match Options::parse(call, KNOWN, USAGE) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let cleans = options.has('O');
    if options.operands.is_empty() && !cleans && !options.has('o') {
        call.print(USAGE);
        return 1;
    }
    let mut xbps = match Xbps::open(call, &options, Vec::new(), false, false) {
        Ok(xbps) => xbps,
        Err(errno) => return errno.0,
    };
    if cleans {
        clean_cache(&mut xbps, options.count('O') > 1, options.has('n'));
        if !options.has('o') {
            return 0;
        }
    }
    if !options.has('n') && xbps.lock().is_err() {
        return 1;
    }
    status(remove(&mut xbps, &options))
}

fn remove(xbps: &mut Xbps<'_, '_>, options: &Options) -> Result<(), Errno> {
    let breaks_others = options.has('F');
    let mut transaction =
        Transaction::new(transaction::Manner { breaks_others, ..transaction::Manner::default() });
    if options.has('o') {
        transaction.request_orphans(xbps);
    }
    let mut missing = 0;
    for name in &options.operands {
        if let Err(errno) = transaction.request_removal(xbps, name, options.has('R')) {
            xbps.say(format!("Package `{name}' is not currently installed."));
            missing += 1;
            if missing == options.operands.len() && !options.has('o') {
                return Err(errno);
            }
        }
    }
    let wish = Wish { is_dry_run: options.has('n'), says_yes: options.has('y') };
    let manner = Manner { removes_changed: options.has('f'), ..plain(Tool::Remove) };
    transact(xbps, &mut transaction, wish, manner)
}

/// Removes package files that no repository has, or, with `uninstalled`, that are not of what is installed.
fn clean_cache(xbps: &mut Xbps<'_, '_>, uninstalled: bool, is_dry_run: bool) {
    let cache = xbps.cache.clone();
    let names = xbps.disk.list(&cache).into_iter().filter(|name| name.ends_with(".xbps"));
    for name in names.collect::<Vec<_>>() {
        let parts = name.strip_suffix(".xbps").and_then(|name| name.rsplit_once('.'));
        let Some((pkgver, architecture)) = parts.filter(|(pkgver, _)| version::version(pkgver).is_some())
        else {
            xbps.error(format!("Binary package filename: {name}: {}", Errno::EINVAL));
            continue;
        };
        let is_ours = [xbps.architecture.as_str(), "noarch"].contains(&architecture);
        if !is_ours || is_needed(xbps, &cache.join(&name), pkgver, uninstalled) {
            continue;
        }
        if !is_dry_run {
            // The signature may be missing.
            let _ = xbps.disk.remove(&cache.join(format!("{name}.sig2")));
            if let Err(errno) = xbps.disk.remove(&cache.join(&name)) {
                xbps.error(format!("Failed to remove `{name}': {errno}"));
                continue;
            }
        }
        xbps.say(format!("Removed {name} from cachedir (obsolete)"));
    }
}

fn is_needed(xbps: &mut Xbps<'_, '_>, file: &std::path::Path, pkgver: &str, uninstalled: bool) -> bool {
    let available = match uninstalled {
        true => Option::None,
        false => xbps.available(pkgver).ok().flatten(),
    };
    let package = available.or_else(|| xbps.database.get(pkgver).cloned());
    package.is_some_and(|package| xbps.disk.check(file, package.text("filename-sha256")).is_ok())
}
