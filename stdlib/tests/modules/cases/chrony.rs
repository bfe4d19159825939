//! Configurations as chronyd reads them.

use serde_json::json;

use super::host::{change, run, said, sandbox, text, tool};

#[test]
fn chronyd_accepts_what_is_put_in_place() {
    let Some(chronyd) = tool("chronyd") else { return };
    let directory = tempfile::tempdir().unwrap();
    let host = sandbox(&directory, &[("/etc/chrony/chrony.keys", "")]);
    let config = json!({
        "servers": ["ntp1.example.net iburst prefer", "192.0.2.1"], "pools": "pool.ntp.org", "peers": "ntp3.example.net",
        "makestep": "0.5 -1", "allow": ["192.0.2.0/24", "2001:db8::/32", "all"], "deny": "192.0.2.7", "local_stratum": 10,
        "bindaddress": "192.0.2.2", "leapsectz": "right/UTC", "logdir": "/var/log/chrony", "keyfile": "/etc/chrony.keys",
        "extra": ["minsources 2", "maxupdateskew 100.0\n"],
    });
    change(&*host, "chrony::config", &config);
    change(&*host, "chrony::server", &json!({ "name": "ntp3.example.net", "options": "iburst minpoll 4" }));
    let path = directory.path().join("root/etc/chrony/chrony.conf");
    let (status, output) = run(&chronyd, &["-p", "-f", path.to_str().unwrap()]);
    assert_eq!(status, 0, "{output}");
    assert!(
        output.contains("server ntp3.example.net iburst minpoll 4\n") && !output.contains("peer "),
        "{output}"
    );
    assert!(output.contains("driftfile /var/lib/chrony/chrony.drift\n"), "{output}");
}

#[test]
fn what_chronyd_refuses_is_not_put_in_place() {
    if tool("chronyd").is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let host = sandbox(&directory, &[("/etc/chrony.conf", "rtcsync\n")]);
    let output = said(&*host, "chrony::config", &json!({ "servers": "a", "extra": "makesteps 1 3" }));
    assert!(output.contains("Invalid directive at line 5 in file /etc/chrony.conf"), "{output}");
    let output = said(&*host, "chrony::server", &json!({ "name": "a", "options": "minpoll x" }));
    assert!(
        output.contains("Could not parse server directive at line 2 in file /etc/chrony.conf"),
        "{output}"
    );
    assert_eq!(text(&directory, "/etc/chrony.conf"), "rtcsync\n");
}
