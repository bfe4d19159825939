//! Logging in: keys, ssh-agent, passwords; and in which words it fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;

use crate::support::key_agent::KeyAgent;
use crate::support::project::Project;
use crate::support::run::{finish, play, run, running};
use crate::support::sshd::{PASSWORD, Setup, Sshd, keygen};
use crate::support::terminal::{answering, interrupting};
use crate::{HELLO, plain_site, site};

/// The error of a run, with what differs masked.
fn error(project: &Project, sshd: &Sshd, further: &[&str]) -> String {
    let finished = run(project, further);
    assert_eq!(finished.code, Some(3), "{finished:#?}");
    sshd.masked(project, &finished.unreachable())
}

/// A site where the project's own key is of no use.
fn locked_site(setup: Setup) -> Option<(Project, Sshd)> {
    let (project, sshd) = site(setup)?;
    for file in ["id_ed25519", "id_ed25519.pub"] {
        fs::remove_file(project.path(".ssh").join(file)).unwrap();
    }
    Some((project, sshd))
}

#[test]
fn keys_of_every_kind_are_accepted() {
    let Some((project, sshd)) = locked_site(Setup::default()) else { return };
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let key = project.path(&format!(".ssh/id_{kind}"));
        keygen(&key, kind, "");
        sshd.authorize(&key.with_extension("pub"));
        assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
        fs::remove_file(key.with_extension("pub")).unwrap();
        assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
        fs::rename(&key, project.path("key")).unwrap();
        assert_eq!(run(&project, &["--private-key", "key"]).succeeded().messages(), [HELLO]);
    }
}

