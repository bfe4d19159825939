//! dnf, on Fedora and its relatives.

use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::Undo;
use refrain_engine::system::{Command, Output, View};

use super::explanation::{explain, without_program};
use super::installed::Installed;
use super::manager::{Base, PackageManager, Wish, sides, taken_back};
use super::package::Package;
use super::planned::Planned;

/// What rpm says of a name that nothing provides.
const NOTHING: &str = "no package provides ";

/// Asks dnf, which then writes its caches and logs into a scratch directory, and opens a copy of what it remembers.
const NOTHING_KEPT: &str = r#"scratch=$1; shift
mkdir "$scratch/log" "$scratch/state"
if [ -d /var/lib/dnf ]; then cp -R /var/lib/dnf/. "$scratch/state"; fi
exec dnf --setopt=cachedir="$scratch/cache" --setopt=logdir="$scratch/log" --setopt=persistdir="$scratch/state" "$@"
"#;

/// dnf, with rpm for what is installed: its database is in no format that others should read.
pub struct Dnf;

impl PackageManager for Dnf {
    fn installed(&self, context: &Context<'_>, asked: &[Package]) -> Result<Rc<Installed>, Failure> {
        let base = Base::new(context);
        // All there are, where nothing is asked for: then it is about an upgrade.
        let which = if asked.is_empty() { "-qa" } else { "-q" };
        let words = ["rpm", which, "--qf", "%{NAME} %{EVR}\n"].map(str::to_owned).into_iter();
        let provides = (!asked.is_empty()).then(|| "--whatprovides".to_owned());
        let names = asked.iter().map(|package| package.name.clone());
        let command = base.command(words.chain(provides).chain(names));
        let output = context.host.probe(&command).map_err(without_program)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        // The status is the number of names that nothing provides.
        let missing = said.lines().filter_map(|line| line.strip_prefix(NOTHING)).collect::<Vec<_>>();
        if output.status != 0 && missing.is_empty() {
            return Err(explain(&command, &output));
        }
        let mut installed = Installed::default();
        for (name, version) in said.lines().filter_map(|line| line.split_once(' ')) {
            if !version.contains(' ') {
                installed.versions.insert(name.to_owned(), version.to_owned());
            }
        }
        let provided = asked.iter().filter(|package| !missing.contains(&package.name.as_str()));
        installed.provided.extend(provided.map(|package| package.name.clone()));
        Ok(Rc::new(installed))
    }

    fn index(&self) -> Option<&'static str> {
        None
    }

    fn refresh(&self, base: &Base) -> Command {
        base.command(["dnf", "-q", "-y", "--setopt=exit_on_lock=True", "--refresh", "makecache"])
    }

    fn dry_run(&self, base: &Base, wish: &Wish, fresh: bool) -> Command {
        let refresh = fresh.then(|| "--refresh".to_owned());
        let words = ["--assumeno".to_owned()].into_iter().chain(refresh).chain(asked(wish));
        if base.check {
            return base.script("dnf", NOTHING_KEPT, words);
        }
        base.command(["dnf".to_owned()].into_iter().chain(words))
    }

    fn plan(&self, output: &Output, installed: &Installed) -> Option<Vec<Planned>> {
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let refused = complained.contains("Operation aborted") || said.contains("Operation aborted");
        (output.status == 0 || refused).then(|| table(&said, installed))
    }

    fn command(&self, base: &Base, wish: &Wish) -> Command {
        let words = ["dnf", "-q", "-y", "--setopt=exit_on_lock=True"].map(str::to_owned);
        base.command(words.into_iter().chain(asked(wish)))
    }

    fn undo(&self, planned: &[Planned], _: &Installed, _: &dyn View) -> Result<Undo, Failure> {
        let (new, updated, removed) = sides(planned);
        // It keeps no packages that it has installed.
        let lost: Vec<String> = updated.iter().map(|line| line.name.clone()).collect();
        let names = new.iter().map(|line| line.name.clone()).collect();
        let again = removed.iter().map(|line| format!("{}-{}", line.name, line.version)).collect();
        Ok(taken_back([("remove", names), ("install", again)], &lost, |base, order, names| {
            let words = ["dnf", "-q", "-y", "--setopt=clean_requirements_on_remove=False", order];
            base.command(words.map(str::to_owned).into_iter().chain(names))
        }))
    }

    fn is_locked(&self, said: &str) -> bool {
        ["Failed to obtain the", "Waiting for process with pid", "can't create transaction lock"]
            .iter()
            .any(|words| said.contains(words))
    }
}

