//! What a controller makes of an agent that is not what it says it is.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use refrain_engine::agent::frame::{self, LARGEST_FROM_CONTROLLER, MAGIC};
use refrain_engine::agent::{PROTOCOL, ToAgent, ToController, Work, client};
use refrain_engine::bundle::{Bundle, File, HostData, Neighbours, Play, Settings, Sources};
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::ended::{Ended, Foretold};
use refrain_engine::event::{EventKind, Recap};
use refrain_engine::interrupt::Interrupt;
use refrain_engine::journal::{CallIdentity, Settled};
use refrain_engine::system::RootKind;
use refrain_engine::transport::Pipes;
use serde_bytes::ByteBuf;
use serde_json::{Value, json};

/// The only file that the bundle lists.
const LISTED: &str = "files/large";

/// A play for one host. Its script does not end the play for others.
fn bundle(script: &str) -> Bundle {
    let file = File { size: 4, hash: String::new(), executable: false, content: None };
    let sources = Sources {
        playbook: "site.rhai".to_owned(),
        scripts: BTreeMap::from([("site.rhai".to_owned(), Arc::from(script))]),
        files: BTreeMap::from([(LISTED.to_owned(), Arc::new(file))]),
        ..Sources::default()
    };
    let play = Play { name: "Test".to_owned(), ..Play::default() };
    Bundle {
        run: "run".to_owned(),
        sources: Arc::new(sources),
        play: Arc::new(play),
        neighbours: Arc::new(Neighbours::default()),
        host: HostData { name: "web1".to_owned(), ..HostData::default() },
        settings: Arc::new(Settings::default()),
        root_kind: RootKind::Live,
        foretold: Vec::new(),
    }
}

/// A play as work for an agent.
fn work(script: &str) -> Work {
    Work::Play(Box::new(bundle(script)))
}

/// What came of a conversation with an agent.
struct Outcome {
    result: Result<Ended, String>,
    /// What was passed on of it.
    events: Vec<EventKind>,
    /// The files that were looked for on the controller.
    served: Vec<String>,
    /// What was sent to the agent after the play, as far as it read.
    heard: Vec<ToAgent>,
}

impl Outcome {
    /// The reason why the agent was lost.
    #[track_caller]
    fn reason(&self) -> &str {
        self.result.as_ref().expect_err("it was believed")
    }
}

/// Runs a play with an agent that says `said` and hangs up, or stays and listens.
fn talk_about(script: &str, said: impl FnOnce(&mut UnixStream) + Send, stays: bool) -> Outcome {
    let (near, mut far) = UnixStream::pair().unwrap();
    let (events, served) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let mut connection = Pipes::new(near.try_clone().unwrap(), near);
    let (result, heard) = thread::scope(|scope| {
        let mut input = far.try_clone().unwrap();
        let listener = scope.spawn(move || {
            let mut heard = Vec::new();
            while let Ok(Some(message)) = frame::read::<ToAgent>(&mut input, LARGEST_FROM_CONTROLLER) {
                if !matches!(message, ToAgent::Run(_)) {
                    heard.push(message);
                }
            }
            heard
        });
        scope.spawn(move || {
            said(&mut far);
            if !stays {
                let _ = far.shutdown(std::net::Shutdown::Write);
            }
        });
        let serve = |path: &str| {
            served.borrow_mut().push(path.to_owned());
            Ok(b"text".to_vec())
        };
        let emit = |event| events.borrow_mut().push(event);
        let result = client::run(&mut connection, work(script), &serve, &emit, &Interrupt::default());
        drop(connection);
        (result, listener.join().unwrap())
    });
    let result = result.map_err(|unreachable| {
        assert_eq!(unreachable.error.message, "lost the agent before the play had ended");
        unreachable.error.causes.join("; ")
    });
    Outcome { result, events: events.into_inner(), served: served.into_inner(), heard }
}

/// The same with frames that an agent sends after a proper greeting. It stays for what is answered.
fn talk(messages: Vec<ToController>) -> Outcome {
    let send = |stream: &mut UnixStream| {
        greet(stream);
        messages.iter().for_each(|message| send(stream, message));
    };
    talk_about("", send, true)
}

/// The same with bytes after a proper greeting; then it hangs up.
fn talk_raw(bytes: &[u8]) -> Outcome {
    let send = |stream: &mut UnixStream| {
        greet(stream);
        // It may be hung up on before it is done.
        let _ = stream.write_all(bytes);
    };
    talk_about("", send, false)
}

fn greet(stream: &mut UnixStream) {
    let _ = stream.write_all(&MAGIC);
    send(stream, &ToController::Hello(PROTOCOL.to_owned()));
}

