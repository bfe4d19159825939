//! What `file::download` has to do on any host.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use refrain_engine::bundle::File;
use refrain_engine::event::Status;
use refrain_engine::failure::Failure;
use refrain_engine::journal::Calls;
use refrain_engine::module::converge::{Call, Field, Mode, Report};
use refrain_engine::module::{Materials, NoMaterials, Text};
use refrain_engine::system::native::Native;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Content, RootKind, System, View, changes};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::placed;
use crate::web_server::{Answer, Server, ok, redirect, status};

const HELLO: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/// A directory to download into, and surroundings in which no proxy is asked.
struct Desk {
    directory: TempDir,
    system: Rc<dyn System>,
    environment: BTreeMap<String, String>,
    time_left: Option<Duration>,
}

impl Desk {
    fn new() -> Self {
        let directory = TempDir::with_prefix("refrain-download-").unwrap();
        let system = placed(|| Native::new(RootKind::Live), RootKind::Live);
        let environment = [("no_proxy".to_owned(), "*".to_owned())].into();
        Self { directory, system, environment, time_left: None }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("file")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn call(&self, mode: Mode<'_>, url: &str, options: &Value) -> Report {
        let mut arguments = json!({ "url": url, "path": self.path() });
        arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        // A test changes files by hand, too.
        changes::note();
        let registry = refrain_stdlib::registry();
        let calls = Calls::default();
        let call = Call::new(mode, self, &calls);
        registry.get("file::download").unwrap().call(arguments, &call)
    }

    fn download(&self, url: &str, options: &Value) -> Report {
        self.call(Mode::Change(&*self.system), url, options)
    }

    fn overlay(&self) -> Overlay {
        Overlay::new(Rc::clone(&self.system) as Rc<dyn View>)
    }

    /// Why it fails. Nothing is changed then.
    #[track_caller]
    fn refusal(&self, url: &str, options: &Value) -> String {
        let state = || {
            let mode = fs::metadata(self.path()).ok().map(|metadata| metadata.permissions().mode());
            (mode, fs::read(self.path()).ok(), fs::read_dir(self.directory.path()).unwrap().count())
        };
        let before = state();
        let report = self.download(url, options);
        assert_eq!(state(), before);
        report.failure.expect("a failure").to_string()
    }
}

impl Materials for Desk {
    fn render(&self, template: &str, extra: &Map<String, Value>) -> Result<Text, Failure> {
        NoMaterials.render(template, extra)
    }

