//! Configurations and keys as OpenSSH reads them.

use std::fs;

use refrain_engine::event::Status;
use serde_json::json;

use super::host::{call, change, refuse, run, said, sandbox, text, tool};

const INCLUDES: &str = "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n";

#[test]
fn settings_of_the_server_are_a_file_of_their_own_where_that_is_read() {
    let (Some(sshd), Some(keygen), Some(unshare)) = (tool("sshd"), tool("ssh-keygen"), tool("unshare"))
    else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let host = sandbox(&directory, &[("/etc/ssh/sshd_config", INCLUDES)]);
    let settings = json!({
        "port": [22, 2222], "listen_address": "192.0.2.1", "permit_root_login": "prohibit-password",
        "password_authentication": false, "pubkey_authentication": true, "kbd_interactive_authentication": false,
        "allow_users": ["ada", "grace@192.0.2.*"], "allow_groups": "wheel", "max_auth_tries": 3,
        "client_alive_interval": 60, "x11_forwarding": false,
        "settings": { "AcceptEnv": ["LANG", "LC_*"], "MaxStartups": "10:30:60" },
    });
    change(&*host, "ssh::server", &settings);
    let path = directory.path().join("root/etc/ssh/sshd_config.d/10-refrain.conf");
    // This machine may have neither host keys nor the directory that whoever starts sshd makes.
    let key = directory.path().join("key");
    let (status, output) = run(&keygen, &["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()]);
    assert_eq!(status, 0, "{output}");
    let script =
        "mount -t tmpfs -o mode=0755 tmpfs /run && mkdir /run/sshd && exec \"$0\" -T -h \"$1\" -f \"$2\"";
    let [sshd, key, path] = [&sshd, &key, &path].map(|path| path.to_str().unwrap());
    let isolated = ["--map-root-user", "--mount", "sh", "-c", script, sshd, key, path];
    let (status, output) = run(&unshare, &isolated);
    assert_eq!(status, 0, "{output}");
    for line in ["permitrootlogin without-password", "acceptenv LC_*", "allowgroups wheel", "port 2222"] {
        assert!(output.contains(line), "{line}: {output}");
    }
    assert_eq!(text(&directory, "/etc/ssh/sshd_config"), INCLUDES);
}

#[test]
fn settings_of_the_server_are_made_in_place_where_nothing_is_included() {
    if tool("sshd").is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let main = "# mine\nPermitRootLogin yes\n\nMatch User ada\n    PasswordAuthentication yes\n";
    let host = sandbox(&directory, &[("/etc/ssh/sshd_config", main)]);
    change(&*host, "ssh::server", &json!({ "permit_root_login": false, "password_authentication": false }));
    assert_eq!(
        text(&directory, "/etc/ssh/sshd_config"),
        "# mine\nPermitRootLogin no\n\nPasswordAuthentication no\nMatch User ada\n    PasswordAuthentication yes\n"
    );
}

#[test]
fn what_sshd_refuses_or_would_not_see_is_not_put_in_place() {
    if tool("sshd").is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let host = sandbox(&directory, &[("/etc/ssh/sshd_config", &format!("Port 22\n{INCLUDES}"))]);
    let output = said(&*host, "ssh::server", &json!({ "settings": { "PermitRootLogon": false } }));
    assert!(
        output.starts_with(
            "/etc/ssh/sshd_config.d/10-refrain.conf: line 1: Bad configuration option: PermitRootLogon"
        ),
        "{output}"
    );
    let output = said(&*host, "ssh::server", &json!({ "permit_root_login": "maybe" }));
    assert!(output.contains("unsupported option \"maybe\""), "{output}");
    let failure = refuse(&*host, "ssh::server", &json!({ "port": 2222 }));
    assert!(failure.starts_with("`Port 22` stands in line 1 of `/etc/ssh/sshd_config`"), "{failure}");
    assert_eq!(call(&*host, "ssh::server", &json!({ "port": 22 })).status, Status::Changed);
}

#[test]
fn settings_of_the_client_are_accepted_by_ssh() {
    let Some(ssh) = tool("ssh") else { return };
    let directory = tempfile::tempdir().unwrap();
    let main = "Include /etc/ssh/ssh_config.d/*.conf\n\nHost *\n    SendEnv LANG\n";
    let host = sandbox(&directory, &[("/etc/ssh/ssh_config", main)]);
    let settings = json!({ "Port": 2222, "StrictHostKeyChecking": true, "SendEnv": ["A", "B"] });
    change(
        &*host,
        "ssh::client",
        &json!({ "name": "10-x", "hosts": ["a.example", "*.b"], "settings": settings }),
    );
    let path = directory.path().join("root/etc/ssh/ssh_config.d/10-x.conf");
    let ports = ["a.example", "x.b", "c"].map(|name| {
        let (_, output) = run(&ssh, &["-G", "-F", path.to_str().unwrap(), name]);
        output.lines().find_map(|line| line.strip_prefix("port ").map(ToOwned::to_owned))
    });
    assert_eq!(ports, ["2222", "2222", "22"].map(|port| Some(port.to_owned())));
    let output = said(&*host, "ssh::client", &json!({ "name": "x", "settings": { "Prot": 1 } }));
    assert!(
        output.starts_with("/etc/ssh/ssh_config.d/x.conf: line 2: Bad configuration option: prot"),
        "{output}"
    );
    let directory = tempfile::tempdir().unwrap();
    let other = sandbox(&directory, &[("/etc/ssh/ssh_config", "Host *\n")]);
    let failure = refuse(&*other, "ssh::client", &json!({ "name": "x", "settings": { "Port": 1 } }));
    assert!(failure.starts_with("ssh does not read `/etc/ssh/ssh_config.d`"), "{failure}");
}

#[test]
fn keys_are_generated_once() {
    let Some(keygen) = tool("ssh-keygen") else { return };
    let directory = tempfile::tempdir().unwrap();
    let host = sandbox(&directory, &[("/etc/ssh/ssh_host_rsa_key", "there")]);
    change(&*host, "ssh::host_key", &json!({ "types": ["rsa", "ed25519"] }));
    assert_eq!(text(&directory, "/etc/ssh/ssh_host_rsa_key"), "there");
    change(&*host, "ssh::generate", &json!({ "path": "/etc/ssh/key", "type": "ecdsa", "comment": "a  b" }));
    let report = call(&*host, "ssh::generate", &json!({ "path": "/etc/ssh/key" }));
    let public = text(&directory, "/etc/ssh/key.pub");
    assert!(public.trim().ends_with(" a  b"), "{public}");
    let fields = format!("{:?}", report.fields);
    assert!(fields.contains(public.trim()), "{fields}");
    for name in ["ssh_host_ed25519_key", "key"] {
        let path = directory.path().join("root/etc/ssh").join(name);
        assert_eq!(run(&keygen, &["-l", "-f", path.to_str().unwrap()]).0, 0);
        assert_eq!(run(&keygen, &["-y", "-P", "", "-f", path.to_str().unwrap()]).0, 0);
    }
    fs::remove_file(directory.path().join("root/etc/ssh/key.pub")).unwrap();
    assert_eq!(call(&*host, "ssh::generate", &json!({ "path": "/etc/ssh/key" })).status, Status::Ok);
}
