//! What `~/.ssh/config` and Ansible's variables say of how hosts are reached.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::project::Project;
use crate::support::run::{play, run};
use crate::support::sshd::{Setup, Sshd, keygen};
use crate::{HELLO, site};

/// A project whose inventory has nothing but the name, and a host that the ssh configuration knows by it.
fn configured(setup: Setup, further: &str) -> Option<(Project, Sshd)> {
    let (project, sshd) = site(setup)?;
    project.file("inventory", "web1\n");
    configure(&project, &sshd, further);
    Some((project, sshd))
}

fn configure(project: &Project, sshd: &Sshd, further: &str) {
    let own = format!("Host web1\n  HostName 127.0.0.1\n  Port {}\n  User {}\n", sshd.port, sshd.user);
    project.file(".ssh/config", format!("{further}\n{own}"));
    fs::set_permissions(project.path(".ssh/config"), fs::Permissions::from_mode(0o600)).unwrap();
}

fn error(project: &Project, sshd: &Sshd) -> String {
    let finished = run(project, &[]);
    assert_eq!(finished.code, Some(3), "{finished:#?}");
    sshd.masked(project, &finished.unreachable())
}

#[test]
fn a_host_is_found_by_its_name_in_the_configuration() {
    let Some((project, sshd)) = configured(Setup::default(), "") else { return };
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    // The inventory goes first.
    project.file("inventory", "web1 ansible_user=nobody-there\n");
    assert!(error(&project, &sshd).contains("could not log in as `nobody-there`"));
    project.file("inventory", format!("web1 ansible_user={}\n", sshd.user));
    let further = run(&project, &["-u", "nobody-here"]);
    assert!(further.unreachable().contains("could not log in as `nobody-here`"));
}

#[test]
fn keys_are_those_of_the_configuration() {
    let Some((project, sshd)) = configured(Setup::default(), "") else { return };
    for file in ["id_ed25519", "id_ed25519.pub"] {
        fs::remove_file(project.path(".ssh").join(file)).unwrap();
    }
    keygen(&project.path("keys 127.0.0.1"), "ed25519", "");
    sshd.authorize(&project.path("keys 127.0.0.1.pub"));
    assert_eq!(run(&project, &[]).code, Some(3));
    configure(&project, &sshd, "IdentityFile \"%d/keys %h\"");
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    configure(&project, &sshd, "IdentityFile %C");
    let finished = run(&project, &[]);
    insta::assert_snapshot!(finished.failure().to_string(), @"`IdentityFile %C` of the ssh configuration makes no sense: `%C` is not understood here");
}

