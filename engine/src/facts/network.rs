//! Interfaces, addresses and default routes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};

use super::source::FactSource;
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
    /// How many leading bits are the network's.
    pub prefix: u8,
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
    /// Asks the kernel, else reads its files.
    pub(super) fn of(source: &dyn FactSource) -> Option<Self> {
        source.network().or_else(|| proc_net::network(source))
    }

    /// The interface of this name.
    pub fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name == name)
    }

    /// The address that a route's packets leave with: the kernel's choice, else the interface's first of that family,
    /// the widest scope first.
    pub fn source(&self, route: &Route, ipv4: bool) -> Option<&Address> {
        let fits =
            |address: &&Address| address.interface == route.interface && address.address.is_ipv4() == ipv4;
        self.addresses.iter().filter(fits).find(|address| Some(address.address) == route.source).or_else(
            || {
                let global = self.addresses.iter().filter(fits).find(|address| address.scope == "global");
                global.or_else(|| self.addresses.iter().find(fits))
            },
        )
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
    let of = |ipv4: bool| -> Value {
        let addresses = network.addresses.iter();
        let own =
            addresses.filter(|address| address.interface == link.name && address.address.is_ipv4() == ipv4);
        own.map(address).collect()
    };
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
            fact.insert("macaddress".into(), mac.as_str().into());
        }
        fact.insert("mtu".into(), link.mtu.into());
        fact.insert("type".into(), link.kind.into());
    }
    Some(fact.into())
}

/// The resolver's settings, from the target root's `/etc/resolv.conf`.
fn dns(source: &dyn FactSource) -> Option<Value> {
    let text = text::file(source, "/etc/resolv.conf")?;
    let (mut nameservers, mut search, mut domain, mut options) = (Vec::new(), Vec::new(), None, Vec::new());
    for line in text.lines() {
        let line = line.split(['#', ';']).next().unwrap_or_default();
        let mut words = line.split_whitespace().map(str::to_owned);
        match words.next().as_deref() {
            Some("nameserver") => nameservers.extend(words.next()),
            // The last one counts: resolv.conf(5).
            Some("search") => search = words.collect(),
            Some("domain") => domain = words.next(),
            Some("options") => options.extend(words),
            _ => {}
        }
    }
    let mut fact = json!({ "nameservers": nameservers, "search": search });
    if let Some(domain) = domain {
        fact["domain"] = domain.into();
    }
    if !options.is_empty() {
        fact["options"] = options.into();
    }
    Some(fact)
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
    use super::*;

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
