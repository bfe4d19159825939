//! Check mode tells the truth: what it predicts is what a run then does, and it changes nothing itself.

use proptest::prelude::*;

use super::*;

/// The same for a person: which syscall found a circle of links is not foretold.
fn readable(ending: Ending) -> Ending {
    let is_circle = |failure: &String| failure.contains("too many levels of symbolic links");
    match ending.failure.as_ref().filter(|failure| is_circle(failure)) {
        Some(_) => Ending { failure: Some("a circle of links".to_owned()), ..ending },
        None => ending,
    }
}

/// Predicts calls one after the other, and makes them.
fn hold_to_prediction(host: &Host, calls: &[(&str, Value)]) -> Result<(), TestCaseError> {
    let (overlay, before) = (host.overlay(), host.tree());
    let foretold: Vec<Ending> = calls
        .iter()
        .map(|(function, arguments)| host.check(&overlay, function, arguments))
        .map(|ending| match ending.status {
            Status::WouldChange => Ending { status: Status::Changed, ..ending },
            _ => ending,
        })
        .map(readable)
        .collect();
    prop_assert_eq!(&host.tree(), &before, "check mode changes nothing");
    let made: Vec<Ending> =
        calls.iter().map(|(function, arguments)| readable(host.run(function, arguments.clone()))).collect();
    prop_assert_eq!(&foretold, &made);
    prop_assert_eq!(tree(&overlay, &host.top), host.tree(), "predictions and what is there");
    Ok(())
}

#[test]
fn what_builds_on_predictions_is_foretold() {
    let scripts: Vec<Vec<(&str, Value)>> = vec![
        vec![
            ("directory", json!({ "path": "/srv/a/b", "mode": "0700" })),
            ("content", json!({ "path": "/srv/a/b/f", "content": "x" })),
            ("content", json!({ "path": "/srv/a/b/f", "content": "x", "mode": "0600" })),
            ("attributes", json!({ "path": "/srv/a", "recurse": true, "mode": "g+rX" })),
        ],
        vec![
            ("directory", json!({ "path": "/srv/real" })),
            ("link", json!({ "path": "/srv/link", "target": "real" })),
            ("content", json!({ "path": "/srv/link/f", "content": "through" })),
            ("copy", json!({ "source": "site", "path": "/srv/link" })),
            ("link", json!({ "path": "/srv/to-file", "target": "link/f" })),
            ("content", json!({ "path": "/srv/to-file", "content": "written" })),
            ("absent", json!({ "path": "/srv/link" })),
            ("content", json!({ "path": "/srv/real/f", "content": "written" })),
        ],
        vec![
            ("content", json!({ "path": "/srv/x", "content": "file" })),
            ("absent", json!({ "path": "/srv/x" })),
            ("directory", json!({ "path": "/srv/x" })),
            ("copy", json!({ "source": "site", "path": "/srv/x" })),
            ("copy", json!({ "source": "/srv/x", "path": "/srv/y", "remote": true })),
            ("absent", json!({ "path": "/srv/x" })),
            ("template", json!({ "source": "secret.j2", "path": "/srv/x" })),
        ],
        vec![
            ("link", json!({ "path": "/srv/dangling", "target": "new/file" })),
            ("content", json!({ "path": "/srv/dangling", "content": "" })),
            ("directory", json!({ "path": "/srv/new" })),
            ("content", json!({ "path": "/srv/dangling", "content": "" })),
            ("directory", json!({ "path": "/srv/dangling" })),
            ("attributes", json!({ "path": "/srv/dangling", "mode": "0400" })),
        ],
        // The last link can be made, but not be reached any more.
        vec![
            ("link", json!({ "path": "/srv/b", "target": "." })),
            ("link", json!({ "path": "/srv/a", "target": "/srv/b" })),
            ("link", json!({ "path": "/srv/a/b", "target": "/srv/a" })),
        ],
    ];
    for calls in scripts {
        for mut host in Host::all() {
            host.play.bring("site/a", b"a", false);
            host.play.bring("site/sub/b", b"b", true);
            hold_to_prediction(&host, &calls).unwrap();
        }
    }
}

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["/srv/a", "/srv/b", "/srv/a/b", "/srv/b/a", "/srv/a/b/a", "/srv/b/a/b"])
}

/// `owner` and `mode`; some of them unknown users' where this machine allows that.
fn attributes() -> impl Strategy<Value = Value> {
    let mode = prop::option::of(prop::sample::select(vec!["0700", "2755", "u=rwX,go=", "a+rX", "g+s"]));
    let is_root = Native::new(RootKind::Live).identity().0 == 0;
    let account = || {
        let numbers =
            prop::sample::select(if is_root { vec![None, Some(0), Some(4001)] } else { vec![None] });
        prop_oneof![2 => Just(None), 1 => numbers]
    };
    (account(), mode).prop_map(|(owner, mode)| json!({ "owner": owner, "mode": mode }))
}

/// The arguments of a call in one map.
fn with(attributes: Value, arguments: Value) -> Value {
    let (Value::Object(mut all), Value::Object(arguments)) = (attributes, arguments) else { panic!() };
    all.extend(arguments);
    Value::Object(all)
}

/// Any call with paths that get in each other's way.
fn call() -> impl Strategy<Value = (&'static str, Value)> {
    let flag = any::<bool>();
    prop_oneof![
        (path(), "[xy]", attributes()).prop_map(|(path, content, attributes)| {
            ("content", with(attributes, json!({ "path": path, "content": content })))
        }),
        (path(), path(), attributes()).prop_map(|(one, other, attributes)| {
            ("directory", with(attributes, json!({ "path": [one, other] })))
        }),
        (path(), attributes())
            .prop_map(|(path, attributes)| ("directory", with(attributes, json!({ "path": path })))),
        (path(), path(), flag).prop_map(|(path, target, force)| {
            ("link", json!({ "path": path, "target": target, "force": force }))
        }),
        (path(), prop::sample::select(vec![".", "b", "../a", "a/b"]))
            .prop_map(|(path, target)| ("link", json!({ "path": path, "target": target }))),
        path().prop_map(|path| ("absent", json!({ "path": path }))),
        (path(), flag, attributes()).prop_map(|(path, recurse, attributes)| {
            ("attributes", with(attributes, json!({ "path": path, "recurse": recurse })))
        }),
        (path(), attributes()).prop_map(|(path, attributes)| {
            ("copy", with(attributes, json!({ "source": "site", "path": path })))
        }),
        (path(), path()).prop_map(|(source, path)| {
            ("copy", json!({ "source": source, "path": path, "remote": true }))
        }),
    ]
}

#[test]
fn a_directory_on_the_way_is_not_a_file_of_the_copy() {
    for mut host in Host::all() {
        host.play.bring("site/a", b"a", false);
        host.play.bring("site/b/a", b"b", true);
        let calls = [
            ("directory", json!({ "path": "/srv/a" })),
            ("link", json!({ "path": "/srv/a/b", "target": "a/b" })),
            ("copy", json!({ "source": "site", "path": "/srv/a" })),
        ];
        hold_to_prediction(&host, &calls).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_called_is_foretold(calls in prop::collection::vec(call(), 1..10)) {
        for mut host in Host::all() {
            host.play.bring("site/a", b"a", false);
            host.play.bring("site/b/a", b"b", true);
            hold_to_prediction(&host, &calls)?;
        }
    }
}
