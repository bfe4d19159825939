//! The programs of a busybox.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::project::copy_program;

/// Puts a busybox into a directory, with those of its names that are `wanted`.
pub fn install_busybox(directory: &Path, wanted: impl Fn(&str) -> bool) {
    copy_program(Path::new("/bin/busybox"), &directory.join("busybox"));
    let applets = Command::new("/bin/busybox").arg("--list").output().expect("it starts").stdout;
    let applets = String::from_utf8_lossy(&applets);
    for applet in applets.lines().filter(|applet| *applet != "busybox" && wanted(applet)) {
        symlink("busybox", directory.join(applet)).expect("a link");
    }
}
