//! The stream to the agent: how it breaks, how much fits through, how often one waits.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use refrain_engine::agent::frame::MAGIC;
use refrain_engine::transport::ssh::{self, Client, LocalUser, Target};
use refrain_engine::transport::{AgentBinary, Connection};

use crate::support::masked;
use crate::support::project::Project;
use crate::support::proxy::Proxy;
use crate::support::run::{files_below, play, run, running, wait};
use crate::support::sshd::{Setup, Sshd, free_port};
use crate::{HELLO, LONG, plain_site, replace_agent, site};

#[test]
fn nobody_listens() {
    let project = Project::new();
    play(&project, "");
    let port = free_port();
    project.file("inventory", format!("web1 ansible_host=127.0.0.1 ansible_port={port}\n"));
    let finished = run(&project, &[]);
    assert_eq!(finished.code, Some(3));
    insta::assert_snapshot!(masked(&finished.unreachable(), &[(&port.to_string(), "PORT")]), @r"
    connection: no connection to `127.0.0.1` port PORT
    caused by: 127.0.0.1: connection refused
    ");
}

#[test]
fn the_name_leads_nowhere() {
    let project = Project::new();
    play(&project, "");
    // No name at all, so that nobody has to be asked.
    project.file("inventory", format!("web1 ansible_host={}\n", "x".repeat(64)));
    insta::assert_snapshot!(run(&project, &[]).unreachable(), @r"
    name: could not resolve the name `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`
    caused by: name or service not known
    hint: `ansible_host` in the inventory says at which address a host is
    ");
}

#[test]
fn what_listens_is_not_ssh() {
    let project = Project::new();
    play(&project, "");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            use std::io::Write;
            let _ = client.unwrap().write_all(b"220 mail.example.net ESMTP\r\n");
        }
    });
    project.file("inventory", format!("web1 ansible_host=127.0.0.1 ansible_port={port}\n"));
    insta::assert_snapshot!(masked(&run(&project, &[]).unreachable(), &[(&port.to_string(), "PORT")]), @r"
    connection: no ssh connection to `127.0.0.1` port PORT
    caused by: the host closed the connection
    hint: either it is no ssh server, or it has too many connections at once
    ");
}