    fn source(&self, name: &str) -> Result<&File, Failure> {
        NoMaterials.source(name)
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, Failure> {
        NoMaterials.file(name)
    }

    fn directory(&self, _name: &str) -> Option<Vec<String>> {
        None
    }

    fn environment(&self) -> BTreeMap<String, String> {
        self.environment.clone()
    }

    fn time_left(&self) -> Option<Duration> {
        self.time_left
    }
}

fn texts(report: &Report) -> Vec<&str> {
    report.steps.iter().map(|step| step.text.as_str()).collect()
}

#[test]
fn what_is_foretold_without_a_word_to_the_server_is_done_once() {
    for options in [json!({}), json!({ "checksum": HELLO, "mode": "0750" })] {
        let (desk, server) = (Desk::new(), Server::saying(ok(b"hello")));
        let overlay = desk.overlay();
        let predicted = desk.call(Mode::Check(&overlay), &server.url("/hello"), &options);
        assert_eq!(predicted.status, Status::WouldChange, "{:?}", predicted.failure);
        assert_eq!(overlay.read(&desk.path()).unwrap(), Some(Content::Unknown));
        assert_eq!((server.requests().len(), desk.path().exists()), (0, false));

        let made = desk.download(&server.url("/hello"), &options);
        assert_eq!(made.status, Status::Changed, "{:?}", made.failure);
        assert_eq!(texts(&made), texts(&predicted));
        assert_eq!(desk.text(), "hello");
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        assert!(requests[0].starts_with("get /hello http/1.1\n"), "{requests:?}");
        assert!(requests[0].contains("\nuser-agent: refrain/"), "{requests:?}");
        let foretold = overlay.lstat(&desk.path()).unwrap().unwrap().attributes;
        assert_eq!(foretold, desk.system.lstat(&desk.path()).unwrap().unwrap().attributes);

        let again = desk.download(&server.url("/hello"), &options);
        assert_eq!((again.status, again.steps.len(), server.requests().len()), (Status::Ok, 0, 0));
    }
}

#[test]
fn what_is_there_is_kept_without_a_checksum_and_only_its_mode_is_set() {
    let (desk, server) = (Desk::new(), Server::saying(ok(b"hello")));
    fs::write(desk.path(), "mine").unwrap();
    let report = desk.download(&server.url("/"), &json!({ "mode": "0600" }));
    assert_eq!(report.status, Status::Changed);
    assert!(texts(&report)[0].starts_with("set mode 0600"), "{:?}", texts(&report));
    assert_eq!((desk.text().as_str(), server.requests().len()), ("mine", 0));
}

#[test]
fn another_checksum_is_downloaded_over() {
    let (desk, server) = (Desk::new(), Server::saying(ok(b"hello")));
    fs::write(desk.path(), "mine").unwrap();
    let options = json!({ "checksum": HELLO.to_uppercase(), "mode": "0600" });
    let report = desk.download(&server.url("/a?token=x"), &options);
    let step = format!("download {} to {} (mode 0600)", server.url("/a?…"), desk.path().display());
    assert_eq!((report.status, texts(&report)), (Status::Changed, vec![step.as_str()]));
    let mode = fs::metadata(desk.path()).unwrap().permissions().mode() & 0o7777;
    assert_eq!((desk.text().as_str(), mode), ("hello", 0o600));
    assert!(server.requests()[0].starts_with("get /a?token=x http"));
}

#[test]
fn a_wrong_checksum_changes_nothing() {
    let (desk, server) = (Desk::new(), Server::saying(ok(b"something else")));
    let options = json!({ "checksum": HELLO, "mode": "0600" });
    let message = desk.refusal(&server.url("/"), &options);
    assert!(message.starts_with(&format!("`{}` has the checksum sha256:", server.url("/"))), "{message}");
    assert!(message.ends_with(&format!(", not {HELLO}")), "{message}");
    fs::write(desk.path(), "mine").unwrap();
    desk.refusal(&server.url("/"), &options);
    assert_eq!(desk.text(), "mine");
}

#[test]
fn force_compares_and_writes_what_differs() {
    let (desk, server) = (Desk::new(), Server::saying(ok(b"hello\n")));
    let (url, force) = (server.url("/"), json!({ "force": true }));
    let made = desk.download(&url, &force);
    assert_eq!((made.status, server.requests().len()), (Status::Changed, 1));
    let again = desk.download(&url, &force);
    assert_eq!((again.status, server.requests().len()), (Status::Ok, 1));
    fs::write(desk.path(), "mine\n").unwrap();
    let overlay = desk.overlay();
    let predicted = desk.call(Mode::Check(&overlay), &url, &force);
    assert_eq!(
        (predicted.status, predicted.changed, server.requests().len()),
        (Status::MayChange, Field::Unknown, 0)
    );
    let made = desk.download(&url, &force);
    assert_eq!((made.status, server.requests().len()), (Status::Changed, 1));
    assert_eq!(made.steps[0].diff.as_deref(), Some("@@ -1 +1 @@\n-mine\n+hello\n"));

    fs::write(desk.path(), "mine\n").unwrap();
    let options = json!({ "force": true, "headers": { "X-Token": "abc" } });
    let made = desk.download(&url, &options);
    assert!(!made.steps[0].diff.as_ref().unwrap().contains("hello"), "what needs a token is not shown");
    let message = desk.refusal(&url, &json!({ "force": true, "checksum": HELLO }));
    assert_eq!(message, "`force` and `checksum` can't go together");
}

#[test]
fn what_check_mode_does_not_know_may_be_right() {
    let (desk, server) = (Desk::new(), Server::saying(ok(b"hello")));
    let overlay = desk.overlay();
    let first = desk.call(Mode::Check(&overlay), &server.url("/"), &json!({}));
    assert_eq!(first.status, Status::WouldChange);
    let second = desk.call(Mode::Check(&overlay), &server.url("/"), &json!({ "checksum": HELLO }));
    assert_eq!((second.status, second.failure.is_some()), (Status::MayChange, false));
}

#[test]
fn redirects_are_followed_and_headers_stay_with_their_server() {
    let other = Server::saying(ok(b"hello"));
    let away = other.url("/there?signed=1");
    let server = Server::start(move |line| {
        Answer::Bytes(redirect(match line {
            "GET /a HTTP/1.1" => "b/c",
            "GET /b/c HTTP/1.1" => "../d",
            _ => &away,
        }))
    });
    let desk = Desk::new();
    let url = server.url("/a").replace("http://", "http://ada:lovelace@");
    let report = desk.download(&url, &json!({ "headers": { "X-Token": "abc" } }));
    assert_eq!(report.status, Status::Changed, "{:?}", report.failure);
    let requests = server.requests();
    let lines: Vec<_> = requests.iter().filter_map(|request| request.lines().next()).collect();
    assert_eq!(lines, ["get /a http/1.1", "get /b/c http/1.1", "get /d http/1.1"]);
    assert!(requests.iter().all(|request| request.contains("\nx-token: abc\n")), "{requests:?}");
    assert!(requests[0].contains("\nauthorization: basic ywrhomxvdmvsywnl\n"), "{requests:?}");
    let elsewhere = other.requests();
    assert!(elsewhere[0].starts_with("get /there?signed=1 http"), "{elsewhere:?}");
    assert!(!elsewhere[0].contains("x-token") && !elsewhere[0].contains("authorization"), "{elsewhere:?}");
}

#[test]
fn credentials_are_not_shown() {
    let server = Server::saying(status("401 Unauthorized"));
    let (desk, url) = (Desk::new(), server.url("/a?token=hunter2").replace("//", "//ada:hunter2@"));
    let headers = json!({ "headers": { "X-Token": "hunter2" } });
    let message = desk.refusal(&url, &headers);
    assert_eq!(
        message,
        format!("could not download `{}`: it answered 401 (unauthorized)", server.url("/a?…"))
    );
    let report = desk.call(Mode::Check(&desk.overlay()), &url, &headers);
    assert!(!format!("{report:?}").contains("hunter2"));
    let message = desk.refusal("http//ada:hunter2@h/", &json!({}));
    assert!(!message.contains("hunter2"), "{message}");
    let message = desk.refusal(&url, &json!({ "headers": { "X-Token": "hunter2\r\nX: y" } }));
    assert_eq!(message, "the value of the header `X-Token` can't be sent");
}

#[test]
fn what_servers_do_wrong_is_told() {
    let hello = ok(b"hello");
    let head = String::from_utf8_lossy(&hello).replace("hello", "");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let lost = "the connection ended too early";
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (status("404 Not Found"), "it answered 404 (not found)"),
        (status("204 No Content"), "it answered 204 (no content)"),
        (status("500 Oh No"), "it answered 500 (internal server error)"),
        (status("302 Found"), "it answered 302 (found)"),
        (redirect("/again"), "it redirects more than 10 times"),
        (
            redirect("ftp://h/"),
            "it redirects to where nothing can be: it does not begin with `http://` or `https://`",
        ),
        (hello[..hello.len() - 2].into(), "the connection ended after 3 of 5 bytes"),
        (head.into(), "the connection ended after 0 of 5 bytes"),
        (chunked.into(), lost),
        (Vec::new(), lost),
        (b"SSH-2.0-OpenSSH\r\n".into(), "its answer is no HTTP: invalid HTTP version"),
        (ok(&[b'x'; 1001]), "it is larger than 1000 bytes"),
        ([b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; 1001]].concat(), "it is larger than 1000 bytes"),
    ];
    for (answer, expected) in cases {
        let server = Server::saying(answer);
        let message = Desk::new().refusal(&server.url("/"), &json!({ "max_size": 1000 }));
        assert_eq!(message, format!("could not download `{}`: {expected}", server.url("/")));
    }
    // Nobody listens where a listener was just closed.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let message = Desk::new().refusal(&format!("http://127.0.0.1:{port}/"), &json!({}));
    assert!(message.ends_with("connection refused"), "{message}");
}

