//! apt, on Debian and its children.

use std::path::Path;
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::Undo;
use refrain_engine::system::{Command, Output, View};

use super::dpkg;
use super::installed::Installed;
use super::manager::{Base, PackageManager, Wish, sides, taken_back};
use super::package::Package;
use super::planned::Planned;

/// Where it keeps the packages that it has downloaded.
const CACHE: &str = "/var/cache/apt/archives";
/// Fetches the index into a scratch directory, and asks apt with that. Its user for downloads can't enter there.
const WITH_FRESH_INDEX: &str = r#"scratch=$1; shift
mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial"
set -- -o Dir::State::lists="$scratch/lists" -o Dir::Cache="$scratch/cache" -o APT::Sandbox::User=root "$@"
apt-get -q update "$1" "$2" "$3" "$4" "$5" "$6" -o APT::Update::Error-Mode=any >&2 || exit
exec apt-get "$@"
"#;

/// apt.
pub struct Apt;

impl PackageManager for Apt {
    fn installed(&self, context: &Context<'_>, _: &[Package]) -> Result<Rc<Installed>, Failure> {
        Installed::read(context.host, dpkg::STATUS, dpkg::parse)
    }

    fn index(&self) -> Option<&'static str> {
        Some("/var/lib/apt/lists")
    }

    fn refresh(&self, base: &Base) -> Command {
        // Without this, an index that can't be fetched is only a warning.
        changing(base, ["-o", "APT::Update::Error-Mode=any", "update"].map(str::to_owned))
    }

    fn dry_run(&self, base: &Base, wish: &Wish, fresh: bool) -> Command {
        // It keeps a log of its plans.
        let words = ["-q", "-s", "-o", "Dir::Log::Planner=/dev/null"].map(str::to_owned).into_iter();
        if fresh {
            return base.script("apt-get", WITH_FRESH_INDEX, words.chain(asked(wish)));
        }
        // Its cache is kept in memory then.
        let in_memory = ["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="].map(str::to_owned);
        let in_memory = in_memory.into_iter().filter(|_| base.check);
        base.command(["apt-get".to_owned()].into_iter().chain(words).chain(in_memory).chain(asked(wish)))
    }

    fn plan(&self, output: &Output, _: &Installed) -> Option<Vec<Planned>> {
        let text = String::from_utf8_lossy(&output.stdout);
        (output.status == 0).then(|| text.lines().filter_map(line).collect())
    }

    fn command(&self, base: &Base, wish: &Wish) -> Command {
        changing(base, asked(wish))
    }

    fn undo(&self, planned: &[Planned], before: &Installed, host: &dyn View) -> Result<Undo, Failure> {
        let (new, updated, removed) = sides(planned);
        let (mut back, mut lost) = (Vec::new(), Vec::new());
        for line in updated {
            match cached(host, line)? {
                Some(file) => back.push(file),
                None => lost.push(line.name.clone()),
            }
        }
        back.extend(removed.iter().map(|line| format!("{}={}", line.name, line.version)));
        let (kept, purged): (Vec<_>, Vec<_>) =
            new.iter().map(|line| line.name.clone()).partition(|name| before.configured.contains(name));
        let orders =
            [(["purge"].as_slice(), purged), (&["remove"], kept), (&["--allow-downgrades", "install"], back)];
        Ok(taken_back(orders, &lost, |base, words, names| {
            changing(base, words.iter().map(|word| (*word).to_owned()).chain(names))
        }))
    }

    fn is_locked(&self, said: &str) -> bool {
        ["Could not get lock", "Unable to lock", "Unable to acquire the dpkg frontend lock"]
            .iter()
            .any(|words| said.contains(words))
    }
}

/// `apt-get` with these words, which changes something and asks nobody.
fn changing(base: &Base, words: impl IntoIterator<Item = String>) -> Command {
    // A configuration file that was edited stays, unless the package says what else is right.
    let options = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"];
    let first = ["apt-get", "-q", "-y"].into_iter().chain(options).map(str::to_owned);
    let mut command = base.command(first.chain(words));
    let quiet = [("DEBIAN_FRONTEND", "noninteractive"), ("APT_LISTCHANGES_FRONTEND", "none")];
    command.environment.extend(quiet.map(|(name, value)| (name.to_owned(), value.to_owned())));
    command
}

/// A wish in words of apt.
fn asked(wish: &Wish) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |word: &str| words.push(word.to_owned());
    match wish {
        Wish::Install { packages, recommends, .. } => {
            match recommends {
                Some(true) => add("--install-recommends"),
                Some(false) => add("--no-install-recommends"),
                None => {}
            }
            if packages.iter().any(|package| package.version.is_some()) {
                add("--allow-downgrades");
            }
            add("install");
            words.extend(packages.iter().map(ToString::to_string));
        }
        Wish::Remove { names, purge, recursive } => {
            if *recursive {
                add("--auto-remove");
            }
            add(if *purge { "purge" } else { "remove" });
            words.extend(names.iter().cloned());
        }
        Wish::Upgrade => {
            add("--with-new-pkgs");
            add("upgrade");
        }
    }
    words
}

/// A line of a simulation: `Inst NAME [OLD] (NEW ORIGIN [ARCHITECTURE])`, `Remv NAME [OLD]`, `Purg NAME [OLD]`.
fn line(line: &str) -> Option<Planned> {
    let mut words = line.split_whitespace();
    let (deed, name, next) = (words.next()?, words.next()?, words.next()?);
    let bracketed = |word: &str| word.strip_prefix('[').map(|word| word.trim_end_matches(']').to_owned());
    match deed {
        "Inst" => {
            let before = bracketed(next);
            let new = if before.is_some() { words.next()? } else { next };
            Some(Planned::coming(name, new.strip_prefix('(')?, before.as_deref()))
        }
        "Remv" | "Purg" => Some(Planned::going(name, &bracketed(next)?)),
        _ => None,
    }
}

/// The file of the version that a package has, if it was downloaded and not cleaned away.
fn cached(host: &dyn View, line: &Planned) -> Result<Option<String>, Failure> {
    let Some(before) = &line.before else { return Ok(None) };
    // What is special in the name of a file is written as `%3a`.
    let start =
        format!("{}_{}_", line.name.split(':').next().unwrap_or_default(), before.replace(':', "%3a"));
    let names = host.list(Path::new(CACHE))?;
    let mut names = names.iter().filter_map(|name| name.to_str());
    Ok(names
        .find(|name| name.starts_with(&start) && name.ends_with(".deb"))
        .map(|name| format!("{CACHE}/{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_is_read() {
        let text = "Reading package lists...
Inst beta [1.0] (2.0 Debian:12.5/stable [amd64]) []
Inst alpha:i386 (1:1.0-2 localhost [i386])
Remv gone [3]
Purg alsogone [4] []
Conf beta (2.0 Debian:12.5/stable [amd64])
";
        let output = Output { stdout: text.as_bytes().to_vec(), ..Output::default() };
        let planned = Apt.plan(&output, &Installed::default()).unwrap();
        let words: Vec<String> = planned.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "update beta to 2.0 (was 1.0)",
                "install alpha:i386 1:1.0-2",
                "remove gone 3",
                "remove alsogone 4"
            ]
        );
        assert_eq!(Apt.plan(&Output { status: 100, ..output }, &Installed::default()), None);
    }
}
