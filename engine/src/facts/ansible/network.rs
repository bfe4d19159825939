//! Interfaces, addresses and the resolver in Ansible's form.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::super::network::{Address, Link, Network, Route, netmask, network_of};
use super::super::source::FactSource;
use super::super::text::kernel_word;
use super::super::{Facts, Gather};

pub(super) const NAMES: &[(&str, Gather)] = &[
    ("all_ipv4_addresses", |facts| facts.inside("network", "all_ipv4_addresses")),
    ("all_ipv6_addresses", |facts| facts.inside("network", "all_ipv6_addresses")),
    ("default_ipv4", |facts| Some(default_route(facts.network()?, true))),
    ("default_ipv6", |facts| Some(default_route(facts.network()?, false))),
    ("dns", |facts| Some(dns(facts.peek("network")?.get("dns")?))),
    ("interfaces", |facts| facts.network().map(|_| interface_names(facts).into())),
];

/// An interface may be called `host`, and must not become the variable that says how the host is reached.
const NO_INTERFACES: [&str; 6] = ["connection", "facts", "host", "password", "port", "user"];

/// The names of interfaces, and of labels that addresses have in their place (`eth0:1`), where colons become `_`.
pub(super) fn interface_names(facts: &Facts) -> Vec<String> {
    let Some(network) = facts.network() else { return Vec::new() };
    let mut names = Vec::new();
    for link in &network.links {
        names.push(link.name.clone());
        for address in network.of_interface(&link.name, true) {
            let label = address.label.replace(':', "_");
            if !names.contains(&label) {
                names.push(label);
            }
        }
    }
    names.retain(|name| may_be_interface(name));
    names
}

/// Whether an interface of this name becomes a variable.
pub(in super::super) fn may_be_interface(name: &str) -> bool {
    !NO_INTERFACES.contains(&name)
}

/// The name of an interface as it can be written in a template.
pub(super) fn as_variable(name: &str) -> String {
    name.replace(['-', '.', ':'], "_")
}

/// What `ansible_IFACE` is; the interface is found by its own name and by that of the variable.
pub(super) fn interface(facts: &Facts, name: &str) -> Option<Value> {
    let network = facts.network()?;
    let found = interface_names(facts).into_iter().find(|own| own == name || as_variable(own) == name)?;
    let Some(link) = network.link(&found) else { return labelled(network, &found) };
    let mut fact = Map::new();
    fact.insert("device".into(), link.name.as_str().into());
    if let Some(mac) = &link.mac {
        fact.insert("macaddress".into(), mac.as_str().into());
    }
    fact.insert("mtu".into(), link.mtu.into());
    fact.insert("active".into(), link.up.into());
    fact.insert("type".into(), link.kind.into());
    fact.insert("promisc".into(), link.promiscuous.into());
    add_driver(facts.source(), link, &mut fact);
    add_addresses(network, link, &mut fact);
    Some(fact.into())
}

/// What lies behind the interface, by sysfs.
fn add_driver(source: &dyn FactSource, link: &Link, fact: &mut Map<String, Value>) {
    let directory = format!("/sys/class/net/{}", link.name);
    let word = |file: &str| kernel_word(source, &format!("{directory}/{file}"));
    let end = |file: &str| {
        let target = source.kernel_link(&format!("{directory}/{file}"))?;
        target.rsplit('/').next().map(str::to_owned)
    };
    let speed = word("speed").and_then(|speed| speed.parse::<i64>().ok());
    fact.extend(end("device/driver/module").map(|module| ("module".to_owned(), module.into())));
    fact.extend(end("device").map(|device| ("pciid".to_owned(), device.into())));
    fact.extend(speed.map(|speed| ("speed".to_owned(), speed.into())));
    match link.kind {
        "bridge" => {
            fact.insert("interfaces".into(), source.kernel_list(&format!("{directory}/brif")).into());
            fact.extend(word("bridge/bridge_id").map(|id| ("id".to_owned(), id.into())));
            fact.extend(word("bridge/stp_state").map(|state| ("stp".to_owned(), (state == "1").into())));
        }
        "bonding" => add_bonding(&word, fact),
        _ => {}
    }
    let permanent = word("bonding_slave/perm_hwaddr");
    fact.extend(permanent.map(|mac| ("perm_macaddress".to_owned(), mac.into())));
}

