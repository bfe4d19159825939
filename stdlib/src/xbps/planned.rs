//! What xbps says it would do, line by line.

use std::fmt;

use super::database::Database;
use super::version;

/// What would be done to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is new.
    Install,
    /// It gets another version.
    Update,
    /// It gets the same version again.
    Reinstall,
    /// It goes.
    Remove,
    /// It was unpacked before, and is configured now.
    Configure,
    /// Nothing: it is on hold.
    Hold,
}

impl Deed {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "install" => Self::Install,
            "update" => Self::Update,
            "reinstall" => Self::Reinstall,
            "remove" => Self::Remove,
            "configure" => Self::Configure,
            "hold" => Self::Hold,
            _ => return None,
        })
    }
}

/// One line of `xbps-install -n` or `xbps-remove -n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// What would be done.
    pub deed: Deed,
    /// The package's name.
    pub name: String,
    /// The version that it would have; of one that is removed, the version that it has.
    pub version: String,
    /// The version that it has, where it would get another one.
    pub before: Option<String>,
    /// What it is built for.
    pub architecture: String,
    /// The repository that it comes from.
    pub repository: String,
}

impl Planned {
    /// The name with the version: `chrony-4.6_1`.
    pub fn package(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let package = self.package();
        match (self.deed, &self.before) {
            (Deed::Install, _) => write!(f, "install {package}"),
            (Deed::Update, Some(before)) => write!(f, "update {}-{before} to {}", self.name, self.version),
            (Deed::Update, None) => write!(f, "update to {package}"),
            (Deed::Reinstall, _) => write!(f, "install {package} again"),
            (Deed::Remove, _) => write!(f, "remove {package}"),
            (Deed::Configure, _) => write!(f, "configure {package}"),
            (Deed::Hold, _) => write!(f, "hold {package}"),
        }
    }
}

/// The lines of a dry run. What is no such line is not for programs: `xbps-remove` also says there what is not installed.
///
/// `before` are the packages as they are.
pub fn parse(stdout: &str, before: &Database) -> Vec<Planned> {
    stdout.lines().filter_map(|line| parse_line(line, before)).collect()
}

fn parse_line(line: &str, before: &Database) -> Option<Planned> {
    let mut words = line.split(' ');
    let (name, version) = version::split(words.next()?)?;
    let deed = Deed::named(words.next()?)?;
    let (architecture, repository) = (words.next()?, words.next()?);
    // The sizes: without them, it is some other line.
    words.next()?.parse::<u64>().ok()?;
    let installed = before.packages.get(name).map(|package| package.version.clone());
    let deed = match (deed, &installed) {
        // Forced to an older version, it says `reinstall`; asked for bounds, it says `install` also of what is there.
        (Deed::Reinstall | Deed::Install, Some(installed)) if installed != version => Deed::Update,
        (Deed::Install, Some(_)) => Deed::Reinstall,
        _ => deed,
    };
    Some(Planned {
        deed,
        name: name.to_owned(),
        version: version.to_owned(),
        before: installed.filter(|_| deed == Deed::Update),
        architecture: architecture.to_owned(),
        repository: repository.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::database::Package;
    use super::*;

    #[test]
    fn lines_of_a_dry_run_are_read() {
        let mut before = Database::default();
        before.packages.insert("chrony".into(), Package { version: "4.6_1".into(), ..Package::default() });
        let text = "snooze-0.5_1 remove x86_64 /srv/repo 300 1008\n\
                    chrony-4.7_1 update x86_64 http://repo.example/current 2786 4212\n\
                    nomad-1.9.4_1 hold x86_64 /srv/repo 300116 301421\n\
                    Package `nosuch-1_1' is not currently installed.\n\
                    ca-certificates-20240203_1 install noarch - 2 741\n\
                    iptables-1.8.10_1 configure x86_64 /srv/repo 2115 3256\n\
                    vim-9.1_1 reinstall x86_64 /srv/repo 1 1\n\
                    chrony-4.5_1 reinstall x86_64 /srv/repo 1 1\n\
                    chrony-4.8_1 install x86_64 /srv/repo 1 1\n\
                    chrony-4.6_1 install x86_64 /srv/repo 1 1\n";
        let words: Vec<String> = parse(text, &before).iter().map(ToString::to_string).collect();
        let expected = [
            "remove snooze-0.5_1",
            "update chrony-4.6_1 to 4.7_1",
            "hold nomad-1.9.4_1",
            "install ca-certificates-20240203_1",
            "configure iptables-1.8.10_1",
            "install vim-9.1_1 again",
            "update chrony-4.6_1 to 4.5_1",
            "update chrony-4.6_1 to 4.8_1",
            "install chrony-4.6_1 again",
        ];
        assert_eq!(words, expected);
        let update = &parse(text, &before)[1];
        assert_eq!(
            (update.architecture.as_str(), update.repository.as_str()),
            ("x86_64", "http://repo.example/current")
        );
        assert_eq!((update.package().as_str(), update.before.as_deref()), ("chrony-4.7_1", Some("4.6_1")));
    }
}
