//! Hosts whose agent is not what it says it is: each ends its own play, and no other host notices.

use std::fs;
use std::process::Command;

use refrain_engine::agent::frame::{self, MAGIC};
use refrain_engine::agent::{PROTOCOL, ToController};
use refrain_engine::diagnostic::{Diagnostic, Location};
use refrain_engine::ended::Ended;
use refrain_engine::event::{EventKind, Recap, Status, TaskReport};

use crate::replace_agent;
use crate::support::project::{Outcome, Project, binary};
use crate::support::run::{files_below, play};
use crate::support::sshd::Sshd;

/// A project for two hosts: `web1`, whose agent will be another program, and `web2`.
struct Site {
    project: Project,
    web1: Sshd,
    web2: Sshd,
}

impl Site {
    fn start() -> Option<Self> {
        let (web1, web2) = (Sshd::start()?, Sshd::start()?);
        let project = Project::new();
        web1.open_to(&project);
        web2.open_to(&project);
        project.file("inventory", [web1.inventory(), web2.inventory().replace("web1", "web2")].concat());
        let known = [web1.known_as(&web1.name_in_file()), web2.known_as(&web2.name_in_file())];
        project.file(".ssh/known_hosts", known.concat());
        play(&project, "print(`hello from ${host.name}`);");
        project.refrain(&["run", "play.rhai"]).expect(0);
        Some(Self { project, web1, web2 })
    }

    /// From now on, the agent of `web1` is a shell script. `$said` in it is a file with what an agent says first, and then
    /// `messages`.
    fn answer(&self, messages: &[ToController], script: &str) {
        let mut said = MAGIC.to_vec();
        said.extend(frame::encode(&ToController::Hello(PROTOCOL.to_owned())).unwrap());
        self.answer_bytes(&[said, frames(messages)].concat(), script);
    }

    fn answer_bytes(&self, said: &[u8], script: &str) {
        let place = self.web1.home("said");
        fs::write(&place, said).unwrap();
        let cache = self.web1.home(".cache/refrain");
        let agent = cache.join(&files_below(&cache)[0]);
        let script = format!("#!/bin/sh\nsaid='{}'\n{script}\n", place.display());
        replace_agent(&agent, script.as_bytes());
    }

    /// What a run shows. `web2` has to be done.
    #[track_caller]
    fn run(&self, code: i32, arguments: &[&str]) -> Outcome {
        let outcome = self.project.refrain(&[&["run", "play.rhai"], arguments].concat()).expect(code);
        assert!(outcome.stdout.contains("web2  0 changed, 0 ok\n"), "{}", outcome.stdout);
        assert!(outcome.stdout.contains("hello from web2"), "{}", outcome.stdout);
        outcome
    }

