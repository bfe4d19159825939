//! Tests of merging into YAML.

use proptest::prelude::*;
use serde_json::json;

use super::super::edited_file::testing::{edited, table};
use super::*;
use refrain_engine::failure::Failure;

const NETWORK: &str = "\
# The network.
network:
  version: 2 # do not touch

  ethernets:
    # The uplink.
    eth0:
      dhcp4: no
      addresses: # static
        - 192.0.2.1/24   # first
        # a note
        - 192.0.2.2/24

  # Tunnels come later.
renderer: 'networkd'
";

/// `NETWORK` with one line given way to others.
fn with(old: &str, new: &str) -> String {
    assert!(NETWORK.contains(old));
    NETWORK.replacen(old, new, 1)
}

#[test]
fn values_are_replaced_where_they_stand() {
    table::<FileYaml>(&[
        (json!({"merge": {"network": {"version": 2}, "renderer": "networkd"}}), NETWORK, NETWORK),
        (
            json!({"merge": {"network": {"version": 3}, "renderer": "NetworkManager"}}),
            NETWORK,
            &with("2 #", "3 #").replace("networkd", "NetworkManager"),
        ),
        (
            json!({"merge": {"network": {"ethernets": {"eth0": {"dhcp4": true}}}}}),
            NETWORK,
            &with("dhcp4: no", "dhcp4: true"),
        ),
        (
            json!({"merge": {"network": {"version": {"a": 1}}}}),
            NETWORK,
            &with("version: 2 # do not touch\n", "version: # do not touch\n    a: 1\n"),
        ),
        (
            json!({"merge": {"network": {"ethernets": null}}}),
            NETWORK,
            "# The network.\nnetwork:\n  version: 2 # do not touch\n\n  ethernets: null\n\n  # Tunnels come later.\n\
             renderer: 'networkd'\n",
        ),
        (json!({"merge": {"a": 1}}), "a:\nb: 2\n", "a: 1\nb: 2\n"),
        (json!({"merge": {"a": {"c": 1}}}), "a: # why\nb: 2\n", "a: # why\n  c: 1\nb: 2\n"),
        (json!({"merge": {"a": "x"}}), "a: \"y\"\n", "a: \"x\"\n"),
        (json!({"merge": {"a": "yes"}}), "a: yes\n", "a: \"yes\"\n"),
        (json!({"merge": {"a": "x"}}), "a: |\n  b\n  c\nd: 1\n", "a: x\nd: 1\n"),
        (json!({"merge": {"a": "x\ny\n"}}), "a: b # c\nd: 1\n", "a: | # c\n  x\n  y\nd: 1\n"),
        (json!({"merge": {"a": "x"}}), "a: >-\n\n  b\n\n\n# c\nd: 1\n", "a: x\n\n\n# c\nd: 1\n"),
        (json!({"merge": {"a": 1}}), "a:\n  b\n  c # d\n", "a: 1\n"),
        (json!({"merge": {"a": 1}}), "a: b\n  c # d\n", "a: 1 # d\n"),
        (
            json!({"merge": {"a": [1, {"b": 2, "c": [3]}, [4]]}}),
            "a: 1\n",
            "a:\n  - 1\n  - b: 2\n    c:\n      - 3\n  - - 4\n",
        ),
    ]);
}

