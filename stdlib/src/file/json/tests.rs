//! Tests of merging into JSON.

use proptest::prelude::*;
use serde_json::json;

use super::super::edited_file::testing::{edited, table};
use super::*;
use refrain_engine::failure::Failure;

#[test]
fn values_are_merged_where_they_stand() {
    let before = "{\n    \"b\": 1,\n    \"a\": {\"x\" : [1,2], \"y\": 1.50},\n    \"c\": {\n        \"d\": \"\\u00e9\"\n    }\n}\n";
    table::<FileJson>(&[
        (json!({"merge": {"b": 1, "a": {"x": [1, 2]}}}), before, before),
        (json!({"merge": {"b": [2]}}), "{\n  \"b\": 1\n}", "{\n  \"b\": [\n    2\n  ]\n}"),
        (
            json!({"merge": {"a": {"y": 2, "z": {"k": 1}}, "c": {"e": {"f": [], "g": 1}}}}),
            before,
            "{\n    \"b\": 1,\n    \"a\": {\"x\" : [1,2], \"y\": 2, \"z\": {\"k\": 1}},\n    \"c\": {\n        \
             \"d\": \"\\u00e9\",\n        \"e\": {\n            \"f\": [],\n            \"g\": 1\n        }\n    }\n}\n",
        ),
        (json!({"merge": {"a": 1}}), "", "{\n  \"a\": 1\n}\n"),
        (json!({"merge": {"a": 1}}), "{}", "{\n  \"a\": 1\n}"),
        (json!({"merge": {"c": [1, {}]}}), "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2,\"c\":[1,{}]}"),
        (json!({"merge": {"b": 2}}), "{\n\t\"a\": {}\n}", "{\n\t\"a\": {},\n\t\"b\": 2\n}"),
        (json!({"merge": {"a": {"b": 2}}}), "{\n\t\"a\": {}\n}", "{\n\t\"a\": {\n\t\t\"b\": 2\n\t}\n}"),
        (
            json!({"merge": {"a": {"b": 2}}}),
            "{\r\n  \"a\": 1\r\n}\r\n",
            "{\r\n  \"a\": {\r\n    \"b\": 2\r\n  }\r\n}\r\n",
        ),
        (json!({"merge": {"a": 3}}), "{\"a\": 1, \"a\": 2}", "{\"a\": 1, \"a\": 3}"),
    ]);
}

#[test]
fn lists_keep_the_entries_that_stay() {
    let lines = "{\n  \"l\": [\n    1,\n    2,\n    3\n  ]\n}\n";
    let list = |wanted: Value, lists: &str| json!({"merge": {"l": wanted}, "lists": lists});
    table::<FileJson>(&[
        (list(json!([1, 5, 3]), "replace"), lines, "{\n  \"l\": [\n    1,\n    5,\n    3\n  ]\n}\n"),
        (list(json!([3, 4, 4]), "append"), lines, "{\n  \"l\": [\n    1,\n    2,\n    3,\n    4\n  ]\n}\n"),
        (
            list(json!([0, 1, 2, 3]), "replace"),
            lines,
            "{\n  \"l\": [\n    0,\n    1,\n    2,\n    3\n  ]\n}\n",
        ),
        (list(json!([1]), "replace"), lines, "{\n  \"l\": [\n    1\n  ]\n}\n"),
        (list(json!([2, 3]), "replace"), lines, "{\n  \"l\": [\n    2,\n    3\n  ]\n}\n"),
        (list(json!([]), "replace"), lines, "{\n  \"l\": []\n}\n"),
        (list(json!([1, 2]), "append"), "{\"l\": [ 1 ]}", "{\"l\": [ 1, 2 ]}"),
    ]);
}

#[test]
fn keys_are_removed() {
    let before = "{\n  \"a\": 1,\n  \"b\": {\"c\": 1, \"d\": 2, \"e\": 3},\n  \"f\": 2\n}\n";
    table::<FileJson>(&[
        (json!({"remove": "a"}), before, "{\n  \"b\": {\"c\": 1, \"d\": 2, \"e\": 3},\n  \"f\": 2\n}\n"),
        (json!({"remove": ["f", "b.c"]}), before, "{\n  \"a\": 1,\n  \"b\": {\"d\": 2, \"e\": 3}\n}\n"),
        (json!({"remove": ["b.d", "b.e"]}), before, "{\n  \"a\": 1,\n  \"b\": {\"c\": 1},\n  \"f\": 2\n}\n"),
        (json!({"remove": ["b.c", "b.e", "b.d"]}), before, "{\n  \"a\": 1,\n  \"b\": {},\n  \"f\": 2\n}\n"),
        (json!({"remove": ["a", "b", "f"]}), before, "{}\n"),
        (json!({"remove": ["x", "a.b", "b.c.d"]}), before, before),
        (json!({"remove": [["a.b"]], "merge": {"c": 1}}), "{\"a.b\": 1}", "{\"c\": 1}"),
    ]);
}

#[test]
fn what_is_not_valid_is_pointed_at() {
    let failure = |arguments: &Value, text: &str| match edited::<FileJson>(arguments, text).unwrap_err() {
        Failure::Source(diagnostic) => diagnostic.to_string(),
        other => other.to_string(),
    };
    let merge = json!({"merge": {"a": 1}});
    insta::assert_snapshot!(failure(&merge, "{\n  \"a\": 1,\n  \"b\" 2\n}\n"), @r#"
    not valid JSON: expected `:`
     --> /file:3:7
      |
    3 |   "b" 2
      |       ^
    "#);
    insta::assert_snapshot!(failure(&merge, "[1]"), @"
    the document is not a map, so there are no keys to merge into or to remove
     --> /file:1:1
      |
    1 | [1]
      | ^
    ");
    assert!(failure(&merge, &"[".repeat(100_000)).contains("recursion limit"));
    let options: FileJson =
        serde_json::from_value(json!({"path": "/file", "merge": {"a": {"b": 1}}, "remove": "a"})).unwrap();
    assert_eq!(options.options.check::<Json>().unwrap_err().to_string(), "`a` is in `merge` and in `remove`");
}

/// Values with few different keys, so that they meet.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..3).prop_map(Value::from),
        "[a\" é\\n]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[abc]", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn maps() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[abc]", values(), 0..4).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn every_merge_fits_into_every_way_to_write(
        before in maps(),
        wanted in maps(),
        append in any::<bool>(),
        tight in any::<bool>(),
        unit in prop_oneof![Just(None), Just(Some("  ".to_owned())), Just(Some("\t".to_owned()))],
        removed in proptest::collection::vec("[abc](\\.[abc])?", 0..3),
    ) {
        let style = JsonNotation {
            unit: unit.clone(),
            colon: if tight { ":" } else { ": " },
            comma: if tight { "," } else { ", " },
        };
        let text = if unit.is_some() { style.on_lines(&before, "") } else { style.on_one_line(&before) };
        let arguments = json!({"merge": wanted, "lists": if append { "append" } else { "replace" }});
        // That the text says what it should is checked by the function itself.
        let after = edited::<FileJson>(&arguments, &text).unwrap();
        prop_assert_eq!(edited::<FileJson>(&arguments, &after).unwrap(), after.clone());
        let without = edited::<FileJson>(&json!({"remove": removed}), &after);
        prop_assert!(without.is_ok(), "{:?}", without);
    }
}
