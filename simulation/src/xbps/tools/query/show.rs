//! What is known of a package.

use super::super::super::errno::Errno;
use super::super::super::handle::Xbps;
use super::super::super::package::Package;
use super::super::super::plist::Value;
use super::super::super::transaction::humanized;
use super::super::super::{dependency_tree, version};
use super::{Query, meant, meant_or_provider};

/// Shows all properties of a package, or those that are asked for.
pub(super) fn properties(xbps: &mut Xbps<'_, '_>, query: &Query<'_>, wanted: &str) -> Result<(), Errno> {
    let package = meant_or_provider(xbps, query, wanted)?;
    match query.properties {
        None => package.0.iter().for_each(|(key, value)| show(xbps, key, value, "", false)),
        Some(keys) => {
            for key in keys.split(',') {
                if let Some(value) = package.0.get(key) {
                    let is_raw = !matches!(value, Value::Dictionary(_));
                    show(xbps, key, value, "", is_raw);
                }
            }
        }
    }
    Ok(())
}

/// Shows a value: with its key in front, unless `is_raw`.
fn show(xbps: &mut Xbps<'_, '_>, key: &str, value: &Value, indent: &str, is_raw: bool) {
    let label = if is_raw { String::new() } else { format!("{indent}{key}:") };
    let line = |text: &str| if is_raw { text.to_owned() } else { format!("{label} {text}") };
    match value {
        Value::Text(text) => xbps.say(line(text)),
        Value::Number(number) => xbps.say(line(&humanized(*number))),
        Value::Flag(flag) => xbps.say(line(if *flag { "yes" } else { "no" })),
        Value::Data(data) if is_raw => xbps.print(String::from_utf8_lossy(data)),
        Value::Data(data) => xbps.say(line(&humanized(data.len() as u64))),
        Value::List(values) => {
            if !is_raw {
                xbps.say(&label);
            }
            for value in values {
                match value {
                    Value::Text(text) if is_raw => xbps.say(format!("{indent}{text}")),
                    Value::Text(text) => xbps.say(format!("{indent}\t{text}")),
                    other => show(xbps, key, other, "  ", is_raw),
                }
            }
        }
        Value::Dictionary(values) => {
            xbps.say(&label);
            values.iter().for_each(|(key, value)| show(xbps, key, value, "  ", is_raw));
        }
    }
}

/// Shows what a package needs.
pub(super) fn dependencies(xbps: &mut Xbps<'_, '_>, query: &Query<'_>, wanted: &str) -> Result<(), Errno> {
    let package = meant_or_provider(xbps, query, wanted)?;
    let lines = match (query.all_dependencies, query.in_repositories) {
        (false, _) => package.texts("run_depends").map(str::to_owned).collect(),
        (true, false) => xbps.database.all_dependencies(&xbps.providers, &package),
        (true, true) => available_dependencies(xbps, &package)?,
    };
    lines.into_iter().for_each(|line| xbps.say(line));
    Ok(())
}

fn available_dependencies(xbps: &mut Xbps<'_, '_>, package: &Package) -> Result<Vec<String>, Errno> {
    let repositories = std::cell::RefCell::new(xbps);
    let find = |wanted: &str| repositories.borrow_mut().available_or_provider(wanted).ok().flatten();
    dependency_tree::of(package, find, false).ok_or(Errno::ENODEV)
}

/// Shows what needs a package.
pub(super) fn dependants(xbps: &mut Xbps<'_, '_>, query: &Query<'_>, wanted: &str) -> Result<(), Errno> {
    if query.in_repositories {
        return available_dependants(xbps, wanted);
    }
    let package = meant(xbps, query, wanted)?;
    let needing = xbps.database.needing(&xbps.providers, package.name()).to_vec();
    needing.into_iter().for_each(|pkgver| xbps.say(pkgver));
    Ok(())
}

fn available_dependants(xbps: &mut Xbps<'_, '_>, wanted: &str) -> Result<(), Errno> {
    let (named, providers) = (xbps.configuration.providers.clone(), xbps.providers.clone());
    let mut needing: Vec<String> = Vec::new();
    xbps.search(|repository| {
        let package = repository.get(&named, wanted).or_else(|| repository.provider(&providers, wanted))?;
        let provided = package.texts("provides").find(|provided| version::name(provided) == Some(wanted));
        let meant: Vec<&str> = match provided {
            Some(provided) => vec![provided],
            None => package.texts("provides").chain([package.pkgver()]).collect(),
        };
        let needs = |other: &Package| {
            other.texts("run_depends").any(|pattern| meant.iter().any(|one| version::matches(one, pattern)))
        };
        let others = repository.packages.values().filter(|other| other.name() != package.name());
        needing.extend(others.filter(|other| needs(other)).map(|other| other.pkgver().to_owned()));
        None::<()>
    })?;
    if needing.is_empty() {
        return Err(Errno::ENOENT);
    }
    needing.into_iter().for_each(|pkgver| xbps.say(pkgver));
    Ok(())
}
