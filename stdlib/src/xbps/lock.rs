//! Waiting for the package database. xbps itself waits for it without limit.

use std::path::Path;
use std::time::Duration;

use refrain_engine::failure::Failure;
use refrain_engine::system::{Command, System, View};

use super::program::{at_most, run};

/// How long it is waited for by default.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The file that is locked by whoever changes the database.
const LOCK: &str = "/var/db/xbps/lock";

/// Waits until nobody else changes the database.
///
/// Between this and the next command somebody else may begin; then that command waits as xbps does, for as long as the task
/// has time.
///
/// # Errors
/// Somebody holds it longer than `patience`.
pub fn wait(system: &dyn System, like: &Command, patience: Duration) -> Result<(), Failure> {
    // Nobody can hold what is not there: on a fresh root, the first transaction makes it.
    if system.stat(Path::new(LOCK))?.is_none() {
        return Ok(());
    }
    // Locks the database, finds it in the format of today, and that is all.
    let command = Command {
        argv: ["xbps-pkgdb", "-u"].map(str::to_owned).to_vec(),
        timeout: Some(at_most(like.timeout, patience)),
        environment: like.environment.clone(),
        ..Command::default()
    };
    match run(system, &command) {
        Err(Failure::Timeout { seconds, .. }) => {
            let by = holder(system).map(|holder| format!(" by {holder}")).unwrap_or_default();
            Err(Failure::state(format!("the package database is locked{by} for more than {seconds} s"))
                .advise("try again when that has ended, or give it longer with `lock_timeout`"))
        }
        done => done.map(drop),
    }
}

/// Which program has the lock open, as far as that can be seen.
fn holder(host: &dyn View) -> Option<String> {
    let processes = host.list(Path::new("/proc")).ok()?;
    let numbers = processes.iter().filter_map(|name| name.to_str()?.parse::<u32>().ok());
    numbers.into_iter().find_map(|number| {
        let process = Path::new("/proc").join(number.to_string());
        let has_it_open = host.list(&process.join("fd")).ok()?.iter().any(|fd| {
            let target = host.read_link(&process.join("fd").join(fd)).ok().flatten();
            target.is_some_and(|target| target.ends_with(&LOCK[1..]))
        });
        let content = host.read(&process.join("cmdline")).ok().flatten().filter(|_| has_it_open)?;
        let words = content.known()?.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let line = words.collect::<Vec<_>>().join(" ");
        Some(format!("`{}` (process {number})", line.trim()))
    })
}

#[cfg(test)]
mod tests {
    use refrain_engine::system::sandbox::{Programs, Sandbox};
    use refrain_engine::system::{Attributes, Output};

    use super::*;

    /// A host on which the database is locked for longer than anybody waits.
    struct Locked;

    impl Programs for Locked {
        fn has(&self, _name: &str) -> bool {
            true
        }

        fn run(&self, command: &Command, _system: &Sandbox) -> Result<Output, Failure> {
            let seconds = command.timeout.unwrap_or_default().as_secs_f64();
            Err(Failure::Timeout { what: command.to_shell(), seconds, output: String::new() })
        }
    }

    fn host() -> (tempfile::TempDir, Sandbox) {
        let directory = tempfile::tempdir().unwrap();
        let host = Sandbox::open(directory.path(), Box::new(Locked)).unwrap();
        (directory, host)
    }

    #[test]
    fn who_holds_the_lock_is_named() {
        let (directory, host) = host();
        let attributes = Attributes { mode: 0o755, uid: 0, gid: 0 };
        for path in ["var/db/xbps", "proc/1", "proc/42/fd"] {
            std::fs::create_dir_all(directory.path().join("root").join(path)).unwrap();
        }
        host.write(Path::new(LOCK), b"", attributes).unwrap();
        let command = Command { timeout: Some(Duration::from_secs(300)), ..Command::default() };
        let failure = wait(&host, &command, Duration::from_secs(2)).unwrap_err();
        assert_eq!(failure.to_string(), "the package database is locked for more than 2 s");
        host.make_link(Path::new("/proc/42/fd/3"), Path::new(LOCK)).unwrap();
        host.write(Path::new("/proc/42/cmdline"), b"xbps-install\0-Suy\0", attributes).unwrap();
        let failure = wait(&host, &command, Duration::from_secs(2)).unwrap_err();
        let message = "the package database is locked by `xbps-install -Suy` (process 42) for more than 2 s";
        assert_eq!(failure.to_string(), message);
    }

    #[test]
    fn a_fresh_root_is_not_locked() {
        let (_directory, host) = host();
        assert_eq!(wait(&host, &Command::default(), PATIENCE), Ok(()));
    }
}
