//! Roots in which the programs of this machine run: its `/usr`, read-only, with `/etc` and `/var` of their own.
//!
//! They are for tests in a mount namespace of their own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use refrain_engine::syscall::enter_root;
use refrain_engine::system::native::Native;
use refrain_engine::system::{RootKind, System};
use tempfile::TempDir;

/// What such a test needs, for [`crate::namespaces::inside`].
pub const NAMESPACE: [&str; 1] = ["--mount"];
/// A command that works where it can be had.
pub const WORKS: [&str; 4] = ["mount", "--bind", "/usr", "/mnt"];

/// A fresh root.
pub fn root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    for directory in
        ["usr", "proc", "dev", "etc", "var/log", "var/tmp", "var/cache", "tmp", "root", "opt", "run", "srv"]
    {
        fs::create_dir_all(at(directory)).unwrap();
    }
    for name in ["bin", "sbin", "lib", "lib64"] {
        symlink(format!("usr/{name}"), at(name)).unwrap();
    }
    for name in ["/usr", "/proc", "/dev"] {
        mount(&["--bind", name], &at(&name[1..]));
    }
    mount(&["-o", "remount,bind,ro"], &at("usr"));
    fs::write(at("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    fs::write(at("etc/group"), "root:x:0:\n").unwrap();
    root
}

fn mount(arguments: &[&str], place: &Path) {
    let status = Command::new("mount").args(arguments).arg(place).status().unwrap();
    assert!(status.success(), "mount {arguments:?} {}", place.display());
}

/// Does `work` on the host whose root is `root`, in a thread of its own; `place` says where the play is evaluated.
pub fn within<T: Send>(
    root: &Path,
    place: impl FnOnce() -> Rc<dyn System> + Send,
    work: impl FnOnce(Rc<dyn System>) -> T + Send,
) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter_root(root).unwrap();
            work(place())
        });
        thread.join().unwrap()
    })
}

/// A host that nothing runs on.
pub fn offline() -> Native {
    Native::new(RootKind::Offline)
}
