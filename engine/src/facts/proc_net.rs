//! The network from `/proc/net` and `/sys/class/net`, for where the kernel can't be asked.
//!
//! Less is in these files than the kernel tells: an IPv4 address belongs to the interface whose connected route covers it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::netlink::hardware_kind;
use super::network::{Address, Link, Network, Route, network_of, scope_of};
use super::source::{FactSource, RootKind};
use super::text::{kernel, kernel_word};

/// Reads what the files of the network namespace say; absent when there are none.
pub(super) fn network(source: &dyn FactSource) -> Option<Network> {
    // Through a container the first process's files are the host's, even where this process is in another namespace.
    let directories = match source.kind() {
        RootKind::LiveThroughContainer => ["/proc/1/net", "/proc/net"],
        _ => ["/proc/net", "/proc/1/net"],
    };
    let read =
        |name: &str| directories.iter().find_map(|directory| kernel(source, &format!("{directory}/{name}")));
    let devices = read("dev")?;
    let routes = ipv4_routes(&read("route").unwrap_or_default());
    let mut addresses = ipv4_addresses(&read("fib_trie").unwrap_or_default(), &routes);
    addresses.extend(ipv6_addresses(&read("if_inet6").unwrap_or_default()));
    Some(Network {
        links: device_names(&devices).map(|name| link(source, name)).collect(),
        addresses,
        default_ipv4: default_ipv4(&routes),
        default_ipv6: default_ipv6(&read("ipv6_route").unwrap_or_default()),
    })
}

/// The interfaces of `/proc/net/dev`, whose two heading lines have no name before a colon.
fn device_names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim())
}

/// An interface; what only `/sys` knows is left at its default where there is none.
fn link(source: &dyn FactSource, name: &str) -> Link {
    const IFF_UP: u32 = 1;
    const IFF_PROMISC: u32 = 0x100;

    let word = |file: &str| kernel_word(source, &format!("/sys/class/net/{name}/{file}"));
    let flags = word("flags").and_then(|flags| u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok());
    let hardware = word("type").and_then(|number| number.parse().ok()).map(hardware_kind);
    let is = |what: &str| !source.kernel_list(&format!("/sys/class/net/{name}/{what}")).is_empty();
    let kind = match hardware {
        Some("ether") if is("bridge") => "bridge",
        Some("ether") if is("bonding") => "bonding",
        Some(kind) => kind,
        None if name == "lo" => "loopback",
        None => "unknown",
    };
    let carrier = !matches!(word("operstate").as_deref(), Some("down" | "notpresent" | "lowerlayerdown"));
    Link {
        name: name.to_owned(),
        mac: word("address").filter(|mac| mac.chars().any(|c| c != '0' && c != ':')),
        mtu: word("mtu").and_then(|mtu| mtu.parse().ok()).unwrap_or(0),
        up: carrier && flags.is_none_or(|flags| flags & IFF_UP != 0),
        promiscuous: flags.is_some_and(|flags| flags & IFF_PROMISC != 0),
        kind,
    }
}

/// A line of `/proc/net/route`.
struct Ipv4Route {
    interface: String,
    destination: Ipv4Addr,
    gateway: Ipv4Addr,
    prefix: u8,
    metric: u32,
}

fn ipv4_routes(text: &str) -> Vec<Ipv4Route> {
    const RTF_UP: u16 = 1;
    const RTF_REJECT: u16 = 0x200;

    // The kernel prints the bytes of an address as one number of its own byte order.
    let address =
        |field: &str| u32::from_str_radix(field, 16).ok().map(|number| Ipv4Addr::from(number.to_ne_bytes()));
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [interface, destination, gateway, flags, _, _, metric, mask, ..] = fields[..] else {
            return None;
        };
        let flags = u16::from_str_radix(flags, 16).ok()?;
        let prefix = u8::try_from(address(mask)?.to_bits().leading_ones()).ok()?;
        (flags & RTF_UP != 0 && flags & RTF_REJECT == 0).then_some(Ipv4Route {
            interface: interface.to_owned(),
            destination: address(destination)?,
            gateway: address(gateway)?,
            prefix,
            metric: metric.parse().ok()?,
        })
    };
    text.lines().filter_map(parse).collect()
}

