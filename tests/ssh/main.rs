//! Plays over ssh, to a real sshd.

#[path = "../support/mod.rs"]
mod support;

mod cache;
mod config;
mod escalation;
mod host_keys;
mod hostile;
mod jumps;
mod kills;
mod login;
mod lookups;
mod other_users;
mod placement;
mod reboot;
mod stopping;
mod stream;
mod transports;
mod tree;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use support::project::Project;
use support::run::play;
use support::sshd::{Setup, Sshd};

/// A project whose play says hello, and a host that it reaches.
fn site(setup: Setup) -> Option<(Project, Sshd)> {
    let sshd = setup.start()?;
    let project = Project::new();
    sshd.open_to(&project);
    play(&project, "print(`hello from ${host.name}`);");
    Some((project, sshd))
}

/// The same with a host that has nothing special about it.
fn plain_site() -> Option<(Project, Sshd)> {
    site(Setup::default())
}

/// Puts something else in an agent's place. The old one may still run, so it can't be written to.
fn replace_agent(agent: &Path, content: &[u8]) {
    let new = agent.with_file_name("new");
    fs::write(&new, content).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o700)).unwrap();
    fs::rename(new, agent).unwrap();
}

/// No line is that slow; for what has to end, and nobody knows when.
const LONG: Duration = Duration::from_secs(20);

const HELLO: &str = "hello from web1";