fn add_bonding(word: &impl Fn(&str) -> Option<String>, fact: &mut Map<String, Value>) {
    let of = |file: &str| word(&format!("bonding/{file}")).unwrap_or_default();
    fact.insert("slaves".into(), of("slaves").split_whitespace().collect());
    for key in ["mode", "miimon", "lacp_rate"] {
        // A mode is its name and its number: `active-backup 1`.
        fact.insert(key.into(), of(key).split_whitespace().next().unwrap_or_default().into());
    }
    let primary = of("primary");
    if !primary.is_empty() {
        fact.insert("primary".into(), primary.into());
        fact.insert("all_slaves_active".into(), (of("all_slaves_active") == "1").into());
    }
}

/// The addresses of an interface, without those that are what another label is about.
fn add_addresses(network: &Network, link: &Link, fact: &mut Map<String, Value>) {
    let all = network.of_interface(&link.name, true);
    add_ipv4(all.filter(|address| address.label == link.name || address.secondary), &link.name, fact);
    // Temporary addresses come last.
    let mut all: Vec<&Address> = network.of_interface(&link.name, false).collect();
    all.sort_by_key(|address| address.secondary);
    if !all.is_empty() {
        fact.insert("ipv6".into(), all.into_iter().map(ipv6).collect());
    }
}

/// What has addresses and is no interface.
fn labelled(network: &Network, name: &str) -> Option<Value> {
    let mut all =
        network.addresses.iter().filter(|address| address.label.replace(':', "_") == name).peekable();
    let label = all.peek()?.label.as_str();
    let mut fact = Map::new();
    add_ipv4(all, label, &mut fact);
    Some(fact.into())
}

/// The first address that is nobody's second and has the label is `ipv4`, the others are secondary ones.
fn add_ipv4<'a>(all: impl Iterator<Item = &'a Address>, label: &str, fact: &mut Map<String, Value>) {
    let mut others = Vec::new();
    for address in all {
        if !address.secondary && address.label == label && !fact.contains_key("ipv4") {
            fact.insert("ipv4".into(), ipv4(address));
        } else {
            others.push(ipv4(address));
        }
    }
    if !others.is_empty() {
        fact.insert("ipv4_secondaries".into(), others.into());
    }
}

fn ipv4(address: &Address) -> Value {
    let IpAddr::V4(own) = address.address else { return json!({}) };
    json!({
        "address": own.to_string(),
        "broadcast": address.broadcast.map(|address| address.to_string()).unwrap_or_default(),
        "netmask": netmask(address.prefix).to_string(),
        "network": network_of(own, address.prefix).to_string(),
        "prefix": address.prefix.to_string(),
    })
}

fn ipv6(address: &Address) -> Value {
    json!({
        "address": address.address.to_string(),
        "prefix": address.prefix.to_string(),
        "scope": address.scope,
    })
}

/// Empty where there is no way out.
fn default_route(network: &Network, is_ipv4: bool) -> Value {
    let route = if is_ipv4 { &network.default_ipv4 } else { &network.default_ipv6 };
    route.as_ref().map_or_else(|| json!({}), |route| describe_route(network, route, is_ipv4))
}

