//! Tests of YAML and JSON files.

use serde_json::json;

use super::*;

fn parse(text: &str) -> Result<Document, Diagnostic> {
    Document::parse(&SourceText::new("file.yml", text))
}

fn value(text: &str) -> Value {
    let document = parse(text).unwrap_or_else(|error| panic!("{error}"));
    document.root.map_or(Value::Null, |root| root.to_json())
}

#[test]
fn scalars_are_those_of_yaml_1_1() {
    // What PyYAML 6 makes of them.
    let cases = [
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("y", json!("y")),
        ("~", json!(null)),
        ("", json!(null)),
        ("Null", json!(null)),
        ("0755", json!(493)),
        ("0o755", json!("0o755")),
        ("08", json!("08")),
        ("0_", json!(0)),
        ("-0", json!(0)),
        ("+5", json!(5)),
        ("0x1F", json!(31)),
        ("0X1F", json!("0X1F")),
        ("-0b11", json!(-3)),
        ("0b_", json!("0b_")),
        ("1_000", json!(1000)),
        ("_1", json!("_1")),
        ("1:30", json!(90)),
        ("-1:30:00", json!(-5400)),
        ("1:60", json!("1:60")),
        ("01:30", json!("01:30")),
        ("190:20:30.15", json!(685_230.15)),
        ("1.", json!(1.0)),
        (".5", json!(0.5)),
        ("-.5", json!("-.5")),
        ("1_0.5_0", json!(10.5)),
        ("1e3", json!("1e3")),
        ("1.0e3", json!("1.0e3")),
        ("1.0e+3", json!(1000.0)),
        ("1.2.3", json!("1.2.3")),
        (".inf", json!("inf")),
        ("-.INF", json!("-inf")),
        (".NaN", json!("nan")),
        (".", json!(".")),
        ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ("12345678901234567890123", json!("12345678901234567890123")),
        ("-1234567890123456789012345678901234567890", json!("-1234567890123456789012345678901234567890")),
        ("2024-01-02", json!("2024-01-02")),
        ("2024-1-2", json!("2024-1-2")),
        ("2001-12-14 21:59:43.10 -5", json!("2001-12-14 21:59:43.100000-05:00")),
        ("2001-12-14t21:59:43Z", json!("2001-12-14 21:59:43+00:00")),
        ("2001-12-14 21:59:43.1234567", json!("2001-12-14 21:59:43.123456")),
        ("2024-02-30", json!("2024-02-30")),
        ("\"yes\"", json!("yes")),
        ("'0755'", json!("0755")),
        ("!!str 5", json!("5")),
        ("!!int '0755'", json!(493)),
        ("!!float 1", json!(1.0)),
        ("!!bool 'yes'", json!(true)),
        ("! 5", json!(5)),
        ("!unsafe '5'", json!(5)),
        ("=", json!("=")),
    ];
    for (text, expected) in cases {
        assert_eq!(value(&format!("a: {text}\n"))["a"], expected, "{text}");
    }
}

#[test]
fn maps_keep_their_order_and_their_keys_become_text() {
    assert_eq!(
        value("b: 1\na: {2: x, yes: y, ~: z, 1.5: w}\nc:\n  - d\n  -\n").to_string(),
        r#"{"b":1,"a":{"2":"x","true":"y","null":"z","1.5":"w"},"c":["d",null]}"#
    );
}

#[test]
fn aliases_and_merges() {
    let text = "base: &base {x: 1, y: 2}\nmore: &more {y: 3, z: 4}\n\
                one: {<<: *base, y: 9}\nlist: {<<: [*base, *more]}\nquoted: {'<<': 1}\nsame: *base\n";
    assert_eq!(
        value(text),
        json!({
            "base": { "x": 1, "y": 2 },
            "more": { "y": 3, "z": 4 },
            "one": { "x": 1, "y": 9 },
            "list": { "x": 1, "y": 2, "z": 4 },
            "quoted": { "<<": 1 },
            "same": { "x": 1, "y": 2 },
        })
    );
}

#[test]
fn places_are_where_values_start() {
    let document = parse("# comment\na: 1\nb:\n  - x\n  - {c: ü, d: !unsafe \"y\"}\n").expect("valid");
    let root = document.root.as_ref().expect("not empty");
    let Content::Map(entries) = &root.content else { panic!("a map") };
    let at = |place| document.at(place).location();
    assert_eq!((at(entries["a"].key_at).line, at(entries["a"].value.at).column), (2, 4));
    let Content::List(items) = &entries["b"].value.content else { panic!("a list") };
    let Content::Map(inner) = &items[1].content else { panic!("a map") };
    assert_eq!((at(inner["d"].key_at).line, at(inner["d"].key_at).column), (5, 12));
    assert_eq!(at(inner["d"].value.at).line, 5);
}