fn send(stream: &mut UnixStream, message: &ToController) {
    // It may be hung up on before it is done.
    let _ = frame::write(stream, message);
}

fn event(kind: EventKind) -> ToController {
    ToController::Event(Box::new(kind))
}

fn message(text: &str) -> ToController {
    event(EventKind::Message { text: text.to_owned() })
}

/// A frame around a value that need not be a message.
fn framed(value: &Value) -> Vec<u8> {
    frame::encode(value).unwrap()
}

/// A frame of these bytes.
fn framed_bytes(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}

#[test]
fn an_honest_agent_is_believed() {
    let ended = Ended { recap: Recap { ok: 1, ..Recap::default() }, started: true, ..Ended::default() };
    let outcome = talk(vec![
        ToController::Need(LISTED.to_owned()),
        message("hello"),
        ToController::Ended(ended.clone()),
    ]);
    assert_eq!(outcome.result, Ok(ended));
    assert_eq!(outcome.events.len(), 1);
    assert_eq!(outcome.served, [LISTED]);
    assert!(matches!(&outcome.heard[..], [ToAgent::File { content: Ok(_), .. }]), "{:?}", outcome.heard);
}

#[test]
fn a_play_that_makes_its_changes_foretells_nothing() {
    let call =
        CallIdentity { place: String::new(), function: String::new(), subject: String::new(), number: 0 };
    let settled = Settled { handlers: Vec::new(), calls: vec![call] };
    let foretold = Foretold { settled, ..Foretold::default() };
    let outcome = talk(vec![ToController::Ended(Ended { foretold, ..Ended::default() })]);
    assert_eq!(outcome.result, Ok(Ended::default()));
}

#[test]
fn only_listed_files_are_looked_for() {
    let wanted = [
        "/etc/shadow",
        "../../etc/shadow",
        "files/../files/large",
        "./files/large",
        "files/large/",
        "files//large",
        "files/large\0",
        "FILES/LARGE",
        "roles/other/files/key",
        "host_vars/web2.yml",
        "site.rhai",
        "",
    ];
    let mut messages: Vec<_> = wanted.iter().map(|path| ToController::Need((*path).to_owned())).collect();
    messages.push(ToController::Ended(Ended::default()));
    let outcome = talk(messages);
    assert!(outcome.result.is_ok());
    assert!(outcome.served.is_empty(), "{:?}", outcome.served);
    let refused = |message: &ToAgent| match message {
        ToAgent::File { content: Err(reason), .. } => reason == "the bundle lists no such file",
        _ => false,
    };
    assert!(outcome.heard.len() == wanted.len() && outcome.heard.iter().all(refused), "{:?}", outcome.heard);
}

#[test]
fn what_is_not_a_hosts_to_tell_is_refused() {
    let forged = [
        EventKind::RunStarted { run: "1".to_owned(), playbooks: Vec::new(), check: false },
        EventKind::PlayStarted { play: "Other".to_owned(), hosts: vec!["web2".to_owned()] },
        EventKind::HostStarted { connection: "ssh web2".to_owned() },
        EventKind::HostUnreachable { stage: "login".to_owned(), error: Box::default() },
        EventKind::Stopping { now: true },
        EventKind::RunFinished { hosts: Default::default(), duration: 0 },
    ];
    for kind in forged {
        let outcome = talk(vec![event(kind)]);
        assert_eq!(outcome.reason(), "the agent sent an event that is not a host's to tell");
        assert!(outcome.events.is_empty());
    }
    let told = Diagnostic::new("web2 failed");
    let outcome =
        talk(vec![event(EventKind::HostFailed(Box::new(told))), ToController::Ended(Ended::default())]);
    assert_eq!(outcome.events.len(), 1, "it is of this host, whatever it says");
}

#[test]
fn an_event_has_no_place_for_another_host() {
    let kind = json!({ "event": "message", "text": "x", "host": "web2", "at": 7 });
    let ended = frame::encode(&ToController::Ended(Ended::default())).unwrap();
    let outcome = talk_raw(&[framed(&json!({ "Event": kind })), ended].concat());
    assert!(outcome.result.is_ok());
    assert_eq!(serde_json::to_value(&outcome.events).unwrap(), json!([{ "event": "message", "text": "x" }]));
}

