//! Which package manager a host has.

use std::fmt;
use std::path::Path;

use refrain_engine::facts;
use refrain_engine::failure::Failure;
use refrain_engine::system::{Content, View};
use schemars::JsonSchema;
use serde::Deserialize;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Manager {
    /// That of Void Linux.
    Xbps,
    /// That of Debian and its children.
    Apt,
    /// That of Alpine Linux.
    Apk,
    /// That of Arch Linux.
    Pacman,
    /// That of Fedora and its relatives.
    Dnf,
}

/// All of them: the program that shows it, and the family of distributions that it is native to.
const MANAGERS: [(Manager, &str, &str); 5] = [
    (Manager::Xbps, "xbps-install", "void"),
    (Manager::Apt, "apt-get", "debian"),
    (Manager::Apk, "apk", "alpine"),
    (Manager::Pacman, "pacman", "arch"),
    (Manager::Dnf, "dnf", "redhat"),
];

impl Manager {
    /// The one that a playbook has chosen, or that of the host: the distribution's own, else the first whose program is there.
    ///
    /// # Errors
    /// The host has none of them.
    pub fn of(chosen: Option<Self>, host: &dyn View) -> Result<Self, Failure> {
        if let Some(chosen) = chosen {
            return Ok(chosen);
        }
        let family = family(host)?;
        let is_there = |program: &str| host.find_program(program).is_some();
        let native =
            MANAGERS.iter().find(|(_, program, of)| family.as_deref() == Some(*of) && is_there(program));
        let found = native.or_else(|| MANAGERS.iter().find(|(_, program, _)| is_there(program)));
        found.map(|(manager, _, _)| *manager).ok_or_else(|| {
            let programs = MANAGERS.map(|(_, program, _)| format!("`{program}`")).join(", ");
            Failure::state("the host has no package manager that is known here")
                .advise(format!("looked for {programs}"))
        })
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xbps => "xbps",
            Self::Apt => "apt",
            Self::Apk => "apk",
            Self::Pacman => "pacman",
            Self::Dnf => "dnf",
        })
    }
}

/// The family of the host's distribution. Absent where it does not say which it is.
pub fn family(host: &dyn View) -> Result<Option<String>, Failure> {
    for path in ["/etc/os-release", "/usr/lib/os-release"] {
        if let Some(Content::Known(text)) = host.read(Path::new(path))? {
            return Ok(Some(facts::family_of(&String::from_utf8_lossy(&text))));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use refrain_engine::system::sandbox::{Programs, Sandbox};
    use refrain_engine::system::{Attributes, Command, Output, System};

    use super::*;

    struct Has(&'static [&'static str]);

    impl Programs for Has {
        fn has(&self, name: &str) -> bool {
            self.0.contains(&name)
        }

        fn run(&self, _: &Command, _: &Sandbox) -> Result<Output, Failure> {
            Ok(Output::default())
        }
    }

    #[test]
    fn the_distributions_own_comes_first() {
        let chosen = |programs, release: &str| {
            let directory = tempfile::tempdir().unwrap();
            let host = Sandbox::open(directory.path(), Box::new(Has(programs))).unwrap();
            let attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };
            host.write(Path::new("/etc/os-release"), release.as_bytes(), attributes).unwrap();
            Manager::of(None, &host)
        };
        assert_eq!(chosen(&["dnf", "pacman", "apt-get"], "ID=debian\n"), Ok(Manager::Apt));
        assert_eq!(
            chosen(&["dnf", "pacman", "apt-get"], "ID=zorin\nID_LIKE=\"ubuntu debian\"\n"),
            Ok(Manager::Apt)
        );
        assert_eq!(chosen(&["dnf", "pacman", "apt-get"], "ID=rocky\nID_LIKE=\"rhel\"\n"), Ok(Manager::Dnf));
        assert_eq!(chosen(&["pacman"], "ID=homegrown\n"), Ok(Manager::Pacman));
        assert_eq!(chosen(&["apk"], "ID=void\n"), Ok(Manager::Apk));
        assert!(chosen(&["emerge"], "ID=gentoo\n").is_err());
    }
}