#[test]
fn unsafe_reaches_everything_inside() {
    let document = parse("a: !unsafe [x, {b: &y z}]\nc: *y\nd: e\n").expect("valid");
    let Content::Map(entries) = &document.root.as_ref().expect("not empty").content else { panic!("a map") };
    let literal: Vec<bool> = entries.values().map(|entry| entry.value.literal).collect();
    assert_eq!(literal, [true, true, false]);
}

#[test]
fn what_is_json_is_read_as_json() {
    let text = "{\n\t\"a\": 1e3, \"b\": [true, null, \"\\ud83d\\ude00 \\\"\"],\n\t\"c\": {\"d\": -0}\n}";
    assert_eq!(value(text), json!({ "a": 1000.0, "b": [true, null, "😀 \""], "c": { "d": 0 } }));
    let document = parse(text).expect("valid");
    let Content::Map(entries) = &document.root.as_ref().expect("not empty").content else { panic!("a map") };
    assert_eq!(entries["b"].key_at, Place { line: 2, column: 12 });
    assert_eq!(entries["c"].value.at, Place { line: 3, column: 7 });
    assert_eq!(value("{a: 1e3}"), json!({ "a": "1e3" }));
}

#[test]
fn an_empty_file_has_no_value() {
    for text in ["", "# only this\n", "---\n", "...\n"] {
        let document = parse(text).expect("valid");
        assert!(document.entries("a variable file").expect("empty").is_none(), "{text:?}");
    }
}

#[test]
fn keys_given_twice_are_told() {
    let document = parse("a: 1\nb: {c: 1, c: 2}\na: 3\n").expect("valid");
    let told: Vec<String> = document.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n\n"));
    assert_eq!(value("a: 1\nb: {c: 1, c: 2}\na: 3\n"), json!({ "a": 3, "b": { "c": 2 } }));
    assert_eq!(parse("{\"a\": 1, \"a\": 2}").expect("valid").warnings.len(), 1);
}

#[test]
fn errors_point_at_their_place() {
    let cases = [
        "a: 1\n\tb: 2\n",
        "a:\n\t- 1\n",
        "a: b: c\n",
        "a: {{ b }}\n",
        "a:\n  - {{ b }}\n",
        "a: \"b\n",
        "a: \"b\" c\n",
        "a: \"b\nc\"\n",
        "a: @b\n",
        "a: *b\n",
        "a: [1, 2\nb: 3\n",
        "a:\n  b: 1\n c: 2\n",
        "a: 1\n---\nb: 2\n",
        "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61\n",
        "a: !foo 1\n",
        "a: !!int x\n",
        "a: !!python/object:os.system {}\n",
        "a: &x [*x]\n",
        "a: {<<: 1}\n",
        "a: 1\nb: \u{0}2\n",
        "? [a]\n: b\n",
    ];
    let told: Vec<String> =
        cases.iter().map(|text| format!("{text:?}\n{}", parse(text).expect_err(text))).collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn what_would_exhaust_memory_is_refused() {
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        laughs += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let error = parse(&laughs).expect_err("too much");
    assert_eq!(error.message, "the aliases of this file stand for more than 64 MiB");

    let deep = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
    let error = parse(&deep).expect_err("too deep");
    assert_eq!(error.message, "more than 100 lists and maps are inside one another");

    let mut nested = "a0: &a0 [[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]\n".to_owned();
    for level in 1..10 {
        nested += &format!("a{level}: &a{level} [[[[[[[[[[[[[[[[[[[[*a{}]]]]]]]]]]]]]]]]]]]]\n", level - 1);
    }
    let error = parse(&nested).expect_err("too deep");
    assert_eq!(error.message, "more than 100 lists and maps are inside one another");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r#"([ \n\t:\-\[\]{}"'&*!#|>?%,<a0-3.]|\PC){0,60}"#) {
        _ = parse(&text);
    }

    #[test]
    fn json_is_read_as_serde_does(value in json_value()) {
        let text = serde_json::to_string_pretty(&value).expect("it is JSON");
        let document = parse(&text).expect("valid");
        proptest::prop_assert_eq!(document.root.expect("not empty").to_json(), value);
    }
}

fn json_value() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|float: f64| Value::from(float)),
        ".*".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((".*", inner), 0..5).prop_map(|entries| entries.into_iter().collect()),
        ]
    });
    // Only lists and maps are told apart from YAML.
    prop::collection::vec(value, 0..5).prop_map(Value::from)
}
