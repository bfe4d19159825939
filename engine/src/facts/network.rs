//! Interfaces, addresses and default routes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};

use super::source::{FactSource, shares_namespace};
use super::{proc_net, text};

/// What the kernel knows about the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// In the kernel's order.
    pub links: Vec<Link>,
    /// In the kernel's order, both families.
    pub addresses: Vec<Address>,
    /// The way to the rest of the world over IPv4.
    pub default_ipv4: Option<Route>,
    /// The way to the rest of the world over IPv6.
    pub default_ipv6: Option<Route>,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Its hardware address with colons; absent when it has none, as the loopback interface.
    pub mac: Option<String>,
    /// The longest packet in bytes; 0 when it is not known.
    pub mtu: u32,
    /// Whether it is switched on and not known to be without a carrier.
    pub up: bool,
    /// Whether it takes packets for others.
    pub promiscuous: bool,
    /// `ether`, `loopback`, `bridge`, `bonding`, `infiniband`, `ppp`, `tunnel` or `unknown`.
    pub kind: &'static str,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface's name.
    pub interface: String,
    /// The label, for IPv4: the interface's name, or with a suffix (`eth0:1`).
    pub label: String,
    /// The address itself.
    pub address: IpAddr,
    /// How many leading bits are the network's: 32 for an IPv4 address whose link has only another end, no network.
    pub prefix: u8,
    /// Whether the interface has another address in the same network that comes first, or the address is a temporary
    /// one.
    pub secondary: bool,
    /// The broadcast address, where one is set.
    pub broadcast: Option<Ipv4Addr>,
    /// `global`, `site`, `link`, `host` or `nowhere`.
    pub scope: &'static str,
}

/// A way that packets take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The interface's name.
    pub interface: String,
    /// The next router, unless the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// The address that packets leave with, where the kernel says.
    pub source: Option<IpAddr>,
}

impl Network {
    /// Asks the kernel, else reads its files. An image has no network.
    pub(super) fn of(source: &dyn FactSource) -> Option<Self> {
        if !source.live() {
            return None;
        }
        // In another network namespace than the host's first process, only what that one sees is the truth.
        if shares_namespace(source, "net") == Some(false) {
            return source.entered_network().or_else(|| proc_net::network(source, "/proc/1/net"));
        }
        source.network().or_else(|| proc_net::network(source, "/proc/net"))
    }

    /// The interface of this name.
    pub fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name == name)
    }

    /// The address that a route's packets leave with: the kernel's choice, else the interface's first of that family,
    /// the widest scope first.
    pub fn source(&self, route: &Route, ipv4: bool) -> Option<&Address> {
        let fits = || self.of_interface(&route.interface, ipv4);
        let chosen = fits().find(|address| Some(address.address) == route.source);
        chosen.or_else(|| fits().find(|address| address.scope == "global")).or_else(|| fits().next())
    }

    /// The addresses of an interface, of one family.
    pub fn of_interface(&self, name: &str, ipv4: bool) -> impl Iterator<Item = &Address> {
        self.addresses
            .iter()
            .filter(move |address| address.interface == name && address.address.is_ipv4() == ipv4)
    }

    /// All addresses of one family, except those of the host itself (127.0.0.0/8, ::1).
    pub fn reachable(&self, ipv4: bool) -> impl Iterator<Item = &Address> {
        self.addresses
            .iter()
            .filter(move |address| address.address.is_ipv4() == ipv4 && !address.address.is_loopback())
    }
}

/// The mask of a prefix: 24 is 255.255.255.0. Prefixes past 32 count as 32.
pub(super) fn netmask(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0))
}

/// The first address of the network that `address` is in.
pub(super) fn network_of(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    address & netmask(prefix)
}

