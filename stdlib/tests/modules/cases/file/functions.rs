//! What each function does, and what it refuses.

use refrain_engine::script::marks::UNKNOWN;

use super::*;

#[test]
fn a_file_gets_its_text_and_its_mode() {
    for host in Host::all() {
        let steps = host.change("content", json!({ "path": "/srv/a", "content": "one\n" }));
        assert_eq!(steps, ["create /srv/a (mode 0644)"]);
        let steps =
            host.change("content", json!({ "path": "/srv/a", "content": "two\n", "mode": "u=rw,go=" }));
        assert_eq!(steps, ["set mode 0600 (was 0644) of /srv/a", "write /srv/a"]);
        assert_eq!((host.text("/srv/a"), host.mode("/srv/a")), ("two\n".to_owned(), "0600".to_owned()));
        let kept = host.change("content", json!({ "path": "/srv/a", "content": "" }));
        assert_eq!((kept, host.mode("/srv/a").as_str()), (vec!["write /srv/a".to_owned()], "0600"));
    }
}

#[test]
fn a_files_difference_is_shown() {
    let host = Host::sandbox();
    host.run("content", json!({ "path": "/srv/a", "content": "a\nb\n" }));
    let ending = host.run("content", json!({ "path": "/srv/a", "content": "a\nc\n" }));
    assert_eq!(ending.diffs, ["@@ -1,2 +1,2 @@\n a\n-b\n+c\n"]);
}

#[test]
fn a_link_is_written_through() {
    for host in Host::all() {
        host.change("link", json!({ "path": "/srv/link", "target": "there" }));
        let steps = host.change("content", json!({ "path": "/srv/link", "content": "x" }));
        assert_eq!(steps, ["create /srv/there (mode 0644)"]);
        host.change("attributes", json!({ "path": "/srv/link", "mode": "0600" }));
        assert_eq!(host.mode("/srv/there"), "0600");
        assert_eq!(host.system.read_link(&host.path("/srv/link")).unwrap(), Some("there".into()));
    }
}

