//! The same hosts by other programs: the system's ssh, and commands that give a shell.

use std::fs;

use crate::support::everything::{converge, placed};
use crate::support::podman::Podman;
use crate::support::project::Project;
use crate::support::run::{play, run, running};
use crate::support::sshd::{PASSWORD, Setup, Sshd, keygen};
use crate::support::{have, is_root};
use crate::{HELLO, site};

/// A site that is reached by the program ssh. (It looks up the home of its user in `/etc/passwd`, so it is told all files.)
fn openssh_site(setup: Setup) -> Option<(Project, Sshd)> {
    if !have("ssh") {
        return None;
    }
    let (project, sshd) = site(setup)?;
    tell(&project, &sshd, "");
    Some((project, sshd))
}

fn tell(project: &Project, sshd: &Sshd, further: &str) {
    let (key, known) = (project.path(".ssh/id_ed25519"), project.path(".ssh/known_hosts"));
    let arguments = format!(
        "-F none -o IdentitiesOnly=yes -o UserKnownHostsFile={} -o GlobalKnownHostsFile=none",
        known.display()
    );
    let line = format!(
        " ansible_connection=openssh ansible_ssh_private_key_file={} ansible_ssh_common_args='{arguments}' {further}\n",
        key.display()
    );
    project.file("inventory", sshd.inventory().replace('\n', &line));
}

fn error(project: &Project, sshd: &Sshd) -> String {
    let finished = run(project, &[]);
    assert_eq!(finished.code, Some(3), "{finished:#?}");
    let text = finished.unreachable();
    // What ssh says in its own words differs from release to release.
    let own: Vec<&str> = text.lines().filter(|line| !line.starts_with("    ")).collect();
    sshd.masked(project, &own.join("\n"))
}

#[test]
fn the_program_ssh_reaches_a_host() {
    let Some((project, _sshd)) = openssh_site(Setup::default()) else { return };
    for _ in ["cold", "warm"] {
        assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    }
}

#[test]
fn a_password_reaches_ssh_and_nobody_else() {
    let setup = Setup::default().tester().option("PasswordAuthentication yes");
    let Some((project, sshd)) = openssh_site(setup) else { return };
    let password = format!("ansible_password='{PASSWORD}'");
    tell(&project, &sshd, &format!("{password} ansible_ssh_extra_args='-o PubkeyAuthentication=no'"));
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    assert!(sshd.log().contains("Accepted password"), "{}", sshd.log());

    // What ssh is started with says nothing of it.
    let spy = project.path("ssh");
    let record = project.path("seen");
    fs::write(
        &spy,
        format!(
            "#!/bin/sh\ntr '\\0' '\\n' </proc/$$/cmdline >>{0}\nenv >>{0}\nexec ssh \"$@\"\n",
            record.display()
        ),
    )
    .unwrap();
    fs::set_permissions(&spy, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let executable = format!(
        "{password} ansible_ssh_executable={} ansible_ssh_extra_args='-o PubkeyAuthentication=no'",
        spy.display()
    );
    tell(&project, &sshd, &executable);
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    let seen = fs::read_to_string(record).unwrap();
    assert!(seen.contains("SSH_ASKPASS") && !seen.contains(PASSWORD), "{seen}");

    tell(&project, &sshd, "ansible_password=wrong ansible_ssh_extra_args='-o PubkeyAuthentication=no'");
    insta::assert_snapshot!(error(&project, &sshd), @"login: could not log in to `127.0.0.1` as `USER`");
}

#[test]
fn each_way_to_fail_has_its_message() {
    let Some((project, sshd)) = openssh_site(Setup::default()) else { return };
    let Some(other) = Sshd::start() else { return };
    project.file(".ssh/known_hosts", "");
    insta::assert_snapshot!("openssh-unknown-host-key", error(&project, &sshd));
    project.file(".ssh/known_hosts", other.known_as(&sshd.name_in_file()));
    insta::assert_snapshot!("openssh-changed-host-key", error(&project, &sshd));
    project.file(".ssh/known_hosts", sshd.known_as(&sshd.name_in_file()));
    fs::remove_file(project.path(".ssh/id_ed25519")).unwrap();
    fs::remove_file(project.path(".ssh/id_ed25519.pub")).unwrap();
    keygen(&project.path(".ssh/id_ed25519"), "ed25519", "");
    insta::assert_snapshot!("openssh-wrong-key", error(&project, &sshd));
    let inventory = fs::read_to_string(project.path("inventory")).unwrap();
    project.file("inventory", inventory.replace(&format!("ansible_port={}", sshd.port), "ansible_port=1"));
    insta::assert_snapshot!("openssh-refused", error(&project, &sshd));
    project.file("inventory", inventory.replace("ansible_host=127.0.0.1", "ansible_host=name.invalid"));
    insta::assert_snapshot!("openssh-name", error(&project, &sshd));
    project.file("inventory", format!("{} ansible_ssh_executable=/nowhere/ssh\n", inventory.trim_end()));
    insta::assert_snapshot!("openssh-no-program", error(&project, &sshd));
}

#[test]
fn a_command_gives_a_shell() {
    let project = Project::new();
    play(&project, "print(`hello from ${host.name}`);");
    let home = project.path("home");
    fs::create_dir(&home).unwrap();
    let command = format!("env HOME={} {{{{ shell }}}}", home.display());
    for shell in ["sh", "dash", "bash", "busybox sh"] {
        if !have(shell.split(' ').next().unwrap_or_default()) {
            continue;
        }
        project.file(
            "inventory",
            format!("web1 ansible_connection=command refrain_command='{command}' shell='{shell}'\n"),
        );
        assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO], "{shell}");
        assert_eq!(fs::read_dir(home.join(".cache/refrain")).unwrap().count(), 1);
    }
}