fn default_ipv4(routes: &[Ipv4Route]) -> Option<Route> {
    let defaults = routes.iter().filter(|route| route.prefix == 0 && route.destination.is_unspecified());
    defaults.min_by_key(|route| route.metric).map(|route| Route {
        interface: route.interface.clone(),
        gateway: (!route.gateway.is_unspecified()).then_some(route.gateway.into()),
        source: None,
    })
}

/// The host's own addresses are the leaves of the trie with a line `/32 host LOCAL`.
fn ipv4_addresses(trie: &str, routes: &[Ipv4Route]) -> Vec<Address> {
    let (mut locals, mut broadcasts, mut leaf) = (Vec::new(), Vec::new(), None);
    for line in trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse::<Ipv4Addr>().ok();
        } else if let Some(address) = leaf {
            match line {
                "/32 host LOCAL" => locals.push(address),
                "/32 link BROADCAST" => broadcasts.push(address),
                _ => {}
            }
        }
    }
    // The trie has every table's leaves, so an address may come twice.
    locals.sort();
    locals.dedup();
    locals.into_iter().filter_map(|address| ipv4_address(address, &broadcasts, routes)).collect()
}

fn ipv4_address(address: Ipv4Addr, broadcasts: &[Ipv4Addr], routes: &[Ipv4Route]) -> Option<Address> {
    let (interface, prefix) = if address.is_loopback() {
        ("lo".to_owned(), 8)
    } else {
        let connected = routes.iter().filter(|route| route.gateway.is_unspecified() && route.prefix > 0);
        let covering = connected.filter(|route| network_of(address, route.prefix) == route.destination);
        let route = covering.max_by_key(|route| route.prefix)?;
        (route.interface.clone(), route.prefix)
    };
    let last = network_of(address, prefix) | !super::network::netmask(prefix);
    Some(Address {
        label: interface.clone(),
        interface,
        address: address.into(),
        prefix,
        broadcast: (broadcasts.contains(&last) && !address.is_loopback()).then_some(last),
        scope: if address.is_loopback() { "host" } else { "global" },
    })
}

/// Lines of `/proc/net/if_inet6`: address, index, prefix, scope, flags (hexadecimal), name.
fn ipv6_addresses(text: &str) -> Vec<Address> {
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [address, _, prefix, _, _, interface] = fields[..] else { return None };
        let address = ipv6(address)?;
        Some(Address {
            interface: interface.to_owned(),
            label: interface.to_owned(),
            address: address.into(),
            prefix: u8::from_str_radix(prefix, 16).ok()?,
            broadcast: None,
            scope: scope_of(address),
        })
    };
    text.lines().filter_map(parse).collect()
}

/// Lines of `/proc/net/ipv6_route`: destination, its prefix, source, its prefix, next hop, metric, uses, flags, name.
fn default_ipv6(text: &str) -> Option<Route> {
    const RTF_UP: u32 = 1;
    const RTF_REJECT: u32 = 0x200;

    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [destination, "00", _, _, gateway, metric, _, _, flags, interface] = fields[..] else {
            return None;
        };
        let flags = u32::from_str_radix(flags, 16).ok()?;
        let usable = flags & RTF_UP != 0 && flags & RTF_REJECT == 0 && ipv6(destination)?.is_unspecified();
        let gateway = ipv6(gateway)?;
        let gateway = (!gateway.is_unspecified()).then_some(IpAddr::V6(gateway));
        let route = Route { interface: interface.to_owned(), gateway, source: None };
        usable.then_some((u32::from_str_radix(metric, 16).ok()?, route))
    };
    text.lines().filter_map(parse).min_by_key(|(metric, _)| *metric).map(|(_, route)| route)
}

fn ipv6(digits: &str) -> Option<Ipv6Addr> {
    (digits.len() == 32).then(|| u128::from_str_radix(digits, 16).ok()).flatten().map(Ipv6Addr::from_bits)
}