fn describe_route(network: &Network, route: &Route, is_ipv4: bool) -> Value {
    let mut fact = json!({ "interface": route.interface });
    if let Some(gateway) = route.gateway {
        fact["gateway"] = gateway.to_string().into();
    }
    let Some(address) = network.source(route, is_ipv4) else { return fact };
    let description = if is_ipv4 { ipv4(address) } else { ipv6(address) };
    for (key, value) in description.as_object().into_iter().flatten() {
        fact[key] = value.clone();
    }
    if is_ipv4 {
        fact["alias"] = address.label.as_str().into();
    }
    let link = network.link(&route.interface).cloned().unwrap_or_default();
    fact["macaddress"] = link.mac.unwrap_or_default().into();
    fact["mtu"] = link.mtu.into();
    fact["type"] = link.kind.into();
    fact
}

/// Only what is set; options as a map.
fn dns(own: &Value) -> Value {
    let mut dns = Map::new();
    for key in ["nameservers", "search", "sortlist"] {
        let some = own[key].as_array().filter(|values| !values.is_empty());
        dns.extend(some.map(|values| (key.to_owned(), values.clone().into())));
    }
    dns.extend(own.get("domain").map(|domain| ("domain".to_owned(), domain.clone())));
    if let Some(options) = own["options"].as_array() {
        let options = options.iter().filter_map(Value::as_str).map(|option| match option.split_once(':') {
            Some((name, value)) => (name.to_owned(), value.into()),
            None => (option.to_owned(), true.into()),
        });
        dns.insert("options".into(), options.collect::<Map<_, _>>().into());
    }
    dns.into()
}

#[cfg(test)]
mod tests {
    use super::super::super::fake::Fake;
    use super::super::{get, names};
    use super::*;

    fn address(interface: &str, label: &str, address: &str, prefix: u8, secondary: bool) -> Address {
        let address: IpAddr = address.parse().unwrap();
        let broadcast = (prefix == 24).then(|| "192.0.2.255".parse().unwrap());
        let scope = if address.to_string().starts_with("fe80") { "link" } else { "global" };
        Address {
            interface: interface.into(),
            label: label.into(),
            address,
            prefix,
            secondary,
            broadcast,
            scope,
        }
    }

    fn link(name: &str, kind: &'static str) -> Link {
        Link {
            name: name.to_owned(),
            mac: (kind != "loopback").then(|| "02:00:00:00:00:0a".to_owned()),
            mtu: 1500,
            up: true,
            promiscuous: false,
            kind,
        }
    }

    fn network() -> Network {
        let route = |gateway: &str| Route {
            interface: "eth0".into(),
            gateway: Some(gateway.parse().unwrap()),
            source: None,
        };
        Network {
            links: vec![
                link("lo", "loopback"),
                link("eth0", "ether"),
                link("br-lan", "bridge"),
                link("eth0.7", "ether"),
                link("host", "ether"),
            ],
            addresses: vec![
                address("lo", "lo", "127.0.0.1", 8, false),
                address("eth0", "eth0", "192.0.2.10", 24, false),
                address("eth0", "eth0", "192.0.2.11", 24, true),
                address("eth0", "eth0:1", "192.0.2.12", 24, true),
                address("eth0", "eth0:2", "198.51.100.1", 32, false),
                address("eth0", "eth0", "2001:db8::a", 64, true),
                address("eth0", "eth0", "2001:db8::10", 64, false),
                address("eth0", "eth0", "fe80::1", 64, false),
            ],
            default_ipv4: Some(route("192.0.2.1")),
            default_ipv6: Some(route("fe80::ff")),
        }
    }

    fn facts() -> Facts {
        let sys = "/sys/class/net/br-lan";
        Facts::new(
            Fake::default()
                .network(network())
                .file(&format!("{sys}/brif/veth0/state"), "")
                .file(&format!("{sys}/bridge/bridge_id"), "8000.02000000000a\n")
                .file(&format!("{sys}/bridge/stp_state"), "0\n")
                .link("/sys/class/net/eth0/device", "../../../0000:00:03.0")
                .link("/sys/class/net/eth0/device/driver/module", "../../../../module/virtio_net")
                .file("/sys/class/net/eth0/speed", "10000\n")
                .file("/etc/resolv.conf", "nameserver 192.0.2.53\nsearch a b\noptions timeout:1 rotate\n"),
        )
    }

