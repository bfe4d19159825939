//! The syscalls that no safe wrapper offers. The only module of the workspace with `unsafe`.
#![allow(unsafe_code)]

use std::io;
use std::path::Path;

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
