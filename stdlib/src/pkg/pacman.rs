//! pacman, on Arch Linux.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::Undo;
use refrain_engine::system::{Command, Content, Output, View};

use super::installed::Installed;
use super::manager::{Base, PackageManager, Wish, sides, taken_back};
use super::package::Package;
use super::planned::{Deed, Planned};

/// The database of what is installed: a directory for each package.
const LOCAL: &str = "/var/lib/pacman/local";
/// Where it keeps the packages that it has downloaded.
const CACHE: &str = "/var/cache/pacman/pkg";
/// Fetches the index into a scratch directory beside what is installed, and asks pacman with that.
const WITH_FRESH_INDEX: &str = r#"scratch=$1; shift
mkdir "$scratch/db" || exit
if [ -d /var/lib/pacman/local ]; then ln -s /var/lib/pacman/local "$scratch/db/local"; fi
pacman -Sy --noconfirm --logfile /dev/null --dbpath "$scratch/db" >&2 || exit
exec pacman --dbpath "$scratch/db" "$@"
"#;

/// pacman.
pub struct Pacman;

impl PackageManager for Pacman {
    fn installed(&self, context: &Context<'_>, asked: &[Package]) -> Result<Rc<Installed>, Failure> {
        let mut installed = Installed::default();
        let entries = context.host.list(Path::new(LOCAL))?;
        let entries: Vec<&str> = entries.iter().filter_map(|name| name.to_str()).collect();
        for (name, version) in entries.iter().filter_map(|entry| split(entry)) {
            installed.versions.insert(name.to_owned(), version.to_owned());
        }
        // Most names are those of packages. Only for another one, all packages are asked what they provide.
        if asked.iter().any(|package| !installed.versions.contains_key(&package.name)) {
            let paths: Vec<PathBuf> =
                entries.iter().map(|entry| Path::new(LOCAL).join(entry).join("desc")).collect();
            context.host.look_ahead(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>());
            for path in paths {
                if let Ok(Some(Content::Known(text))) = context.host.read(&path) {
                    installed.provided.extend(provides(&String::from_utf8_lossy(&text)));
                }
            }
        }
        Ok(Rc::new(installed))
    }

    fn index(&self) -> Option<&'static str> {
        Some("/var/lib/pacman/sync")
    }

    fn refresh(&self, base: &Base) -> Command {
        base.command(["pacman", "-Sy", "--noconfirm", "--noprogressbar"])
    }

    fn dry_run(&self, base: &Base, wish: &Wish, fresh: bool) -> Command {
        let mut words = asked(wish);
        let format = ["--print-format", "%n %v", "--logfile", "/dev/null", "--noconfirm"];
        words.splice(1..1, ["-p"].into_iter().chain(format).map(str::to_owned));
        // What goes does not depend on any index.
        if fresh && !matches!(wish, Wish::Remove { .. }) {
            return base.script("pacman", WITH_FRESH_INDEX, words);
        }
        base.command(["pacman".to_owned()].into_iter().chain(words))
    }

    fn plan(&self, output: &Output, installed: &Installed) -> Option<Vec<Planned>> {
        let text = String::from_utf8_lossy(&output.stdout);
        // What pacman tells of its own work begins with `::`.
        let told = |name: &str, version: &str| name == "::" || version.contains(' ');
        let line = |line: &str| {
            let (name, version) = line.split_once(' ').filter(|(name, version)| !told(name, version))?;
            let before = installed.versions.get(name).map(String::as_str);
            // Those that go have the version that is there.
            Some(if before == Some(version) {
                Planned::going(name, version)
            } else {
                Planned::coming(name, version, before)
            })
        };
        (output.status == 0).then(|| text.lines().filter_map(line).collect())
    }

    fn command(&self, base: &Base, wish: &Wish) -> Command {
        let words = ["pacman", "--noconfirm", "--noprogressbar"].map(str::to_owned);
        base.command(words.into_iter().chain(asked(wish)))
    }

    fn undo(&self, planned: &[Planned], _: &Installed, host: &dyn View) -> Result<Undo, Failure> {
        let (new, updated, removed) = sides(planned);
        let (mut files, mut again, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for line in updated.into_iter().chain(removed) {
            match (cached(host, line)?, line.deed) {
                (Some(file), _) => files.push(file),
                (None, Deed::Remove) => again.push(line.name.clone()),
                (None, _) => lost.push(line.name.clone()),
            }
        }
        let names = new.iter().map(|line| line.name.clone()).collect();
        Ok(taken_back([("-Rn", names), ("-U", files), ("-S", again)], &lost, |base, order, names| {
            let words = ["pacman", "--noconfirm", "--noprogressbar", order].map(str::to_owned);
            base.command(words.into_iter().chain(names))
        }))
    }

    fn is_locked(&self, said: &str) -> bool {
        said.contains("unable to lock database") || said.contains("could not lock database")
    }
}