    fn ipv4_of(address: &str) -> Value {
        json!({
            "address": address, "broadcast": "192.0.2.255", "netmask": "255.255.255.0", "network": "192.0.2.0",
            "prefix": "24",
        })
    }

    #[test]
    fn the_default_route_is_described_with_its_address() {
        assert_eq!(
            get(&facts(), "ansible_default_ipv4"),
            Some(json!({
                "interface": "eth0", "gateway": "192.0.2.1", "address": "192.0.2.10", "broadcast": "192.0.2.255",
                "netmask": "255.255.255.0", "network": "192.0.2.0", "prefix": "24", "alias": "eth0",
                "macaddress": "02:00:00:00:00:0a", "mtu": 1500, "type": "ether",
            }))
        );
        let ipv6 = get(&facts(), "ansible_default_ipv6").unwrap();
        assert_eq!((&ipv6["gateway"], &ipv6["scope"]), (&json!("fe80::ff"), &json!("global")));
        let nowhere = Facts::new(Fake::default().network(Network::default()));
        assert_eq!(get(&nowhere, "ansible_default_ipv4"), Some(json!({})));
    }

    #[test]
    fn interfaces_have_their_first_address_and_others() {
        let eth0 = get(&facts(), "ansible_eth0").unwrap();
        assert_eq!(eth0["ipv4"], ipv4_of("192.0.2.10"));
        assert_eq!(eth0["ipv4_secondaries"], json!([ipv4_of("192.0.2.11"), ipv4_of("192.0.2.12")]));
        let ipv6: Vec<&Value> = eth0["ipv6"].as_array().unwrap().iter().map(|own| &own["address"]).collect();
        assert_eq!(ipv6, ["2001:db8::10", "fe80::1", "2001:db8::a"]);
        assert_eq!(
            (&eth0["pciid"], &eth0["module"], &eth0["speed"]),
            (&json!("0000:00:03.0"), &json!("virtio_net"), &json!(10000))
        );
        assert_eq!(
            get(&facts(), "ansible_eth0_1"),
            Some(json!({ "ipv4_secondaries": [ipv4_of("192.0.2.12")] }))
        );
        assert_eq!(get(&facts(), "ansible_eth0_2").unwrap()["ipv4"]["address"], "198.51.100.1");
        let bridge = get(&facts(), "ansible_br_lan").unwrap();
        assert_eq!((&bridge["interfaces"], &bridge["stp"]), (&json!(["veth0"]), &json!(false)));
    }

    #[test]
    fn names_of_interfaces_can_be_written_in_a_template() {
        assert_eq!(get(&facts(), "ansible_eth0_7"), get(&facts(), "ansible_eth0.7"));
        let known = names(&facts());
        assert!(
            ["ansible_br_lan", "ansible_eth0_7", "ansible_eth0_1"]
                .iter()
                .all(|name| known.contains(&(*name).into()))
        );
        assert_eq!(
            get(&facts(), "ansible_interfaces"),
            Some(json!(["lo", "eth0", "eth0_1", "eth0_2", "br-lan", "eth0.7"]))
        );
        let all = get(&facts(), "ansible_facts").unwrap();
        assert!(all.get("br_lan").is_some() && all.get("eth0.7").is_some());
    }

    #[test]
    fn an_interface_does_not_say_where_the_host_is() {
        assert_eq!(get(&facts(), "ansible_host"), None);
        assert!(!names(&facts()).contains(&"ansible_host".to_owned()));
    }

    #[test]
    fn the_resolver_has_what_is_set() {
        let expected = json!({
            "nameservers": ["192.0.2.53"], "search": ["a", "b"], "options": { "timeout": "1", "rotate": true },
        });
        assert_eq!(get(&facts(), "ansible_dns"), Some(expected));
    }
}
