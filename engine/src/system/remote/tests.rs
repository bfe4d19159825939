use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_bytes::ByteBuf;

use super::*;
use crate::agent::frame::{self, LARGEST_FROM_CONTROLLER, MAGIC};
use crate::agent::in_process::{self, Served};
use crate::agent::{PROTOCOL, ToAgent, ToController};
use crate::facts::{self, Facts, HostFacts};
use crate::journal::{CallIdentity, Journal, Source, StepNote};
use crate::step::Undo;
use crate::system::native::Native;
use crate::transport::Pipes;

/// A connection whose other end is `agent`, in a thread.
fn connect(agent: impl FnOnce(UnixStream) + Send + 'static) -> (Box<dyn Connection>, JoinHandle<()>) {
    let (near, far) = UnixStream::pair().unwrap();
    let thread = std::thread::spawn(move || agent(far));
    (Box::new(Pipes::new(near.try_clone().unwrap(), near)), thread)
}

fn greet(stream: &mut UnixStream) {
    std::io::Write::write_all(stream, &MAGIC).unwrap();
    frame::write(stream, &ToController::Hello(PROTOCOL.to_owned())).unwrap();
}

/// This machine, as if it were far away.
fn this_machine() -> Remote {
    with_journal(Vec::new())
}

/// The same, with a journal in one of these directories.
fn with_journal(directories: Vec<PathBuf>) -> Remote {
    let connection = in_process::serve(move || {
        let kind = RootKind::Live;
        let (system, facts) = (Rc::new(Native::new(kind)), Rc::new(Facts::new(facts::Native::new(kind))));
        let journal = Source::Kept { directories, root: "/".into(), lasts: false };
        Ok(Served { system, facts, journal, interrupt: Arc::default() })
    });
    Remote::open(Box::new(connection.unwrap()), RootKind::Live, Arc::default()).unwrap()
}

/// What is lost of a host that greets, says who it is, and gives `answers` to the next calls.
fn lost(answers: Vec<ToController>) -> String {
    let (connection, thread) = connect(|mut stream| {
        greet(&mut stream);
        let identity: Result<Answer, Failure> = Ok(Answer::Identity(0, 0));
        let piece = ByteBuf::from(rmp_serde::to_vec_named(&identity).unwrap());
        frame::write(&mut stream, &ToController::Answers { number: 1, piece, last: true }).unwrap();
        for answer in answers {
            // It may be hung up on before it is done.
            let _ = frame::write(&mut stream, &answer);
        }
        while let Ok(Some(_)) = frame::read::<ToAgent>(&mut stream, LARGEST_FROM_CONTROLLER) {}
    });
    let host = Remote::open(connection, RootKind::Live, Arc::default()).unwrap();
    let failure = host.list(Path::new("/etc")).unwrap_err();
    assert!(matches!(failure, Failure::Lost(_)), "{failure}");
    assert_eq!(host.lstat(Path::new("/etc")), Err(failure), "what is lost stays lost");
    thread.join().unwrap();
    host.lost().unwrap().causes.join("; ")
}

fn answers(number: u64, answer: &Result<Answer, Failure>) -> ToController {
    ToController::Answers {
        number,
        piece: ByteBuf::from(rmp_serde::to_vec_named(answer).unwrap()),
        last: true,
    }
}