#[test]
fn frames_out_of_turn_end_the_conversation() {
    let hello = |protocol: &str| ToController::Hello(protocol.to_owned());
    let answers = ToController::Answers { number: 1, piece: ByteBuf::new(), last: true };
    assert_eq!(talk(vec![hello(PROTOCOL)]).reason(), "the agent sent its greeting again");
    assert_eq!(talk(vec![hello("refrain 9")]).reason(), "the agent sent its greeting again");
    assert_eq!(talk(vec![answers]).reason(), "the agent sent an answer in the middle of a play");

    let first = |message: ToController| {
        let say = move |stream: &mut UnixStream| {
            let _ = stream.write_all(&MAGIC);
            send(stream, &message);
        };
        talk_about("", say, true)
    };
    assert_eq!(first(hello("refrain 9")).reason(), "the agent is of another release");
    assert_eq!(first(message("x")).reason(), "the agent sent an event before its greeting");
    let ended = first(ToController::Ended(Ended::default()));
    assert_eq!(ended.reason(), "the agent sent the end of a play before its greeting");
    let wish = first(ToController::Need(LISTED.to_owned()));
    assert_eq!(wish.reason(), "the agent sent a wish for a file before its greeting");
    assert!(wish.served.is_empty());
}

#[test]
fn nothing_counts_after_the_end() {
    let failed = Ended { recap: Recap { failed: true, ..Recap::default() }, ..Ended::default() };
    let outcome = talk(vec![
        ToController::Ended(Ended::default()),
        ToController::Ended(failed),
        message("after the end"),
        ToController::Need(LISTED.to_owned()),
    ]);
    assert_eq!(outcome.result, Ok(Ended::default()));
    assert!(outcome.events.is_empty() && outcome.served.is_empty());
}

#[test]
fn a_play_ends_for_others_only_where_it_can() {
    let ended = || ToController::Ended(Ended { play_done: true, ..Ended::default() });
    let end = |script: &str| {
        let say = |stream: &mut UnixStream| {
            greet(stream);
            send(stream, &ended());
        };
        talk_about(script, say, true).result.unwrap().play_done
    };
    assert!(!end("play(\"Test\", #{ hosts: \"all\" }, || { });"));
    assert!(end("play(\"Test\", #{ hosts: \"all\" }, || { end_play(); });"));
}

/// Frames that are none, with what is said of each.
#[test]
fn malformed_frames_are_named() {
    let recap = |ok: Value| {
        let fields = json!({ "ok": ok, "changed": 0, "may_change": 0, "skipped": 0, "undeclared": 0,
            "failed": false, "unreachable": false });
        let ended = json!({ "recap": fields, "host_done": false, "play_done": false, "started": true });
        framed(&json!({ "Ended": ended }))
    };
    let deep_event =
        [&[0x81, 0xa5][..], b"Event", &[0x81, 0xa5], b"event", &vec![0x91; 100_000], &[0xc0]].concat();
    let wide_event = [
        &[0x81, 0xa5][..],
        b"Event",
        &[0x81, 0xa5],
        b"event",
        &[0xdd, 0, 0x20, 0, 0],
        &vec![0x80; 0x20_0000],
    ]
    .concat();
    let frames: [(&str, Vec<u8>); 14] = [
        ("empty", framed_bytes(&[])),
        ("too large", [&17_000_000_u32.to_be_bytes()[..], b"x"].concat()),
        ("largest length", vec![0xff; 100]),
        ("cut off in its length", vec![0, 0]),
        ("cut off", framed(&json!({ "Need": "files/large" }))[..9].to_vec()),
        ("no message", framed(&json!(["x", 1]))),
        ("unknown message", framed(&json!({ "Run\u{1b}[31m\n": 1 }))),
        ("long unknown message", framed(&json!({ "x".repeat(100_000): 1 }))),
        ("unknown event", framed(&json!({ "Event": { "event": "rm -rf /" } }))),
        ("not a text", framed(&json!({ "Need": 7 }))),
        ("negative count", recap(json!(-1))),
        ("overflowing count", recap(json!(u64::MAX))),
        ("deep", framed_bytes(&deep_event)),
        ("wide", framed_bytes(&wide_event)),
    ];
    let said: Vec<String> =
        frames.iter().map(|(name, bytes)| format!("{name}: {}", talk_raw(bytes).reason())).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    empty: the agent sent a frame without sense: a value that breaks off
    too large: the agent sent a frame of 17000000 bytes, more than the 16777216 that are allowed
    largest length: the agent sent a frame of 4294967295 bytes, more than the 16777216 that are allowed
    cut off in its length: the connection was closed
    cut off: the connection was closed
    no message: the agent sent a frame without sense: invalid type: sequence, expected variant identifier
    unknown message: the agent sent a frame without sense: unknown variant `Run^[[31m^J`, expected one of `Hello`, `Event`, `Need`, `Ended`, `Answers`, `Refused`
    long unknown message: the agent sent a frame without sense: unknown variant `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
    unknown event: the agent sent a frame without sense: unknown variant `rm -rf /`, expected one of `run-started`, `play-started`, `host-started`, `task`, `handler-started`, `warning`, `message`, `prediction-ended`, `host-failed`, `host-unreachable`, `host…
    not a text: the agent sent a frame without sense: invalid type: integer `7`, expected a string
    negative count: the agent sent a frame without sense: invalid value: integer `-1`, expected u32
    overflowing count: the agent sent a frame without sense: invalid value: integer `18446744073709551615`, expected u32
    deep: the agent sent a frame without sense: values more than 64 levels deep
    wide: the agent sent a frame without sense: more than 1000000 values
    ");
}