#[test]
fn what_listens_says_nothing() {
    let project = Project::new();
    play(&project, "");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    project
        .file("inventory", format!("web1 ansible_host=127.0.0.1 ansible_port={port} ansible_timeout=0.2\n"));
    insta::assert_snapshot!(masked(&run(&project, &[]).unreachable(), &[(&port.to_string(), "PORT")]), @r"
    connection: no ssh connection to `127.0.0.1` port PORT
    caused by: no answer in 0.2 s
    hint: either it is no ssh server, or it has too many connections at once
    ");
}

#[test]
fn the_agent_complains_and_ends() {
    let Some((project, sshd)) = plain_site() else { return };
    run(&project, &[]).succeeded();
    let cache = sshd.home(".cache/refrain");
    let agent = cache.join(&files_below(&cache)[0]);
    let script = "#!/bin/sh\nprintf '\\000RFR'; printf '\\033[31mout of memory\\n' >&2; exit 3\n";
    replace_agent(&agent, script.as_bytes());
    insta::assert_snapshot!(run(&project, &[]).unreachable(), @r"
    agent: lost the agent before the play had ended
    caused by: it exited with status 3
        ^[[31mout of memory
    ");
}

#[test]
fn the_connection_breaks() {
    let Some((project, sshd)) = plain_site() else { return };
    endless(&project);
    let child = running(&project, &[]).spawn().unwrap();
    let agent = await_agent(&project, &sshd);
    for session in sessions(&sshd) {
        assert!(Command::new("kill").args(["-KILL", &session]).status().unwrap().success());
    }
    insta::assert_snapshot!(wait(child).unreachable(), @r"
    agent: lost the agent before the play had ended
    caused by: the host closed the connection
    ");
    until(|| !agents(&sshd).contains(&agent), "the agent still runs");
}

#[test]
fn the_agent_is_killed() {
    let Some((project, sshd)) = plain_site() else { return };
    endless(&project);
    let child = running(&project, &[]).spawn().unwrap();
    let agent = await_agent(&project, &sshd);
    assert!(Command::new("kill").args(["-KILL", &agent]).status().unwrap().success());
    let finished = wait(child);
    assert_eq!(finished.code, Some(3));
    insta::assert_snapshot!(finished.unreachable(), @r"
    agent: lost the agent before the play had ended
    caused by: it was ended by the signal KILL
    ");
}

#[test]
fn the_controller_is_killed() {
    let Some((project, sshd)) = plain_site() else { return };
    endless(&project);
    let mut child = running(&project, &[]).stdout(std::process::Stdio::null()).spawn().unwrap();
    await_agent(&project, &sshd);
    child.kill().unwrap();
    child.wait().unwrap();
    until(|| agents(&sshd).is_empty(), "the agent still runs");
}

#[test]
fn nothing_is_left_running() {
    let Some((project, sshd)) = plain_site() else { return };
    run(&project, &[]).succeeded();
    until(|| agents(&sshd).is_empty() && sessions(&sshd).is_empty(), "something still runs");
}

#[test]
fn fifty_calls_and_five_hundred_wait_equally_often() {
    let Some((project, sshd)) = plain_site() else { return };
    run(&project, &[]).succeeded();
    let turns = |calls: u32| {
        let line = Proxy::start(sshd.port, Duration::from_millis(10));
        project.file("inventory", sshd.inventory_at(line.port));
        project.file(".ssh/known_hosts", sshd.known_as("*"));
        play(&project, &format!("for i in 0..{calls} {{ print(`call ${{i}}`); }}"));
        let messages = run(&project, &[]).succeeded().messages();
        assert_eq!(messages.len(), calls as usize);
        line.turns()
    };
    let (few, many) = (turns(50), turns(500));
    // The agent's first word and the bundle may pass each other, which looks like one more.
    assert!(few.abs_diff(many) <= 1, "{few} round trips became {many}");
    assert!(few <= 10, "{few} round trips");
}

#[test]
fn round_trips_are_counted() {
    let Some((project, sshd)) = plain_site() else { return };
    run(&project, &[]).succeeded();
    let line = Proxy::start(sshd.port, Duration::from_millis(20));
    let (target, client) = prepared(&project, &sshd, line.port);
    let connection = greeted(&target, &client);
    // The proxy has not seen how it was connected to. What passes each other on the line looks to it like one turn more or less.
    let seen = line.turns() + 1;
    assert!(
        connection.round_trips().abs_diff(seen) <= 1,
        "{} counted, {seen} seen",
        connection.round_trips()
    );
    assert!(line.turns() <= 8, "{} round trips", line.turns());
}

#[test]
fn several_plays_share_a_connection() {
    let Some((project, sshd)) = plain_site() else { return };
    run(&project, &[]).succeeded();
    let line = Proxy::start(sshd.port, Duration::from_millis(10));
    project.file("inventory", sshd.inventory_at(line.port));
    project.file(".ssh/known_hosts", sshd.known_as("*"));
    let plays = |count: usize| {
        let play =
            |number| format!("play(\"{number}\", #{{ hosts: \"all\" }}, || {{ print(\"{number}\"); }});\n");
        project.file("play.rhai", (0..count).map(play).collect::<String>());
        let before = (line.connections(), line.turns());
        let messages = run(&project, &[]).succeeded().messages();
        assert_eq!(messages, (0..count).map(|number| number.to_string()).collect::<Vec<_>>());
        (line.connections() - before.0, line.turns() - before.1)
    };
    let (one, turns) = plays(1);
    let (three, more_turns) = plays(3);
    assert_eq!((one, three), (1, 1));
    // Each further play: a channel, a command in it, the play itself, and perhaps the end of the play before.
    assert!(more_turns <= turns + 2 * 4, "{turns} round trips became {more_turns}");
}

#[test]
fn a_connection_that_has_ended_between_two_plays_is_made_again() {
    let Some((project, sshd)) = plain_site() else { return };
    run(&project, &[]).succeeded();
    let line = Proxy::start(sshd.port, Duration::ZERO);
    let (target, client) = prepared(&project, &sshd, line.port);
    greeted(&target, &client).finish();
    greeted(&target, &client).finish();
    assert_eq!(line.connections(), 1);
    for session in sessions(&sshd) {
        assert!(Command::new("kill").args(["-KILL", &session]).status().unwrap().success());
    }
    until(|| sessions(&sshd).is_empty(), "it does not end");
    greeted(&target, &client).finish();
    assert_eq!(line.connections(), 2);
}

#[test]
fn much_fits_through_in_both_directions() {
    let Some((project, _sshd)) = plain_site() else { return };
    // The windows of ssh are 2 MB; the bundle is far larger, and so is what comes back. Random, so that nothing is small.
    let words: String = (0..40_000_u64)
        .map(|number| format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    let list: String = (0..16).map(|part| format!("v{part}: \"{words}\"\n")).collect();
    project.file("vars.yml", &list);
    play(&project, &(0..16).map(|part| format!("print(vars.v{part});")).collect::<String>());
    let messages = run(&project, &["-e", "@vars.yml"]).succeeded().messages();
    assert_eq!(messages.len(), 16);
    assert!(messages.iter().all(|message| *message == words));
    // Again, with the agent already there.
    run(&project, &["-e", "@vars.yml"]).succeeded();
}

#[test]
fn keys_are_agreed_on_again_meanwhile() {
    let Some((project, _sshd)) = site(Setup::default().option("RekeyLimit 256K")) else { return };
    // The agent goes there, and a megabyte comes back.
    play(
        &project,
        "let text = \"0123456789abcdef\"; text.pad(100_000, \"x\"); for i in 0..10 { print(text); }",
    );
    for _ in 0..2 {
        let messages = run(&project, &[]).succeeded().messages();
        assert_eq!(messages.iter().map(String::len).sum::<usize>(), 1_000_000);
    }
}

#[test]
fn a_slow_line_changes_nothing() {
    let Some((project, sshd)) = plain_site() else { return };
    let line = Proxy::start(sshd.port, Duration::from_millis(50));
    project.file("inventory", sshd.inventory_at(line.port));
    project.file(".ssh/known_hosts", sshd.known_as("*"));
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
    assert_eq!(run(&project, &[]).succeeded().messages(), [HELLO]);
}

/// What it takes to connect from this test program to a host that has an agent in its cache.
fn prepared(project: &Project, sshd: &Sshd, port: u16) -> (Target, Arc<Client>) {
    // Here, this test program would be the agent. What is in the cache under its hash answers instead.
    let cache = sshd.home(".cache/refrain");
    let own = format!("agent-{}", AgentBinary::own().hash().unwrap());
    fs::copy(cache.join(&files_below(&cache)[0]), cache.join(own)).unwrap();
    project.file(".ssh/known_hosts", sshd.known_as("*"));
    let user = LocalUser { home: Some(project.path("")), ..LocalUser::default() };
    let mut target = Target::new("127.0.0.1".to_owned());
    (target.port, target.user) = (port, sshd.user.clone());
    (target, Arc::new(Client::new(user, None)))
}

/// A connection over which the agent has said its first word.
fn greeted(target: &Target, client: &Arc<Client>) -> Box<dyn Connection> {
    let mut connection = ssh::connect(target, client, &Arc::default()).unwrap();
    let mut buffer = [0; 1000];
    let count = connection.receive(&mut buffer, LONG).unwrap().unwrap();
    assert!(buffer[..count].starts_with(&MAGIC));
    connection
}

/// The processes of agents on the host.
pub fn agents(sshd: &Sshd) -> Vec<String> {
    let cache = sshd.home(".cache/refrain/agent-").display().to_string();
    processes(|command| command.contains(&cache) && command.ends_with("\0agent\0"))
}

/// The processes of sshd that serve a connection.
pub fn sessions(sshd: &Sshd) -> Vec<String> {
    let own = sshd.process().to_string();
    processes(|_| true)
        .into_iter()
        .filter(|process| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&own)
        })
        .collect()
}

pub fn processes(wanted: impl Fn(&str) -> bool) -> Vec<String> {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|name| {
            let command = fs::read(format!("/proc/{name}/cmdline")).unwrap_or_default();
            wanted(&String::from_utf8_lossy(&command))
        })
        .collect()
}

/// Writes a play that says when it has begun, and never ends.
fn endless(project: &Project) {
    play(project, &format!("file::content({:?}, \"\"); loop {{ }}", project.path("begun")));
}

/// Waits until the play of [`endless`] has begun; gives the process that it runs in.
fn await_agent(project: &Project, sshd: &Sshd) -> String {
    until(|| project.path("begun").exists(), "the play does not begin");
    agents(sshd).pop().expect("the play runs in an agent")
}

/// Waits until something holds.
#[track_caller]
fn until(condition: impl Fn() -> bool, otherwise: &str) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "{otherwise}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
