//! Which service manager a host has.

use std::fmt;
use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::system::{RootKind, View};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::pkg::choice::family;

/// A service manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Manager {
    /// That of Void Linux.
    Runit,
    /// That of most distributions.
    Systemd,
    /// That of Alpine Linux and Gentoo.
    Openrc,
}

/// What shows that a service manager is there.
struct Signs {
    manager: Manager,
    /// Its program.
    program: &'static str,
    /// Where it keeps what is enabled. A root that is only now being set up can have this before the program.
    directory: &'static str,
    /// The families of distributions that it is native to. Those that are not named may have it nevertheless.
    native: &'static [&'static str],
}

/// All of them. What most hosts have comes first.
const MANAGERS: [Signs; 3] = [
    Signs {
        manager: Manager::Systemd,
        program: "systemctl",
        directory: "/etc/systemd/system",
        native: &["debian", "arch", "redhat", "suse"],
    },
    Signs {
        manager: Manager::Openrc,
        program: "rc-service",
        directory: "/etc/runlevels",
        native: &["alpine", "gentoo"],
    },
    Signs { manager: Manager::Runit, program: "sv", directory: "/etc/runit", native: &["void"] },
];

impl Manager {
    /// The one that a playbook has chosen, or that of the host: the one that is at work, else one whose program is there, else
    /// one whose directory is there. Of several, the distribution's own is meant.
    ///
    /// # Errors
    /// The host has none of them.
    pub fn of(chosen: Option<Self>, host: &dyn View) -> Result<Self, Failure> {
        if let Some(chosen) = chosen {
            return Ok(chosen);
        }
        for manager in [Self::Systemd, Self::Openrc] {
            if manager.is_at_work(host)? {
                return Ok(manager);
            }
        }
        let family = family(host)?.unwrap_or_default();
        let mut ranked = Vec::with_capacity(MANAGERS.len());
        for signs in &MANAGERS {
            let has_program = host.find_program(signs.program).is_some();
            if has_program || host.stat(Path::new(signs.directory))?.is_some() {
                ranked.push(((has_program, signs.native.contains(&&*family)), signs.manager));
            }
        }
        // Of several that are equal, `max_by_key` returns the last.
        let best = ranked.into_iter().rev().max_by_key(|(rank, _)| *rank);
        best.map(|(_, manager)| manager).ok_or_else(|| {
            let looked_for =
                MANAGERS.map(|signs| format!("`{}`, `{}`", signs.program, signs.directory)).join(", ");
            Failure::state("the host has no service manager that is known here")
                .advise(format!("looked for {looked_for}"))
        })
    }

    /// Whether it has started the system that this is the root of. Not known of runit, whose services can have a supervisor of
    /// their own.
    ///
    /// # Errors
    /// The host can't be looked at.
    pub fn is_at_work(self, host: &dyn View) -> Result<bool, Failure> {
        let sign = match self {
            // What sd_booted(3) and rc-status look at.
            Self::Systemd => "/run/systemd/system",
            Self::Openrc => "/run/openrc/softlevel",
            Self::Runit => return Ok(false),
        };
        Ok(host.root_kind() != RootKind::Offline && host.stat(Path::new(sign))?.is_some())
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Runit => "runit",
            Self::Systemd => "systemd",
            Self::Openrc => "openrc",
        })
    }
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
    fn what_is_at_work_comes_first_and_then_the_distributions_own() {
        const ALL: &[&str] = &["systemctl", "rc-service", "sv"];
        let chosen = |programs, release: &str, there: &str| {
            let directory = tempfile::tempdir().unwrap();
            let host = Sandbox::open(directory.path(), Box::new(Has(programs))).unwrap();
            let attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };
            host.write(Path::new("/etc/os-release"), release.as_bytes(), attributes).unwrap();
            // The sandbox plays a Void Linux.
            std::fs::remove_dir_all(directory.path().join("root/etc/runit")).unwrap();
            std::fs::create_dir_all(directory.path().join("root").join(there)).unwrap();
            Manager::of(None, &host).ok()
        };
        assert_eq!(chosen(ALL, "ID=debian\n", ""), Some(Manager::Systemd));
        assert_eq!(chosen(ALL, "ID=debian\n", "run/openrc/softlevel"), Some(Manager::Openrc));
        assert_eq!(chosen(ALL, "ID=void\n", ""), Some(Manager::Runit));
        assert_eq!(chosen(ALL, "ID=alpine\n", "run/systemd/system"), Some(Manager::Systemd));
        assert_eq!(chosen(ALL, "ID=alpine\n", ""), Some(Manager::Openrc));
        assert_eq!(chosen(&["rc-service", "sv"], "ID=devuan\nID_LIKE=debian\n", ""), Some(Manager::Openrc));
        assert_eq!(chosen(&["sv"], "ID=artix\nID_LIKE=arch\n", ""), Some(Manager::Runit));
        assert_eq!(chosen(&["s6-rc"], "ID=homegrown\n", ""), None);
        assert_eq!(chosen(&[], "ID=void\n", "etc/runit/runsvdir"), Some(Manager::Runit));
        assert_eq!(chosen(&["sv"], "ID=debian\n", "etc/systemd/system"), Some(Manager::Runit));
    }
}
