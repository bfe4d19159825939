//! For tests of what only root may do.

/// Whether the test runs as root. If not, it says that it is skipped, and why; where nothing may be skipped, it fails.
pub fn is_root(why: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    assert!(is_root || std::env::var_os("CI").is_none(), "needs root");
    if !is_root {
        eprintln!("skipped: {why} needs root");
    }
    is_root
}
