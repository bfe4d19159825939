//! Tests that run again, in namespaces of their own.

use std::process::{Command, Stdio};

/// Tells a test that it is there.
const INSIDE: &str = "REFRAIN_TEST_INSIDE";

/// Runs the test `name` of `module` again in what `unshare` makes with these arguments, if the command `works` works there. Returns whether this is that run.
pub fn inside(module: &str, name: &str, unshare: &[&str], works: &[&str]) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut possible = Command::new("unshare");
    possible.args(unshare).args(works).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !possible.status().is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "needs namespaces of its own and {works:?} in them");
        eprintln!("skipped: needs namespaces of its own and {works:?} in them");
        return false;
    }
    // The name of a test lacks that of its crate.
    let (_, module) = module.split_once("::").unwrap();
    let test = std::env::current_exe().unwrap();
    let again = ["--exact", &format!("{module}::{name}"), "--nocapture"];
    let output =
        Command::new("unshare").args(unshare).arg(test).args(again).env(INSIDE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("test result: ok. 1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    false
}