#[test]
fn no_frame_is_too_strange() {
    // What a frame may be, with a byte changed here and there: it is believed or refused, and nothing panics.
    let told = Diagnostic::new("x").at(refrain_engine::diagnostic::Location::new("a", "b", 1, 1));
    let whole = [
        frame::encode(&event(EventKind::HostFailed(Box::new(told)))).unwrap(),
        frame::encode(&ToController::Ended(Ended::default())).unwrap(),
    ]
    .concat();
    for at in 0..whole.len() {
        for change in [0x00, 0x7f, 0x91, 0xc1, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = change;
            for event in talk_raw(&bytes).events {
                // Whatever has come through can be put into words.
                if let EventKind::HostFailed(diagnostic) = event {
                    let _ = diagnostic.to_string();
                }
            }
        }
    }
}

#[test]
fn noise_is_no_agent() {
    let say = |bytes: &'static [u8]| {
        talk_about("", move |stream| drop(stream.write_all(bytes)), false).reason().to_owned()
    };
    assert_eq!(say(b"welcome\n"), "what answers there is not an agent");
    assert_eq!(say(b"\0RF"), "the connection was closed");
    assert_eq!(say(b""), "the connection was closed");
}

#[test]
fn what_is_said_without_end_has_one() {
    let large = frame::encode(&message(&"x".repeat(8 << 20))).unwrap();
    let say = |stream: &mut UnixStream| {
        greet(stream);
        while stream.write_all(&large).is_ok() {}
    };
    // Nobody keeps what is said here.
    let outcome = talk_and_forget(say);
    assert_eq!(outcome, "the agent sent more than 536870912 bytes");

    let small: Vec<u8> = frame::encode(&message("")).unwrap().repeat(1000);
    let say = |stream: &mut UnixStream| {
        greet(stream);
        while stream.write_all(&small).is_ok() {}
    };
    assert_eq!(talk_and_forget(say), "the agent sent more than 1000000 events");

    let wishes = frame::encode(&ToController::Need("no".to_owned())).unwrap().repeat(1000);
    let say = |stream: &mut UnixStream| {
        greet(stream);
        while stream.write_all(&wishes).is_ok() {}
    };
    assert_eq!(talk_and_forget(say), "the agent asked for files more than 100000 times");
}

/// The reason why an agent that says so is lost, whose events go nowhere, and who hears what it is sent.
fn talk_and_forget(said: impl FnOnce(&mut UnixStream) + Send) -> String {
    let (near, mut far) = UnixStream::pair().unwrap();
    let mut connection = Pipes::new(near.try_clone().unwrap(), near);
    thread::scope(|scope| {
        let mut input = far.try_clone().unwrap();
        scope.spawn(move || std::io::copy(&mut input, &mut std::io::sink()));
        scope.spawn(move || said(&mut far));
        let serve = |_: &str| Err("nothing".to_owned());
        let result = client::run(&mut connection, work(""), &serve, &|_| {}, &Interrupt::default());
        drop(connection);
        result.expect_err("it was believed").error.causes.join("; ")
    })
}

#[test]
fn who_never_ends_is_given_up_when_the_run_shall_stop_now() {
    let (near, mut far) = UnixStream::pair().unwrap();
    let mut connection = Pipes::new(near.try_clone().unwrap(), near);
    let interrupt = Interrupt::default();
    let start = Instant::now();
    let result = thread::scope(|scope| {
        let mut input = far.try_clone().unwrap();
        scope.spawn(move || std::io::copy(&mut input, &mut std::io::sink()));
        scope.spawn(|| {
            greet(&mut far);
            thread::sleep(Duration::from_millis(200));
            interrupt.stop_after_step();
            interrupt.stop_now();
        });
        let serve = |_: &str| Err("nothing".to_owned());
        let result = client::run(&mut connection, work(""), &serve, &|_| {}, &interrupt);
        drop(connection);
        result
    });
    assert_eq!(result.expect_err("it never ended").error.causes, ["it did not stop in 5 s"]);
    assert!(start.elapsed() < Duration::from_secs(15));
}
