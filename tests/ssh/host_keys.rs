//! Hosts are who they are known to be.

use std::fs;
use std::process::Command;

use crate::support::project::Project;
use crate::support::run::run;
use crate::support::sshd::{Setup, Sshd};
use crate::{HELLO, plain_site, site};

fn known(project: &Project, text: &str) {
    project.file(".ssh/known_hosts", text);
}

/// The error of a run, with what differs masked.
fn error(project: &Project, sshd: &Sshd) -> String {
    let finished = run(project, &[]);
    assert_eq!(finished.code, Some(3), "{finished:#?}");
    sshd.masked(project, &finished.unreachable())
}

#[test]
fn a_host_that_nobody_knows_is_refused() {
    let Some((project, sshd)) = plain_site() else { return };
    known(&project, "");
    insta::assert_snapshot!(error(&project, &sshd), @r"
    host key: the host key of `127.0.0.1` is not known: ED25519 SHA256:…
    hint: if this is the host's fingerprint, add its key with `ssh-keyscan -p PORT 127.0.0.1 >> ~/.ssh/known_hosts`, or connect once with `ssh -p PORT 127.0.0.1`
    ");
    fs::remove_file(project.path(".ssh/known_hosts")).unwrap();
    assert!(error(&project, &sshd).contains("is not known"));
}

#[test]
fn a_host_that_has_changed_is_refused() {
    let (Some((project, sshd)), Some(other)) = (plain_site(), Sshd::start()) else { return };
    let name = sshd.name_in_file();
    known(&project, &format!("# comment\n{}", other.known_as(&name)));
    insta::assert_snapshot!(error(&project, &sshd), @r"
    host key: the host key of `127.0.0.1` has changed
    caused by: it is now ED25519 SHA256:…, and [project]/.ssh/known_hosts:2 has another one (ED25519)
    hint: someone may be listening in; if the host was installed anew, remove the old key with `ssh-keygen -R '[127.0.0.1]:PORT'`
    ");
}

#[test]
fn a_revoked_key_is_refused() {
    let Some((project, sshd)) = plain_site() else { return };
    let name = sshd.name_in_file();
    known(&project, &format!("{}@revoked {}", sshd.known_as(&name), sshd.known_as("*")));
    insta::assert_snapshot!(error(&project, &sshd), @"host key: the host key of `127.0.0.1` is revoked: ED25519 SHA256:…, at [project]/.ssh/known_hosts:2");
}

#[test]
fn a_certificate_authority_is_not_enough() {
    let Some((project, sshd)) = plain_site() else { return };
    known(&project, &format!("@cert-authority {}", sshd.known_as("*")));
    insta::assert_snapshot!(error(&project, &sshd), @r"
    host key: the host key of `127.0.0.1` is not known: ED25519 SHA256:…
    caused by: [project]/.ssh/known_hosts:1 has a certificate authority for it, and certificates of hosts can't be checked here
    hint: the connection `openssh` checks certificates of hosts
    ");
}

#[test]
fn hashed_names_are_found() {
    let Some((project, _sshd)) = plain_site() else { return };
    let file = project.path(".ssh/known_hosts");
    let status = Command::new("ssh-keygen").arg("-q").arg("-H").arg("-f").arg(&file).status().unwrap();
    assert!(status.success());
    assert!(fs::read_to_string(&file).unwrap().starts_with("|1|"));
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
}

#[test]
fn a_name_without_a_port_will_do() {
    let Some((project, sshd)) = plain_site() else { return };
    known(&project, &sshd.known_as("127.0.0.1"));
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
}

#[test]
fn the_key_by_which_a_host_is_known_is_asked_for() {
    let Some((project, sshd)) = site(Setup::default().host_key("rsa")) else { return };
    // It has another key, too, which would come first.
    let other = Setup::default().option(&format!("HostKey {}", sshd.host_key().display()));
    let Some(other) = other.start() else { return };
    other.open_to(&project);
    known(&project, &sshd.known_as(&other.name_in_file()));
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
}

#[test]
fn who_does_not_check_reaches_everyone() {
    let (Some((project, sshd)), Some(other)) = (plain_site(), Sshd::start()) else { return };
    let unchecked = sshd.inventory().replace('\n', " ansible_host_key_checking=false\n");
    project.file("inventory", unchecked);
    for text in [String::new(), other.known_as(&sshd.name_in_file())] {
        known(&project, &text);
        assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    }
    known(&project, &format!("@revoked {}", sshd.known_as("*")));
    assert!(error(&project, &sshd).contains("is revoked"));
}

#[test]
fn only_what_is_safe_is_agreed_on() {
    for weak in [
        "KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
        "Ciphers aes128-cbc,3des-cbc",
        "Ciphers aes128-ctr\nMACs hmac-sha1,hmac-sha1-etm@openssh.com",
    ] {
        let Some((project, sshd)) = site(Setup::default().option(weak)) else { return };
        let error = error(&project, &sshd);
        assert!(
            error.starts_with("connection: no ssh connection to `127.0.0.1` port PORT"),
            "{weak}: {error}"
        );
    }
    let setup = Setup::default().host_key("rsa").option("HostKeyAlgorithms ssh-rsa");
    let Some((project, sshd)) = site(setup) else { return };
    insta::assert_snapshot!(error(&project, &sshd), @r"
    connection: no ssh connection to `127.0.0.1` port PORT
    caused by: unable to exchange encryption keys
    hint: the host may offer only algorithms that are no longer safe
    ");
}
