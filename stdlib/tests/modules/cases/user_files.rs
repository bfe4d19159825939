//! Users who put something into their `~/.ssh` that shall lead root astray.

use std::fs;
use std::os::unix::fs::{lchown, symlink};
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use super::host::{change, inside, is_root, mode_and_owner, put, refuse};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
/// The number of the user who tries.
const EVE: u32 = 4001;
const SHADOW: &str = "root:secret:20000::::::\n";

/// A root with a user in it.
fn root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let place = |path: &str| root.path().join(path);
    for directory in ["etc", "root", "root/.ssh", "home", "home/eve"] {
        fs::create_dir(place(directory)).unwrap();
    }
    put(&place("etc/passwd"), "root:x:0:0::/root:/bin/sh\neve:x:4001:4001::/home/eve:/bin/sh\n", 0o644, 0);
    put(&place("etc/group"), "root:x:0:\neve:x:4001:\n", 0o644, 0);
    put(&place("etc/shadow"), SHADOW, 0o600, 0);
    lchown(place("home/eve"), Some(EVE), Some(EVE)).unwrap();
    root
}

/// Makes a link of the user's.
fn link(root: &Path, path: &str, target: &str) {
    symlink(target, root.join(path)).unwrap();
    lchown(root.join(path), Some(EVE), Some(EVE)).unwrap();
}

fn make_directory(root: &Path, path: &str) {
    fs::create_dir(root.join(path)).unwrap();
    lchown(root.join(path), Some(EVE), Some(EVE)).unwrap();
}

#[test]
fn an_ordinary_user_gets_a_private_file() {
    if !is_root() {
        return;
    }
    let root = root();
    inside(root.path(), |host| change(host, "ssh::authorized_key", &json!({ "user": "eve", "keys": KEY })));
    let directory = root.path().join("home/eve/.ssh");
    assert_eq!(mode_and_owner(&directory), (0o700, EVE));
    assert_eq!(mode_and_owner(&directory.join("authorized_keys")), (0o600, EVE));
}

#[test]
fn links_out_of_the_home_are_refused() {
    if !is_root() {
        return;
    }
    for (path, target) in [
        (".ssh", "/root/.ssh"),
        (".ssh", "../../root/.ssh"),
        (".ssh", "/home/eve-not-yet"),
        (".ssh/authorized_keys", "/etc/shadow"),
        (".ssh/authorized_keys", "/root/.ssh/authorized_keys"),
    ] {
        let root = root();
        if path.contains('/') {
            make_directory(root.path(), "home/eve/.ssh");
        }
        link(root.path(), &format!("home/eve/{path}"), target);
        let said = inside(root.path(), |host| {
            refuse(host, "ssh::authorized_key", &json!({ "user": "eve", "keys": KEY }))
        });
        assert!(said.contains("/home/eve/.ssh"), "{said}");
        assert_eq!(fs::read_dir(root.path().join("root/.ssh")).unwrap().count(), 0, "{target}");
        assert!(!root.path().join("home/eve-not-yet").exists());
        assert_eq!(fs::read_to_string(root.path().join("etc/shadow")).unwrap(), SHADOW);
    }
}

#[test]
fn links_in_the_home_are_followed() {
    if !is_root() {
        return;
    }
    let root = root();
    make_directory(root.path(), "home/eve/dotfiles");
    link(root.path(), "home/eve/.ssh", "dotfiles");
    inside(root.path(), |host| change(host, "ssh::authorized_key", &json!({ "user": "eve", "keys": KEY })));
    assert!(fs::symlink_metadata(root.path().join("home/eve/.ssh")).unwrap().is_symlink());
    assert_eq!(mode_and_owner(&root.path().join("home/eve/dotfiles/authorized_keys")), (0o600, EVE));
}

#[test]
fn a_hard_link_is_neither_given_away_nor_read() {
    if !is_root() {
        return;
    }
    let root = root();
    make_directory(root.path(), "home/eve/.ssh");
    let name = root.path().join("home/eve/.ssh/authorized_keys");
    fs::hard_link(root.path().join("etc/shadow"), &name).unwrap();
    let said = inside(root.path(), |host| {
        refuse(host, "ssh::authorized_key", &json!({ "user": "eve", "keys": KEY }))
    });
    assert_eq!(said, "`/home/eve/.ssh/authorized_keys` belongs to user 0, not to `eve`");
    assert_eq!(mode_and_owner(&root.path().join("etc/shadow")), (0o600, 0));

    // What everybody may read is no secret, but it is not given away either.
    fs::remove_file(&name).unwrap();
    let public = root.path().join("etc/passwd");
    let before = fs::read_to_string(&public).unwrap();
    fs::hard_link(&public, &name).unwrap();
    inside(root.path(), |host| change(host, "ssh::authorized_key", &json!({ "user": "eve", "keys": KEY })));
    assert_eq!(mode_and_owner(&public), (0o644, 0));
    assert_eq!(fs::read_to_string(&public).unwrap(), before);
    assert_eq!(mode_and_owner(&name), (0o600, EVE));
}
