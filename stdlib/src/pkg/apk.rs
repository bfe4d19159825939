//! apk, on Alpine Linux.

use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::Undo;
use refrain_engine::system::{Command, Output, View};

use super::installed::Installed;
use super::manager::{Base, PackageManager, Wish, sides, taken_back};
use super::package::Package;
use super::planned::Planned;

/// The database of what is installed.
const DATABASE: &str = "/lib/apk/db/installed";

/// apk. With `--no-cache` it takes the index from the repositories each time, and writes no copy of it.
pub struct Apk;

impl PackageManager for Apk {
    fn installed(&self, context: &Context<'_>, _: &[Package]) -> Result<Rc<Installed>, Failure> {
        Installed::read(context.host, DATABASE, parse)
    }

    fn index(&self) -> Option<&'static str> {
        None
    }

    fn refresh(&self, base: &Base) -> Command {
        base.command(["apk", "update", "-q"])
    }

    fn dry_run(&self, base: &Base, wish: &Wish, _: bool) -> Command {
        base.command(["apk", "-s"].map(str::to_owned).into_iter().chain(asked(wish)))
    }

    fn plan(&self, output: &Output, _: &Installed) -> Option<Vec<Planned>> {
        let text = String::from_utf8_lossy(&output.stdout);
        (output.status == 0).then(|| text.lines().filter_map(line).collect())
    }

    fn command(&self, base: &Base, wish: &Wish) -> Command {
        base.command(["apk".to_owned()].into_iter().chain(asked(wish)))
    }

    fn undo(&self, planned: &[Planned], _: &Installed, _: &dyn View) -> Result<Undo, Failure> {
        let (new, updated, removed) = sides(planned);
        // It keeps no packages that it has installed.
        let lost: Vec<String> = updated.iter().map(|line| line.name.clone()).collect();
        let names = |lines: &[&Planned]| lines.iter().map(|line| line.name.clone()).collect();
        let orders = [("del", names(&new)), ("add", names(&removed))];
        Ok(taken_back(orders, &lost, |base, order, names| {
            base.command(["apk", "--no-cache", order].map(str::to_owned).into_iter().chain(names))
        }))
    }

    fn is_locked(&self, said: &str) -> bool {
        said.contains("Unable to lock database: temporary error")
    }
}

/// A wish in words of apk.
fn asked(wish: &Wish) -> Vec<String> {
    let mut words = vec!["--no-cache".to_owned()];
    match wish {
        Wish::Install { packages, update, .. } => {
            words.push("add".to_owned());
            words.extend(update.then(|| "-u".to_owned()));
            words.extend(packages.iter().map(ToString::to_string));
        }
        Wish::Remove { names, purge, .. } => {
            words.push("del".to_owned());
            words.extend(purge.then(|| "--purge".to_owned()));
            words.extend(names.iter().cloned());
        }
        Wish::Upgrade => words.push("upgrade".to_owned()),
    }
    words
}

/// What the database says: a paragraph for each package, each line a letter and a value.
fn parse(text: &str) -> Installed {
    let mut installed = Installed::default();
    for paragraph in text.split("\n\n") {
        let field = |letter: &str| paragraph.lines().find_map(|line| line.strip_prefix(letter));
        let (Some(name), Some(version)) = (field("P:"), field("V:")) else { continue };
        installed.versions.insert(name.to_owned(), version.to_owned());
        let provided = field("p:").unwrap_or_default().split_whitespace();
        let name = |one: &str| one.split(['=', '<', '>', '~']).next().unwrap_or_default().to_owned();
        installed.provided.extend(provided.map(name));
    }
    installed
}

/// A line of a simulation: `(1/3) Installing NAME (VERSION)`, `Upgrading NAME (OLD -> NEW)`, `Purging NAME (VERSION)`.
fn line(line: &str) -> Option<Planned> {
    let (_, rest) = line.strip_prefix('(')?.split_once(") ")?;
    let (deed, rest) = rest.split_once(' ')?;
    let (name, versions) = rest.split_once(" (")?;
    let versions = versions.strip_suffix(')')?;
    match (deed, versions.split_once(" -> ")) {
        ("Installing", None) => Some(Planned::coming(name, versions, None)),
        ("Upgrading" | "Downgrading" | "Replacing", Some((before, version))) => {
            Some(Planned::coming(name, version, Some(before)))
        }
        ("Purging", None) => Some(Planned::going(name, versions)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_read() {
        let text =
            "C:Q1abc=\nP:busybox\nV:1.36.1-r5\np:/bin/sh cmd:ls=1.36.1-r5\nF:bin\n\nP:musl\nV:1.2.4-r2\n\n";
        let installed = parse(text);
        assert_eq!(installed.versions["busybox"], "1.36.1-r5");
        assert_eq!(installed.versions["musl"], "1.2.4-r2");
        assert!(installed.provided.contains("cmd:ls") && installed.provided.contains("/bin/sh"));
    }

    #[test]
    fn a_simulation_is_read() {
        let text = "fetch https://dl-cdn.alpinelinux.org/alpine/v3.20/main/x86_64/APKINDEX.tar.gz
(1/3) Installing curl (8.9.0-r0)
(2/3) Upgrading musl (1.2.4-r2 -> 1.2.5-r0)
(3/3) Purging nano (8.0-r0)
OK: 12 MiB in 20 packages
";
        let words: Vec<String> = text.lines().filter_map(line).map(|line| line.to_string()).collect();
        assert_eq!(
            words,
            ["install curl 8.9.0-r0", "update musl to 1.2.5-r0 (was 1.2.4-r2)", "remove nano 8.0-r0"]
        );
    }
}
