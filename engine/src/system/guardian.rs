//! A process that outlives this one: when this one is killed, it ends the commands that were running, with all that they have
//! started.
//!
//! The kernel ends a command itself with whoever started it, but not what the command has started in turn. A shell that reads
//! from a pipe does: the pipe ends, however this process does.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::children::Spawned;
use crate::syscall;

/// Reads which process groups have begun (`b`) and ended (`e`), and at the end kills those that have not.
const SCRIPT: &str = "r=; while read -r w g; do case $w in \
    b) r=\"$r $g\";; \
    e) n=; for x in $r; do [ \"$x\" = \"$g\" ] || n=\"$n $x\"; done; r=$n;; \
    esac; done; for x in $r; do kill -KILL \"-$x\"; done";

static GUARDIAN: Mutex<Option<Spawned>> = Mutex::new(None);

/// Makes sure that there is a guardian, so that a command that is then started has one a moment later. Where there is no
/// shell, there is none.
pub(super) fn prepare() {
    let mut guardian = GUARDIAN.lock().unwrap_or_else(PoisonError::into_inner);
    if guardian.is_none() {
        *guardian = start().ok();
    }
}

/// A process group that is ended when this process ends before this is dropped.
pub(super) struct Guarded(u32);

impl Guarded {
    /// Has a process group guarded.
    pub(super) fn group(group: u32) -> Self {
        tell('b', group);
        Self(group)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        tell('e', self.0);
    }
}

fn start() -> io::Result<Spawned> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SCRIPT]).env_clear();
    // Pipes that end at once, since there may be no `/dev/null`.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    syscall::lead_session(&mut command);
    let mut guardian = Spawned::by(&mut command)?;
    drop((guardian.stdout.take(), guardian.stderr.take()));
    Ok(guardian)
}

fn tell(word: char, group: u32) {
    let mut guardian = GUARDIAN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(input) = guardian.as_mut().and_then(|guardian| guardian.stdin.as_mut()) else { return };
    if input.write_all(format!("{word} {group}\n").as_bytes()).is_err() {
        // Somebody has ended it. The next command gets another one.
        if let Some(mut dead) = guardian.take() {
            let _ = dead.try_wait();
        }
    }
}
