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
    assert_eq!(vars.get("ports"), Ok(Some(json!([4647, { "deep": 4646 }]))));
    assert_eq!(vars.get("nothing"), Ok(None));
}

#[test]
fn a_cycle_shows_its_chain() {
    let vars = variables(json!({ "a": "{{ b }}", "b": "x{{ c }}", "c": "{{ a }}" }));
    insta::assert_snapshot!(vars.get("b").expect_err("a cycle"));
}