#[test]
fn a_server_that_keeps_silent_is_left() {
    let part = ok(b"hello");
    let half = part[..part.len() - 2].to_vec();
    for bytes in [Vec::new(), half] {
        let server = Server::start(move |_| Answer::Stall(bytes.clone()));
        let mut desk = Desk::new();
        let expected =
            |seconds: f64| format!("the download of `{}` took longer than {seconds} s", server.url("/"));
        assert_eq!(desk.refusal(&server.url("/"), &json!({ "timeout": 0.2 })), expected(0.2));
        desk.time_left = Some(Duration::from_millis(100));
        assert_eq!(desk.refusal(&server.url("/"), &json!({})), expected(0.1));
    }
}

#[test]
fn a_proxy_is_asked_to_connect() {
    let proxy = Server::saying(status("403 Forbidden"));
    let mut desk = Desk::new();
    desk.environment = [
        ("https_proxy".to_owned(), format!("http://ada:hunter2@127.0.0.1:{}", proxy.port())),
        ("no_proxy".to_owned(), "localhost".to_owned()),
    ]
    .into();
    let message = desk.refusal("https://nowhere.invalid/a", &json!({}));
    assert!(
        message
            .starts_with("could not download `https://nowhere.invalid/a`: the proxy does not lead there: ")
    );
    assert!(!message.contains("hunter2"), "{message}");
    assert!(proxy.requests()[0].starts_with("connect nowhere.invalid:443 http/1.1"));
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_asked() {
    let (desk, server) = (Desk::new(), Server::saying(ok(b"hello")));
    for (url, options, message) in [
        ("ftp://h/a", json!({}), "nothing can be asked at the `url`: it does not begin with"),
        ("http://h /a", json!({}), "nothing can be asked at the `url`: it is no URL"),
        (
            &server.url("/"),
            json!({ "checksum": "d41d8cd9" }),
            "argument `checksum`: a checksum begins with its kind",
        ),
        (
            &server.url("/"),
            json!({ "headers": { "a b": "c" } }),
            "the name of the header `a b` can't be sent",
        ),
        (&server.url("/"), json!({ "timeout": 0 }), "argument `timeout`"),
    ] {
        let refusal = desk.refusal(url, &options);
        assert!(refusal.starts_with(message), "{refusal}");
    }
    let missing = json!({ "path": desk.path().join("deeper") });
    assert!(desk.refusal(&server.url("/"), &missing).starts_with("there is no directory"));
    assert_eq!(server.requests().len(), 0);
}
