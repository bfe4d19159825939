//! The syscalls, and what else of the C library no safe wrapper offers. The only module of the workspace with `unsafe`.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Once;

use rustix::fs::Mode;
use rustix::process::Signal;
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

/// Makes `command` start as the leader of a session of its own: no signal from the terminal of the agent reaches it.
pub fn lead_session(command: &mut Command) {
    let lead = || rustix::process::setsid().map(drop).map_err(io::Error::from);
    // SAFETY: between fork and exec only a system call is made; that takes no lock and allocates nothing.
    unsafe { command.pre_exec(lead) };
}

/// Makes `command` start as the leader of a session, and so of a process group, of its own, and with the umask 022.
///
/// A signal from the terminal of the agent does not reach it, and it has no terminal on which it could ask or be stopped. It
/// does not outlive the thread that starts it: when the agent is killed, the kernel kills it (and the guardian what it has
/// started).
pub fn isolate(command: &mut Command) {
    let agent = rustix::process::getpid();
    let isolate = move || {
        rustix::process::umask(UMASK);
        // Agents of other users ignore it, since their terminal may go before their stream.
        // SAFETY: setting a signal to its default is one system call.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_DFL) };
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // Whoever has been killed by now is told of no more.
        if rustix::process::getppid() != Some(agent) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        rustix::process::setsid().map(drop).map_err(io::Error::from)
    };
    // SAFETY: between fork and exec only system calls are made; that takes no lock and allocates nothing.
    unsafe { command.pre_exec(isolate) };
}

/// A child of this process that has ended and that nobody has waited for. It stays one.
pub fn ended_child() -> Option<u32> {
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: a `siginfo_t` may be all zeros, the kernel fills it in where it returns 0, and it leaves the number of the
    // process 0 where there is none.
    let ended = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        match libc::waitid(libc::P_ALL, 0, &raw mut info, options) {
            0 => info.si_pid(),
            _ => 0,
        }
    };
    u32::try_from(ended).ok().filter(|process| *process > 0)
}

/// Makes `command` start as the leader of a session of its own, at the terminal whose far end `terminal` is; without one, at none.
///
/// A program that asks for a password by way of `/dev/tty` then asks there.
pub fn seat(command: &mut Command, terminal: Option<OwnedFd>) {
    let seat = move || {
        rustix::process::setsid()?;
        match &terminal {
            Some(terminal) => rustix::process::ioctl_tiocsctty(terminal).map_err(io::Error::from),
            None => Ok(()),
        }
    };
    // SAFETY: between fork and exec only system calls are made; that takes no lock and allocates nothing.
    unsafe { command.pre_exec(seat) };
}

/// From now on, this process finds the addresses of hosts in `/etc/hosts` and by DNS, whatever `/etc/nsswitch.conf` says.
///
/// This binary is static: whatever else can be named there is a plugin that was made for the host's own C library, and
/// loading that one into a process which brings another is more likely to end the process than to find a host.
#[cfg(target_env = "gnu")]
pub fn resolve_without_plugins() {
    unsafe extern "C" {
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }
    const DATABASE: &CStr = c"hosts";
    const SERVICES: &CStr = c"files dns";
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: both are strings that end with a zero byte and live forever, and glibc copies what it keeps of them. It
        // fails where it knows no such database; then names are looked for as before.
        unsafe { __nss_configure_lookup(DATABASE.as_ptr(), SERVICES.as_ptr()) };
    });
}

/// Other C libraries have no plugins.
#[cfg(not(target_env = "gnu"))]
pub fn resolve_without_plugins() {}
