//! Tests of variables.

use serde_json::json;

use super::*;

fn variables(map: Json) -> Variables {
    let variables = Variables::new();
    let values = map.as_object().cloned().unwrap_or_default();
    variables.push(Layer::Inventory, values.into_iter().collect());
    variables
}

#[test]
fn values_resolve_through_one_another() {
    let vars = variables(json!({
        "network_hostname": "node1",
        "network_fqdn": "{{ network_hostname }}.matrix.example.net",
        "ansible_host": "{{ network_fqdn }}",
        "ports": ["{{ base_port + 1 }}", { "deep": "{{ base_port }}" }],
        "base_port": 4646,
    }));
    assert_eq!(vars.get("ansible_host"), Ok(Some(json!("node1.matrix.example.net"))));
    assert_eq!(vars.get("ports"), Ok(Some(json!(["4647", { "deep": 4646 }]))));
    assert_eq!(vars.get("nothing"), Ok(None));
}

#[test]
fn a_cycle_shows_its_chain() {
    let vars = variables(json!({ "a": "{{ b }}", "b": "x{{ c }}", "c": "{{ a }}" }));
    insta::assert_snapshot!(vars.get("b").expect_err("a cycle"));
}

#[test]
fn what_is_made_with_a_secret_is_a_secret() {
    let secrets = Rc::new(Secrets::default());
    let mark = secrets::mark(secrets.add("hunter2"));
    let vars = variables(json!({
        "password": mark,
        "url": "db://{{ password }}@{{ host }}",
        "host": "db1",
        "users": [{ "name": "a", "password": mark }, { "name": "{{ host }}", "password": "{{ password }}" }],
    }))
    .with_secrets(Rc::clone(&secrets));

    let reveal = |value: Option<Json>| secrets.reveal(value.unwrap().as_str().unwrap());
    assert_eq!(reveal(vars.get("url").unwrap()).as_deref(), Some("db://hunter2@db1"));
    assert_eq!(vars.get("host"), Ok(Some(json!("db1"))), "what has nothing to do with it is no secret");

    let render = |text: &str| {
        let (text, secret) = vars.watch(|| template::render_file("t.j2", text, vars.as_names(), None));
        (text.unwrap(), secret)
    };
    for _ in 0..2 {
        // The second time the values come from the cache.
        assert_eq!(render("{{ url }}"), ("db://hunter2@db1".to_owned(), true));
        assert_eq!(render("{{ users[1].password | length }}"), ("7".to_owned(), true));
        assert_eq!(render("{{ users[0].password }}"), ("hunter2".to_owned(), true));
        assert_eq!(render("{{ users[0].name }} {{ host }}"), ("a db1".to_owned(), false));
    }
}

#[test]
fn what_is_known_of_a_value_is_not_said_of_one_that_hides_it() {
    let literal = |path: &str| path == "a" || path == "b.c";
    let vars = Variables::new().with_literals(Rc::new(literal));
    let values = json!({ "a": "{{ 1 }}", "b": { "c": "{{ 2 }}", "d": "{{ 3 }}" } });
    vars.push(Layer::Inventory, values.as_object().cloned().unwrap_or_default().into_iter().collect());
    assert_eq!(vars.get("a"), Ok(Some(json!("{{ 1 }}"))));
    assert_eq!(vars.get("b"), Ok(Some(json!({ "c": "{{ 2 }}", "d": "3" }))));
    vars.push(Layer::Role, IndexMap::from([("a".to_owned(), json!("{{ 4 }}"))]));
    assert_eq!(vars.get("a"), Ok(Some(json!("4"))));
}
