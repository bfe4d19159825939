use std::time::{Duration, Instant};

use super::*;
use crate::system::scratch::Scratch;
use crate::system::streams::LARGEST;

fn environment() -> BTreeMap<String, String> {
    [("PATH".to_owned(), super::super::environment::search_path(None))].into()
}

fn sh(script: &str) -> Command {
    Command::new(["/bin/sh", "-c", script])
}

fn run(command: &Command) -> Result<Output, Failure> {
    super::run(command, &environment(), &Interrupt::default())
}

/// The same, told to stop now when the file at `begun` is there.
fn run_until(command: &Command, begun: &Path) -> Result<Output, Failure> {
    let interrupt = Interrupt::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let patience = Instant::now() + Duration::from_secs(20);
            while !begun.exists() && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(5));
            }
            interrupt.stop_now();
        });
        super::run(command, &environment(), &interrupt)
    })
}

fn stdout(command: &Command) -> String {
    String::from_utf8(run(command).unwrap().stdout).unwrap()
}

#[test]
fn streams_and_status_come_back() {
    let output = run(&sh("echo out; echo err >&2; exit 3")).unwrap();
    assert_eq!((output.status, &*output.stdout, &*output.stderr), (3, &b"out\n"[..], &b"err\n"[..]));
    assert_eq!(run(&sh("kill -9 $$")).unwrap().status, 137);
}

#[test]
fn a_command_without_input_sees_its_end() {
    assert_eq!(stdout(&Command::new(["cat"])), "");
    let command = Command { stdin: Some(b"from here".to_vec()), ..Command::new(["cat"]) };
    assert_eq!(stdout(&command), "from here");
}

#[test]
fn scratch_files_are_there_for_one_run() {
    let files = Scratch::file("in/candidate", "from here");
    let command = Command { scratch: Some(files), ..sh("cat {scratch}/in/candidate; echo {scratch} >&2") };
    let output = run(&command).unwrap();
    assert_eq!((&*output.stdout, &*output.stderr), (&b"from here"[..], &b"{scratch}\n"[..]));
    let command = Command { scratch: command.scratch, ..sh("echo {scratch} | tr p q; exit 1") };
    let said = stdout(&command).trim().replace('q', "p");
    assert!(said.starts_with("/tmp/.refrain-") && !Path::new(&said).exists(), "{said}");
}

#[test]
fn much_in_and_much_out_at_once_does_not_stall() {
    let input = b"0123456789abcde\n".repeat(200_000);
    let command = Command { stdin: Some(input.clone()), ..sh("cat; echo done >&2") };
    let output = run(&command).unwrap();
    assert_eq!(output.stdout, input);
    assert_eq!(output.stderr, b"done\n");
}

#[test]
fn a_command_may_leave_its_input_unread() {
    let command = Command { stdin: Some(vec![b'x'; 1 << 20]), ..sh("exec <&-; echo read nothing") };
    assert_eq!(stdout(&command), "read nothing\n");
}

#[test]
fn a_daemon_that_keeps_the_pipes_is_not_waited_for() {
    let start = Instant::now();
    let output = run(&sh("sleep 30 & echo $!")).unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
    let daemon = Pid::from_raw(String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(daemon, Signal::KILL).expect("it is still there");
}

#[test]
fn a_daemon_that_never_stops_talking_is_not_listened_to() {
    let output = run(&sh("yes & echo $! >&2")).unwrap();
    let daemon = Pid::from_raw(String::from_utf8_lossy(&output.stderr).trim().parse().unwrap()).unwrap();
    // Its pipe is closed, so that it ends by itself; unless it was quick, there is nobody to end.
    let _ = rustix::process::kill_process(daemon, Signal::KILL);
    assert_eq!(output.status, 0);
}

#[test]
fn output_without_end_is_bounded() {
    let command = Command { timeout: Some(Duration::from_secs(60)), ..sh("head -c 20000000 /dev/zero") };
    let output = run(&command).unwrap();
    assert_eq!((output.stdout.len(), output.dropped), (LARGEST, 20_000_000 - LARGEST as u64));
}

#[test]
fn what_takes_too_long_is_ended_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let command = Command {
        timeout: Some(Duration::from_millis(300)),
        directory: Some(directory.path().to_owned()),
        ..sh("echo begun; sh -c 'echo $$ > child; exec sleep 30'")
    };
    let start = Instant::now();
    let failure = run(&command).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(failure.to_string().ends_with("took longer than 0.3 s"), "{failure}");
    assert_eq!(failure.output(), Some("begun\n"));
    let child = std::fs::read_to_string(directory.path().join("child")).unwrap();
    assert_gone(child.trim().parse().unwrap());
}