#[test]
fn a_remote_host_is_seen_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    fs::create_dir(root.join("directory")).unwrap();
    fs::write(root.join("directory/file"), "text").unwrap();
    fs::write(root.join("long"), vec![7; 3 * 1024 * 1024]).unwrap();
    symlink("directory/file", root.join("link")).unwrap();
    symlink("circle", root.join("circle")).unwrap();
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"odd-\xff");
    fs::write(root.join(odd), "").unwrap();

    let (here, there) = (Native::new(RootKind::Live), this_machine());
    let names = ["", "directory", "directory/file", "long", "link", "link/none", "circle", "none", "none/x"];
    let paths = names.iter().map(|name| root.join(name)).chain([root.join(odd), "/proc/self/stat".into()]);
    for path in paths {
        assert_eq!(there.lstat(&path), here.lstat(&path), "{path:?}");
        assert_eq!(there.stat(&path), here.stat(&path), "{path:?}");
        assert_eq!(there.read_link(&path), here.read_link(&path), "{path:?}");
        assert_eq!(there.list(&path), here.list(&path), "{path:?}");
        if !path.starts_with("/proc") {
            assert_eq!(there.read(&path), here.read(&path), "{path:?}");
        }
        for content in [&b"text"[..], &vec![7; 3 * 1024 * 1024], &vec![8; 3 * 1024 * 1024]] {
            let (size, hash) = (content.len() as u64, blake3::hash(content).to_hex());
            assert_eq!(there.holds(&path, size, &hash), here.holds(&path, size, &hash), "{path:?}");
        }
    }
    assert_eq!(there.find_program("sh"), here.find_program("sh"));
    assert_eq!(there.identity(), here.identity());
    let command = Command::new(["sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert_eq!(there.probe(&command), here.probe(&command));
    let missing = Command::new(["no-such-program"]);
    assert_eq!(there.run(&missing), here.run(&missing));
}

#[test]
fn changes_are_seen_at_once_and_looks_cost_one_round_trip() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    let host = this_machine();
    let (uid, gid) = host.identity();
    let attributes = Attributes { mode: 0o640, uid, gid };
    let file = root.join("file");
    assert_eq!(host.lstat(&file), Ok(None));
    host.write(&file, b"one", attributes).unwrap();
    let before = host.round_trips();
    assert_eq!(host.lstat(&file).unwrap().unwrap().attributes, attributes);
    assert_eq!(host.read(&file), Ok(Some(Content::Known(b"one".to_vec()))));
    assert_eq!(host.read_link(&root), Ok(None));
    assert_eq!(host.stat(&root).unwrap().unwrap().kind, crate::system::Kind::Directory);
    assert_eq!(host.round_trips() - before, 1);

    host.look_ahead(&[&root.join("a"), &root.join("b"), Path::new("/etc/passwd")]);
    assert_eq!(host.lstat(&root.join("a")), Ok(None));
    assert_eq!(host.read(&root.join("b")), Ok(None));
    assert!(host.read(Path::new("/etc/group")).is_ok());
    assert_eq!(host.round_trips() - before, 2);

    assert_eq!(host.list(&root), Ok(vec!["file".into()]));
    assert_eq!(host.lstat(&file).unwrap().unwrap().size, 3);
    assert_eq!(host.round_trips() - before, 3, "a directory is listed with what its entries are");

    host.make_link(&root.join("a"), Path::new("file")).unwrap();
    assert_eq!(host.read_link(&root.join("a")), Ok(Some("file".into())));
    host.remove(&root).unwrap();
    assert_eq!(host.lstat(&file), Ok(None));
}

#[test]
fn what_is_noted_goes_with_what_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let (state, file) = (directory.path().join("state"), directory.path().join("file"));
    let host = Rc::new(with_journal(vec![state.clone()]));
    let (uid, gid) = host.identity();
    let attributes = Attributes { mode: 0o640, uid, gid };
    let call =
        CallIdentity { place: String::new(), function: "x::y".to_owned(), subject: String::new(), number: 0 };
    let undo = Undo::Restore(vec![file.clone()]);
    let note = StepNote { call: call.clone(), text: "write".to_owned(), undo, leaves: None, serial: None };

    host.defer(Call::Note(journal::Note::Before(Box::new(note.clone()))));
    let refused = host.write(&file, b"new", attributes).unwrap_err();
    assert_eq!(refused.to_string(), "there is no open journal to note anything in");
    assert!(!file.exists(), "what can't be noted is not made");

    let before = host.round_trips();
    let open = |run: &str| {
        let (run, play) = (run.to_owned(), "Test".to_owned());
        let turn = Turn { run, host: "web1".to_owned(), play, writes: true, continues: false };
        RemoteJournal::open(Rc::clone(&host), &turn, Duration::ZERO, |_| {}, || false).unwrap()
    };
    let journal = open("1");
    journal.before(&note, &*host).unwrap();
    host.write(&file, b"new", attributes).unwrap();
    journal.after(&*host).unwrap();
    assert_eq!(host.round_trips() - before, 2);
    // The run dies here: a later one is told of the call whose outcome nobody has acted upon.
    host.lstat(&file).unwrap();
    let left = open("2").pending().unwrap();
    assert_eq!(left.calls.iter().map(|left| &left.call).collect::<Vec<_>>(), [&call]);
    assert!(std::fs::read_dir(state.join("journal/1")).unwrap().count() > 0);
}

