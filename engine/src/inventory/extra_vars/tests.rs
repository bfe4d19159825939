//! Tests of variables of the command line.

use serde_json::json;

use super::super::tests::tree;
use super::*;

fn arguments(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|argument| (*argument).to_owned()).collect()
}

fn values(given: &[&str]) -> Value {
    let variables =
        read(&arguments(given), Path::new("")).unwrap_or_else(|problems| panic!("{}", problems[0]));
    variables.iter().map(|(name, variable)| (name.to_string(), variable.value.clone())).collect()
}

#[test]
fn arguments_set_texts_or_typed_values() {
    let cases: [(&[&str], Value); 17] = [
        (&["a=1"], json!({ "a": "1" })),
        (&["a=1 b=true  c="], json!({ "a": "1", "b": "true", "c": "" })),
        (&["a=b=c"], json!({ "a": "b=c" })),
        (&["a='b c' d=\"e f\""], json!({ "a": "b c", "d": "e f" })),
        (&["a=it\\'s"], json!({ "a": "it's" })),
        (&["a=x'b c'y"], json!({ "a": "x'b c'y" })),
        (&["a={{ b + 1 }} c=d"], json!({ "a": "{{ b + 1 }}", "c": "d" })),
        (&["a=\"x\\ny\""], json!({ "a": "x\ny" })),
        (&["a=\\u00e9\\q"], json!({ "a": "é\\q" })),
        (&["a=1\nb=2"], json!({ "a": "1", "b": "2" })),
        (&["a:=1"], json!({ "a": 1 })),
        (&["a:=[1, {\"b\": null}]"], json!({ "a": [1, { "b": null }] })),
        (&["a=1 b:=true"], json!({ "a": "1", "b": true })),
        (&["{\"a\": 1, \"b\": [2]}"], json!({ "a": 1, "b": [2] })),
        (&["{a: yes}"], json!({ "a": true })),
        (&["a=1", "b=1", "a:=2"], json!({ "a": 2, "b": "1" })),
        (&[""], json!({})),
    ];
    for (given, expected) in cases {
        assert_eq!(values(given), expected, "{given:?}");
    }
}

#[test]
fn files_are_yaml_or_json() {
    let directory =
        tree(&[("a.yml", "a: !unsafe '{{ x }}'\nb: 0755\n"), ("b.json", "{\"b\": 1e3}"), ("empty", "")]);
    let file = |name: &str| format!("@{}", directory.path().join(name).display());
    let given = arguments(&[&file("a.yml"), &file("b.json"), &file("empty")]);
    let variables = read(&given, directory.path()).expect("valid");
    assert_eq!(variables["b"].value, json!(1000.0));
    assert_eq!(variables["a"].literals, ["a"]);
    assert_eq!(variables["a"].origin.to_string(), "a.yml:1");
}

#[test]
fn bad_arguments_are_refused_at_their_place() {
    let directory = tree(&[("list.yml", "- a\n"), ("bad.yml", "a: [1\n")]);
    let file = |name: &str| format!("@{}", directory.path().join(name).display());
    let given = arguments(&[
        "a",
        "a=1 b",
        "a-b=1",
        "=1",
        "--check=1",
        "a='b",
        "a={{ b",
        "a:=[1,",
        "a:=tru",
        "a:=[1, x]",
        "a=1 b:=",
        "vars.yml",
        "./vars.yml",
        "[1]",
        "{a: [}",
        &file("missing.yml"),
        &file("list.yml"),
        &file("bad.yml"),
    ]);
    let problems = read(&given, directory.path()).expect_err("all are wrong");
    assert_eq!(problems.len(), given.len());
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

proptest::proptest! {
    #[test]
    fn no_argument_makes_it_panic(argument in r#"([a=: \\'"{}%\[\]@1-3u]|\PC){0,30}"#) {
        // A path would be read.
        proptest::prop_assume!(!argument.starts_with('@'));
        _ = read(&[argument], Path::new(""));
    }

    #[test]
    fn a_text_in_json_arrives_as_it_is(text in ".*") {
        let argument = format!("a:={}", Value::from(text.as_str()));
        let variables = read(&[argument], Path::new("")).expect("valid");
        proptest::prop_assert_eq!(&variables["a"].value, &Value::from(text));
    }
}
