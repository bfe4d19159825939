//! Hosts behind others.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::project::Project;
use crate::support::proxy::Proxy;
use crate::support::run::run;
use crate::support::sshd::{Setup, Sshd};
use crate::{HELLO, site};

/// A host behind two others, all of them known.
struct Behind {
    project: Project,
    first: Sshd,
    second: Sshd,
    host: Sshd,
}

impl Behind {
    fn new() -> Option<Self> {
        let (project, host) = site(Setup::default())?;
        let (first, second) = (Sshd::start()?, Sshd::start()?);
        let behind = Self { project, first, second, host };
        behind.know(&[&behind.first, &behind.second, &behind.host]);
        for sshd in [&behind.first, &behind.second] {
            sshd.authorize(&behind.project.path(".ssh/id_ed25519.pub"));
        }
        behind.configure("first,second", behind.first.port);
        Some(behind)
    }

    fn know(&self, known: &[&Sshd]) {
        let text: String = known.iter().map(|sshd| sshd.known_as(&sshd.name_in_file())).collect();
        self.project.file(".ssh/known_hosts", text);
    }

    fn configure(&self, jumps: &str, port_of_first: u16) {
        let user = &self.host.user;
        let port_of_second = self.second.port;
        let text = format!(
            "Host first\n Port {port_of_first}\nHost second\n Port {port_of_second}\n\
             Host first second\n HostName 127.0.0.1\n User {user}\nHost 127.0.0.1\n ProxyJump {jumps}\n"
        );
        self.project.file(".ssh/config", text);
        fs::set_permissions(self.project.path(".ssh/config"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn error(&self) -> String {
        let finished = run(&self.project, &[]);
        assert_eq!(finished.code, Some(3), "{finished:#?}");
        let text = finished.unreachable().replace(&self.first.port.to_string(), "FIRST");
        self.host.masked(&self.project, &text.replace(&self.second.port.to_string(), "SECOND"))
    }
}

#[test]
fn a_host_behind_two_others_is_reached() {
    let Some(behind) = Behind::new() else { return };
    for _ in ["cold", "warm"] {
        assert_eq!(run(&behind.project, &[]).succeeded().messages(), [HELLO]);
    }
    for sshd in [&behind.first, &behind.second, &behind.host] {
        assert!(sshd.log().contains("Accepted publickey"), "{}", sshd.log());
    }
    let place = run(&behind.project, &["--ssh-args=-J none"]).succeeded();
    assert_eq!(place.messages(), [HELLO]);
}

#[test]
fn many_hosts_share_one_connection_to_the_jump_host() {
    let Some(behind) = Behind::new() else { return };
    let line = Proxy::start(behind.first.port, std::time::Duration::ZERO);
    behind.configure("first", line.port);
    let known = [
        behind.first.known_as(&format!("[127.0.0.1]:{}", line.port)),
        behind.host.known_as(&behind.host.name_in_file()),
    ];
    behind.project.file(".ssh/known_hosts", known.concat());
    let names: Vec<String> = (0..12).map(|number| format!("web{number}")).collect();
    let inventory: String = names.iter().map(|name| behind.host.inventory().replace("web1", name)).collect();
    behind.project.file("inventory", inventory);
    let mut messages = run(&behind.project, &[]).succeeded().messages();
    messages.sort();
    let mut expected: Vec<String> = names.iter().map(|name| HELLO.replace("web1", name)).collect();
    expected.sort();
    assert_eq!(messages, expected);
    assert_eq!(line.connections(), 1);
}

#[test]
fn much_travels_through_a_jump_host() {
    let Some(behind) = Behind::new() else { return };
    behind.configure("first", behind.first.port);
    let content: String = (0..400_000).map(|number| format!("{number}\n")).collect();
    behind.project.file("files/large", &content);
    let to = behind.project.path("copied");
    let body = format!("file::copy(\"large\", \"{}\");", to.display());
    crate::support::run::play(&behind.project, &body);
    run(&behind.project, &[]).succeeded();
    assert!(fs::read_to_string(to).unwrap() == content);
}

#[test]
fn every_hop_says_what_is_wrong_with_it() {
    let Some(behind) = Behind::new() else { return };
    behind.know(&[&behind.second, &behind.host]);
    insta::assert_snapshot!("the-key-of-the-first-is-not-known", behind.error());
    behind.know(&[&behind.first, &behind.host]);
    insta::assert_snapshot!("the-key-of-the-second-is-not-known", behind.error());
    behind.know(&[&behind.first, &behind.second]);
    insta::assert_snapshot!("the-key-of-the-host-is-not-known", behind.error());
    behind.know(&[&behind.first, &behind.second, &behind.host]);

    fs::rename(behind.project.path(".ssh/id_ed25519"), behind.project.path("key")).unwrap();
    insta::assert_snapshot!("no-login-at-the-first", behind.error());
    fs::rename(behind.project.path("key"), behind.project.path(".ssh/id_ed25519")).unwrap();

    behind.project.file("inventory", behind.host.inventory_at(1));
    insta::assert_snapshot!("nobody-listens-at-the-host", behind.error());
    behind.project.file("inventory", behind.host.inventory());
    behind.configure("first", 1);
    insta::assert_snapshot!("nobody-listens-at-the-first", behind.error());
    behind.configure("gate.invalid", 1);
    insta::assert_snapshot!("the-first-has-no-address", behind.error());
    behind.configure("127.0.0.1", 1);
    let failure = run(&behind.project, &[]).failure();
    insta::assert_snapshot!("a-host-is-on-the-way-to-itself", failure.to_string());
}
