//! An inventory as data for other tools, in the form in which Ansible's own inventory programs print it.

use serde_json::{Map, Value, json};

use super::graph::{ALL, Graph};
use super::{Inventory, Variable, VariableMap};

/// Variables that Ansible's tools leave out: they belong to where the inventory is read.
const INTERNAL: [&str; 2] = ["inventory_dir", "inventory_file"];

impl Inventory {
    /// All groups with their hosts and children, and the variables of `hosts` with `extra` over them, as written: templates are
    /// not rendered. Only `hosts` are in it; groups that have none of them stay if they have children.
    pub fn listing(&self, hosts: &[&str], extra: &VariableMap) -> Value {
        let graph = &self.base.graph;
        let wanted: std::collections::HashSet<&str> = hosts.iter().copied().collect();
        let mut all = Map::new();
        for group in 0..graph.groups.len() {
            let part = group_part(graph, group, &|host| wanted.contains(host));
            if !part.is_empty() {
                all.insert(graph.group_name(group).to_owned(), Value::Object(part));
            }
        }
        let of_hosts = hosts.iter().map(|host| ((*host).to_owned(), self.host_listing(host, extra)));
        let of_hosts: Map<String, Value> = of_hosts.filter(|(_, values)| *values != json!({})).collect();
        all.insert("_meta".to_owned(), json!({ "hostvars": of_hosts }));
        Value::Object(all)
    }

    /// The variables of a host with `extra` over them, as written.
    pub fn host_listing(&self, host: &str, extra: &VariableMap) -> Value {
        let own = self.variables(host);
        let own = own.iter().filter(|(name, _)| !INTERNAL.contains(name) && !extra.contains_key(*name));
        let extra = extra.iter().map(|(name, variable)| (&**name, &**variable));
        let values = own.chain(extra).map(|(name, variable)| (name.to_owned(), as_written(name, variable)));
        Value::Object(values.collect())
    }
}

fn group_part(graph: &Graph, group: usize, wanted: &dyn Fn(&str) -> bool) -> Map<String, Value> {
    let of = &graph.groups[group];
    let mut part = Map::new();
    let hosts = of.hosts.iter().map(|host| graph.host_name(*host)).filter(|host| wanted(host));
    let hosts: Vec<&str> = if group == ALL { Vec::new() } else { hosts.collect() };
    let children: Vec<&str> = of.children.keys().map(|child| graph.group_name(*child)).collect();
    if !hosts.is_empty() {
        part.insert("hosts".to_owned(), json!(hosts));
    }
    if !children.is_empty() {
        part.insert("children".to_owned(), json!(children));
    }
    part
}

/// A value in which texts that are no templates, whatever they look like, are marked as Ansible marks them.
fn as_written(name: &str, variable: &Variable) -> Value {
    let mut value = variable.value.clone();
    if !variable.literals.is_empty() {
        mark(&mut value, name, &variable.literals);
    }
    value
}

fn mark(value: &mut Value, path: &str, literals: &[String]) {
    match value {
        Value::String(text) if literals.iter().any(|literal| literal == path) => {
            *value = json!({ "__ansible_unsafe": text });
        }
        Value::Array(items) => {
            let items = items.iter_mut().enumerate();
            items.for_each(|(at, item)| mark(item, &format!("{path}[{at}]"), literals));
        }
        Value::Object(entries) => {
            entries.iter_mut().for_each(|(key, item)| mark(item, &format!("{path}.{key}"), literals));
        }
        _ => {}
    }
}
