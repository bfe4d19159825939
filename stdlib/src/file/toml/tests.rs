//! Tests of merging into TOML.

use proptest::prelude::*;
use serde_json::json;

use super::super::edited_file::testing::{edited, table};
use super::*;
use refrain_engine::failure::Failure;

const APP: &str = "\
# The app.
name = 'app' # never change
limits.open = 10
limits . more.x = 1

# Where it listens.
[server] # one
port = 80
hosts = [
  \"a\", # first
  \"b\"  # second
]
tls = { on = true, key = \"k\" }

[server.log]
level = \"info\"

# People.
[[user]]
name = \"x\"

[[user]]
name = \"y\"
";

/// `APP` with one part given way to another.
fn with(old: &str, new: &str) -> String {
    assert!(APP.contains(old), "{old}");
    APP.replacen(old, new, 1)
}

#[test]
fn values_are_replaced_where_they_stand() {
    let server = |value: Value| json!({"merge": {"server": value}});
    table::<FileToml>(&[
        (json!({"merge": {"name": "app", "server": {"port": 80, "tls": {"on": true}}}}), APP, APP),
        (json!({"merge": {"name": "b\"\\"}}), APP, &with("'app'", "\"b\\\"\\\\\"")),
        (
            json!({"merge": {"limits": {"open": 2.5, "more": {"x": [true]}}}}),
            APP,
            &with("10", "2.5").replace("x = 1", "x = [true]"),
        ),
        (server(json!({"port": {"a": 1}})), APP, &with("port = 80", "port = { a = 1 }")),
        (server(json!({"tls": {"key": 2, "new": [1]}})), APP, &with("\"k\" }", "2, new = [1] }")),
        (server(json!({"tls": "off"})), APP, &with("{ on = true, key = \"k\" }", "\"off\"")),
        (json!({"merge": {"a": {"c": 1}}}), "a = {}\n", "a = { c = 1 }\n"),
        (
            json!({"merge": {"a": {"b": {"c": 2}}}}),
            "a = { b.c = 1, d = 2 }\n",
            "a = { b = { c = 2 }, d = 2 }\n",
        ),
        (json!({"merge": {"d": "1979-05-27"}}), "d = 1979-05-27\n", "d = 1979-05-27\n"),
    ]);
}

#[test]
fn new_values_come_last_in_their_table() {
    table::<FileToml>(&[
        (json!({"merge": {"z": 1}}), APP, &with("x = 1\n", "x = 1\nz = 1\n")),
        (json!({"merge": {"limits": {"less": 1}}}), APP, &with("x = 1\n", "x = 1\nlimits.less = 1\n")),
        (
            json!({"merge": {"limits": {"less": {"x": 1}}}}),
            APP,
            &with("x = 1\n", "x = 1\nlimits.less = { x = 1 }\n"),
        ),
        (json!({"merge": {"server": {"z": "a b"}}}), APP, &with("\"k\" }\n", "\"k\" }\nz = \"a b\"\n")),
        (
            json!({"merge": {"server": {"log": {"file": "f", "deep": {"a": 1}}, "new": {}}}}),
            APP,
            &with("\"info\"\n", "\"info\"\nfile = \"f\"\n\n[server.log.deep]\na = 1\n\n[server.new]\n"),
        ),
        (
            json!({"merge": {"b c": {"d": {"e": 1}, "f": 1}}}),
            APP,
            &format!("{APP}\n[\"b c\"]\nf = 1\n\n[\"b c\".d]\ne = 1\n"),
        ),
        (json!({"merge": {"a": {"c": 1}}}), "[a.b]\nx = 1\n", "[a.b]\nx = 1\n\n[a]\nc = 1\n"),
        (json!({"merge": {"c": 1}}), "# top\n\n# a\n[a]\nx = 1\n", "# top\n\nc = 1\n\n# a\n[a]\nx = 1\n"),
        (json!({"merge": {"c": 1}}), "# a\r\n  # b\n[a]\n", "c = 1\n\n# a\r\n  # b\n[a]\n"),
        (json!({"merge": {"c": 1}}), "# top", "# top\nc = 1"),
        (json!({"merge": {"a": {"b": 1}, "c": 1}}), "", "c = 1\n\n[a]\nb = 1\n"),
        (json!({"merge": {"a": {"b": 1}}}), "", "[a]\nb = 1\n"),
        (json!({"merge": {"a": {"b": 1}}}), "x = 1", "x = 1\n\n[a]\nb = 1"),
        (
            json!({"merge": {"a": [{"b": 1, "c": {"d": 1}}]}}),
            "x = 1\n",
            "x = 1\n\n[[a]]\nb = 1\n\n[a.c]\nd = 1\n",
        ),
        (json!({"merge": {"b": 1}}), "a = 1\r\n", "a = 1\r\nb = 1\r\n"),
        (
            json!({"merge": {"a": {"y": 2}, "b": {"z": 3}}}),
            "[a]\nx = 1\r\n",
            "[a]\nx = 1\r\ny = 2\n\n[b]\nz = 3\n",
        ),
    ]);
}

#[test]
fn lists_keep_the_entries_that_stay() {
    let hosts = |value: Value, lists: &str| json!({"merge": {"server": {"hosts": value}}, "lists": lists});
    let users = |value: Value, lists: &str| json!({"merge": {"user": value}, "lists": lists});
    table::<FileToml>(&[
        (hosts(json!(["b", "c"]), "append"), APP, &with("\"b\"  # second\n", "\"b\",  # second\n  \"c\"\n")),
        (hosts(json!(["c", "b"]), "replace"), APP, &with("\"a\"", "\"c\"")),
        (hosts(json!(["b"]), "replace"), APP, &with("  \"a\", # first\n", "")),
        (hosts(json!(["a"]), "replace"), APP, &with("  \"b\"  # second\n", "")),
        (hosts(json!([]), "replace"), APP, &with("[\n  \"a\", # first\n  \"b\"  # second\n]", "[]")),
        (json!({"merge": {"a": [1, 2]}}), "a = [1]\n", "a = [1, 2]\n"),
        (json!({"merge": {"a": [1, 2]}}), "a = [\n\t1,\n]\n", "a = [\n\t1,\n\t2,\n]\n"),
        (
            users(json!([{"name": "y"}, {"name": "z"}]), "append"),
            APP,
            &format!("{APP}\n[[user]]\nname = \"z\"\n"),
        ),
        (users(json!([{"name": "x"}, {"name": "y"}]), "replace"), APP, APP),
        (
            users(json!([{"name": "z"}]), "replace"),
            "[[user]]\nname = \"x\"\n\n[t]\n",
            "\n[t]\n\n[[user]]\nname = \"z\"\n",
        ),
        (users(json!([1]), "replace"), "[[user]]\nname = \"x\"\n", "user = [1]\n\n"),
    ]);
}

#[test]
fn keys_are_removed_and_comments_stay() {
    table::<FileToml>(&[
        (json!({"remove": "name"}), APP, &with("name = 'app' # never change\n", "")),
        (
            json!({"remove": ["server.hosts", "server.tls.on"]}),
            APP,
            &with(
                "hosts = [\n  \"a\", # first\n  \"b\"  # second\n]\ntls = { on = true, key = \"k\" }\n",
                "tls = { key = \"k\" }\n",
            ),
        ),
        (json!({"remove": "limits.open"}), APP, &with("limits.open = 10\n", "")),
        (json!({"remove": "limits.more.x"}), APP, &with("limits . more.x = 1\n", "limits.more = {}\n")),
        (json!({"remove": "server.log"}), APP, &with("[server.log]\nlevel = \"info\"\n", "")),
        (json!({"remove": ["user", "server"]}), "[server]\na = 1\n# c\n[server.b]\n[[user]]\nx = 1", "# c"),
        (json!({"remove": "a.b"}), "[a.b]\nx = 1\n", "[a]\n"),
        (json!({"remove": "a.b"}), "[a]\nb = 1\n", "[a]\n"),
        (json!({"remove": ["x", "a.b.c", "user.name"]}), "a.b = 1\n[[user]]\n", "a.b = 1\n[[user]]\n"),
    ]);
}

#[test]
fn a_table_gives_way_to_a_value() {
    table::<FileToml>(&[
        (json!({"merge": {"a": 1}}), "b = 1\n\n[a]\nx = 1\n[a.c]\n", "b = 1\na = 1\n\n"),
        (json!({"merge": {"a": 1}}), "a.b = 1\na.c = 2\nd = 1\n", "d = 1\na = 1\n"),
    ]);
}

fn failure(arguments: &Value, text: &str) -> String {
    match edited::<FileToml>(arguments, text).unwrap_err() {
        Failure::Source(diagnostic) => diagnostic.to_string(),
        other => other.to_string(),
    }
}

#[test]
fn what_is_not_valid_is_pointed_at() {
    let merge = json!({"merge": {"a": 1}});
    insta::assert_snapshot!(failure(&merge, "b = 1\nb = 2\n"), @r"
    not valid TOML: duplicate key
     --> /file:2:1
      |
    2 | b = 2
      | ^
    ");
    assert_eq!(Toml::unsuitable(&json!({"a": [null]})), Some("nothing, and TOML has no word for that"));
    assert_eq!(Toml::unsuitable(&json!(u64::MAX)), Some("too large an integer for TOML"));
    assert_eq!(Toml::unsuitable(&json!([1, "a", {"b": 1.5}])), None);
}

/// Documents that are put together of lines, and what they have in common with `b` as their last key.
fn documents() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("1"),
        Just("\"x\""),
        Just("[1, 2]"),
        Just("[\n  1, # i\n  2 # j\n]"),
        Just("{ a = 1 }"),
        Just("{}"),
        Just("[{ a = 1 }]"),
        Just("2000-01-01"),
    ];
    let body = proptest::collection::btree_map("[abc]|d\\.a|d\\.b", value, 0..3);
    let tables = proptest::collection::btree_set("\\[e\\]|\\[f\\.g\\]|\\[f\\]|\\[e\\.a\\]", 0..4);
    (body.clone(), tables, proptest::collection::vec(body, 4), any::<bool>()).prop_map(
        |(root, tables, bodies, list)| {
            let mut notes = 0;
            let mut note = || {
                notes += 1;
                format!("# {notes}.\n")
            };
            let mut lines = |body: std::collections::BTreeMap<String, &str>| {
                body.into_iter()
                    .map(|(key, value)| format!("{}{key} = {value} {}", note(), note()))
                    .collect::<String>()
            };
            let mut text = lines(root);
            for (header, body) in tables.into_iter().zip(bodies) {
                text.push_str(&format!("\n{header} # h\n{}", lines(body)));
            }
            if list {
                text.push_str("\n[[l]]\nx = 1\n[[l]]\n");
            }
            text
        },
    )
}

