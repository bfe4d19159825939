//! `xbps-install`

use super::super::commit::{Manner, Tool};
use super::super::disk::sha256;
use super::super::errno::Errno;
use super::super::handle::Xbps;
use super::super::key::Key;
use super::super::network::is_remote;
use super::super::options::Argument::{None, Required};
use super::super::options::{Known, Options, status};
use super::super::progress;
use super::super::repository::kept_in;
use super::super::transaction::{self, Transaction, Updates};
use super::transact::{Wish, plain, transact};
use crate::invocation::Invocation;

const KNOWN: &[Known] = &[
    ('A', "automatic", None),
    ('C', "config", Required),
    ('c', "cachedir", Required),
    ('d', "debug", None),
    ('D', "download-only", None),
    ('f', "force", None),
    ('h', "help", None),
    ('i', "ignore-conf-repos", None),
    ('I', "ignore-file-conflicts", None),
    ('M', "memory-sync", None),
    ('n', "dry-run", None),
    ('R', "repository", Required),
    ('r', "rootdir", Required),
    ('S', "sync", None),
    ('U', "unpack-only", None),
    ('u', "update", None),
    ('v', "verbose", None),
    ('V', "version", None),
    ('y', "yes", None),
    ('1', "reproducible", None),
    ('2', "staging", None),
];

const USAGE: &str = include_str!("usage/xbps-install.txt");

const PENDING: &str = "The 'xbps' package must be updated, please run `xbps-install -u xbps`";

/// Runs it.
pub fn run(call: &mut Invocation<'_>) -> i32 {
    let options = match Options::parse(call, KNOWN, USAGE) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let is_alone = options.operands.is_empty();
    if is_alone && !options.has('u') && !options.has('S') {
        call.print(USAGE);
        return 1;
    }
    let repositories = options.all('R').map(str::to_owned).collect();
    let opened = Xbps::open(call, &options, repositories, options.has('i'), options.has('M'));
    let mut xbps = match opened {
        Ok(xbps) => xbps,
        Err(errno) => return errno.0,
    };
    let is_dry_run = options.has('n');
    if options.has('S') && !is_dry_run && synchronize(&mut xbps).is_err() {
        return 1;
    }
    if is_alone && !options.has('u') {
        return 0;
    }
    if !options.has('D') && !is_dry_run && xbps.lock().is_err() {
        return 1;
    }
    status(install(&mut xbps, &options))
}

fn install(xbps: &mut Xbps<'_, '_>, options: &Options) -> Result<(), Errno> {
    let mut transaction = Transaction::new(transaction::Manner {
        download_only: options.has('D'),
        automatic: options.has('A'),
        breaks_others: false,
    });
    let wish = Wish { is_dry_run: options.has('n'), says_yes: options.has('y') };
    let manner = Manner {
        overwrites: options.count('f') > 1,
        ignores_file_conflicts: options.has('I'),
        unpack_only: options.has('U'),
        is_reproducible: options.has('1'),
        ..plain(Tool::Install)
    };
    let is_something = match options.operands.as_slice() {
        [] => request_updates(xbps, &mut transaction, wish)?,
        names => request(xbps, &mut transaction, names, options)?,
    };
    if is_something { transact(xbps, &mut transaction, wish, manner) } else { Ok(()) }
}

/// Whether there are updates.
fn request_updates(
    xbps: &mut Xbps<'_, '_>,
    transaction: &mut Transaction,
    wish: Wish,
) -> Result<bool, Errno> {
    match transaction.update_all(xbps)? {
        Updates::None => Ok(false),
        Updates::OfXbpsItself if !wish.is_dry_run => {
            xbps.error(PENDING);
            Err(Errno::EBUSY)
        }
        _ => Ok(true),
    }
}

/// Whether something of these names is to be done.
fn request(
    xbps: &mut Xbps<'_, '_>,
    transaction: &mut Transaction,
    names: &[String],
    options: &Options,
) -> Result<bool, Errno> {
    let mut is_something = false;
    for name in names {
        match transaction.request(xbps, name, options.has('f')) {
            Ok(()) => is_something = true,
            Err(Errno::EEXIST) if options.has('u') => {
                xbps.complain(format!("Package '{name}' is up to date."))
            }
            Err(Errno::EEXIST) => xbps.error(format!("Package `{name}' already installed.")),
            Err(errno) => {
                match errno {
                    Errno::ENOENT => xbps.error(format!("Package '{name}' not found in repository pool.")),
                    Errno::EBUSY => xbps.error(PENDING),
                    other => xbps.error(format!("Unexpected error: {other}")),
                }
                return Err(errno);
            }
        }
    }
    Ok(is_something)
}

/// Fetches the indexes of remote repositories, and asks about keys that are not known.
fn synchronize(xbps: &mut Xbps<'_, '_>) -> Result<(), Errno> {
    for url in xbps.pool.urls.clone().iter().filter(|url| is_remote(url)) {
        synchronize_one(xbps, url);
    }
    let mut keys = Vec::new();
    let opened = xbps.search(|repository| {
        keys.push((repository.url.clone(), repository.key.clone()));
        Option::<()>::None
    });
    for (url, key) in keys {
        if let Some(key) = key
            && let Err(errno) = import(xbps, &url, &key)
        {
            xbps.error(format!("Failed to import pubkey from {url}: {errno}"));
            return Err(errno);
        }
    }
    opened.map(|_| ())
}

fn synchronize_one(xbps: &mut Xbps<'_, '_>, url: &str) {
    let directory = xbps.meta.join(kept_in(url));
    if let Err(errno) = xbps.disk.make_directories(&directory) {
        let directory = directory.display();
        return xbps.error(format!("[reposync] failed to create repodir `{directory}': {errno}"));
    }
    let name = format!("{}-repodata", xbps.architecture);
    xbps.say(format!("[*] Updating repository `{url}/{name}' ..."));
    let fetched = match xbps.pool.opener.network.fetch(url, &name) {
        Ok(fetched) => fetched,
        Err(error) => return xbps.error(format!("[reposync] failed to fetch file `{url}/{name}': {error}")),
    };
    let place = directory.join(&name);
    if xbps.disk.check(&place, &sha256(&fetched)).is_err() {
        progress::begin(xbps, &name, fetched.len() as u64);
        progress::end(xbps, &name, fetched.len() as u64);
        if let Err(errno) = xbps.disk.write(&place, &fetched, 0o644) {
            xbps.error(format!("[reposync] failed to fetch file `{url}/{name}': {errno}"));
        }
    }
}

fn import(xbps: &mut Xbps<'_, '_>, url: &str, key: &Key) -> Result<(), Errno> {
    let (Some(fingerprint), Some(place)) = (key.fingerprint(), key.place(&xbps.meta)) else {
        return Err(Errno::EINVAL);
    };
    if xbps.disk.exists(&place) {
        return Ok(());
    }
    xbps.say(format!("`{url}' repository has been RSA signed by \"{}\"", key.owner));
    xbps.say(format!("Fingerprint: {fingerprint}"));
    if !xbps.asks("Do you want to import this public key?") {
        return Err(Errno::EAGAIN);
    }
    xbps.disk.make_directories(&xbps.meta.join("keys"))?;
    xbps.disk.write(&place, key.to_plist().as_bytes(), 0o644)
}