/// Gathers `facts.network`.
pub(super) fn fact(source: &dyn FactSource, network: Option<&Network>) -> Option<Value> {
    let mut fact = Map::new();
    if let Some(network) = network {
        let interfaces: Map<String, Value> =
            network.links.iter().map(|link| (link.name.clone(), interface(network, link))).collect();
        fact.insert("interfaces".into(), interfaces.into());
        if let Some(route) = default_route(network, network.default_ipv4.as_ref(), true) {
            fact.insert("default_ipv4".into(), route);
        }
        if let Some(route) = default_route(network, network.default_ipv6.as_ref(), false) {
            fact.insert("default_ipv6".into(), route);
        }
        fact.insert("all_ipv4_addresses".into(), network.reachable(true).map(plain).collect());
        fact.insert("all_ipv6_addresses".into(), network.reachable(false).map(plain).collect());
    }
    if let Some(dns) = dns(source) {
        fact.insert("dns".into(), dns);
    }
    (!fact.is_empty()).then(|| fact.into())
}

fn plain(address: &Address) -> Value {
    address.address.to_string().into()
}

fn interface(network: &Network, link: &Link) -> Value {
    let of = |ipv4: bool| -> Value { network.of_interface(&link.name, ipv4).map(address).collect() };
    let mut fact = Map::new();
    if let Some(mac) = &link.mac {
        fact.insert("mac".into(), mac.as_str().into());
    }
    fact.insert("mtu".into(), link.mtu.into());
    fact.insert("up".into(), link.up.into());
    fact.insert("type".into(), link.kind.into());
    fact.insert("ipv4".into(), of(true));
    fact.insert("ipv6".into(), of(false));
    fact.into()
}

fn address(address: &Address) -> Value {
    match address.address {
        IpAddr::V4(own) => {
            let mut fact = json!({
                "address": own.to_string(),
                "prefix": address.prefix,
                "netmask": netmask(address.prefix).to_string(),
                "network": network_of(own, address.prefix).to_string(),
            });
            if let Some(broadcast) = address.broadcast {
                fact["broadcast"] = broadcast.to_string().into();
            }
            fact
        }
        IpAddr::V6(own) => {
            json!({ "address": own.to_string(), "prefix": address.prefix, "scope": address.scope })
        }
    }
}

fn default_route(network: &Network, route: Option<&Route>, ipv4: bool) -> Option<Value> {
    let route = route?;
    let mut fact = Map::new();
    fact.insert("interface".into(), route.interface.as_str().into());
    if let Some(Value::Object(source)) = network.source(route, ipv4).map(address) {
        fact.extend(source);
    }
    if let Some(gateway) = route.gateway {
        fact.insert("gateway".into(), gateway.to_string().into());
    }
    if let Some(link) = network.link(&route.interface) {
        if let Some(mac) = &link.mac {
            fact.insert("mac".into(), mac.as_str().into());
        }
        fact.insert("mtu".into(), link.mtu.into());
        fact.insert("type".into(), link.kind.into());
    }
    Some(fact.into())
}

/// The resolver's settings, from the target root's `/etc/resolv.conf`.
fn dns(source: &dyn FactSource) -> Option<Value> {
    let text = text::file(source, "/etc/resolv.conf")?;
    let (mut nameservers, mut fact) = (Vec::new(), json!({ "nameservers": [], "search": [] }));
    for line in text.lines() {
        let line = line.split(['#', ';']).next().unwrap_or_default();
        let mut words = line.split_whitespace();
        // Of all but servers the last one counts: resolv.conf(5).
        match (words.next(), words.clone().next()) {
            (Some("nameserver"), Some(server)) => nameservers.push(server),
            (Some("domain"), Some(domain)) => fact["domain"] = domain.into(),
            (Some(key @ ("search" | "options" | "sortlist")), _) => fact[key] = words.collect(),
            _ => {}
        }
    }
    fact["nameservers"] = nameservers.into();
    Some(fact)
}

/// What ARP calls the hardware (`if_arp.h`).
pub(super) fn hardware_kind(number: u16) -> &'static str {
    match number {
        1 => "ether",
        32 => "infiniband",
        512 => "ppp",
        768 | 769 | 776 | 778 | 65534 => "tunnel",
        772 => "loopback",
        _ => "unknown",
    }
}

