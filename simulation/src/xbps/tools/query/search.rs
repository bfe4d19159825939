//! Packages are looked for by their names, descriptions and properties.

use regex::{Regex, RegexBuilder};

use super::super::super::handle::Xbps;
use super::super::super::package::Package;
use super::super::super::plist::Value;
use super::super::super::transaction::humanized;
use super::super::super::version;
use super::Query;

/// What is looked for.
pub(super) enum Pattern<'a> {
    Text(&'a str),
    Regex(Regex),
}

/// Nothing could be looked for, which is printed.
pub(super) struct Failed;

impl<'a> Pattern<'a> {
    /// The pattern of a query.
    pub(super) fn new(xbps: &mut Xbps<'_, '_>, query: &Query<'_>, pattern: &'a str) -> Result<Self, Failed> {
        if !query.is_regex {
            return Ok(Self::Text(pattern));
        }
        let Ok(regex) = RegexBuilder::new(pattern).case_insensitive(true).build() else {
            // What the C library says depends on the mistake; an open bracket is the one that is met.
            xbps.error(format!("failed to compile regexp: {pattern}: Unmatched ( or \\("));
            return Err(Failed);
        };
        Ok(Self::Regex(regex))
    }

    /// Whether a text has it somewhere.
    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Text(pattern) => text.to_lowercase().contains(&pattern.to_lowercase()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }

    /// Whether a path is what is looked for.
    pub(super) fn is_path(&self, path: &str) -> bool {
        match self {
            Self::Text(pattern) => version::glob(pattern, path, true),
            Self::Regex(regex) => regex.is_match(path),
        }
    }
}

pub(super) fn run(xbps: &mut Xbps<'_, '_>, query: &Query<'_>, wanted: &str) -> Result<(), Failed> {
    let pattern = Pattern::new(xbps, query, wanted)?;
    let mut packages: Vec<Package> = Vec::new();
    if query.in_repositories {
        let searched = xbps.search(|repository| {
            packages.extend(repository.all());
            None::<()>
        });
        searched.map_err(|_| Failed)?;
    } else {
        packages.extend(xbps.database.packages().cloned());
    }
    match query.properties {
        Some(property) => show_properties(xbps, query, &packages, &pattern, property),
        None => show_matches(xbps, query, &packages, &pattern, wanted),
    }
    Ok(())
}

fn show_matches(
    xbps: &mut Xbps<'_, '_>,
    query: &Query<'_>,
    packages: &[Package],
    pattern: &Pattern<'_>,
    wanted: &str,
) {
    let matches = |package: &&Package| {
        pattern.is_in(package.pkgver())
            || pattern.is_in(package.text("short_desc"))
            || (!query.is_regex && version::matches(package.pkgver(), wanted))
            || (!query.is_regex && query.in_repositories && package.provides(wanted))
    };
    let found: Vec<&Package> = packages.iter().filter(matches).collect();
    let width = found.iter().map(|package| package.pkgver().len()).max().unwrap_or_default();
    for package in found {
        let pkgver = package.pkgver();
        let mark = if xbps.database.get(pkgver).is_some() { '*' } else { '-' };
        xbps.say(format!("[{mark}] {pkgver:width$} {}", package.text("short_desc")));
    }
}

fn show_properties(
    xbps: &mut Xbps<'_, '_>,
    query: &Query<'_>,
    packages: &[Package],
    pattern: &Pattern<'_>,
    property: &str,
) {
    for package in packages {
        let Some(value) = package.0.get(property) else { continue };
        let values = value.list().unwrap_or(std::slice::from_ref(value));
        for text in values.iter().filter_map(shown).filter(|text| pattern.is_in(text)) {
            let pkgver = package.pkgver();
            let place = match query.in_repositories {
                true => format!(" ({})", package.text("repository")),
                false => String::new(),
            };
            xbps.say(format!("{pkgver}: {text}{place}"));
        }
    }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(humanized(*number)),
        Value::Flag(flag) => Some(flag.to_string()),
        _ => None,
    }
}
