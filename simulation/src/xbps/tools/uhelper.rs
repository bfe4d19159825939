//! `xbps-uhelper`

use std::cmp::Ordering;

use super::super::handle::Xbps;
use super::super::options::Argument::{None, Required};
use super::super::options::{Known, Options};
use super::super::package::Package;
use super::super::version;
use crate::invocation::Invocation;

const KNOWN: &[Known] = &[
    ('C', "config", Required),
    ('d', "debug", None),
    ('r', "rootdir", Required),
    ('v', "verbose", None),
    ('V', "version", None),
];

const USAGE: &str = include_str!("usage/xbps-uhelper.txt");

/// Something that is read off a name, and what the name should have been.
type Reading = (&'static str, fn(&str) -> Option<&str>, &'static str);

const READINGS: &[Reading] = &[
    ("getpkgname", version::name, "<string>-<version>_<revision>"),
    ("getpkgversion", version::version, "<string>-<version>_<revision>"),
    ("getpkgrevision", version::revision, ""),
    ("getpkgdepname", version::pattern_name, "<string><comparator><version>"),
    ("getpkgdepversion", version::pattern_version, "<string><comparator><version>"),
    ("getname", version::required_name, "<string><comparator><version> or <string>-<version>_<revision>"),
    ("getversion", required_version, "<string><comparator><version> or <string>-<version>_<revision>"),
    ("binpkgver", file_pkgver, "<pkgname>-<version>_<revision>.<arch>.xbps"),
    ("binpkgarch", file_architecture, "<pkgname>-<version>_<revision>.<arch>.xbps"),
];

fn required_version(requirement: &str) -> Option<&str> {
    version::pattern_version(requirement).or_else(|| version::version(requirement))
}

fn file_parts(file: &str) -> Option<(&str, &str)> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let (pkgver, architecture) = name.strip_suffix(".xbps")?.rsplit_once('.')?;
    version::version(pkgver).map(|_| (pkgver, architecture))
}

fn file_pkgver(file: &str) -> Option<&str> {
    file_parts(file).map(|(pkgver, _)| pkgver)
}

fn file_architecture(file: &str) -> Option<&str> {
    file_parts(file).map(|(_, architecture)| architecture)
}

/// Runs it.
pub fn run(call: &mut Invocation<'_>) -> i32 {
    let options = match Options::parse(call, KNOWN, USAGE) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let operands: Vec<&str> = options.operands.iter().map(String::as_str).collect();
    match operands.as_slice() {
        ["cmpver", left, right] => match version::compare(left, right) {
            Ordering::Less => 255,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        },
        ["pkgmatch", package, pattern] => i32::from(version::matches(package, pattern)),
        ["arch"] => with_database(call, &options, |xbps| {
            let architecture = xbps.architecture.clone();
            xbps.say(architecture);
            0
        }),
        ["getsystemdir"] => {
            call.say("/usr/share/xbps.d");
            0
        }
        [mode @ ("version" | "real-version"), names @ ..] if !names.is_empty() => {
            with_database(call, &options, |xbps| versions(xbps, names, *mode == "version"))
        }
        [mode, names @ ..] if !names.is_empty() && READINGS.iter().any(|(name, ..)| name == mode) => {
            read(call, mode, names)
        }
        _ => {
            call.print(USAGE);
            1
        }
    }
}

fn with_database(
    call: &mut Invocation<'_>,
    options: &Options,
    act: impl FnOnce(&mut Xbps<'_, '_>) -> i32,
) -> i32 {
    match Xbps::open(call, options, Vec::new(), false, false) {
        Ok(mut xbps) => act(&mut xbps),
        Err(_) => 1,
    }
}

fn versions(xbps: &mut Xbps<'_, '_>, names: &[&str], or_provider: bool) -> i32 {
    let mut status = 0;
    for name in names {
        let provider = |name: &str| xbps.database.provider(&xbps.providers, name).filter(|_| or_provider);
        let found = xbps.database.get(name).or_else(|| provider(name)).map(Package::version);
        match found.map(str::to_owned) {
            Some(version) => xbps.say(version),
            Option::None => {
                xbps.error(format!("Could not find package '{name}'"));
                status = 1;
            }
        }
    }
    status
}

fn read(call: &mut Invocation<'_>, mode: &str, names: &[&str]) -> i32 {
    let mut status = 0;
    for (_, reading, expected) in READINGS.iter().filter(|(name, ..)| *name == mode) {
        for name in names {
            match reading(name) {
                Some(part) => call.say(part),
                Option::None => {
                    if !expected.is_empty() {
                        call.complain(format!("ERROR: Invalid string '{name}', expected {expected}"));
                    }
                    status = 1;
                }
            }
        }
    }
    status
}