#[test]
fn what_is_in_the_way_is_told() {
    for host in Host::all() {
        host.run("directory", json!({ "path": "/srv/d/e" }));
        host.run("content", json!({ "path": "/srv/f", "content": "" }));
        let cases = [
            ("content", json!({ "path": "/srv/d", "content": "" }), "`/srv/d` is a directory"),
            ("content", json!({ "path": "/srv/x/y", "content": "" }), "there is no directory `/srv/x`"),
            (
                "content",
                json!({ "path": "/srv/f/y", "content": "" }),
                "`/srv/f/y` can't be there: `/srv/f` is a file",
            ),
            ("directory", json!({ "path": "/srv/f" }), "`/srv/f` is a file, not a directory"),
            ("directory", json!({ "path": "/srv/f/x/y" }), "`/srv/f/x` can't be there: `/srv/f` is a file"),
            ("link", json!({ "path": "/srv/f", "target": "d" }), "`/srv/f` is a file, not a link"),
            (
                "link",
                json!({ "path": "/srv/d", "target": "f", "force": true }),
                "`/srv/d` is a directory, not a link",
            ),
            ("link", json!({ "path": "/srv/x/y", "target": "f" }), "there is no directory `/srv/x`"),
            ("attributes", json!({ "path": "/srv/x", "mode": "0600" }), "there is nothing at `/srv/x`"),
        ];
        for (function, arguments, message) in cases {
            let (found, hint) = host.refused(function, arguments);
            assert_eq!(found, message);
            assert!(!hint.is_empty() || message.contains("can't be there"), "no hint: {message}");
        }
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let host = Host::sandbox();
    for (function, arguments, message) in [
        ("absent", json!({ "path": "/" }), "the root directory can't be removed"),
        (
            "absent",
            json!({ "path": "/srv/.." }),
            "argument `path`: a path on the host can't have `..` in it, got `/srv/..`",
        ),
        ("link", json!({ "path": "/srv/l", "target": "" }), "a link can't point to nothing"),
        ("attributes", json!({ "path": "/srv" }), "nothing is asked for"),
        (
            "directory",
            json!({ "path": "/srv", "recurse": true }),
            "nothing is asked for that `recurse` could spread",
        ),
    ] {
        assert_eq!(host.refused(function, arguments).0, message);
    }
}

#[test]
fn directories_are_made_with_those_above_them() {
    for host in Host::all() {
        let steps = host.change("directory", json!({ "path": "/srv/a/b/c", "mode": "0700" }));
        assert_eq!(
            steps,
            [
                "make directory /srv/a (mode 0755)",
                "make directory /srv/a/b (mode 0755)",
                "make directory /srv/a/b/c (mode 0700)"
            ]
        );
        // Named after it was made on the way to another one, a directory is as it is asked for.
        let steps =
            host.change("directory", json!({ "path": ["/srv/x/y", "/srv/x", "/srv/x"], "mode": "0750" }));
        assert_eq!(steps, ["make directory /srv/x (mode 0750)", "make directory /srv/x/y (mode 0750)"]);
        let steps = host.change("directory", json!({ "path": ["/srv/x", "/srv/x"], "mode": "0755" }));
        assert_eq!(steps, ["set mode 0755 (was 0750) of /srv/x"]);
    }
}

#[test]
fn a_directory_can_be_a_link_to_one() {
    for host in Host::all() {
        host.change("link", json!({ "path": "/srv/link", "target": "real" }));
        assert_eq!(
            host.change("directory", json!({ "path": ["/srv/link", "/srv/link/a"] })),
            ["make directory /srv/real (mode 0755)", "make directory /srv/real/a (mode 0755)"]
        );
        assert_eq!(host.run("directory", json!({ "path": "/srv/real/a" })).status, Status::Ok);
    }
}

#[test]
fn attributes_reach_everything_below() {
    for host in Host::all() {
        host.run("directory", json!({ "path": "/srv/d/sub" }));
        host.run("content", json!({ "path": "/srv/d/sub/tool", "content": "", "mode": "0711" }));
        host.run("content", json!({ "path": "/srv/d/plain", "content": "" }));
        host.run("link", json!({ "path": "/srv/d/link", "target": "/srv/outside" }));
        host.run("content", json!({ "path": "/srv/outside", "content": "" }));
        host.change("directory", json!({ "path": "/srv/d", "recurse": true, "mode": "u=rwX,g=rX,o=" }));
        let modes = ["/srv/d", "/srv/d/sub", "/srv/d/sub/tool", "/srv/d/plain", "/srv/outside"];
        assert_eq!(modes.map(|path| host.mode(path)), ["0750", "0750", "0750", "0640", "0644"]);
    }
}

#[test]
fn a_link_is_replaced_and_other_things_only_by_force() {
    for host in Host::all() {
        host.change("link", json!({ "path": "/srv/l", "target": "a" }));
        assert_eq!(
            host.change("link", json!({ "path": "/srv/l", "target": "/b" })),
            ["link /srv/l -> /b (was a)"]
        );
        host.run("content", json!({ "path": "/srv/f", "content": "" }));
        host.run("directory", json!({ "path": "/srv/d" }));
        for path in ["/srv/f", "/srv/d"] {
            let steps = host.change("link", json!({ "path": path, "target": "l", "force": true }));
            assert!(steps[0].starts_with("remove ") && steps[1].ends_with(" -> l"), "{steps:?}");
        }
    }
}

#[test]
fn what_is_removed_is_gone_with_what_is_in_it() {
    for host in Host::all() {
        host.run("directory", json!({ "path": "/srv/d/e" }));
        host.run("content", json!({ "path": "/srv/kept", "content": "" }));
        host.run("link", json!({ "path": "/srv/d/e/link", "target": "/srv/kept" }));
        host.run("link", json!({ "path": "/srv/link", "target": "d" }));
        let steps =
            host.change("absent", json!({ "path": ["/srv/link", "/srv/d", "/srv/d/e", "/srv/none"] }));
        assert_eq!(steps, ["remove link /srv/link", "remove directory /srv/d"]);
        assert_eq!(host.tree().len(), 2, "/srv and /srv/kept");
    }
}

#[test]
fn a_file_with_a_secret_is_private_and_not_shown() {
    for host in Host::all() {
        let secret =
            |path: &str| json!({ "source": "secret.j2", "path": path, "vars": { "password": "hunter2" } });
        let ending = host.run("template", secret("/srv/s"));
        assert_eq!(ending.steps, ["create /srv/s (mode 0600)"]);
        assert_eq!(ending.diffs, ["(content not shown: 0 -> 33 bytes)\n"]);
        assert!(host.text("/srv/s").contains("hunter2"));
        host.run("content", json!({ "path": "/srv/open", "content": "" }));
        let ending = host.run("template", secret("/srv/open"));
        assert_eq!(
            (ending.steps, host.mode("/srv/open").as_str()),
            (vec!["write /srv/open".to_owned()], "0644")
        );
        assert_eq!(host.run("template", secret("/srv/open")).status, Status::Ok);
    }
}

#[test]
fn a_copy_of_a_file_takes_over_whether_it_can_be_executed() {
    for mut host in Host::all() {
        host.play.bring("tool", b"#!/bin/sh\n", true);
        host.play.bring("motd", b"hello", false);
        assert_eq!(
            host.change("copy", json!({ "source": "tool", "path": "/srv/tool" })),
            ["create /srv/tool (mode 0755)"]
        );
        assert_eq!(
            host.change("copy", json!({ "source": "motd", "path": "/srv/motd", "mode": 0o600 })),
            ["create /srv/motd (mode 0600)"]
        );
        let (message, _) =
            host.refused("copy", json!({ "source": "motd", "path": "/srv/motd", "directory_mode": "0700" }));
        assert_eq!(message, "`directory_mode` is for the copy of a directory, and `motd` is a file");
        assert_eq!(
            host.refused("copy", json!({ "source": "mtod", "path": "/srv/motd" })).0,
            "no file `mtod`"
        );
    }
}

#[test]
fn a_large_file_is_fetched_only_when_it_differs() {
    for mut host in Host::all() {
        let large = vec![b'x'; 300 * 1024];
        host.play.bring("large", &large, false);
        let arguments = json!({ "source": "large", "path": "/srv/large" });
        assert_eq!(host.run("copy", arguments.clone()).status, Status::Changed);
        assert_eq!(host.play.fetched(), ["large"], "once, also for the second look");
        assert_eq!(host.run("copy", arguments.clone()).status, Status::Ok);
        host.run("attributes", json!({ "path": "/srv/large", "mode": "0600" }));
        assert_eq!(
            host.run("copy", json!({ "source": "large", "path": "/srv/large", "mode": "0644" })).steps,
            ["set mode 0644 (was 0600) of /srv/large"]
        );
        assert_eq!(host.play.fetched(), [""; 0]);
        let mut other = large;
        other[1000] = b'y';
        host.play.bring("large", &other, false);
        assert_eq!(host.run("copy", arguments).steps, ["write /srv/large"]);
        assert_eq!(host.play.fetched(), ["large"]);
    }
}

#[test]
fn a_directory_is_copied_into_what_is_there() {
    for mut host in Host::all() {
        host.play.bring("site/index.html", b"<p>", false);
        host.play.bring("site/cgi/run", b"#!", true);
        host.play.bring("site/cgi/lib/a", b"a", false);
        host.play.bring("site/cgi/lib/b", b"b", false);
        host.run("directory", json!({ "path": "/srv/www/cgi", "mode": "0700" }));
        host.run("content", json!({ "path": "/srv/www/own", "content": "stays" }));
        let steps =
            host.change("copy", json!({ "source": "site/", "path": "/srv/www", "directory_mode": "0750" }));
        assert_eq!(
            steps,
            [
                "set mode 0750 (was 0755) of /srv/www",
                "set mode 0750 (was 0700) of /srv/www/cgi",
                "make directory /srv/www/cgi/lib (mode 0750)",
                "create /srv/www/cgi/lib/a (mode 0644)",
                "create /srv/www/cgi/lib/b (mode 0644)",
                "create /srv/www/cgi/run (mode 0755)",
                "create /srv/www/index.html (mode 0644)",
            ]
        );
        assert_eq!(host.text("/srv/www/own"), "stays");
        host.run("link", json!({ "path": "/srv/elsewhere", "target": "new" }));
        host.change("copy", json!({ "source": "site", "path": "/srv/elsewhere" }));
        assert_eq!(host.text("/srv/new/cgi/lib/a"), "a");
    }
}

#[test]
fn copies_on_the_host_are_no_more_open_than_their_source() {
    for host in Host::all() {
        host.run("directory", json!({ "path": "/srv/from/sub/empty" }));
        host.run("content", json!({ "path": "/srv/from/private", "content": "p", "mode": "0640" }));
        host.run("content", json!({ "path": "/srv/from/sub/tool", "content": "t", "mode": "4777" }));
        host.run("link", json!({ "path": "/srv/from/link", "target": "private" }));
        host.run("link", json!({ "path": "/srv/from/loop", "target": "." }));
        assert_eq!(
            host.change("copy", json!({ "source": "/srv/from", "path": "/srv/to", "remote": true })),
            [
                "make directory /srv/to (mode 0755)",
                "make directory /srv/to/sub (mode 0755)",
                "create /srv/to/link (mode 0640)",
                "create /srv/to/private (mode 0640)",
                "create /srv/to/sub/tool (mode 0755)",
            ]
        );
        for (source, path, message) in [
            ("/srv/from", "/srv/from/sub", "`/srv/from` can't be copied into itself"),
            ("/srv/none", "/srv/x", "there is no `/srv/none` on the host"),
            ("from", "/srv/x", "a path on the host has to be absolute, got `from`"),
        ] {
            let refused = host.refused("copy", json!({ "source": source, "path": path, "remote": true }));
            assert_eq!(refused.0, message);
        }
    }
}

#[test]
fn questions_are_answered() {
    for host in Host::all() {
        host.run("directory", json!({ "path": "/srv/d" }));
        host.run("content", json!({ "path": "/srv/d/f", "content": "text", "mode": "0600" }));
        host.run("link", json!({ "path": "/srv/d/l", "target": "nothing" }));
        let ask = |function, path| host.ask(Mode::Change(&*host.system), function, path);
        let known = |function, path| ask(function, path).unwrap().unwrap();
        assert_eq!(known("exists", "/srv/d/f"), json!(true));
        assert_eq!(known("exists", "/srv/d/l"), json!(false), "it leads nowhere");
        assert_eq!(known("list", "/srv/d"), json!(["f", "l"]));
        assert_eq!(known("list", "/srv/none"), json!([]));
        assert_eq!(known("read", "/srv/d/f"), json!("text"));
        assert_eq!(known("stat", "/srv/none"), Value::Null);
        let stat = known("stat", "/srv/d/f");
        assert_eq!(
            (&stat["kind"], &stat["mode"], &stat["size"]),
            (&json!("file"), &json!("0600"), &json!(4))
        );
        let link = known("stat", "/srv/d/l");
        assert_eq!((&link["kind"], &link["target"]), (&json!("link"), &json!("nothing")));
        assert_eq!(ask("read", "/srv/none").unwrap_err(), "there is no file `/srv/none`");
        host.system.write(&host.path("/srv/b"), b"\xff", Attributes { mode: 0o600, uid: 0, gid: 0 }).unwrap();
        assert_eq!(ask("read", "/srv/b").unwrap_err(), "`/srv/b` is not UTF-8 text");
        assert!(ask("read", "/srv/d").unwrap_err().contains("is a directory"));
    }
}

#[test]
fn what_is_unknown_stays_unknown() {
    for host in Host::all() {
        let overlay = host.overlay();
        let unknown = json!({ "path": "/srv/f", "content": format!("a {UNKNOWN}") });
        assert_eq!(host.check(&overlay, "content", &unknown).status, Status::WouldChange, "it is a new file");
        assert_eq!(host.ask(Mode::Check(&overlay), "read", "/srv/f"), Ok(None));
        let again = host.check(&overlay, "content", &unknown);
        assert_eq!(
            (again.status, again.steps[0].as_str()),
            (Status::MayChange, "write /srv/f, if its content differs")
        );
        let known = json!({ "path": "/srv/f", "content": "k" });
        assert_eq!(host.check(&overlay, "content", &known).status, Status::MayChange);
        assert_eq!(host.check(&overlay, "content", &known).status, Status::Ok);
    }
}

#[test]
fn owners_are_given_where_that_is_allowed() {
    if !is_root() {
        return;
    }
    for host in Host::all() {
        let steps = host
            .change("content", json!({ "path": "/srv/f", "content": "", "owner": 4001, "group": "4002" }));
        assert_eq!(steps, ["create /srv/f (mode 0644)"]);
        host.change("directory", json!({ "path": "/srv/d", "group": 4003, "mode": "2775" }));
        let steps = host.change("attributes", json!({ "path": "/srv/f", "owner": "root" }));
        assert_eq!(steps, ["set owner 0 (was 4001) of /srv/f"]);
        host.change("content", json!({ "path": "/srv/d/inherits", "content": "" }));
        host.change("content", json!({ "path": "/srv/d/own", "content": "", "group": 0 }));
        host.change("directory", json!({ "path": "/srv/d/sub/deeper" }));
        let group = |path: &str| host.system.lstat(&host.path(path)).unwrap().unwrap().attributes.gid;
        let groups = ["/srv/d/inherits", "/srv/d/own", "/srv/d/sub/deeper"].map(group);
        assert_eq!(groups, [4003, 0, 4003]);
        assert_eq!(host.mode("/srv/d/sub/deeper"), "2755");
    }
}