#[test]
fn known_hosts_are_where_the_configuration_says() {
    let Some((project, sshd)) = configured(Setup::default(), "UserKnownHostsFile ~/elsewhere ~/.ssh/more")
    else {
        return;
    };
    insta::assert_snapshot!(error(&project, &sshd), @r"
    host key: the host key of `127.0.0.1` is not known: ED25519 SHA256:…
    hint: if this is the host's fingerprint, add its key with `ssh-keyscan -p PORT 127.0.0.1 >> ~/.ssh/known_hosts`, or connect once with `ssh -p PORT 127.0.0.1`
    ");
    project.file(".ssh/more", sshd.known_as(&sshd.name_in_file()));
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    project.file(".ssh/known_hosts", sshd.known_as("another-name"));
    configure(&project, &sshd, "HostKeyAlias another-name");
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
}

#[test]
fn new_hosts_are_accepted_where_that_is_said_and_changed_ones_are_not() {
    let accepting = "StrictHostKeyChecking accept-new\nHashKnownHosts no";
    let Some((project, sshd)) = configured(Setup::default(), accepting) else { return };
    let Some(other) = Sshd::start() else { return };
    let known = project.path(".ssh/known_hosts");
    fs::remove_file(&known).unwrap();
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    let written = fs::read_to_string(&known).unwrap();
    assert!(sshd.known_as(&sshd.name_in_file()).starts_with(written.trim_end()), "{written}");
    assert_eq!(fs::metadata(&known).unwrap().permissions().mode() & 0o777, 0o600);

    fs::write(&known, "# no newline").unwrap();
    configure(&project, &sshd, "StrictHostKeyChecking accept-new\nHashKnownHosts yes");
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    let written = fs::read_to_string(&known).unwrap();
    assert!(written.starts_with("# no newline\n|1|") && written.lines().count() == 2, "{written}");
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    assert_eq!(fs::read_to_string(&known).unwrap(), written);

    fs::write(&known, other.known_as(&sshd.name_in_file())).unwrap();
    assert!(error(&project, &sshd).contains("has changed"));
}

#[test]
fn many_names_of_one_new_host_are_written_once_each() {
    let Some((project, sshd)) =
        configured(Setup::default(), "StrictHostKeyChecking accept-new\nHashKnownHosts no")
    else {
        return;
    };
    fs::remove_file(project.path(".ssh/known_hosts")).unwrap();
    let line = sshd.inventory();
    project.file("inventory", ["a", "b", "c", "d"].map(|name| line.replace("web1", name)).concat());
    run(&project, &[]).succeeded();
    assert_eq!(fs::read_to_string(project.path(".ssh/known_hosts")).unwrap().lines().count(), 1);
}

#[test]
fn algorithms_are_those_of_the_configuration() {
    let only = Setup::default().option("Ciphers aes256-ctr").option("MACs hmac-sha2-512");
    let Some((project, sshd)) = configured(only, "Ciphers aes128-ctr") else { return };
    insta::assert_snapshot!(error(&project, &sshd), @r"
    connection: no ssh connection to `127.0.0.1` port PORT
    caused by: unable to exchange encryption keys
    hint: the host may offer only algorithms that are no longer safe
    ");
    configure(
        &project,
        &sshd,
        "Ciphers ^aes256-ctr\nMACs +hmac-sha1\nKexAlgorithms -curve*\nHostKeyAlgorithms ssh-ed25519",
    );
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    configure(&project, &sshd, "Ciphers nobody-has-this");
    insta::assert_snapshot!(error(&project, &sshd), @r"
    connection: none of the algorithms that `127.0.0.1` shall be asked for is there
    caused by: the requested method(s) are not currently supported
    hint: the ssh configuration says which: the connection `openssh` may have them
    ");
}

#[test]
fn what_is_not_honoured_is_said_once() {
    let said = "ForwardAgent yes\nMatch exec true\n  User nobody-there\nMatch all\n  RevokedHostKeys none";
    let Some((project, sshd)) = configured(Setup::default(), said) else { return };
    project.file("inventory", "web1\nweb1-again ansible_host=web1\n");
    let outcome = project.refrain(&["run", "play.rhai", "-f", "1"]).expect(0);
    insta::assert_snapshot!(sshd.masked(&project, &outcome.whole()));
    configure(&project, &sshd, "RevokedHostKeys ~/revoked");
    insta::assert_snapshot!(
        run(&project, &["--limit", "web1"])
            .failure()
            .to_string()
            .replace(&project.path("").display().to_string(), "[project]/")
    );
}

#[test]
fn a_configuration_without_sense_is_an_error_at_its_place() {
    let Some((project, sshd)) = configured(Setup::default(), "Host *\n  Prot 2222") else { return };
    let text = |project: &Project| {
        run(project, &[]).failure().to_string().replace(&project.path("").display().to_string(), "[project]/")
    };
    insta::assert_snapshot!(text(&project));
    configure(&project, &sshd, "");
    fs::set_permissions(project.path(".ssh/config"), fs::Permissions::from_mode(0o620)).unwrap();
    insta::assert_snapshot!(text(&project), @r"
    others may write the ssh configuration `[project]/.ssh/config`
    hint: `chmod 600 [project]/.ssh/config`
    ");
}

#[test]
fn arguments_of_ssh_are_understood() {
    let Some((project, sshd)) = configured(Setup::default(), "") else { return };
    fs::rename(project.path(".ssh/config"), project.path("ssh_config")).unwrap();
    let arguments = "-C -F ~/ssh_config -o ControlMaster=auto -o ConnectTimeout=5";
    project.file("inventory", format!("web1 ansible_ssh_common_args='{arguments}'\n"));
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    project.file("inventory", "web1\n");
    assert_eq!(run(&project, &["--ssh-args", "-F ~/ssh_config"]).succeeded().messages(), [HELLO]);
    let changed = run(&project, &["--ssh-args", "-F ~/ssh_config", "--ssh-args=-l nobody-there"]);
    assert!(changed.unreachable().contains("`nobody-there`"));
    project.file("inventory", "web1 ansible_ssh_extra_args=-Z\n");
    insta::assert_snapshot!(sshd.masked(&project, &run(&project, &[]).failure().to_string()), @"ssh has no option `-Z`");
}

#[test]
fn a_proxy_command_is_the_connection() {
    let Some((project, sshd)) = configured(Setup::default(), "") else { return };
    let command = "ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3'";
    configure(&project, &sshd, command);
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    configure(&project, &sshd, "ProxyCommand echo no way to %h >&2; false");
    insta::assert_snapshot!(error(&project, &sshd), @r"
    connection: no ssh connection to `127.0.0.1` port PORT
    caused by: the host closed the connection
    caused by: the `ProxyCommand` says: no way to 127.0.0.1
    ");
}

#[test]
fn plays_of_many_hosts_ask_the_configuration_about_each() {
    let Some((project, sshd)) = configured(Setup::default(), "") else { return };
    configure(
        &project,
        &sshd,
        &format!(
            "Host web1 db?\n HostName 127.0.0.1\nMatch host 127.0.0.1\n Port {}\n User {}",
            sshd.port, sshd.user
        ),
    );
    project.file("inventory", "web1\ndb1\ndb2\n");
    play(&project, "print(host.name);");
    let mut messages = run(&project, &[]).succeeded().messages();
    messages.sort();
    assert_eq!(messages, ["db1", "db2", "web1"]);
}