    /// What a run shows of `web1`, without the head and the times.
    #[track_caller]
    fn shown(&self, code: i32, arguments: &[&str]) -> String {
        let outcome = self.run(code, arguments);
        let lines = outcome.stdout.lines().filter(|line| {
            !line.is_empty() && !line.contains("web2") && !line.starts_with("Test (") && *line != "[time]"
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn frames(messages: &[ToController]) -> Vec<u8> {
    messages.iter().flat_map(|message| frame::encode(message).unwrap()).collect()
}

fn event(kind: EventKind) -> ToController {
    ToController::Event(Box::new(kind))
}

fn ended() -> ToController {
    ToController::Ended(Ended { started: true, ..Ended::default() })
}

/// Says it all, and stays until it is hung up on.
const SAY: &str = "cat \"$said\"; cat >/dev/null";

#[test]
fn one_that_is_not_believed_is_no_other_hosts_trouble() {
    let Some(site) = Site::start() else { return };
    let forged =
        EventKind::RunFinished { hosts: [("web2".to_owned(), Recap::default())].into(), duration: 0 };
    let attacks = [
        ("forged end of the run", frames(&[event(forged)])),
        ("frame without sense", vec![0, 0, 0, 1, 0xc1]),
        ("frame without end", vec![0xff; 64]),
        ("frame in frame", [&100_000_u32.to_be_bytes()[..], &vec![0x91; 100_000]].concat()),
        ("another greeting", frames(&[ToController::Hello("refrain 9".to_owned())])),
    ];
    let mut shown = Vec::new();
    for (name, bytes) in attacks {
        let mut said = MAGIC.to_vec();
        said.extend(frame::encode(&ToController::Hello(PROTOCOL.to_owned())).unwrap());
        site.answer_bytes(&[said, bytes].concat(), SAY);
        shown.push(format!("# {name}\n{}", site.shown(3, &[])));
    }
    insta::assert_snapshot!(shown.join("\n"), @r"
    # forged end of the run
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent an event that is not a host's to tell
    web1  0 changed, 0 ok, unreachable
    # frame without sense
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent a frame without sense: a byte that begins no value
    web1  0 changed, 0 ok, unreachable
    # frame without end
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent a frame of 4294967295 bytes, more than the 16777216 that are allowed
    web1  0 changed, 0 ok, unreachable
    # frame in frame
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent a frame without sense: values more than 64 levels deep
    web1  0 changed, 0 ok, unreachable
    # another greeting
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent its greeting again
    web1  0 changed, 0 ok, unreachable
    ");
}

#[test]
fn what_it_says_is_shown_and_does_nothing() {
    let Some(site) = Site::start() else { return };
    let acting = "\u{1b}]0;owned\u{7}\u{1b}[2J\r\u{9b}1A\u{202e}";
    let text = |name: &str| format!("{acting}{name}");
    let mut error =
        Diagnostic::new(text("error")).because(text("cause")).with_output(text("output")).hint(text("hint"));
    error.at = Some(Location {
        path: text("path"),
        line: usize::MAX,
        column: 0,
        text: text("line"),
        width: usize::MAX,
    });
    let task = TaskReport {
        module: text("module"),
        subject: text("subject\n  failed web3"),
        within: vec![text("within")],
        role: Some(text("role")),
        status: Status::Changed,
        reason: Some(text("reason")),
        steps: Vec::new(),
        error: None,
        path: text("path"),
        line: 1,
        duration: u64::MAX,
    };
    let most = u32::MAX;
    let recap = Recap {
        ok: most,
        changed: most,
        may_change: most,
        skipped: most,
        undeclared: most,
        ..Recap::default()
    };
    site.answer(
        &[
            event(EventKind::Task(Box::new(task))),
            event(EventKind::Message { text: text("message") }),
            event(EventKind::HandlerStarted { handler: text("handler"), left_by: Some(text("run")) }),
            event(EventKind::Warning(Box::new(error))),
            ToController::Ended(Ended { recap, started: true, ..Ended::default() }),
        ],
        SAY,
    );
    let shown = site.shown(0, &["-vv"]).replace(&site.web1.port.to_string(), "PORT");
    assert!(!shown.contains(|letter: char| letter.is_control() && letter != '\n'), "{shown}");
    insta::assert_snapshot!(shown, @r"
             web1 ssh root@127.0.0.1 port PORT
     changed web1 ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>module ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>subject^J  failed web3 [role ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>role > ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>within] 18446744073709552.0 ms
             web1 ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>message
     handler web1 ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>handler  left by the run ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>run
     warning web1
        ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>error
                            --> ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>path:18446744073709551615:0
                             |
        18446744073709551615 | ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>line
                             | ^^^^^^^^^^^^^^^^^^^^^^^
        caused by: ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>cause
            ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>output
        hint: ^[]0;owned^G^[[2J^M<U+009B>1A<U+202E>hint
    web1  4294967295 changed, 4294967295 ok, 4294967295 may change, 4294967295 skipped
    4294967295 actions whose effects nobody declared: check mode can't know them
    ");
    // Two plays: the counts are added up.
    let playbook = fs::read_to_string(site.project.path("play.rhai")).unwrap();
    site.project.file("play.rhai", playbook.repeat(2));
    let json = site.project.refrain(&["run", "play.rhai", "--output", "json"]).expect(0).stdout;
    assert!(!json.contains(|letter: char| letter.is_control() && letter != '\n'), "{json}");
}

#[test]
fn it_learns_nothing_beyond_its_bundle() {
    let Some(site) = Site::start() else { return };
    site.project.file("host_vars/web2.yml", "password_of_web2: hunter2\n");
    site.project.file("secret", "hunter2");
    site.project.file("files/large", vec![b'x'; 300 * 1024]);
    play(&site.project, "file::copy(\"large\", \"/dev/null/none\"); ");
    play(&site.project, "print(`hello from ${host.name}`); if false { file::copy(\"large\", \"/x\"); }");
    let secret = site.project.path("secret").display().to_string();
    let wanted = [
        secret.as_str(),
        "secret",
        "../secret",
        "host_vars/web2.yml",
        "inventory",
        ".ssh/id_ed25519",
        "files/large",
    ];
    let wishes: Vec<_> = wanted.iter().map(|path| ToController::Need((*path).to_owned())).collect();
    site.answer(&wishes, "cat \"$said\"; timeout 3 cat >\"$said.heard\"");
    site.run(3, &[]);
    let heard = fs::read(site.web1.home("said.heard")).unwrap();
    let count = |needle: &[u8]| heard.windows(needle.len()).filter(|window| *window == needle).count();
    assert_eq!(count(b"the bundle lists no such file"), wanted.len() - 1);
    assert!(heard.len() > 300 * 1024, "the file that is listed is given");
    assert_eq!(count(b"hunter2"), 0, "a secret of another host was sent");
    assert_eq!(count(b"OPENSSH PRIVATE KEY"), 0, "the controller's key was sent");
}

#[test]
fn what_it_says_without_end_does_not_fill_the_controller() {
    let Some(site) = Site::start() else { return };
    let task = TaskReport {
        module: "file::content".to_owned(),
        subject: "x".repeat(4 << 20),
        within: Vec::new(),
        role: None,
        status: Status::Ok,
        reason: None,
        steps: Vec::new(),
        error: None,
        path: String::new(),
        line: 1,
        duration: 1,
    };
    site.answer(&[], "cat \"$said\"; while cat \"$said.more\" 2>/dev/null; do :; done");
    let more = frames(&[event(EventKind::Task(Box::new(task)))]);
    fs::write(site.web1.home("said.more"), more).unwrap();
    // A controller that keeps it comes to its end.
    let plain = site.project.command(&[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v 500000; export MALLOC_ARENA_MAX=2; exec \"$0\" run play.rhai"])
        .arg(binary());
    command.current_dir(site.project.path("")).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let outcome = Outcome::of(&command.output().unwrap(), &site.project.path("")).expect(3);
    assert!(outcome.stdout.contains("the agent sent more than 536870912 bytes"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("hello from web2"), "{}", outcome.stdout);
}

#[test]
fn one_that_breaks_off_or_says_nothing_is_given_up() {
    let Some(site) = Site::start() else { return };
    let mut whole = frames(&[event(EventKind::Message { text: "x".repeat(100) }), ended()]);
    whole.truncate(60);
    let mut said = MAGIC.to_vec();
    said.extend(frame::encode(&ToController::Hello(PROTOCOL.to_owned())).unwrap());
    site.answer_bytes(&[said, whole].concat(), "cat \"$said\"; exit 0");
    insta::assert_snapshot!(site.shown(3, &[]), @r"
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the connection was closed
    web1  0 changed, 0 ok, unreachable
    ");
    // Nothing but noise.
    site.answer(&[], "while :; do echo noise; done");
    let shown = site.shown(3, &[]);
    assert!(shown.contains("the login shell prints without end"), "{shown}");
    drop(site.web2);
}

#[test]
fn one_whose_play_is_evaluated_here_is_not_believed_either() {
    let Some(site) = Site::start() else { return };
    let body = "print(`hello from ${host.name}`); file::exists(\"/etc/passwd\");";
    let options = "#{ hosts: \"all\", placement: \"controller\" }";
    site.project.file("play.rhai", format!("play(\"Test\", {options}, || {{ {body} }});\n"));
    let answer = |number, piece: Vec<u8>, last| ToController::Answers { number, piece: piece.into(), last };
    let attacks = [
        ("an answer to something else", vec![answer(7, vec![0xc0], true)]),
        ("an answer without sense", vec![answer(1, vec![0xc1], true)]),
        ("a deep answer", vec![answer(1, vec![0x91; 100_000], true)]),
        ("an answer without end", (0..40).map(|_| answer(1, vec![0xc0; 1 << 20], false)).collect()),
        ("no answer", vec![answer(1, Vec::new(), true)]),
        ("a message", vec![event(EventKind::Message { text: "from web2".to_owned() })]),
        ("a wish", vec![ToController::Need("/etc/shadow".to_owned())]),
        ("the end of a play", vec![ended()]),
    ];
    let mut shown = Vec::new();
    for (name, messages) in attacks {
        site.answer(&messages, SAY);
        shown.push(format!("# {name}\n{}", site.shown(3, &[])));
    }
    insta::assert_snapshot!(shown.join("\n"), @r"
    # an answer to something else
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent answer 7 where answer 1 was due
    web1  0 changed, 0 ok, unreachable
    # an answer without sense
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent an answer without sense: a byte that begins no value
    web1  0 changed, 0 ok, unreachable
    # a deep answer
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent an answer without sense: values more than 64 levels deep
    web1  0 changed, 0 ok, unreachable
    # an answer without end
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent an answer of more than 16777216 bytes
    web1  0 changed, 0 ok, unreachable
    # no answer
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent 0 answers to 1 calls
    web1  0 changed, 0 ok, unreachable
    # a message
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent an event where an answer was due
    web1  0 changed, 0 ok, unreachable
    # a wish
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent a wish for a file where an answer was due
    web1  0 changed, 0 ok, unreachable
    # the end of a play
    unreachable web1 (agent)
        error: lost the agent before the play had ended
        caused by: the agent sent the end of a play where an answer was due
    web1  0 changed, 0 ok, unreachable
    ");
}
