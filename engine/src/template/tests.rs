//! Tests of rendering; what Ansible gives for each filter is compared in the program's `tests/templates`.

use std::rc::Rc;

use minijinja::Value;
use minijinja::value::Serde;
use serde_json::{Value as Json, json};

use super::*;

/// Names from a JSON map.
struct Map(Json);

impl Names for Map {
    fn get(&self, name: &str) -> Result<Option<Value>, Diagnostic> {
        Ok(self.0.get(name).map(|value| Value::from(Serde(value))))
    }

    fn names(&self) -> Vec<String> {
        self.0.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
    }
}

pub(super) fn names(map: Json) -> Rc<dyn Names> {
    Rc::new(Map(map))
}

fn value(text: &str, map: Json) -> Json {
    render_value("test", text, names(map)).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn error(text: &str, map: Json) -> String {
    render_file("templates/x.j2", text, names(map), None).expect_err(text).to_string()
}

fn file(text: &str, map: Json) -> String {
    render_file("templates/x.j2", text, names(map), None).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn values_are_read_again_as_ansible_reads_them() {
    let map = json!({ "n": 3, "list": [1, "a"], "none": null, "yes": true, "text": "5" });
    let is = |text: &str, expected: Json| assert_eq!(value(text, map.clone()), expected, "{text}");
    is("plain", json!("plain"));
    is("{{ n }}", json!(3));
    is("{{n}}\n", json!(3));
    is("{{ n + 1 }}", json!("4"));
    is("{{ n }} ", json!("3 "));
    is("{{ text }}", json!("5"));
    is("{{ list }}", json!([1, "a"]));
    is("{{ list }}!", json!("[1, 'a']!"));
    is("{{ none }}", json!(null));
    is("{{ none or none }}", json!(""));
    is("{{ n == 3 }}", json!(true));
    is("{% if yes %}{{ list }}{% endif %}", json!([1, "a"]));
    is("[{% for i in list %}{{ i | to_json }}, {% endfor %}null]", json!([1, "a", null]));
    is("{\n  'a': {{ n }},\n}", json!({ "a": 3 }));
    is("{{ list | to_json }}", json!("[1, \"a\"]"));
    is("{{ list | to_json | trim }}", json!([1, "a"]));
    is("{{ '\\d' }}", json!("\\d"));
}

#[test]
fn what_a_filter_is_not_given_is_pointed_at() {
    let text = error("x {{ 1 }} {{ foo | upper }}\n", json!({}));
    assert!(text.contains("`foo` is undefined\n --> templates/x.j2:1:14\n"), "{text}");
}

#[test]
fn blanks_are_kept_and_cut_as_ansible_does() {
    let map = json!({ "on": true });
    assert_eq!(file("a\n  {% if on %}\n  b\n  {% endif %}\nc\n", map.clone()), "a\n    b\n  c\n");
    assert_eq!(file("a\r\nb\r\n", map.clone()), "a\nb\n");
    let header = "#jinja2: lstrip_blocks: True, trim_blocks:False\n";
    assert_eq!(file(&format!("{header}a\n  {{% if on %}}\n  b\n{{% endif %}}\n"), map.clone()), "a\n\n  b\n");
    let header = "#jinja2: variable_start_string:'[%', variable_end_string: \"%]\"\n";
    assert_eq!(file(&format!("{header}{{{{ x }}}} [% on %]\n"), map), "{{ x }} True\n");
}

#[test]
fn undefined_names_are_errors_with_near_matches() {
    let map = json!({ "nomad_region": "global", "disk": { "size": 1 } });
    insta::assert_snapshot!(error("region = \"{{ nomad_regoin }}\"\n", map.clone()));
    insta::assert_snapshot!(error("a\nb {{ disk.sise + 1 }}\n", map.clone()));
    insta::assert_snapshot!(error(
        "{{ disk.size | default(1) }} {% if x.y.z is defined %}{% endif %}{{ x.y }}",
        map
    ));
}

#[test]
fn undefined_goes_through_lookups_under_default() {
    let map = json!({ "a": { "b": 1 } });
    assert_eq!(file("{{ x.y.z | default('n') }} {{ a.b.c['d'][0] | d('m') }}", map.clone()), "n m");
    assert_eq!(
        file("{{ x.y is defined }} {{ a.b is defined }} {{ a['q'].r is undefined }}", map),
        "False True True"
    );
}

#[test]
fn variables_are_looked_up_by_computed_names() {
    let map = json!({ "a_1": 1, "n": 1 });
    assert_eq!(
        file("{{ lookup('vars', 'a_' ~ n) + 1 }} {{ query('vars', 'a_1', 'n') }}", map.clone()),
        "2 [1, 1]"
    );
    assert_eq!(
        file("{{ lookup('vars', 'b', default='none') }} {{ q('vars', ['a_1']) }}", map.clone()),
        "none [1]"
    );
    let text = error("{{ lookup('vars', 'a_3') }}", map.clone());
    assert!(text.contains("`a_3` is undefined") && text.contains("did you mean `a_1`?"), "{text}");
    let text = error("{{ lookup('pipe', 'date') }}", map);
    assert!(text.contains("the lookup `pipe` is not supported") && text.contains("hint: run"), "{text}");
}