proptest! {
    #[test]
    fn no_comment_is_lost_where_values_are_added(text in documents()) {
        prop_assume!(Toml::read(&text).is_ok());
        let new = json!({"z": 1, "y": {"x": 1}});
        let wanted = json!({"z": 1, "y": [{"x": 1}], "d": new, "e": {"a": new, "z": "new"}, "f": {"g": new}});
        let after = edited::<FileToml>(&json!({"merge": wanted}), &text);
        prop_assert!(after.is_ok(), "{}\n{:?}", text, after);
        let after = after.unwrap();
        // A value of `e.a` gives way to a table; nothing else has comments in it.
        for line in text.lines().filter_map(|line| line.find("# ").map(|at| &line[at..])) {
            prop_assert!(after.contains(line) || text.contains("[e]"), "{} in\n{}\n{}", line, text, after);
        }
    }

    #[test]
    fn every_document_can_become_another(text in documents(), other in documents(), append in any::<bool>()) {
        prop_assume!(Toml::read(&text).is_ok());
        let Ok(Value::Object(wanted)) = Toml::read(&other) else { return Ok(()) };
        let arguments = json!({"merge": wanted, "lists": if append { "append" } else { "replace" }});
        // That the text says what it should is checked by the function itself.
        let after = edited::<FileToml>(&arguments, &text);
        prop_assert!(after.is_ok(), "{}\n{}\n{:?}", text, arguments, after);
        let after = after.unwrap();
        for keys in [json!(["a", "d.a", "e"]), json!(["d.a", "d.b", "f.g", "l"]), json!(["b.a", "c", "e.a.a", "d"])] {
            let without = edited::<FileToml>(&json!({"remove": keys}), &after);
            prop_assert!(without.is_ok(), "{}\n{}\n{:?}", after, keys, without);
        }
    }
}
