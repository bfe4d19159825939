//! What `http::request` has to do on any host.

use std::rc::Rc;

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Field, Mode, Report};
use refrain_engine::system::native::Native;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{RootKind, System, View};
use serde_json::{Value, json};

use super::placed;
use crate::web_server::{Answer, Server, ok, redirect, status};

fn this_machine() -> Rc<dyn System> {
    placed(|| Native::new(RootKind::Live), RootKind::Live)
}

fn call(mode: Mode<'_>, url: &str, options: &Value) -> Report {
    let mut arguments = json!({ "url": url });
    arguments.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let registry = refrain_stdlib::registry();
    registry.get("http::request").unwrap().call(arguments, &Call::new(mode, &NoMaterials, &Calls::default()))
}

fn request(url: &str, options: &Value) -> Report {
    call(Mode::Change(&*this_machine()), url, options)
}

#[track_caller]
fn field(report: &Report, name: &str) -> Value {
    match report.fields.iter().find(|(known, _)| known == name) {
        Some((_, Field::Known(value))) => value.clone(),
        other => panic!("{name}: {other:?}, {:?}", report.failure),
    }
}

#[test]
fn an_answer_is_taken_apart() {
    let json = ok(b"{ \"leader\": \"core\", \"peers\": [1] }");
    let server = Server::start(move |first| match first {
        "GET /old HTTP/1.1" => Answer::Bytes(redirect("/new")),
        _ => Answer::Bytes(json.clone()),
    });
    let report = request(&server.url("/old"), &json!({ "headers": { "X-Token": "t" } }));
    assert_eq!(report.status, Status::Ok, "{:?}", report.failure);
    assert_eq!(field(&report, "status"), 200);
    assert_eq!(field(&report, "json"), json!({ "leader": "core", "peers": [1] }));
    assert_eq!(field(&report, "body"), "{ \"leader\": \"core\", \"peers\": [1] }");
    assert_eq!(field(&report, "headers")["content-length"], "34");
    assert_eq!(field(&report, "url"), server.url("/new"));
    assert!(server.requests().iter().all(|request| request.contains("\nx-token: t\n")));
}

#[test]
fn each_kind_of_content_is_sent_as_what_it_is() {
    for (options, kind, sent) in [
        (json!({ "json": { "a": [1, "é"] } }), "application/json", "{\"a\":[1,\"é\"]}"),
        (
            json!({ "form": { "b c": "d&e", "a": "é" } }),
            "application/x-www-form-urlencoded",
            "a=%c3%a9&b+c=d%26e",
        ),
        (json!({ "body": "plain" }), "text/plain; charset=utf-8", "plain"),
        (json!({ "body": "<a/>", "headers": { "Content-Type": "text/xml" } }), "text/xml", "<a/>"),
    ] {
        let server = Server::saying(ok(b""));
        let mut options = options;
        options["method"] = json!("PUT");
        let report = request(&server.url("/x"), &options);
        assert_eq!(report.status, Status::Changed, "{:?}", report.failure);
        let asked = server.requests().remove(0);
        assert!(asked.starts_with("put /x http/1.1\n") && asked.ends_with(&format!("\n\n{sent}")), "{asked}");
        assert!(asked.contains(&format!("\ncontent-type: {kind}\n")), "{asked}");
    }
}

#[test]
fn a_name_and_a_password_are_a_header() {
    let server = Server::saying(ok(b""));
    request(&server.url("/"), &json!({ "user": "ada", "password": "lovelace" }));
    assert!(server.requests()[0].contains("\nauthorization: basic ywrhomxvdmvsywnl\n"));
}

#[test]
fn check_mode_asks_and_does_not_act() {
    let server = Server::saying(ok(b"x"));
    let overlay = Overlay::new(this_machine() as Rc<dyn View>);
    let asked = call(Mode::Check(&overlay), &server.url("/"), &json!({}));
    assert_eq!((asked.status, field(&asked, "body")), (Status::Ok, json!("x")));
    let done = call(Mode::Check(&overlay), &server.url("/"), &json!({ "method": "DELETE" }));
    assert_eq!((done.status, done.undeclared), (Status::Skipped, true));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_is_not_expected_is_a_failure_that_shows_the_answer() {
    let server = Server::start(|first| match first {
        "GET /teapot HTTP/1.1" => {
            Answer::Bytes(b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 5\r\n\r\nshort".to_vec())
        }
        _ => Answer::Bytes(status("403 Forbidden")),
    });
    let refused = |path: &str, options: &Value| {
        request(&server.url(path), options).failure.expect("a failure").to_string()
    };
    assert!(refused("/teapot", &json!({})).contains("answered 418: short"));
    assert!(refused("/", &json!({})).contains("answered 403"));
    assert!(request(&server.url("/teapot"), &json!({ "status": [200, 418] })).failure.is_none());
    let moved = Server::saying(redirect("/elsewhere"));
    // What changes something is not done again elsewhere.
    let refused =
        request(&moved.url("/"), &json!({ "method": "POST", "body": "secret" })).failure.unwrap().to_string();
    assert!(refused.contains("answered 302") && moved.requests().len() == 1, "{refused}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anybody_is_asked() {
    let server = Server::saying(ok(b""));
    for (options, expected) in [
        (json!({ "method": "get" }), "is no method"),
        (json!({ "body": "a", "json": 1 }), "only one of"),
        (json!({ "password": "x" }), "needs a `user`"),
        (json!({ "headers": { "a b": "c" } }), "the name of the header"),
        (json!({ "methd": "GET" }), "unknown argument `methd`"),
    ] {
        let refused = request(&server.url("/"), &options).failure.expect("a failure").to_string();
        assert!(refused.contains(expected), "{refused}");
    }
    assert!(server.requests().is_empty());
}