#[test]
fn a_command_that_gives_no_shell_says_so() {
    let project = Project::new();
    play(&project, "print(`hello from ${host.name}`);");
    let text = |connection: &str| {
        project.file("inventory", format!("web1 {connection}\n"));
        run(&project, &[])
    };
    let failing = text(
        "ansible_connection=command refrain_command=\"sh -c 'echo no such container >&2; exit 125' sh\"",
    );
    insta::assert_snapshot!(failing.unreachable(), @r"
    connection: `sh -c echo no such container >&2; exit 125 sh` gives no shell
    caused by: it exited with status 125
        no such container
    ");
    let missing = text("ansible_connection=command refrain_command='no-such-program sh'");
    insta::assert_snapshot!(missing.unreachable(), @r"
    connection: could not start `no-such-program`
    caused by: no such file or directory
    ");
    let without = text("ansible_connection=command");
    insta::assert_snapshot!(without.failure().to_string(), @r"
    a command connection needs the command that gives a shell on the host
    hint: the variable `refrain_command` says it: `podman exec -i web sh`
    ");
    let quote = text("ansible_connection=command refrain_command=\"'a\"");
    assert!(quote.failure().to_string().starts_with("a quote is not closed: `'a`"));
}

#[test]
fn the_connections_of_ansible_are_commands() {
    let project = Project::new();
    play(&project, "print(`hello from ${host.name}`);");
    let bin = project.path("bin");
    fs::create_dir(&bin).unwrap();
    let record = project.path("record");
    for program in ["podman", "docker", "lxc-attach", "kubectl"] {
        let text = format!(
            "#!/bin/sh\necho $(basename $0) \"$@\" | cut -c 1-60 >>{}\nwhile [ $1 != sh ]; do shift; done\nexec \"$@\"\n",
            record.display()
        );
        fs::write(bin.join(program), text).unwrap();
        fs::set_permissions(bin.join(program), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    project.file(
        "inventory",
        "a ansible_connection=containers.podman.podman ansible_user=app\nb ansible_connection=docker ansible_host=db\n\
         c ansible_connection=community.general.lxc\nd ansible_connection=kubectl ansible_kubectl_namespace=prod\n",
    );
    let mut command = running(&project, &["-f", "1"]);
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    crate::support::run::finish(&mut command).succeeded();
    let record = fs::read_to_string(record).unwrap();
    for expected in [
        "podman exec -i --user app a sh -c",
        "docker exec -i db sh -c",
        "lxc-attach -n c -- sh -c",
        "kubectl exec -i -n prod d -- sh -c",
    ] {
        assert!(record.contains(expected), "{expected}: {record}");
    }
}

#[test]
fn what_a_program_loses_is_asked_for_again() {
    let project = Project::new();
    play(&project, "print(`hello from ${host.name}`);");
    let calls = project.path("calls");
    // The first of three scripts says nothing that arrives, and hears nothing.
    let lossy = format!(
        "echo call >>{0}; case $(($(wc -l <{0}) % 3)) in 1) sh \"$@\" >/dev/null </dev/null;; *) exec sh \"$@\";; esac",
        calls.display()
    );
    project.file("lossy", format!("#!/bin/sh\n{lossy}\n"));
    project.file("mute", format!("#!/bin/sh\necho call >>{}\n", calls.display()));
    let hosts = |program: &str| {
        let program = project.path(program);
        format!("web1 ansible_connection=command refrain_command='sh {}'\n", program.display())
    };
    project.file("inventory", hosts("lossy"));
    for _ in ["cold", "warm", "warm"] {
        assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    }
    project.file("inventory", hosts("mute"));
    fs::remove_file(&calls).unwrap();
    insta::assert_snapshot!(run(&project, &[]).unreachable(), @r"
    agent: the agent did not start
    caused by: it ended without a word
    ");
    assert_eq!(fs::read_to_string(calls).unwrap().lines().count(), 4, "it is not asked for ever");
}

#[test]
fn a_container_of_podman_is_a_host() {
    let Some(podman) = Podman::new() else { return };
    let project = Project::new();
    let shared = tempfile::tempdir().unwrap();
    play(&project, "print(`in ${command::run([\"hostname\"]).stdout} as ${host.name}`);");
    project.file("inventory", "web1 ansible_connection=podman\nabsent ansible_connection=podman\n");
    let running = |further: &[&str]| {
        let mut command = running(&project, further);
        crate::support::run::finish(command.envs(podman.environment()))
    };
    let path = shared.path();
    podman.start("web1", path);
    let name = running(&["--limit", "web1"]).succeeded().messages();
    assert!(name.len() == 1 && name[0].ends_with("as web1"), "{name:?}");
    let absent = running(&["--limit", "absent"]);
    assert_eq!(absent.code, Some(3));
    insta::assert_snapshot!(absent.unreachable(), @r#"
    connection: `podman exec -i absent sh` gives no shell
    caused by: it exited with status 125
        Error: no container with name or ID "absent" found: no such container
    "#);
}

#[test]
fn every_transport_brings_about_the_same_tree() {
    if !is_root() || !have("ssh") {
        return;
    }
    let (Some(sshd), Some(gate)) = (Setup::default().start(), Sshd::start()) else { return };
    let place = tempfile::tempdir().unwrap();
    let made = |name: &str, prepare: &dyn Fn(&Project)| {
        let top = place.path().join(name);
        fs::create_dir(&top).unwrap();
        let project = placed(top.to_str().unwrap(), "host");
        prepare(&project);
        let tree = converge(&project, &[], &top);
        tree.into_iter().map(|line| line.replace(top.to_str().unwrap(), "")).collect::<Vec<_>>()
    };
    let by_ssh = made("ssh", &|project| sshd.open_to(project));
    let by_openssh = made("openssh", &|project| {
        sshd.open_to(project);
        tell(project, &sshd, "");
    });
    let by_jump = made("jump", &|project| {
        sshd.open_to(project);
        gate.authorize(&project.path(".ssh/id_ed25519.pub"));
        project.file(
            ".ssh/known_hosts",
            [&sshd, &gate].map(|known| known.known_as(&known.name_in_file())).concat(),
        );
        let jump = format!(" ansible_ssh_common_args='-J {}@127.0.0.1:{}'\n", gate.user, gate.port);
        project.file("inventory", sshd.inventory().replace('\n', &jump));
    });
    let by_command = made("command", &|project| {
        project.file("inventory", "web1 ansible_connection=command refrain_command='unshare --mount sh'\n");
    });
    let by_podman = Podman::new().map(|podman| {
        made("podman", &|project| {
            podman.start("web1", place.path());
            let environment = podman.environment().map(|(name, value)| format!("{name}={}", value.display()));
            let command = format!("env {} podman exec -i web1 sh", environment.join(" "));
            project
                .file("inventory", format!("web1 ansible_connection=command refrain_command='{command}'\n"));
        })
    });
    assert_eq!(by_openssh, by_ssh);
    assert_eq!(by_podman.unwrap_or_else(|| by_ssh.clone()), by_ssh);
    assert_eq!(by_jump, by_ssh);
    assert_eq!(by_command, by_ssh);
}
