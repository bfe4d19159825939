//! `xbps-pkgdb`

use super::super::alternatives::{link_path, relative};
use super::super::database::files_place;
use super::super::errno::Errno;
use super::super::handle::Xbps;
use super::super::options::Argument::{None, Required};
use super::super::options::{Known, Options};
use super::super::package::{Package, State};
use super::super::plist::{Dictionary, Value};
use crate::invocation::Invocation;

const KNOWN: &[Known] = &[
    ('a', "all", None),
    ('C', "config", Required),
    ('d', "debug", None),
    ('h', "help", None),
    ('m', "mode", Required),
    ('r', "rootdir", Required),
    ('u', "update", None),
    ('v', "verbose", None),
    ('V', "version", None),
    ('0', "checks", Required),
];

const USAGE: &str = include_str!("usage/xbps-pkgdb.txt");

/// Which checks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Files,
    Dependencies,
    Alternatives,
    Database,
}

const CHECKS: [(&str, Check); 4] = [
    ("files", Check::Files),
    ("dependencies", Check::Dependencies),
    ("alternatives", Check::Alternatives),
    ("pkgdb", Check::Database),
];

/// Runs it.
pub fn run(call: &mut Invocation<'_>) -> i32 {
    let options = match Options::parse(call, KNOWN, USAGE) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let checks = match checks(options.last('0')) {
        Ok(checks) => checks,
        Err(problem) => {
            call.complain(format!("ERROR: {problem}"));
            call.print(USAGE);
            return 1;
        }
    };
    if options.operands.is_empty() && !options.has('u') && !options.has('a') {
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
    let is_done = match options.last('m') {
        _ if options.has('u') => true,
        Some(mode) => change_modes(&mut xbps, mode, &options.operands),
        Option::None if options.has('a') => check_all(&mut xbps, &checks),
        Option::None => check_some(&mut xbps, &options.operands, &checks),
    };
    if is_done {
        // The real one does not look whether it could be written.
        let _ = xbps.save();
    }
    i32::from(!is_done)
}

fn checks(names: Option<&str>) -> Result<Vec<Check>, String> {
    let Some(names) = names else { return Ok(CHECKS.map(|(_, check)| check).to_vec()) };
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let check = |name: &str| CHECKS.iter().find(|(known, _)| *known == name).map(|(_, check)| *check);
    let checks: Vec<Check> =
        names.map(|name| check(name).ok_or(format!("unknown check: '{name}'"))).collect::<Result<_, _>>()?;
    if checks.is_empty() { Err("no checks to run".to_owned()) } else { Ok(checks) }
}

fn change_modes(xbps: &mut Xbps<'_, '_>, mode: &str, names: &[String]) -> bool {
    if names.is_empty() {
        xbps.error("xbps-pkgdb: missing PKGNAME argument");
        return false;
    }
    for name in names {
        let found = xbps.database.get(name).map(|package| package.name().to_owned());
        let Some(package) = found.and_then(|found| xbps.database.get_mut(&found)) else {
            let errno = Errno::ENOENT;
            xbps.error(format!("xbps-pkgdb: failed to change to {mode} mode to {name}: {errno}"));
            return false;
        };
        if !change_mode(package, mode) {
            xbps.error(format!("unknown mode: '{mode}'"));
            xbps.print(USAGE);
            return false;
        }
    }
    true
}

/// Whether there is such a mode.
fn change_mode(package: &mut Package, mode: &str) -> bool {
    match mode {
        "auto" => package.set("automatic-install", Value::Flag(true)),
        "manual" => package.set("automatic-install", Value::Flag(false)),
        "hold" | "repolock" => package.set(mode, Value::Flag(true)),
        "unhold" => {
            package.0.remove("hold");
        }
        "repounlock" => {
            package.0.remove("repolock");
        }
        _ => return false,
    }
    true
}

fn check_all(xbps: &mut Xbps<'_, '_>, checks: &[Check]) -> bool {
    let packages: Vec<Package> = xbps.database.packages().cloned().collect();
    let mut is_good = true;
    for package in packages {
        if xbps.is_verbose {
            xbps.complain(format!("Checking {} ...", package.pkgver()));
        }
        is_good &= check(xbps, &package, checks);
    }
    is_good
}

fn check_some(xbps: &mut Xbps<'_, '_>, names: &[String], checks: &[Check]) -> bool {
    let mut is_good = true;
    for name in names {
        let installed = xbps.database.get(name).or_else(|| xbps.database.provider(&xbps.providers, name));
        let Some(package) = installed.cloned() else {
            xbps.say(format!("Package {name} is not installed."));
            continue;
        };
        // The result of the last one counts.
        is_good = check(xbps, &package, checks);
        if !is_good {
            xbps.complain(format!("Failed to check `{name}'"));
        }
    }
    is_good
}

fn check(xbps: &mut Xbps<'_, '_>, package: &Package, checks: &[Check]) -> bool {
    let name = package.name();
    let expected = package.text("metafile-sha256");
    let mut files = Dictionary::new();
    if !expected.is_empty() {
        let place = files_place(&xbps.meta, name);
        let Some(read) = xbps.database.files(xbps.disk, &xbps.meta, name) else {
            xbps.error(format!("{name}: cannot read {}, ignoring...", place.display()));
            return false;
        };
        if xbps.disk.check(&place, expected) == Err(Errno::ERANGE) {
            xbps.error(format!("{name}: metadata file has been modified!"));
            return false;
        }
        files = read;
    }
    let mut is_good = true;
    if checks.contains(&Check::Files) {
        is_good &= check_files(xbps, name, &files);
        is_good &= check_links(xbps, name, &files);
    }
    if checks.contains(&Check::Dependencies) {
        is_good &= check_dependencies(xbps, package);
    }
    if checks.contains(&Check::Alternatives) {
        is_good &= check_alternatives(xbps, package);
    }
    is_good
}

fn entries(files: &Dictionary, list: &str) -> Vec<(String, Dictionary)> {
    let entries = files.get(list).and_then(Value::list).unwrap_or_default().iter();
    let entries = entries.filter_map(Value::dictionary);
    entries.filter_map(|entry| Some((entry.get("file")?.text()?.to_owned(), entry.clone()))).collect()
}

fn check_files(xbps: &mut Xbps<'_, '_>, name: &str, files: &Dictionary) -> bool {
    let mut broken = false;
    for (file, entry) in entries(files, "files") {
        if !xbps.configuration.extracts(&file) {
            continue;
        }
        let sha256 = entry.get("sha256").and_then(Value::text).unwrap_or_default();
        match xbps.disk.check(&xbps.inside(&file), sha256) {
            Ok(()) => {}
            Err(Errno::ENOENT) => {
                xbps.error(format!("{name}: unexistent file {file}."));
                broken = true;
            }
            Err(Errno::ERANGE) if entry.get("mutable") == Some(&Value::Flag(true)) => {}
            Err(Errno::ERANGE) => {
                xbps.error(format!("{name}: hash mismatch for {file}."));
                broken = true;
            }
            Err(errno) => xbps.error(format!("{name}: can't check `{file}' ({errno})")),
        }
    }
    if broken {
        xbps.error(format!("{name}: files check FAILED."));
    }
    let configuration = entries(files, "conf_files").into_iter().map(|(file, _)| file);
    let missing: Vec<String> = configuration
        .filter(|file| xbps.configuration.extracts(file) && !xbps.disk.exists(&xbps.inside(file)))
        .collect();
    for file in &missing {
        xbps.error(format!("{name}: unexistent file {file}"));
    }
    if !missing.is_empty() {
        xbps.error(format!("{name}: conf files check FAILED."));
    }
    !broken && missing.is_empty()
}

fn check_links(xbps: &mut Xbps<'_, '_>, name: &str, files: &Dictionary) -> bool {
    let mut is_good = true;
    for (file, entry) in entries(files, "links") {
        let recorded = entry.get("target").and_then(Value::text).unwrap_or_default();
        if !xbps.configuration.extracts(&file) {
            continue;
        }
        match xbps.link_target(&file, recorded) {
            Some(target) if target == recorded => {}
            Some(target) => {
                let text = format!("modified symlink {file} points to {target} (shall be {recorded})");
                xbps.complain(format!("WARNING: {name}: {text}"));
                is_good = false;
            }
            Option::None => {
                xbps.error(format!("{name}: broken symlink {file} (target: {recorded})"));
                is_good = false;
            }
        }
    }
    is_good
}

fn check_dependencies(xbps: &mut Xbps<'_, '_>, package: &Package) -> bool {
    let mut is_good = true;
    for wanted in package.texts("run_depends") {
        let provider = xbps.database.provider(&xbps.providers, wanted);
        let found = provider.or_else(|| xbps.database.get(wanted)).map(Package::state);
        let is_met = matches!(found, Some(State::Installed | State::Unpacked));
        if !is_met && !xbps.configuration.ignores(wanted) {
            xbps.error(format!("{}: dependency not satisfied: {wanted}", package.name()));
            is_good = false;
        }
    }
    is_good
}

fn check_alternatives(xbps: &mut Xbps<'_, '_>, package: &Package) -> bool {
    let name = package.name();
    let mut is_good = true;
    for (group, links) in package.alternatives() {
        let providers = xbps.database.alternatives.as_ref().and_then(|groups| groups.get(group));
        if providers.and_then(|names| names.first()).is_none_or(|first| first != name) {
            continue;
        }
        for (link, target) in links.iter().filter_map(|link| link.split_once(':')) {
            let path = link_path(link, target);
            let now = xbps.disk.read_link(&xbps.inside(&path.to_string_lossy()));
            let path = path.display();
            let problem = match now {
                Option::None => format!(": {}", Errno::ENOENT),
                Some(now) if now.to_str() == Some(&relative(&link_path(link, target), target)) => continue,
                Some(_) => " has wrong target.".to_owned(),
            };
            xbps.error(format!("{name}: alternatives group {group} symlink {path}{problem}"));
            is_good = false;
        }
    }
    is_good
}