/// A wish in words of pacman, what it is first.
fn asked(wish: &Wish) -> Vec<String> {
    match wish {
        Wish::Install { packages, .. } => {
            let words = ["-S", "--needed"].map(str::to_owned);
            words.into_iter().chain(packages.iter().map(ToString::to_string)).collect()
        }
        Wish::Remove { names, purge, recursive } => {
            let letters =
                [(*purge, "n"), (*recursive, "s")].map(|(given, word)| if given { word } else { "" });
            [format!("-R{}", letters.concat())].into_iter().chain(names.iter().cloned()).collect()
        }
        Wish::Upgrade => vec!["-Su".to_owned()],
    }
}

/// Name and version of an entry of the database: `NAME-VERSION-RELEASE`.
fn split(entry: &str) -> Option<(&str, &str)> {
    let (rest, _release) = entry.rsplit_once('-')?;
    let (name, _version) = rest.rsplit_once('-')?;
    Some((name, &entry[name.len() + 1..]))
}

/// The names that a package provides, by its description.
fn provides(text: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| *line != "%PROVIDES%").skip(1);
    let names = lines.take_while(|line| !line.is_empty());
    names.map(|line| line.split(['=', '<', '>']).next().unwrap_or_default().to_owned()).collect()
}

/// The file of the version that a package has, if it was downloaded and not cleaned away.
fn cached(host: &dyn View, line: &Planned) -> Result<Option<String>, Failure> {
    let version = line.before.as_ref().unwrap_or(&line.version);
    let start = format!("{}-{version}-", line.name);
    let names = host.list(Path::new(CACHE))?;
    let is_it =
        |name: &&str| name.starts_with(&start) && name.contains(".pkg.tar") && !name.ends_with(".sig");
    Ok(names.iter().filter_map(|name| name.to_str()).find(is_it).map(|name| format!("{CACHE}/{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_names_with_dashes() {
        assert_eq!(split("gcc-libs-13.2.1-3"), Some(("gcc-libs", "13.2.1-3")));
        assert_eq!(split("ALPM_DB_VERSION"), None);
        let text = "%NAME%\nmawk\n\n%PROVIDES%\nawk\nlibx=2\n\n%DEPENDS%\nglibc\n";
        assert_eq!(provides(text), ["awk", "libx"]);
        assert!(provides("%NAME%\nx\n").is_empty());
    }

    #[test]
    fn what_is_printed_is_read() {
        let mut installed = Installed::default();
        installed.versions.extend([("b", "1-1"), ("c", "1-1")].map(|(n, v)| (n.to_owned(), v.to_owned())));
        let stdout = b":: Synchronizing\na 1-1\nb 2-1\nc 1-1\n there is nothing to do\n".to_vec();
        let planned = Pacman.plan(&Output { stdout, ..Output::default() }, &installed).unwrap();
        let words: Vec<String> = planned.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["install a 1-1", "update b to 2-1 (was 1-1)", "remove c 1-1"]);
    }
}