#[test]
fn new_keys_come_last_in_their_map() {
    table::<FileYaml>(&[
        (
            json!({"merge": {"network": {"ethernets": {"eth0": {"mtu": 9000}, "eth1": {"dhcp4": true}}}}}),
            NETWORK,
            &with(
                "        - 192.0.2.2/24\n",
                "        - 192.0.2.2/24\n      mtu: 9000\n    eth1:\n      dhcp4: true\n",
            ),
        ),
        (json!({"merge": {"b": "c: d"}}), "a: 1", "a: 1\nb: \"c: d\""),
        (json!({"merge": {"b": "x\ny\n"}}), "a: 1", "a: 1\nb: \"x\\ny\\n\""),
        (json!({"merge": {"b": 1}}), "# only a comment", "# only a comment\nb: 1\n"),
        (json!({"merge": {"b": 1}}), "---\n", "---\nb: 1\n"),
        (json!({"merge": {"b": 1}}), "--- # c\na: 1\n...\n", "--- # c\na: 1\nb: 1\n...\n"),
        (json!({"merge": {"b": {"c": 1}}}), "", "b:\n  c: 1\n"),
        (json!({"merge": {"b": 1}}), "{}\n", "b: 1\n"),
        (json!({"merge": {"a": {"b": 1}}}), "a: {} # c\n", "a: # c\n  b: 1\n"),
        (json!({"merge": {"b": 1}}), "a: |+\n  x\n\n", "a: |+\n  x\n\nb: 1\n"),
        (json!({"merge": {"b": 1}}), "a: |\n  x\n\n# end\n", "a: |\n  x\nb: 1\n\n# end\n"),
        (json!({"merge": {"a": {"c": 1}}}), "a:\n    b: 1\nd:\n- 1\n", "a:\n    b: 1\n    c: 1\nd:\n- 1\n"),
        (json!({"merge": {"e": [1]}}), "a:\n    b: 1\nd:\n- 1\n", "a:\n    b: 1\nd:\n- 1\ne:\n- 1\n"),
        (json!({"merge": {"on": 1}}), "é: ü\r\n", "é: ü\r\n\"on\": 1\r\n"),
        (json!({"merge": {"a": {"c": 2}}}), "a: {b: 1}\n", "a: {b: 1, c: 2}\n"),
        (json!({"merge": {"a": {"b": 2}}}), "a: {b, c}\n", "a: {b: 2, c}\n"),
        (
            json!({"merge": {"a": {"c": "x,y"}}}),
            "a: {\n  b: 1, # d\n}\n",
            "a: {\n  b: 1, # d\n  c: \"x,y\",\n}\n",
        ),
        (json!({"merge": {"a": [1, 2]}}), "a: [\n  1 # b\n  # c\n]\n", "a: [\n  1, # b\n  2\n  # c\n]\n"),
        (json!({"merge": {"b": [1]}}), "{\n  \"a\": 1\n}\n", "{\n  \"a\": 1,\n  b: [1]\n}\n"),
    ]);
}

#[test]
fn lists_keep_the_entries_that_stay() {
    let addresses = |wanted: Value, lists: &str| json!({"merge": {"network": {"ethernets": {"eth0": {"addresses": wanted}}}}, "lists": lists});
    let first = "        - 192.0.2.1/24   # first\n";
    let second = "        - 192.0.2.2/24\n";
    table::<FileYaml>(&[
        (
            addresses(json!(["192.0.2.3/24", "192.0.2.1/24"]), "append"),
            NETWORK,
            &with(second, &format!("{second}        - 192.0.2.3/24\n")),
        ),
        (
            addresses(json!(["192.0.2.3/24", "192.0.2.2/24"]), "replace"),
            NETWORK,
            &with(first, "        - 192.0.2.3/24\n"),
        ),
        (addresses(json!(["192.0.2.2/24"]), "replace"), NETWORK, &with(first, "")),
        (
            addresses(json!(["192.0.2.3/24", "192.0.2.1/24", "192.0.2.2/24"]), "replace"),
            NETWORK,
            &with(first, &format!("        - 192.0.2.3/24\n{first}")),
        ),
        (json!({"merge": {"a": []}}), "a:\n- 1\n- 2\nb: 1\n", "a: []\nb: 1\n"),
        (json!({"merge": {"a": [1, 3]}}), "a: [1, 2] # c\n", "a: [1, 3] # c\n"),
        (json!({"merge": {"a": [1]}}), "a: [] # c\n", "a: # c\n  - 1\n"),
        (
            json!({"merge": {"a": [{"b": 1}, {"b": 3}]}}),
            "a:\n  - b: 1 # c\n  - b: 2\n",
            "a:\n  - b: 1 # c\n  - b: 3\n",
        ),
        (json!({"merge": {"a": [null, 2]}}), "a:\n  -\n  - - x\n    - y\n", "a:\n  -\n  - 2\n"),
        (json!({"merge": {"a": [2]}, "lists": "append"}), "a: &x # c\n- &y 1\n", "a: &x # c\n- &y 1\n- 2\n"),
        (
            json!({"merge": {"a": [2]}}),
            "a: [\n  # one\n  1, # b\n  # two\n  2, # c\n]\n",
            "a: [\n  # one\n  # two\n  2, # c\n]\n",
        ),
        (json!({"merge": {"a": [1, 2]}}), "a: [1,\n    3]\n", "a: [1,\n    2]\n"),
    ]);
}

