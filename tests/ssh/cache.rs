//! The agent on the host: put there once, found again, never trusted where others could have put it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use refrain_engine::transport::AgentBinary;

use crate::support::is_root;
use crate::support::proxy::Proxy;
use crate::support::run::{files_below, run};
use crate::support::sshd::Setup;
use crate::{HELLO, plain_site, replace_agent, site};

#[test]
fn the_first_run_puts_the_agent_there_and_the_second_finds_it() {
    let Some((project, sshd)) = plain_site() else { return };
    let line = Proxy::start(sshd.port, std::time::Duration::ZERO);
    project.file("inventory", sshd.inventory_at(line.port));
    project.file(".ssh/known_hosts", sshd.known_as("*"));

    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    let cold = line.sent();
    let agents = files_below(&sshd.home(".cache/refrain"));
    assert_eq!(agents.len(), 1, "{agents:?}");
    let agent = sshd.home(".cache/refrain").join(&agents[0]);
    let (mode, size) = fs::metadata(&agent).map(|found| (found.permissions().mode(), found.len())).unwrap();
    assert_eq!(mode & 0o7777, 0o700);
    assert_eq!(fs::metadata(sshd.home(".cache/refrain")).unwrap().permissions().mode() & 0o7777, 0o700);
    assert!(fs::read(&agent).unwrap() == fs::read(env!("CARGO_BIN_EXE_refrain")).unwrap(), "another program");
    assert!(cold < size * 3 / 4, "it was not compressed: {cold} of {size} bytes");

    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    let warm = line.sent() - cold;
    assert!(warm < 100_000, "{warm} bytes for a warm run");
    assert_eq!(line.connections(), 2);
}

#[test]
fn a_broken_agent_is_replaced() {
    let Some((project, sshd)) = plain_site() else { return };
    run(&project, &[]).succeeded();
    let directory = sshd.home(".cache/refrain");
    let agent = directory.join(&files_below(&directory)[0]);
    let whole = fs::read(&agent).unwrap();
    // What a crash of the host may leave of a new file.
    for broken in [vec![], vec![0; 5000], whole[..5000].to_vec(), b"#!/nonexistent\n".to_vec()] {
        replace_agent(&agent, &broken);
        assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
        assert!(fs::read(&agent).unwrap() == whole);
    }
}

#[test]
fn where_programs_cannot_run_the_agent_goes_elsewhere() {
    let setup = Setup::default().noexec(".cache").noexec("/var/tmp").noexec("/tmp").noexec("/dev/shm");
    let Some((project, sshd)) = site(setup) else { return };
    // All of that is in the mount namespace of sshd, `/run` too.
    insta::assert_snapshot!(sshd.masked(&project, &run(&project, &[]).messages().join("\n")), @"hello from web1");
    assert!(files_below(&sshd.home(".cache")).is_empty(), "{:?}", files_below(&sshd.home(".cache")));
}

#[test]
fn where_programs_cannot_run_at_all_the_error_says_so() {
    let setup = Setup::default()
        .noexec(".cache")
        .noexec("/var/tmp")
        .noexec("/tmp")
        .noexec("/dev/shm")
        .noexec("/run/user");
    let Some((project, sshd)) = site(setup) else { return };
    let finished = run(&project, &[]);
    assert_eq!(finished.code, Some(3));
    insta::assert_snapshot!(sshd.masked(&project, &finished.unreachable()), @r"
    agent: could not put the agent on the host
    caused by: no directory is the user's own, private and allows programs to run; tried: SSHD/home/.cache/refrain, /var/tmp/refrain-0, /tmp/refrain-0, /dev/shm/refrain-0, /run/user/0/refrain
    ");
}

#[test]
fn directories_that_others_can_write_are_not_used() {
    if !is_root() {
        return;
    }
    let Some((project, sshd)) = plain_site() else { return };
    let cache = sshd.home(".cache/refrain");
    fs::create_dir_all(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o770)).unwrap();
    run(&project, &[]).succeeded();
    assert!(files_below(&cache).is_empty());
    fs::remove_dir(&cache).unwrap();
    fs::create_dir(sshd.home("elsewhere")).unwrap();
    symlink(sshd.home("elsewhere"), &cache).unwrap();
    run(&project, &[]).succeeded();
    assert!(files_below(&sshd.home("elsewhere")).is_empty());
}

#[test]
fn the_smallest_of_hosts_is_enough() {
    // Nothing but busybox: no bash, no gzip in the path of the commands.
    let bin = tempfile::tempdir().unwrap();
    fs::set_permissions(bin.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for applet in ["sh", "ls", "id", "uname", "mkdir", "rm", "mv", "cat", "chmod", "find"] {
        symlink("/bin/busybox", bin.path().join(applet)).unwrap();
    }
    let setup = Setup::default().shell("/bin/dash").path(&bin.path().display().to_string());
    let Some((project, sshd)) = site(setup) else { return };
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    assert_eq!(files_below(&sshd.home(".cache/refrain")).len(), 1);
}

#[test]
fn another_kind_of_machine_is_refused() {
    let bin = tempfile::tempdir().unwrap();
    fs::set_permissions(bin.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(bin.path().join("uname"), "#!/bin/sh\necho Linux armv7l\n").unwrap();
    fs::set_permissions(bin.path().join("uname"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let Some((project, sshd)) = site(Setup::default().path(&path)) else { return };
    let own = AgentBinary::machine();
    let error = run(&project, &[]).unreachable().replace(&own, "OWN");
    insta::assert_snapshot!(sshd.masked(&project, &error), @r"
    agent: the host is a `Linux armv7l`, and this program is one for `OWN`
    hint: run it from a machine of the same kind
    ");
}

#[test]
fn many_at_once_put_the_agent_there() {
    let Some((project, sshd)) = plain_site() else { return };
    let names = ["a", "b", "c", "d", "e", "f"];
    let inventory: String = names.iter().map(|name| sshd.inventory().replace("web1", name)).collect();
    project.file("inventory", inventory);
    let mut messages = run(&project, &[]).succeeded().messages();
    messages.sort();
    assert_eq!(messages, names.map(|name| HELLO.replace("web1", name)));
    assert_eq!(files_below(&sshd.home(".cache/refrain")).len(), 1);
}

#[test]
fn noise_of_the_login_shell_does_no_harm() {
    let Some((project, sshd)) = plain_site() else { return };
    sshd.write(".bashrc", "echo welcome; echo to the machine >&2; printf 'without a newline'\n");
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
}

#[test]
fn noise_without_end_is_an_error() {
    let Some((project, sshd)) = plain_site() else { return };
    sshd.write(".bashrc", "while :; do echo noise; done\n");
    let error = run(&project, &[]).unreachable();
    let words = "agent: the agent did not start\ncaused by: the login shell prints without end\n";
    assert!(error.starts_with(words) && error.ends_with("\n    noise\n    noise"), "{error}");
    assert!(error.len() < 50_000, "{} bytes", error.len());
}

#[test]
fn an_account_without_a_shell_shows_what_it_says() {
    let Some((project, sshd)) = site(Setup::default().tester().shell("/usr/sbin/nologin")) else { return };
    insta::assert_snapshot!(sshd.masked(&project, &run(&project, &[]).unreachable()), @r"
    agent: the agent did not start
    caused by: it exited with status 1
        This account is currently not available.
    ");
}