#[test]
fn facts_come_in_families() {
    let here = Facts::new(facts::Native::new(RootKind::Live));
    let host = Rc::new(this_machine());
    let there = facts::Remote::new(Rc::clone(&host));
    let before = host.round_trips();
    assert_eq!(there.get("os"), here.get("os"));
    assert_eq!(there.get("os"), here.get("os"));
    assert_eq!(there.get("no_such_fact"), None);
    assert_eq!(host.round_trips() - before, 1);
    for name in ["ansible_distribution", "ansible_os_family", "ansible_lo", "ansible_nothing", "ansible_host"]
    {
        assert_eq!(there.ansible(name), here.ansible(name), "{name}");
    }
    assert_eq!(host.round_trips() - before, 3, "a family, and the interfaces");
    assert_eq!(there.ansible_names(), here.ansible_names());
    let names = |facts: &dyn HostFacts| facts.all().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&there), names(&here));
}

#[test]
fn failures_travel_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let (here, there) = (Native::new(RootKind::Live), this_machine());
    let nowhere = directory.path().join("none/file");
    let attributes = Attributes { mode: 0o640, uid: 0, gid: 0 };
    assert_eq!(there.write(&nowhere, b"", attributes), here.write(&nowhere, b"", attributes));
    assert_eq!(there.read(directory.path()), here.read(directory.path()));
    let mut slow = Command::new(["sleep", "5"]);
    slow.timeout = Some(std::time::Duration::from_millis(50));
    let failure = there.run(&slow).unwrap_err();
    assert!(matches!(&failure, Failure::Timeout { seconds, .. } if *seconds == 0.05), "{failure}");
    assert!(there.lost().is_none());
}

#[test]
fn a_host_that_makes_no_sense_is_lost() {
    let done = Ok(Answer::Listed { names: Vec::new(), seen: Vec::new() });
    assert_eq!(lost(vec![answers(7, &done)]), "the agent sent answer 7 where answer 2 was due");
    assert_eq!(lost(vec![answers(2, &Ok(Answer::Done))]), "the agent sent an answer to something else");
    let event = ToController::Need("secret".to_owned());
    assert_eq!(lost(vec![event]), "the agent sent a wish for a file where an answer was due");
    let piece = ByteBuf::from(vec![0xc1]);
    let senseless = lost(vec![ToController::Answers { number: 2, piece, last: true }]);
    assert!(senseless.starts_with("the agent sent an answer without sense: "), "{senseless}");
    let piece = ByteBuf::from(vec![0x91; 100_000]);
    assert_eq!(
        lost(vec![ToController::Answers { number: 2, piece, last: true }]),
        "the agent sent an answer without sense: values more than 64 levels deep"
    );
    assert_eq!(lost(vec![ToController::Hello(PROTOCOL.to_owned())]), "the agent sent its greeting again");
    let endless = (0..20).map(|_| ToController::Answers {
        number: 2,
        piece: ByteBuf::from(vec![0; 1024 * 1024]),
        last: false,
    });
    assert_eq!(lost(endless.collect()), "the agent sent an answer of more than 16777216 bytes");
    let two = [rmp_serde::to_vec_named(&done).unwrap(), rmp_serde::to_vec_named(&done).unwrap()].concat();
    let two = ToController::Answers { number: 2, piece: ByteBuf::from(two), last: true };
    assert_eq!(lost(vec![two]), "the agent sent 2 answers to 1 calls");
}

#[test]
fn a_closed_stream_is_a_lost_host() {
    let (connection, thread) = connect(|mut stream| greet(&mut stream));
    let Err(unreachable) = Remote::open(connection, RootKind::Live, Arc::default()) else {
        panic!("nobody is there")
    };
    thread.join().unwrap();
    assert_eq!(unreachable.error.message, "lost the agent before the play had ended");
}