/// How far an IPv6 address reaches, for sources that don't say.
pub(super) fn scope_of(address: Ipv6Addr) -> &'static str {
    if address.is_loopback() {
        "host"
    } else if address.is_unicast_link_local() {
        "link"
    } else {
        "global"
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::Fake;
    use super::*;
    use crate::system::RootKind;

    fn named(name: &str) -> Network {
        Network { links: vec![Link { name: name.to_owned(), ..Link::default() }], ..Network::default() }
    }

    fn first_link(host: &Fake) -> String {
        let network = Network::of(host).unwrap_or_default();
        network.links.first().map(|link| link.name.clone()).unwrap_or_default()
    }

    #[test]
    fn the_network_is_never_the_containers() {
        let host = |own: &str| {
            Fake::default()
                .network(named("own"))
                .file("/proc/1/net/dev", " head |\n outer: 1 2\n")
                .file("/proc/net/dev", " head |\n inner: 1 2\n")
                .link("/proc/self/ns/net", own)
                .link("/proc/1/ns/net", "net:[1]")
        };
        let through = |own: &str| host(own).kind(RootKind::LiveThroughContainer);
        assert_eq!(first_link(&host("net:[2]")), "own");
        assert_eq!(first_link(&through("net:[1]")), "own");
        assert_eq!(first_link(&through("net:[2]")), "outer");
        assert_eq!(first_link(&through("net:[2]").entered_network(named("entered"))), "entered");
        assert_eq!(first_link(&through("net:[2]").without_first_process()), "own");
        assert_eq!(Network::of(&host("net:[1]").kind(RootKind::Offline)), None);
    }

    #[test]
    fn an_image_has_a_resolver_and_no_network() {
        let text = "# by hand\nnameserver 192.0.2.53 # first\nnameserver ::1\nsearch old\nsearch a b\ndomain c\noptions rotate timeout:1\nsortlist 192.0.2.0\nnameserver\n";
        let host = Fake::default().file("/etc/resolv.conf", text).kind(RootKind::Offline);
        assert_eq!(
            fact(&host, Network::of(&host).as_ref()),
            Some(json!({ "dns": {
                "nameservers": ["192.0.2.53", "::1"], "search": ["a", "b"], "domain": "c",
                "options": ["rotate", "timeout:1"], "sortlist": ["192.0.2.0"],
            } }))
        );
        let empty = Fake::default().kind(RootKind::Offline);
        assert_eq!(fact(&empty, None), None);
    }

    #[test]
    fn a_route_leaves_with_its_source_else_the_widest_address() {
        let address = |text: &str, scope| Address {
            interface: "eth0".to_owned(),
            label: "eth0".to_owned(),
            address: text.parse().unwrap(),
            prefix: 64,
            secondary: false,
            broadcast: None,
            scope,
        };
        let addresses =
            vec![address("fe80::1", "link"), address("fd00::1", "global"), address("fd00::2", "global")];
        let network = Network { addresses, ..Network::default() };
        let leaves = |source: Option<&str>| {
            let source = source.map(|text| text.parse().unwrap());
            let route = Route { interface: "eth0".to_owned(), gateway: None, source };
            network.source(&route, false).unwrap().address.to_string()
        };
        assert_eq!(leaves(None), "fd00::1");
        assert_eq!(leaves(Some("fd00::2")), "fd00::2");
        assert_eq!(leaves(Some("fd00::3")), "fd00::1");
    }

    #[test]
    fn prefixes_are_masks() {
        let masks: Vec<String> =
            [0, 1, 8, 24, 31, 32, 200].map(|prefix| netmask(prefix).to_string()).to_vec();
        assert_eq!(
            masks,
            [
                "0.0.0.0",
                "128.0.0.0",
                "255.0.0.0",
                "255.255.255.0",
                "255.255.255.254",
                "255.255.255.255",
                "255.255.255.255"
            ]
        );
        assert_eq!(network_of(Ipv4Addr::new(10, 1, 2, 3), 12).to_string(), "10.0.0.0");
    }
}
