//! Programs of a Void Linux host, simulated: what stands in for them where the real ones can't be had.
//!
//! Each works on the files of a host through a [`System`], so that one simulation serves both a sandbox (in process, see
//! [`Simulation`]) and a root directory in which other tools need commands (the executable `simulated`, which is called by
//! the program's name). What they print and return is that of the real programs.

mod chronyd;
mod docker;
pub mod executable;
pub mod invocation;
mod kernel_modules;
mod locales;
mod mounts;
mod packet_filter;
mod runit;
mod ssh_keygen;
mod sshd;
mod visudo;
pub mod xbps;

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::system::sandbox::{Programs, Sandbox};
use refrain_engine::system::{Command, Kind, Output, System, View};

pub use executable::{executable, link_programs};
pub use invocation::{Input, Invocation, Process, Program};

/// All programs, by name.
pub const PROGRAMS: &[(&str, Program)] = &[
    ("chronyd", chronyd::chronyd),
    ("docker", docker::docker),
    ("false", fail),
    ("ip6tables-restore", packet_filter::iptables_restore),
    ("iptables-restore", packet_filter::iptables_restore),
    ("locale", locales::locale),
    ("locale-gen", locales::locale_gen),
    ("modprobe", kernel_modules::modprobe),
    ("mount", mounts::mount),
    ("podman", docker::docker),
    ("ssh-keygen", ssh_keygen::ssh_keygen),
    ("sshd", sshd::sshd),
    ("sv", runit::sv),
    ("true", succeed),
    ("umount", mounts::umount),
    ("visudo", visudo::visudo),
    ("xbps-alternatives", xbps::alternatives),
    ("xbps-create", xbps::create),
    ("xbps-install", xbps::install),
    ("xbps-pkgdb", xbps::pkgdb),
    ("xbps-query", xbps::query),
    ("xbps-reconfigure", xbps::reconfigure),
    ("xbps-remove", xbps::remove),
    ("xbps-rindex", xbps::rindex),
    ("xbps-uhelper", xbps::uhelper),
];

/// The program of this name, without a directory.
pub fn program(name: &str) -> Option<Program> {
    PROGRAMS.iter().find(|(known, _)| *known == name).map(|(_, program)| *program)
}

/// Plays a command on the host `system`, inside this process. `None` when there is no such program.
pub fn play(command: &Command, stdin: Input<'_>, system: &dyn System) -> Option<Output> {
    play_as(None, command, stdin, system)
}

/// Plays a command on the host `system`, perhaps as a process of its own. `None` when there is no such program.
pub fn play_as(
    process: Option<&dyn Process>,
    command: &Command,
    stdin: Input<'_>,
    system: &dyn System,
) -> Option<Output> {
    let (first, arguments) = command.argv.split_first()?;
    let name = Path::new(first).file_name()?.to_str()?;
    let program = program(name)?;
    let mut invocation = Invocation::new(name, arguments, command, stdin, system, process);
    let status = program(&mut invocation);
    Some(invocation.ended(status))
}

/// The files that a fresh Void Linux host has, beside what every system has: where packages come from, and whose they are.
pub const FILES: &[(&str, &str)] = &[
    ("usr/share/xbps.d/00-repository-main.conf", "repository=https://repo-default.voidlinux.org/current\n"),
    (
        "var/db/xbps/keys/60:ae:0c:d6:f0:95:17:80:bc:93:46:7a:89:af:a3:2d.plist",
        include_str!("xbps/void-key.plist"),
    ),
];

/// The programs of a sandbox host.
pub struct Simulation;

impl Programs for Simulation {
    fn files(&self) -> &'static [(&'static str, &'static str)] {
        FILES
    }

    fn has(&self, name: &str) -> bool {
        program(name).is_some()
    }

    fn run(&self, command: &Command, system: &Sandbox) -> Result<Output, Failure> {
        let stdin = || command.stdin.clone().unwrap_or_default();
        if let Some(output) = play(command, &stdin, system) {
            return Ok(output);
        }
        // A script that a playbook has put there is not run: nobody here could. It is taken to do what it is for.
        let first = command.argv.first().map(Path::new).filter(|program| program.is_absolute());
        if first.is_some_and(|program| is_executable(system, program)) {
            return Ok(Output::default());
        }
        Err(Failure::Start {
            program: command.argv.first().cloned().unwrap_or_default(),
            reason: "the sandbox has no such program".to_owned(),
        })
    }
}

/// Whether there is a program at a path of the host.
fn is_executable(host: &dyn View, path: &Path) -> bool {
    let stat = host.stat(path).ok().flatten();
    stat.is_some_and(|stat| stat.kind == Kind::File && stat.attributes.mode & 0o111 != 0)
}

fn succeed(_: &mut Invocation<'_>) -> i32 {
    0
}

fn fail(_: &mut Invocation<'_>) -> i32 {
    1
}
