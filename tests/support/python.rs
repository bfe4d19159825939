//! The Python programs that tests compare with: ansible-core in a virtual environment, which `tests/python/setup` makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::project::possible;

/// Where Debian's package `ansible` has the collections: ansible-core alone has none.
const COLLECTIONS: &str = "/usr/lib/python3/dist-packages";

/// A command that runs a program of the virtual environment (`ansible-inventory`, `python`), if it is there; if not, the test
/// is to be skipped.
///
/// Nothing of the person's own settings reaches it: no variables of the environment, no `~/.ansible`, no `/etc/ansible`. `home`
/// is where Ansible keeps what it writes.
pub fn program(name: &str, home: &Path) -> Option<Command> {
    let path = directory().join("bin").join(name);
    possible(path.exists(), "target/python (which tests/python/setup makes)").then_some(())?;
    let mut command = Command::new(path);
    command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.envs([("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("PYTHONDONTWRITEBYTECODE", "1")]);
    command.envs([("ANSIBLE_NOCOLOR", "1"), ("ANSIBLE_COLLECTIONS_PATH", COLLECTIONS)]);
    command.env("HOME", home).env("ANSIBLE_HOME", home.join(".ansible"));
    // Only a file of settings that exists keeps Ansible from looking for others.
    let settings = home.join("ansible.cfg");
    fs::write(&settings, "").expect("an empty file");
    command.env("ANSIBLE_CONFIG", settings);
    Some(command)
}

/// Whether a collection that Debian packages is there; if not, the test is to be skipped.
pub fn have_collection(name: &str) -> bool {
    let path = Path::new(COLLECTIONS).join("ansible_collections").join(name.replace('.', "/"));
    possible(path.exists(), name)
}

/// The virtual environment: in the target directory, above what cargo builds for one target.
fn directory() -> PathBuf {
    let places = Path::new(env!("CARGO_TARGET_TMPDIR")).ancestors().skip(1).take(2);
    places.map(|place| place.join("python")).find(|place| place.exists()).unwrap_or_default()
}
