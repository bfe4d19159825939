//! No text makes the engine panic, whatever it is made of.

use proptest::prelude::*;
use serde_json::json;

use super::tests::names;
use super::{check, render_file, render_value};

/// Words that mean something to templates, and some that don't.
const WORDS: [&str; 75] = [
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "{# ",
    " #}",
    "{%- ",
    " -%}",
    "{{- ",
    " -}}",
    "if ",
    "else",
    "endif",
    "for ",
    " in ",
    "endfor",
    "set ",
    "raw",
    "endraw",
    "macro m(a) ",
    "endmacro",
    "filter upper",
    "endfilter",
    "include ",
    "block b",
    "endblock",
    "map",
    ".a",
    "['a']",
    "[0]",
    "[1:]",
    ".append(1)",
    ".update({'b': 2})",
    ".split('o')",
    "list",
    "word",
    "nosuch",
    " | default('x')",
    " | d(nosuch.a.b)",
    " is defined",
    " is not defined",
    " | upper",
    " | join(',')",
    " | map('upper')",
    " | to_nice_yaml",
    " | json_query('[*].a')",
    " | regex_replace('(o)', '\\\\1')",
    " | ipaddr('net')",
    " | combine({'z': 1})",
    " % ",
    " - ",
    " ~ ",
    " + ",
    " == ",
    "'%s'",
    "'%d %r'",
    "\"text\"",
    "'ü\\n'",
    "'",
    "\"",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "1",
    "2.5",
    "now()",
    "'2024-01-02' | to_datetime('%Y-%m-%d')",
    "lookup('vars', 'word')",
    "\n",
    "ß☃ ",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(&WORDS[..]), 0..14).prop_map(|words| words.concat()),
        prop::collection::vec(prop::sample::select(&WORDS[..]), 1..8)
            .prop_map(|words| format!("{{{{ {} }}}}", words.concat())),
        ".{0,40}",
        "#jinja2:.{0,20}\n.{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_template_makes_it_panic(text in text()) {
        let map = json!({ "map": { "a": [1] }, "list": [{ "a": 1 }, "x"], "word": "hello" });
        _ = check("t.j2", &text);
        _ = render_file("t.j2", &text, names(map.clone()), None);
        _ = render_value("v", &text, names(map));
    }

    #[test]
    fn no_query_makes_it_panic(query in r#"[\[\]{}().*|&!<>=?@,:'"`a-c0-9 -]{0,16}"#) {
        _ = super::jmespath::search(&query, &json!({ "a": [{ "b": 1 }, [2]], "b": "c" }));
    }
}