#[test]
fn what_shall_stop_now_is_ended_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let command = Command {
        directory: Some(directory.path().to_owned()),
        ..sh("echo begun; sh -c 'echo $$ > new; mv new child; exec sleep 30'; echo went on")
    };
    let start = Instant::now();
    let child = directory.path().join("child");
    let failure = run_until(&command, &child).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(failure.is_interruption() && failure.output() == Some("begun\n"), "{failure:?}");
    assert_gone(std::fs::read_to_string(child).unwrap().trim().parse().unwrap());
}

#[test]
fn nothing_is_started_when_all_shall_stop_now() {
    let directory = tempfile::tempdir().unwrap();
    let (interrupt, made) = (Interrupt::default(), directory.path().join("made"));
    interrupt.stop_now();
    let failure = super::run(&Command::new(["touch", made.to_str().unwrap()]), &environment(), &interrupt);
    assert!(failure.unwrap_err().is_interruption());
    assert!(!made.exists());
}

#[test]
fn what_does_not_want_to_end_is_ended() {
    let command = Command {
        timeout: Some(Duration::from_millis(100)),
        ..sh("trap 'echo asked' TERM; while :; do sleep 30; done")
    };
    let failure = run(&command).unwrap_err();
    let output = failure.output().unwrap();
    assert!(output.ends_with("asked\n"), "it was asked first, and heard until its end: {output:?}");
}

/// A process that was ended is gone as soon as whoever inherits it has waited for it; until then it is a zombie.
fn assert_gone(pid: u32) {
    let patience = Instant::now() + Duration::from_secs(10);
    let alive = || {
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
    };
    while alive() {
        assert!(Instant::now() < patience, "process {pid} is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_environment_is_what_was_given() {
    let mut command = Command::new(["env"]);
    command.environment.insert("A".to_owned(), "b c".to_owned());
    let path = &environment()["PATH"];
    assert_eq!(stdout(&command), format!("A=b c\nPATH={path}\n"));
    command.environment.insert("PATH".to_owned(), "/nowhere".to_owned());
    assert!(matches!(run(&command), Err(Failure::Start { .. })), "the command's own `PATH` counts");
}

#[test]
fn a_command_has_no_terminal_and_a_group_of_its_own() {
    let script = "read -r _ _ _ _ group session terminal _ < /proc/$$/stat; echo $(($$ - group)) $(($$ - session)) $terminal";
    assert_eq!(stdout(&sh(script)), "0 0 0\n");
}

#[test]
fn the_umask_is_always_the_same() {
    assert_eq!(stdout(&sh("umask")), "0022\n");
}

#[test]
fn what_can_not_be_started_says_why() {
    let reason = |command: &Command| run(command).unwrap_err().to_string();
    assert_eq!(
        reason(&Command::new(["no-such-program"])),
        "could not start `no-such-program`: no such program"
    );
    assert_eq!(reason(&Command::new(["/etc/passwd"])), "could not start `/etc/passwd`: permission denied");
    assert_eq!(reason(&Command::default()), "the command is empty");
    let command = Command { directory: Some("/no/such".into()), ..sh("pwd") };
    assert_eq!(reason(&command), "could not start `/bin/sh`: no directory `/no/such`");
}

#[test]
fn a_program_that_travels_is_run_and_removed() {
    let program = |content: &[u8]| Command {
        program: Some(content.to_vec()),
        stdin: Some(b"in".to_vec()),
        ..Command::new(["files/job.sh", "a b", "c"])
    };
    let shown =
        stdout(&program(b"#!/bin/sh -e\necho \"$0 $1 $2 $(cat)\"\nls -l $0\nfalse\necho not reached"));
    let (words, listing) = shown.split_once('\n').unwrap();
    let (path, rest) = words.split_once(' ').unwrap();
    assert!(path.ends_with("/job.sh") && rest == "a b c in", "{words}");
    assert!(listing.starts_with("-rwx------"), "{listing}");
    assert!(!Path::new(path).parent().unwrap().exists());
    assert!(stdout(&program(b"echo plain $1")).starts_with("plain a b"));
}

#[test]
fn a_binary_that_travels_is_run() {
    let content = std::fs::read(std::fs::canonicalize("/bin/echo").unwrap()).unwrap();
    let command = Command { program: Some(content), ..Command::new(["echo", "from", "afar"]) };
    assert_eq!(stdout(&command), "from afar\n");
}

#[test]
fn an_interpreter_that_is_not_there_is_named() {
    let command = Command { program: Some(b"#!/usr/bin/no-such -x\n".to_vec()), ..Command::new(["job"]) };
    let failure = run(&command).unwrap_err().to_string();
    assert_eq!(failure, "could not start `/usr/bin/no-such`: no such program");
}

#[test]
fn an_error_shows_the_end_of_a_long_output() {
    let output = run(&sh("seq 100000; echo the reason >&2; exit 1")).unwrap();
    let failure = output.failure("seq".to_owned());
    let words = failure.output().unwrap();
    assert!(words.starts_with("the reason\n(… "), "{}", &words[..40]);
    assert!(words.contains(" bytes before this)\n") && words.ends_with("\n100000\n"));
    assert!(words.len() < 40_000);
}
