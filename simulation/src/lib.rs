//! Programs of a Void Linux host, simulated: what stands in for them where the real ones can't be had.
//!
//! Each works on the files of a host through a [`System`], so that one simulation serves both a sandbox (in process, see
//! [`Simulation`]) and a root directory in which other tools need commands (the executable `simulated`, which is called by
//! the program's name). What they print and return is that of the real programs.

mod chronyd;
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
mod xbps;
pub mod xbps;

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::system::sandbox::{Programs, Sandbox};
use refrain_engine::system::{Command, Output, System};

pub use executable::executable;
pub use invocation::{Input, Invocation, Process, Program};

/// All programs, by name.
pub const PROGRAMS: &[(&str, Program)] = &[
    ("true", succeed),
    ("false", fail),
    ("sv", runit::sv),
    ("chronyd", chronyd::chronyd),
    ("ssh-keygen", ssh_keygen::ssh_keygen),
    ("sshd", sshd::sshd),
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
    ("ip6tables-restore", packet_filter::iptables_restore),
    ("iptables-restore", packet_filter::iptables_restore),
    ("locale", locales::locale),
    ("locale-gen", locales::locale_gen),
    ("modprobe", kernel_modules::modprobe),
    ("mount", mounts::mount),
    ("umount", mounts::umount),
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

/// The programs of a sandbox host.
pub struct Simulation;

impl Programs for Simulation {
    fn has(&self, name: &str) -> bool {
        program(name).is_some()
    }

    fn run(&self, command: &Command, system: &Sandbox) -> Result<Output, Failure> {
        let stdin = || command.stdin.clone().unwrap_or_default();
        play(command, &stdin, system).ok_or_else(|| Failure::Start {
            program: command.argv.first().cloned().unwrap_or_default(),
            reason: "the sandbox has no such program".to_owned(),
        })
    }
}

fn succeed(_: &mut Invocation<'_>) -> i32 {
    0
}

fn fail(_: &mut Invocation<'_>) -> i32 {
    1
}