/// A wish in words of dnf.
fn asked(wish: &Wish) -> Vec<String> {
    match wish {
        Wish::Install { packages, update, recommends } => {
            let weak = recommends
                .map(|given| format!("--setopt=install_weak_deps={}", if given { "True" } else { "False" }));
            let spell = |package: &Package| match &package.version {
                Some(version) => format!("{}-{version}", package.name),
                None => package.name.clone(),
            };
            // What is installed already, `install` leaves as it is.
            let order = if *update { "upgrade" } else { "install" };
            weak.into_iter().chain([order.to_owned()]).chain(packages.iter().map(spell)).collect()
        }
        Wish::Remove { names, recursive, .. } => {
            let clean = if *recursive { "True" } else { "False" };
            let words = [format!("--setopt=clean_requirements_on_remove={clean}"), "remove".to_owned()];
            words.into_iter().chain(names.iter().cloned()).collect()
        }
        Wish::Upgrade => vec!["upgrade".to_owned()],
    }
}

/// The table of a transaction: sections, each with a line for each package, which goes on in the next one where it is too long.
fn table(text: &str, installed: &Installed) -> Vec<Planned> {
    let mut planned = Vec::new();
    let (mut comes, mut row): (Option<bool>, Vec<&str>) = (None, Vec::new());
    for line in text.lines() {
        if !line.starts_with(' ') {
            row.clear();
            comes = section(line);
            continue;
        }
        let Some(comes) = comes else { continue };
        if !line.starts_with("  ") {
            row.clear();
        }
        let had = row.len();
        row.extend(line.split_whitespace());
        // Name, architecture, version; what stands behind them is told by nobody.
        if had < 3 && row.len() >= 3 {
            let (name, version) = (row[0], row[2]);
            let before = installed.versions.get(name).map(String::as_str);
            planned.push(if comes {
                Planned::coming(name, version, before.filter(|before| *before != version))
            } else {
                Planned::going(name, version)
            });
        }
    }
    planned
}

/// Whether the packages of a section come or go. `None` if it has none.
fn section(line: &str) -> Option<bool> {
    let goes = line.starts_with("Removing");
    let comes =
        ["Installing", "Upgrading", "Downgrading", "Reinstalling"].iter().any(|word| line.starts_with(word));
    (line.ends_with(':') && (goes || comes)).then_some(comes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Last metadata expiration check: 0:00:01 ago.
Dependencies resolved.
================================================================================
 Package           Architecture       Version           Repository         Size
================================================================================
Installing:
 alpha             noarch             1.0-1             local             6.1 k
 a-package-with-a-name-that-is-too-long-for-its-column
                   noarch             1:2.0-1           local             6.1 k
Upgrading:
 beta              noarch             2.0-1             local             6.1 k
     replacing  gamma.noarch 1.0-1
Removing dependent packages:
 delta             noarch             4.0-1             @local            6.1 k

Transaction Summary
================================================================================
Install  2 Packages
";

    #[test]
    fn the_table_is_read() {
        let mut installed = Installed::default();
        installed.versions.insert("beta".to_owned(), "1.0-1".to_owned());
        let words: Vec<String> = table(TABLE, &installed).iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "install alpha 1.0-1",
                "install a-package-with-a-name-that-is-too-long-for-its-column 1:2.0-1",
                "update beta to 2.0-1 (was 1.0-1)",
                "remove delta 4.0-1",
            ]
        );
    }
}