#[test]
fn a_key_that_the_host_does_not_know_is_refused() {
    let Some((project, sshd)) = locked_site(Setup::default()) else { return };
    insta::assert_snapshot!(error(&project, &sshd, &[]), @r"
    login: could not log in as `USER`
    caused by: there is no key: neither in ssh-agent nor in `~/.ssh`
    hint: the host takes keys only: those in `.ssh/authorized_keys` of that user there
    ");
    keygen(&project.path(".ssh/id_ed25519"), "ed25519", "");
    insta::assert_snapshot!(error(&project, &sshd, &[]), @r"
    login: could not log in as `USER`
    caused by: the host does not accept the key `[project]/.ssh/id_ed25519`
    hint: the host takes keys only: those in `.ssh/authorized_keys` of that user there
    ");
}

#[test]
fn key_files_that_are_of_no_use_say_why() {
    let Some((project, sshd)) = locked_site(Setup::default()) else { return };
    let key = project.path("key");
    keygen(&key, "ed25519", "");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    project.file("empty", "");
    fs::set_permissions(project.path("empty"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(project.path("key.pub"), fs::Permissions::from_mode(0o600)).unwrap();
    let broken = fs::read_to_string(&key).unwrap().replacen("b3Bl", "b3Bm", 1);
    project.file("broken", broken);
    fs::set_permissions(project.path("broken"), fs::Permissions::from_mode(0o600)).unwrap();
    let mut further = Vec::new();
    for name in ["~/missing", "~/key", "~/key.pub", "~/empty", "~/broken"] {
        further.extend(["--private-key", name]);
    }
    insta::assert_snapshot!(error(&project, &sshd, &further), @r"
    login: could not log in as `USER`
    caused by: the key `[project]/missing` can't be used: no such file or directory
    caused by: the key `[project]/key` can't be used: others may read it (mode 0644)
    caused by: the key `[project]/key.pub` can't be used: a public key; the private one is needed
    caused by: the key `[project]/empty` can't be used: not a private key
    caused by: the key `[project]/broken` can't be used: unable to extract public key from private key: unsupported private key format
    hint: the host takes keys only: those in `.ssh/authorized_keys` of that user there
    ");
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    let Some((project, sshd)) = locked_site(Setup::default()) else { return };
    let key = project.path(".ssh/id_ed25519");
    keygen(&key, "ed25519", "open sesame");
    insta::assert_snapshot!(error(&project, &sshd, &[]), @r"
    login: could not log in as `USER`
    caused by: the host does not accept the key `[project]/.ssh/id_ed25519`
    hint: the host takes keys only: those in `.ssh/authorized_keys` of that user there
    ");
    sshd.authorize(&key.with_extension("pub"));
    // There is no terminal to ask at.
    insta::assert_snapshot!(error(&project, &sshd, &[]), @r"
    login: could not log in as `USER`
    caused by: the key `[project]/.ssh/id_ed25519` needs a passphrase: there is no terminal to ask at
    hint: the host takes keys only: those in `.ssh/authorized_keys` of that user there
    ");
}

/// What is asked when a key is encrypted.
const QUESTION: &str = "Passphrase of the key";

#[test]
fn a_passphrase_is_asked_for_at_the_terminal() {
    let Some((project, sshd)) = locked_site(Setup::default()) else { return };
    for (kind, older) in [("ed25519", false), ("rsa", true)] {
        let key = project.path(&format!(".ssh/id_{kind}"));
        keygen(&key, kind, "open sesame");
        if older {
            to_pem(&key);
        }
        sshd.authorize(&key.with_extension("pub"));
        for answers in [&["open sesame"][..], &["wrong", "open sesame"]] {
            let run = answering(running(&project, &[]), QUESTION, answers);
            assert!(run.contains(HELLO), "{run}");
            assert!(!run.contains("sesame"), "{run}");
        }
        fs::remove_file(key.with_extension("pub")).unwrap();
        assert!(answering(running(&project, &[]), QUESTION, &["open sesame"]).contains(HELLO));
        let run = answering(running(&project, &[]), QUESTION, &["wrong", "wrong again", "still wrong"]);
        assert!(run.contains("needs a passphrase: wrong 3 times"), "{run}");
        fs::remove_file(&key).unwrap();
    }
}

#[test]
fn a_signal_ends_a_question_and_gives_the_terminal_back() {
    let Some((project, sshd)) = locked_site(Setup::default()) else { return };
    keygen(&project.path(".ssh/id_ed25519"), "ed25519", "open sesame");
    sshd.authorize(&project.path(".ssh/id_ed25519.pub"));
    let while_connecting = interrupting(running(&project, &[]), QUESTION, Signal::TERM);
    assert_eq!(while_connecting, (Some(143), true));
    let before = interrupting(running(&project, &["-k"]), "SSH password", Signal::TERM);
    assert_eq!(before, (Some(143), true));
}

#[test]
fn a_passphrase_is_asked_for_once() {
    let Some((project, sshd)) = locked_site(Setup::default()) else { return };
    let key = project.path("key");
    keygen(&key, "ed25519", "open sesame");
    sshd.authorize(&key.with_extension("pub"));
    let line = sshd.inventory().replace('\n', " ansible_ssh_private_key_file=~/key\n");
    let inventory: String = ["a", "b", "c"].iter().map(|name| line.replace("web1", name)).collect();
    project.file("inventory", inventory);
    let run = answering(running(&project, &[]), QUESTION, &["open sesame"]);
    assert_eq!(run.matches(QUESTION).count(), 1, "{run}");
    assert_eq!(run.matches("hello from").count(), 3, "{run}");
}

#[test]
fn ssh_agent_has_the_key() {
    let (Some((project, sshd)), Some(agent)) = (locked_site(Setup::default()), KeyAgent::start()) else {
        return;
    };
    let run = |further: &[&str]| finish(running(&project, further).env("SSH_AUTH_SOCK", agent.socket()));
    for (name, kind) in [("stranger", "ed25519"), ("a", "ed25519"), ("b", "rsa")] {
        keygen(&project.path(name), kind, "");
        agent.add(&project.path(name));
    }
    let refused = sshd.masked(&project, &run(&[]).unreachable());
    insta::assert_snapshot!(refused, @r"
    login: could not log in as `USER`
    caused by: the host does not accept the key `test key` (ED25519) of ssh-agent
    caused by: the host does not accept the key `test key` (ED25519) of ssh-agent
    caused by: the host does not accept the key `test key` (RSA) of ssh-agent
    hint: the host takes keys only: those in `.ssh/authorized_keys` of that user there
    ");
    for name in ["b.pub", "a.pub"] {
        sshd.authorize(&project.path(name));
        assert_eq!(run(&[]).succeeded().messages(), [HELLO]);
    }
}

#[test]
fn a_given_key_is_not_lost_among_those_of_ssh_agent() {
    let (Some((project, sshd)), Some(agent)) = (locked_site(Setup::default()), KeyAgent::start()) else {
        return;
    };
    for number in 0..7 {
        let key = project.path(&format!("stranger{number}"));
        keygen(&key, "ed25519", "");
        agent.add(&key);
    }
    let run = |further: &[&str]| finish(running(&project, further).env("SSH_AUTH_SOCK", agent.socket()));
    let key = project.path("right");
    keygen(&key, "ed25519", "");
    sshd.authorize(&key.with_extension("pub"));
    assert_eq!(run(&["--private-key", "~/right"]).succeeded().messages(), [HELLO]);
    let refused = sshd.masked(&project, &run(&[]).unreachable());
    insta::assert_snapshot!(refused, @r"
    login: could not log in as `USER`
    caused by: the host does not accept the key `test key` (ED25519) of ssh-agent
    caused by: the host does not accept the key `test key` (ED25519) of ssh-agent
    caused by: the host does not accept the key `test key` (ED25519) of ssh-agent
    caused by: the host does not accept the key `test key` (ED25519) of ssh-agent
    caused by: the host does not accept the key `test key` (ED25519) of ssh-agent
    caused by: the host closed the connection
    hint: a host takes only so many keys in one connection: name the right one with `--private-key`
    ");
}

#[test]
fn ssh_agent_that_does_not_answer_is_passed_over() {
    let Some((project, sshd)) = plain_site() else { return };
    let run = || finish(running(&project, &[]).env("SSH_AUTH_SOCK", project.path("nobody")));
    assert_eq!(run().succeeded().messages(), [HELLO]);
    fs::remove_file(project.path(".ssh/id_ed25519")).unwrap();
    insta::assert_snapshot!(sshd.masked(&project, &run().unreachable()), @r"
    login: could not log in as `USER`
    caused by: ssh-agent at `[project]/nobody` does not answer: failed connecting with agent
    hint: the host takes keys only: those in `.ssh/authorized_keys` of that user there
    ");
}

#[test]
fn a_password_opens_the_door() {
    let setup = Setup::default().tester().option("PasswordAuthentication yes");
    let Some((project, sshd)) = locked_site(setup) else { return };
    insta::assert_snapshot!(error(&project, &sshd, &[]), @r"
    login: could not log in as `USER`
    caused by: there is no key: neither in ssh-agent nor in `~/.ssh`
    hint: the host would take a password: `-k` asks for it
    ");
    let with = |password: &str| {
        let line = sshd.inventory().replace('\n', &format!(" ansible_password='{password}'\n"));
        project.file("inventory", line);
    };
    with(PASSWORD);
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    with("wrong horse");
    let finished = run(&project, &[]);
    insta::assert_snapshot!(sshd.masked(&project, &finished.unreachable()), @r"
    login: could not log in as `USER`
    caused by: there is no key: neither in ssh-agent nor in `~/.ssh`
    caused by: the host does not accept the password
    hint: the host takes: publickey, password
    ");
    assert!(!finished.stdout.contains("wrong horse") && !finished.stderr.contains("wrong horse"));
    // A host that is not who it was gets no password, even when nobody checks.
    let Some(other) = Sshd::start() else { return };
    project.file(".ssh/known_hosts", other.known_as(&sshd.name_in_file()));
    let line = sshd
        .inventory()
        .replace('\n', &format!(" ansible_password='{PASSWORD}' ansible_host_key_checking=no\n"));
    project.file("inventory", line);
    insta::assert_snapshot!(error(&project, &sshd, &[]), @r"
    login: could not log in as `USER`
    caused by: the password was not sent, since the host key has changed
    hint: the host takes: publickey, password
    ");
}

#[test]
fn a_password_is_the_answer_to_a_question() {
    let setup = Setup::default().tester().option("KbdInteractiveAuthentication yes").pam();
    let Some((project, sshd)) = locked_site(setup) else { return };
    let with = |password: &str| {
        let line = sshd.inventory().replace('\n', &format!(" ansible_ssh_pass='{password}'\n"));
        project.file("inventory", line);
    };
    with(PASSWORD);
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    with("wrong horse");
    insta::assert_snapshot!(error(&project, &sshd, &[]), @r"
    login: could not log in as `USER`
    caused by: there is no key: neither in ssh-agent nor in `~/.ssh`
    caused by: the host does not accept the password
    hint: the host takes: publickey, keyboard-interactive
    ");
}

#[test]
fn a_host_without_passwords_says_so() {
    let Some((project, sshd)) = locked_site(Setup::default()) else { return };
    project.file("inventory", sshd.inventory().replace('\n', " ansible_password=x\n"));
    insta::assert_snapshot!(error(&project, &sshd, &[]), @r"
    login: could not log in as `USER`
    caused by: there is no key: neither in ssh-agent nor in `~/.ssh`
    caused by: the host takes no passwords
    hint: the host takes keys only: those in `.ssh/authorized_keys` of that user there
    ");
}

/// Writes a key in the older format.
fn to_pem(key: &std::path::Path) {
    let status = std::process::Command::new("ssh-keygen")
        .args(["-q", "-p", "-m", "PEM", "-P", "open sesame", "-N", "open sesame", "-f"])
        .arg(key)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// A certificate authority, and an sshd that trusts it and no single key.
fn certified_site() -> Option<(Project, Sshd)> {
    if !crate::support::have("ssh-keygen") {
        return None;
    }
    let project = Project::new();
    fs::create_dir(project.path("ca")).unwrap();
    keygen(&project.path("ca/ca"), "ed25519", "");
    let trusted = format!("TrustedUserCAKeys {}", project.path("ca/ca.pub").display());
    let sshd = Setup::default().option(&trusted).start()?;
    project.file("inventory", sshd.inventory());
    project.file(".ssh/known_hosts", sshd.known_as(&sshd.name_in_file()));
    play(&project, "print(`hello from ${host.name}`);");
    Some((project, sshd))
}

/// Makes `KEY-cert.pub` beside a key.
fn certify(project: &Project, key: &std::path::Path, principal: &str) {
    let status = std::process::Command::new("ssh-keygen")
        .args(["-q", "-s"])
        .arg(project.path("ca/ca"))
        .args(["-I", "test", "-n", principal])
        .arg(key.with_extension("pub"))
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn certificates_are_accepted() {
    let Some((project, sshd)) = certified_site() else { return };
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = project.path(&format!(".ssh/id_{kind}"));
        keygen(&key, kind, "");
        assert_eq!(run(&project, &[]).code, Some(3));
        certify(&project, &key, &sshd.user);
        assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO], "{kind}");
        for file in [format!("id_{kind}"), format!("id_{kind}.pub"), format!("id_{kind}-cert.pub")] {
            fs::rename(project.path(".ssh").join(&file), project.path(&file)).unwrap();
        }
        let certificate = format!("-o CertificateFile=~/moved-{kind} -i ~/id_{kind}");
        fs::rename(project.path(&format!("id_{kind}-cert.pub")), project.path(&format!("moved-{kind}")))
            .unwrap();
        let elsewhere = run(&project, &["--ssh-args", &certificate]);
        assert_eq!(elsewhere.succeeded().messages(), [HELLO], "{kind}");
    }
}

#[test]
fn certificates_of_ssh_agent_are_accepted() {
    let (Some((project, sshd)), Some(agent)) = (certified_site(), KeyAgent::start()) else { return };
    for kind in ["ed25519", "rsa"] {
        let key = project.path(&format!("key-{kind}"));
        keygen(&key, kind, "");
        certify(&project, &key, &sshd.user);
        agent.add(&key);
        let mut command = running(&project, &[]);
        command.env("SSH_AUTH_SOCK", agent.socket());
        assert_eq!(finish(&mut command).succeeded().messages(), [HELLO], "{kind}");
    }
}

#[test]
fn a_certificate_for_somebody_else_is_refused() {
    let Some((project, sshd)) = certified_site() else { return };
    let key = project.path(".ssh/id_ed25519");
    keygen(&key, "ed25519", "");
    certify(&project, &key, "somebody-else");
    insta::assert_snapshot!(error(&project, &sshd, &[]), @r"
    login: could not log in as `USER`
    caused by: the host does not accept the certificate `[project]/.ssh/id_ed25519-cert.pub`
    caused by: the host does not accept the key `[project]/.ssh/id_ed25519`
    hint: the host takes keys only: those in `.ssh/authorized_keys` of that user there
    ");
}

#[test]
fn the_ways_to_log_in_are_those_of_the_configuration() {
    let setup = Setup::default().tester().option("PasswordAuthentication yes");
    let Some((project, sshd)) = site(setup) else { return };
    let with = |arguments: &str| {
        let line = format!(" ansible_password='{PASSWORD}' ansible_ssh_extra_args='{arguments}'\n");
        project.file("inventory", sshd.inventory().replace('\n', &line));
        let before = sshd.log().len();
        (run(&project, &[]), sshd.log()[before..].to_owned())
    };
    for (arguments, way) in [
        ("-o PreferredAuthentications=password,publickey", "Accepted password"),
        ("-o PreferredAuthentications=publickey,password", "Accepted publickey"),
        ("-o PubkeyAuthentication=no", "Accepted password"),
        ("-o PasswordAuthentication=no", "Accepted publickey"),
    ] {
        let (finished, log) = with(arguments);
        assert_eq!(finished.succeeded().messages(), [HELLO]);
        assert!(log.contains(way), "{arguments}: {log}");
    }
    let (finished, _) = with("-o PreferredAuthentications=keyboard-interactive");
    insta::assert_snapshot!(sshd.masked(&project, &finished.unreachable()), @r"
    login: could not log in as `USER`
    caused by: the host takes no passwords
    caused by: the ssh configuration allows no keys
    hint: the host takes: publickey, password
    ");
}

#[test]
fn only_the_keys_of_files_are_offered_where_that_is_said() {
    let (Some((project, sshd)), Some(agent)) = (locked_site(Setup::default()), KeyAgent::start()) else {
        return;
    };
    let key = project.path("key");
    keygen(&key, "ed25519", "");
    sshd.authorize(&key.with_extension("pub"));
    agent.add(&key);
    let with = |arguments: &str| {
        let mut command = running(&project, &["--ssh-args", arguments]);
        command.env("SSH_AUTH_SOCK", agent.socket());
        finish(&mut command).code
    };
    assert_eq!(with("-q"), Some(0));
    assert_eq!(with("-o IdentitiesOnly=yes"), Some(3));
    assert_eq!(with("-o IdentityAgent=none"), Some(3));
    let mut command =
        running(&project, &["--ssh-args", &format!("-o IdentityAgent={}", agent.socket().display())]);
    assert_eq!(finish(command.env_remove("SSH_AUTH_SOCK")).code, Some(0));
}
