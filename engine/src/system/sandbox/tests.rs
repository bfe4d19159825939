//! A sandbox against its promises, and against a real root.

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::random_changes::{changes, in_new_root, told};
use super::*;
use crate::step::{Change, Step};

const ROOTS: Attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };

fn open(directory: &TempDir) -> Sandbox {
    Sandbox::open(directory.path(), Box::new(NoPrograms)).unwrap()
}

fn attributes(host: &Sandbox, path: &str) -> Attributes {
    host.lstat(Path::new(path)).unwrap().unwrap().attributes
}

#[test]
fn owners_and_modes_outlive_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let given = Attributes { mode: 0o4755, uid: 7, gid: 8 };
    let host = open(&directory);
    host.write(Path::new("/etc/tool"), b"", given).unwrap();
    host.make_link(Path::new("/etc/link"), Path::new("tool")).unwrap();
    host.set_attributes(Path::new("/etc/link"), given).unwrap();
    // As if the process had been killed.
    std::mem::forget(host);

    let host = open(&directory);
    assert_eq!(attributes(&host, "/etc/tool"), given);
    assert_eq!(attributes(&host, "/etc/link"), Attributes { mode: 0o777, ..given });
    assert_eq!(host.stat(Path::new("/etc/link")).unwrap().unwrap().attributes, given);
    assert_eq!(attributes(&host, "/etc/shadow").mode, 0o600);
    let on_disk = fs::metadata(directory.path().join("root/etc/tool")).unwrap();
    assert_eq!(
        on_disk.permissions().mode() & 0o7777,
        0o755,
        "a bit that means something stays out of the tree"
    );
}

#[test]
fn looking_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let host = open(&directory);
    host.write(Path::new("/etc/motd"), b"hello", ROOTS).unwrap();
    host.remove(Path::new("/etc/motd")).unwrap();
    drop(host);
    let state = |path: &str| {
        let metadata = fs::metadata(directory.path().join(path)).unwrap();
        (metadata.modified().unwrap(), metadata.len())
    };
    let before = ["", "root", "root/etc", "attributes.log"].map(state);
    let host = open(&directory);
    assert_eq!(host.lstat(Path::new("/etc/motd")).unwrap(), None);
    host.list(Path::new("/etc")).unwrap();
    host.read(Path::new("/etc/passwd")).unwrap();
    drop(host);
    assert_eq!(["", "root", "root/etc", "attributes.log"].map(state), before);
}

#[test]
fn nothing_leads_out_of_it() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("outside"), "secret").unwrap();
    let host = open(&directory);
    host.make_link(Path::new("/etc/up"), Path::new("../../../outside")).unwrap();
    host.make_link(Path::new("/etc/absolute"), &directory.path().join("outside")).unwrap();
    for path in ["/../outside", "/etc/../../outside", "/etc/up", "/etc/absolute"] {
        assert_eq!(host.read(Path::new(path)).unwrap(), None, "{path}");
    }
    host.write(Path::new("/../outside"), b"inside", ROOTS).unwrap();
    assert_eq!(host.read(Path::new("/etc/up")).unwrap(), Some(Content::Known(b"inside".to_vec())));
    assert_eq!(fs::read_to_string(directory.path().join("outside")).unwrap(), "secret");
    host.make_link(Path::new("/alias"), Path::new("/etc")).unwrap();
    host.write(Path::new("/alias/new"), b"", ROOTS).unwrap();
    assert!(directory.path().join("root/etc/new").exists());
}

#[test]
fn root_needs_no_permission() {
    let directory = tempfile::tempdir().unwrap();
    let host = open(&directory);
    let nobodys = Attributes { mode: 0, uid: 3, gid: 3 };
    host.make_directory(Path::new("/closed"), nobodys).unwrap();
    host.write(Path::new("/closed/file"), b"x", nobodys).unwrap();
    assert_eq!(host.list(Path::new("/closed")).unwrap(), ["file"]);
    assert_eq!(host.read(Path::new("/closed/file")).unwrap(), Some(Content::Known(b"x".to_vec())));
    assert_eq!((attributes(&host, "/closed"), attributes(&host, "/closed/file")), (nobodys, nobodys));
    host.remove(Path::new("/closed")).unwrap();
    host.make_directory(Path::new("/closed"), ROOTS).unwrap();
    fs::write(directory.path().join("root/closed/file"), "").unwrap();
    assert_eq!(attributes(&host, "/closed/file"), ROOTS, "what was removed left nothing");
}

#[test]
fn a_failure_names_the_path_on_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let host = open(&directory);
    let failures = [
        (host.write(Path::new("/etc"), b"", ROOTS), "could not write `/etc`: is a directory"),
        (host.make_directory(Path::new("/etc"), ROOTS), "could not make the directory `/etc`: file exists"),
        (
            host.set_attributes(Path::new("/none"), ROOTS),
            "could not set the owner and mode of `/none`: no such file or directory",
        ),
        (host.read(Path::new("/etc")).map(drop), "could not read `/etc`: is a directory"),
    ];
    for (result, message) in failures {
        assert_eq!(result.unwrap_err().to_string(), message);
    }
}

/// Makes the changes, and says which succeeded and what is there then.
fn outcome(system: &dyn System, changes: &[Change]) -> (Vec<bool>, Vec<String>) {
    (changes.iter().map(|change| change.act(system).is_ok()).collect(), told(system))
}

proptest! {
    #[test]
    fn it_is_like_a_real_root(changes in changes(24)) {
        let real = in_new_root(|| outcome(&Native::not_lasting(RootKind::Offline), &changes));
        let Some(real) = real else { return Ok(()) };
        let directory = tempfile::tempdir().unwrap();
        // Empty, as the real one.
        fs::create_dir(directory.path().join("root")).unwrap();
        let (done, told) = outcome(&open(&directory), &changes);
        prop_assert_eq!(&(done, told.clone()), &real);
        prop_assert_eq!(super::super::random_changes::told(&open(&directory)), told, "opened again");
    }
}
