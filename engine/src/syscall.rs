//! The syscalls that no safe wrapper offers. The only module of the workspace with `unsafe`.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::Mode;
use rustix::thread::UnshareFlags;

/// Gives the calling thread a root directory of its own: `root` becomes `/` for it, and for what it starts.
///
/// Other threads of the process keep theirs, so hosts in different roots can be configured in parallel.
///
/// # Errors
/// The thread may not (`CAP_SYS_CHROOT`), or `root` is not a directory.
pub fn enter_root(root: &Path) -> io::Result<()> {
    // SAFETY: CLONE_FS only separates this thread's root, working directory and umask from those of the others; no
    // memory or file descriptor is affected, which is what the wrapper's caller has to vouch for.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS)? };
    rustix::process::chroot(root)?;
    rustix::process::chdir("/")?;
    Ok(())
}

/// The permissions that a new file of a command does not have: nobody but its owner can write it.
const UMASK: Mode = Mode::from_raw_mode(0o022);

/// Makes `command` start as the leader of a session, and so of a process group, of its own, and with the umask 022.
///
/// A signal from the terminal of the agent does not reach it, and it has no terminal on which it could ask or be stopped.
pub fn isolate(command: &mut Command) {
    let isolate = || {
        rustix::process::umask(UMASK);
        rustix::process::setsid().map(drop).map_err(io::Error::from)
    };
    // SAFETY: between fork and exec only system calls are made; that takes no lock and allocates nothing.
    unsafe { command.pre_exec(isolate) };
}