#[test]
fn keys_are_removed() {
    table::<FileYaml>(&[
        (json!({"remove": "renderer"}), NETWORK, &with("renderer: 'networkd'\n", "")),
        (json!({"remove": "network.version"}), NETWORK, &with("  version: 2 # do not touch\n", "")),
        (json!({"remove": ["a", "b.c"]}), "a: 1\nb:\n  c: |\n    x\n\n  d: 2", "b:\n\n  d: 2"),
        (json!({"remove": "a.b"}), "a: # c\n  b: 1 # d\nc: 2\n", "a: {} # c\nc: 2\n"),
        (json!({"remove": ["a", "b"]}), "# x\na: 1\nb: 2\n", "# x\n{}\n"),
        (json!({"remove": "a.b"}), "a: {b: 1, c: 2}\n", "a: {c: 2}\n"),
        (json!({"remove": ["x", "a.y"]}), "a: 1\n", "a: 1\n"),
        (json!({"remove": "a"}), "a: 1\nb: 2", "b: 2"),
        (json!({"merge": {"b": 1, "a": [1]}}), "a:\n- 1\n- 2\n", "a:\n- 1\nb: 1\n"),
        (json!({"remove": "b"}), "a: 1\nb: 2", "a: 1"),
    ]);
}

#[test]
fn anchors_and_tags_stay_where_they_are_not_in_the_way() {
    let anchored = "base: &base\n  a: 1\nuse:\n  <<: *base\n  b: !custom 2\n";
    table::<FileYaml>(&[
        (json!({"merge": {"base": {"a": 2}}}), anchored, &anchored.replace("a: 1", "a: 2")),
        (
            json!({"merge": {"use": {"b": 3, "a": 4}}}),
            anchored,
            &anchored.replace("b: !custom 2", "b: 3\n  a: 4"),
        ),
        (json!({"merge": {"base": {"c": 1}}}), anchored, &anchored.replace("a: 1\n", "a: 1\n  c: 1\n")),
        (json!({"merge": {"a": 2}}), "a: &x 1\n", "a: 2\n"),
    ]);
}

fn failure(arguments: &Value, text: &str) -> String {
    match edited::<FileYaml>(arguments, text).unwrap_err() {
        Failure::Source(diagnostic) => diagnostic.to_string(),
        other => other.to_string(),
    }
}

#[test]
fn what_can_not_be_changed_is_an_error() {
    let merge = json!({"merge": {"a": 2}});
    insta::assert_snapshot!(failure(&merge, "a: 1\nb: [1\nc: 2\n"));
    insta::assert_snapshot!(failure(&merge, "a: 1\n---\na: 2\n"));
    insta::assert_snapshot!(failure(&merge, "- 1\n"));
    insta::assert_snapshot!(failure(&merge, "b: 1\n? a\n: 1\n"));
    insta::assert_snapshot!(failure(&merge, "a: &x 1\nb: *x\n"));
    insta::assert_snapshot!(failure(&merge, "é: \u{1}\n"));
    assert!(
        failure(&merge, &format!("b: {}1{}", "[".repeat(200), "]".repeat(200))).contains("more than 100")
    );
}

/// A document with its own ways of writing.
#[derive(Clone, Debug)]
enum Tree {
    Scalar(&'static str),
    Map(Entries),
    List(usize, Vec<Tree>),
}

type Entries = Vec<(char, bool, Tree)>;

fn entries(values: impl Strategy<Value = Tree>) -> impl Strategy<Value = Entries> {
    proptest::collection::btree_map(proptest::char::range('a', 'd'), (any::<bool>(), values), 1..4)
        .prop_map(|map| map.into_iter().map(|(key, (note, tree))| (key, note, tree)).collect())
}

fn documents() -> impl Strategy<Value = Entries> {
    let scalars =
        ["1", "x", "'y'", "\"z\"", "[1, {a: 2}]", "{a: 1, b: [c]}", "yes", "", "|\n", "&n 5", "!t 6", "{}"];
    let leaf = proptest::sample::select(scalars.to_vec()).prop_map(Tree::Scalar);
    entries(leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            entries(inner.clone()).prop_map(Tree::Map),
            (0..2_usize, proptest::collection::vec(inner, 1..3))
                .prop_map(|(step, items)| Tree::List(2 * step, items)),
        ]
    }))
}

