//! What `ssh-keygen` hides and finds in `known_hosts`.

use std::fs;

use refrain_engine::system::Attributes;
use serde_json::json;

use super::host::{change, run, sandbox, tool};

const OLD: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAwEAAQ==";
const NEW: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

#[test]
fn hosts_that_ssh_keygen_has_hashed_are_found() {
    let Some(keygen) = tool("ssh-keygen") else { return };
    let directory = tempfile::tempdir().unwrap();
    let host = sandbox(&directory, &[]);
    host.make_directory("/etc/ssh".as_ref(), Attributes { mode: 0o755, uid: 0, gid: 0 }).unwrap();
    for (name, port) in [("web1.example.net", 22), ("web1.example.net", 2201), ("2001:db8::1", 2202)] {
        change(&*host, "ssh::known_host", &json!({ "host": name, "keys": OLD, "port": port }));
    }
    let file = directory.path().join("root/etc/ssh/ssh_known_hosts");
    let path = file.to_str().unwrap();
    assert_eq!(run(&keygen, &["-H", "-f", path]).0, 0);
    let hashed = fs::read_to_string(&file).unwrap();
    assert!(hashed.lines().count() == 3 && !hashed.contains("web1"), "{hashed}");

    change(&*host, "ssh::known_host", &json!({ "host": "web1.example.net", "keys": NEW, "port": 2201 }));
    change(&*host, "ssh::known_host", &json!({ "host": "2001:db8::1", "port": 2202, "absent": true }));
    let text = fs::read_to_string(&file).unwrap();
    let kept = hashed.lines().take(2);
    assert!(text.lines().take(2).eq(kept), "{text}");
    let found = |name: &str| run(&keygen, &["-F", name, "-f", path]).1;
    assert!(found("[web1.example.net]:2201").contains(NEW));
    assert!(found("web1.example.net").contains(OLD) && !found("web1.example.net").contains(NEW));
    assert_eq!(found("[2001:db8::1]:2202"), "");
}
