//! What kind of root a directory is.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::RootKind;
use crate::syscall;

/// Where runit's supervised services are, as seen from a root: the link in `/var` may be missing in an image.
const SUPERVISED: [&str; 3] = ["run/runit/runsvdir/current", "var/service", "etc/runit/runsvdir/current"];

/// What kind of root `root` is.
///
/// The running system's own root is live. Another one is live (seen through a container) only when a supervisor reads the
/// control pipe of a service there; everything else is offline: nothing may be started in it.
pub fn kind_of(root: &Path) -> RootKind {
    if root == Path::new("/") {
        return RootKind::Live;
    }
    let supervised = SUPERVISED.iter().any(|place| {
        fs::read_dir(root.join(place))
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .any(|service| someone_reads(root, &service.path()))
    });
    if supervised { RootKind::LiveThroughContainer } else { RootKind::Offline }
}

/// Whether `supervise/ok` of a service has a reader.
fn someone_reads(root: &Path, service: &Path) -> bool {
    // The link is absolute and means the root's own directory, not ours.
    let service = match fs::read_link(service) {
        Ok(target) if target.is_absolute() => root.join(target.strip_prefix("/").unwrap_or(&target)),
        _ => service.to_owned(),
    };
    let supervise = service.join("supervise");
    let supervise = match fs::read_link(&supervise) {
        Ok(target) if target.is_absolute() => root.join(target.strip_prefix("/").unwrap_or(&target)),
        _ => supervise,
    };
    // Opening a pipe for writing without waiting fails when nobody reads it.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let is_pipe = fs::symlink_metadata(supervise.join("ok"))
        .is_ok_and(|metadata| std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type()));
    is_pipe && rustix::fs::open(supervise.join("ok"), flags, Mode::empty()).is_ok()
}

/// Makes `root` the root of this thread. Gives the directory that holds the running kernel's `/proc` and `/sys`, if it could be
/// opened before.
///
/// # Errors
/// It can't be entered.
pub fn enter(root: &Path) -> io::Result<Option<OwnedFd>> {
    let kernel = open_kernel();
    syscall::enter_root(root)?;
    Ok(kernel)
}

/// The directory that holds the running kernel's `/proc` and `/sys`, for the facts of a root that has none.
pub fn open_kernel() -> Option<OwnedFd> {
    rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_live_only_when_a_supervisor_listens() {
        assert_eq!(kind_of(Path::new("/")), RootKind::Live);
        let directory = tempfile::tempdir().unwrap();
        let supervise = directory.path().join("etc/sv/web/supervise");
        fs::create_dir_all(&supervise).unwrap();
        fs::create_dir_all(directory.path().join("run/runit/runsvdir/current")).unwrap();
        std::os::unix::fs::symlink("/etc/sv/web", directory.path().join("run/runit/runsvdir/current/web"))
            .unwrap();
        assert_eq!(kind_of(directory.path()), RootKind::Offline);
        let pipe = supervise.join("ok");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert_eq!(kind_of(directory.path()), RootKind::Offline, "nobody reads the pipe");
        let _reader = rustix::fs::open(&pipe, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()).unwrap();
        assert_eq!(kind_of(directory.path()), RootKind::LiveThroughContainer);
    }
}