/// Writes a map whose entries are indented so, with comments that are all different.
fn write_map(entries: &[(char, bool, Tree)], indentation: usize, notes: &mut usize, out: &mut String) {
    for (key, note, tree) in entries {
        let mut comment = |out: &mut String| {
            *notes += 1;
            out.push_str(&format!("# {notes}.\n"));
        };
        if *note {
            out.push_str(&" ".repeat(indentation));
            comment(out);
        }
        out.push_str(&format!("{:indentation$}{key}:", ""));
        match tree {
            Tree::Scalar("|\n") => out.push_str(&format!(" |\n{:indentation$}    text\n", "")),
            Tree::Scalar(text) => {
                out.push_str(&format!(" {text} "));
                comment(out);
            }
            Tree::Map(entries) => {
                out.push(' ');
                comment(out);
                write_map(entries, indentation + 2, notes, out);
            }
            Tree::List(step, items) => {
                out.push('\n');
                write_list(items, indentation + step, notes, out);
            }
        }
    }
}

fn write_list(items: &[Tree], indentation: usize, notes: &mut usize, out: &mut String) {
    for item in items {
        let mut inner = String::new();
        match item {
            Tree::Scalar("|\n") => inner = format!("{:indentation$}  |\n{:indentation$}  text\n", "", ""),
            Tree::Scalar("") => inner = format!("{:indentation$}  \n", ""),
            Tree::Scalar(text) => {
                *notes += 1;
                inner = format!("{:indentation$}  {text} # {notes}.\n", "");
            }
            Tree::Map(entries) => write_map(entries, indentation + 2, notes, &mut inner),
            Tree::List(_, items) => write_list(items, indentation + 2, notes, &mut inner),
        }
        // A dash in front of what begins with a comment would hide it.
        match inner.trim_start().starts_with('#') {
            true => out.push_str(&format!("{:indentation$}-\n{inner}", "")),
            false => out.push_str(&format!("{:indentation$}- {}", "", &inner[indentation + 2..])),
        }
    }
}

fn document(entries: &[(char, bool, Tree)]) -> String {
    let mut out = String::new();
    write_map(entries, 0, &mut 0, &mut out);
    out
}

fn comments(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.find("# ").map(|at| &line[at..])).collect()
}

/// Gives every scalar another value, and every map another key.
fn touch(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut touched: Map<String, Value> = map
                .iter()
                .filter(|(_, value)| !value.is_array())
                .map(|(key, value)| (key.clone(), touch(value)))
                .collect();
            touched.insert("new".to_owned(), json!({"k": [1]}));
            Value::Object(touched)
        }
        _ => json!("other"),
    }
}

proptest! {
    #[test]
    fn no_comment_is_lost_where_scalars_change_and_keys_are_added(entries in documents()) {
        let text = document(&entries);
        let before = Yaml::read(&text).unwrap();
        // That the text says what it should is checked by the function itself.
        let after = edited::<FileYaml>(&json!({"merge": touch(&before)}), &text);
        prop_assert!(after.is_ok(), "{}\n{:?}", text, after);
        let after = after.unwrap();
        prop_assert_eq!(comments(&text), comments(&after), "{}\n{}", text, after);
    }

    #[test]
    fn every_list_and_map_can_take_the_place_of_another(entries in documents(), others in documents(), append in any::<bool>()) {
        let text = document(&entries);
        let wanted = plainly(&Yaml::read(&document(&others)).unwrap());
        let arguments = json!({"merge": wanted, "lists": if append { "append" } else { "replace" }});
        let after = edited::<FileYaml>(&arguments, &text);
        prop_assert!(after.is_ok(), "{}\n{}\n{:?}", text, arguments, after);
        let after = after.unwrap();
        for key in ["a", "b.a", "c.b.a"] {
            let without = edited::<FileYaml>(&json!({"remove": key}), &after);
            prop_assert!(without.is_ok(), "{}\n{:?}", after, without);
        }
    }
}

/// The value without what only a document can say.
fn plainly(value: &Value) -> Value {
    match value {
        Value::String(text) => text.replace('\0', "").into(),
        Value::Array(items) => items.iter().map(plainly).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), plainly(value))).collect(),
        other => other.clone(),
    }
}
