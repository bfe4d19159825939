//! Rules as sudo's own programs read them.

use serde_json::json;

use super::host::{change, mode_and_owner, refuse, run, said, sandbox, text, tool};

const MAIN: (&str, &str) = ("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n");

#[test]
fn visudo_accepts_what_is_put_in_place() {
    let Some(visudo) = tool("visudo") else { return };
    let directory = tempfile::tempdir().unwrap();
    let host = sandbox(&directory, &[MAIN]);
    let rules = [
        json!({ "name": "all", "groups": "wheel", "commands": "ALL" }),
        json!({
            "name": "some", "users": ["ada", "#1000"], "groups": ["ops", "#100"], "hosts": ["web1", "web2"],
            "run_as": "www:www", "password": false,
            "commands": ["/bin/a --x=1,2 a:b c\\d #e", "/bin/b *", "!/bin/c \"\"", "/bin/d"],
        }),
    ];
    for rule in rules {
        change(&*host, "sudo::rule", &rule);
        let path = format!("/etc/sudoers.d/{}", rule["name"].as_str().unwrap());
        let place = directory.path().join("root").join(&path[1..]);
        let (status, output) = run(&visudo, &["-c", "-s", "-f", place.to_str().unwrap()]);
        assert_eq!(status, 0, "{output}\n{}", text(&directory, &path));
    }
    change(&*host, "sudo::absent", &json!({ "name": "some" }));
    let name = directory.path().join("root/etc/sudoers.d/all");
    assert_eq!(mode_and_owner(&name).0 & 0o077, 0o040 & mode_and_owner(&name).0, "nobody else can write it");
}

#[test]
fn what_visudo_refuses_is_not_put_in_place() {
    if tool("visudo").is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let host = sandbox(&directory, &[MAIN]);
    let said = said(
        &*host,
        "sudo::file",
        &json!({ "name": "10-broken", "content": "ada ALL=(ALL NOPASSWD: /bin/a\n" }),
    );
    assert!(said.starts_with("/etc/sudoers.d/10-broken:1:14: syntax error\n"), "{said}");
    assert!(!directory.path().join("root/etc/sudoers.d").exists());
}

#[test]
fn a_directory_that_sudo_does_not_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let host =
        sandbox(&directory, &[("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n# @includedir /etc/sudoers.d\n")]);
    let failure = refuse(&*host, "sudo::rule", &json!({ "name": "all", "users": "ada", "commands": "ALL" }));
    assert!(failure.starts_with("sudo does not read `/etc/sudoers.d` on this host"), "{failure}");
}
