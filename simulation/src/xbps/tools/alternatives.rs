//! `xbps-alternatives`

use std::collections::BTreeMap;

use super::super::alternatives::choose;
use super::super::handle::Xbps;
use super::super::options::Argument::{None, Optional, Required};
use super::super::options::{Known, Options};
use super::super::package::Package;
use crate::invocation::Invocation;

const KNOWN: &[Known] = &[
    ('C', "config", Required),
    ('d', "debug", None),
    ('g', "group", Required),
    ('h', "help", None),
    ('i', "ignore-conf-repos", None),
    ('l', "list", None),
    ('s', "set", Required),
    ('R', "repository", Optional),
    ('r', "rootdir", Required),
    ('v', "verbose", None),
    ('V', "version", None),
];

const USAGE: &str = include_str!("usage/xbps-alternatives.txt");

/// Runs it.
pub fn run(call: &mut Invocation<'_>) -> i32 {
    let options = match Options::parse(call, KNOWN, USAGE) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if !options.has('l') && !options.has('s') {
        call.print(USAGE);
        return 1;
    }
    let repositories = options.all('R').filter(|url| !url.is_empty()).map(str::to_owned).collect();
    let mut xbps = match Xbps::open(call, &options, repositories, options.has('i'), false) {
        Ok(xbps) => xbps,
        Err(_) => return 1,
    };
    let is_done = match options.last('s') {
        Some(name) => set(&mut xbps, name, options.last('g')),
        Option::None => list(&mut xbps, &options),
    };
    i32::from(!is_done)
}

fn set(xbps: &mut Xbps<'_, '_>, name: &str, group: Option<&str>) -> bool {
    if xbps.lock().is_err() {
        return false;
    }
    if let Err(errno) = choose(xbps, name, group) {
        xbps.error(format!("failed to update alternatives group: {errno}"));
        return false;
    }
    xbps.save().is_ok()
}

fn list(xbps: &mut Xbps<'_, '_>, options: &Options) -> bool {
    if let Some(name) = options.operands.first() {
        let Some(package) = xbps.database.get(name).cloned() else { return false };
        show_links(xbps, &package, Option::None, true);
        return true;
    }
    let in_repositories = options.has('R');
    let groups =
        if in_repositories { Some(available_groups(xbps)) } else { xbps.database.alternatives.clone() };
    let Some(groups) = groups else { return false };
    for (group, names) in groups {
        if options.last('g').is_some_and(|wanted| wanted != group) {
            continue;
        }
        xbps.say(&group);
        for (at, name) in names.iter().enumerate() {
            let current = if at == 0 && !in_repositories { " (current)" } else { "" };
            xbps.say(format!(" - {name}{current}"));
            let package = xbps.database.get(name).cloned();
            let package = package.or_else(|| xbps.available(name).ok().flatten().filter(|_| in_repositories));
            if let Some(package) = package {
                show_links(xbps, &package, Some(&group), false);
            }
        }
    }
    true
}

fn show_links(xbps: &mut Xbps<'_, '_>, package: &Package, group: Option<&str>, with_names: bool) {
    for (name, links) in package.alternatives() {
        if group.is_some_and(|group| group != name) {
            continue;
        }
        if with_names {
            xbps.say(name);
        }
        links.iter().for_each(|link| xbps.say(format!("  - {link}")));
    }
}

/// The groups of all packages in the repositories: packages by name and version.
fn available_groups(xbps: &mut Xbps<'_, '_>) -> BTreeMap<String, Vec<String>> {
    let mut groups = BTreeMap::<String, Vec<String>>::new();
    // No repository is no group.
    let _ = xbps.search(|repository| {
        for package in repository.packages.values() {
            for (group, _) in package.alternatives() {
                let names = groups.entry(group.to_owned()).or_default();
                if !names.iter().any(|name| name == package.pkgver()) {
                    names.push(package.pkgver().to_owned());
                }
            }
        }
        Option::<()>::None
    });
    groups
}
