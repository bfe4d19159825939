//! `xbps-query`

mod files;
mod list;
mod search;
mod show;

use super::super::errno::Errno;
use super::super::handle::Xbps;
use super::super::options::Argument::{None, Required};
use super::super::options::{Known, Options, status};
use super::super::package::Package;
use crate::invocation::Invocation;

const KNOWN: &[Known] = &[
    ('C', "config", Required),
    ('c', "cachedir", Required),
    ('d', "debug", None),
    ('h', "help", None),
    ('i', "ignore-conf-repos", None),
    ('L', "list-repos", None),
    ('l', "list-pkgs", None),
    ('H', "list-hold-pkgs", None),
    ('3', "list-repolock-pkgs", None),
    ('M', "memory-sync", None),
    ('m', "list-manual-pkgs", None),
    ('O', "list-orphans", None),
    ('o', "ownedby", None),
    ('p', "property", Required),
    ('R', "", None),
    ('4', "repository", Required),
    ('r', "rootdir", Required),
    ('S', "show", None),
    ('s', "search", None),
    ('V', "version", None),
    ('v', "verbose", None),
    ('f', "files", None),
    ('x', "deps", None),
    ('X', "revdeps", None),
    ('0', "regex", None),
    ('1', "fulldeptree", None),
    ('2', "cat", Required),
    ('5', "staging", None),
];

const USAGE: &str = include_str!("../usage/xbps-query.txt");

/// Where a process ends that fails an assertion.
const ABORTED: i32 = 134;

/// What is asked for.
struct Query<'a> {
    /// In the repositories, not among what is installed.
    in_repositories: bool,
    /// A regular expression instead of a pattern.
    is_regex: bool,
    /// Also dependencies of dependencies.
    all_dependencies: bool,
    properties: Option<&'a str>,
}

/// Runs it.
pub fn run(call: &mut Invocation<'_>) -> i32 {
    let options = match Options::parse(call, KNOWN, USAGE) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let modes = ['f', 'H', 'L', 'l', 'm', 'O', 'o', 'S', 's', 'x', 'X', '3'];
    let has_mode = modes.iter().any(|mode| options.has(*mode));
    if !has_mode && options.operands.is_empty() {
        call.print(USAGE);
        return 1;
    }
    let shows = options.has('S') || !has_mode;
    let wants_package = shows || ['o', 's', '2', 'p', 'f', 'x', 'X'].iter().any(|mode| options.has(*mode));
    let (package, further) = match options.operands.split_first() {
        Some((package, further)) if wants_package => (package.as_str(), further),
        _ => ("", options.operands.as_slice()),
    };
    let problem = match further.is_empty() {
        _ if wants_package && options.operands.is_empty() => Some("missing required argument PKG"),
        false => Some("too many arguments"),
        true => Option::None,
    };
    if let Some(problem) = problem {
        call.complain(format!("ERROR: xbps-query: {problem}"));
        return 1;
    }
    let repositories = options.all('4').map(str::to_owned).collect();
    let status = match Xbps::open(call, &options, repositories, options.has('i'), options.has('M')) {
        Ok(mut xbps) => Some(answer(&mut xbps, &options, package)),
        Err(_) => Option::None,
    };
    status.unwrap_or_else(|| {
        call.complain("xbps-query: pkgdb.c:281: xbps_pkgdb_init: Assertion `xhp->pkgdb' failed.");
        ABORTED
    })
}

fn answer(xbps: &mut Xbps<'_, '_>, options: &Options, package: &str) -> i32 {
    let query = Query {
        in_repositories: options.has('R') || options.has('4'),
        is_regex: options.has('0'),
        all_dependencies: options.has('1'),
        properties: options.last('p'),
    };
    let has = |letter: char| options.has(letter);
    if query.in_repositories {
        // What is installed is not looked at then.
        xbps.providers = xbps.configuration.providers.clone();
    } else if let Some(status) = missing(xbps, options) {
        return status;
    }
    match options {
        _ if has('L') => list::repositories(xbps),
        _ if has('H') => list::those(xbps, |package| package.has("hold")),
        _ if has('3') => list::those(xbps, |package| package.has("repolock")),
        _ if has('m') => list::those(xbps, |package| !package.is("automatic-install")),
        _ if has('l') => list::installed(xbps),
        _ if has('O') => list::orphans(xbps),
        _ if has('o') => return status(files::owners(xbps, &query, package)),
        _ if has('s') => return i32::from(search::run(xbps, &query, package).is_err()),
        _ if has('2') => {
            return status(files::print(xbps, &query, package, options.last('2').unwrap_or_default()));
        }
        _ if has('f') && !has('S') && !has('p') => return status(files::list(xbps, &query, package)),
        _ if has('x') && !has('S') && !has('p') => return status(show::dependencies(xbps, &query, package)),
        _ if has('X') && !has('S') && !has('p') => return status(show::dependants(xbps, &query, package)),
        _ => return status(show::properties(xbps, &query, package)),
    }
    0
}

/// How it ends where there is no database, by what it is asked for.
fn missing(xbps: &Xbps<'_, '_>, options: &Options) -> Option<i32> {
    let statuses = [('H', 254), ('3', 254), ('m', 254), ('O', 22), ('o', 254), ('s', 1)];
    let status = statuses.into_iter().find(|(mode, _)| options.has(*mode)).map(|(_, status)| status);
    status.filter(|_| xbps.database.is_missing && !options.has('L'))
}

/// The package that is asked for: installed, or in a repository.
fn meant(xbps: &mut Xbps<'_, '_>, query: &Query<'_>, wanted: &str) -> Result<Package, Errno> {
    let found = match query.in_repositories {
        true => xbps.available(wanted)?,
        false => xbps.database.get(wanted).cloned(),
    };
    found.ok_or(Errno::ENOENT)
}

/// The same, where in a repository a package that provides it will do.
fn meant_or_provider(xbps: &mut Xbps<'_, '_>, query: &Query<'_>, wanted: &str) -> Result<Package, Errno> {
    match query.in_repositories {
        true => xbps.available_or_provider(wanted)?.ok_or(Errno::ENOENT),
        false => meant(xbps, query, wanted),
    }
}
