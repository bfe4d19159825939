//! The network from `/proc/net` and `/sys/class/net`, for where the kernel can't be asked.
//!
//! Less is in these files than the kernel tells: an IPv4 address belongs to the interface whose connected route covers it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::network::{Address, Link, Network, Route, hardware_kind, network_of, scope_of};
use super::source::FactSource;
use super::text::{kernel, kernel_word};

/// Reads what the files of a network namespace in `directory` say; absent when there are none.
pub(super) fn network(source: &dyn FactSource, directory: &str) -> Option<Network> {
    let read = |name: &str| kernel(source, &format!("{directory}/{name}"));
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
    let addresses = locals.into_iter().filter_map(|address| ipv4_address(address, &broadcasts, routes));
    let mut taken = BTreeSet::new();
    let network = |address: &Address| match address.address {
        IpAddr::V4(own) => (address.interface.clone(), network_of(own, address.prefix), address.prefix),
        IpAddr::V6(_) => (address.interface.clone(), Ipv4Addr::UNSPECIFIED, 0),
    };
    addresses.map(|address| Address { secondary: !taken.insert(network(&address)), ..address }).collect()
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
        secondary: false,
        broadcast: (broadcasts.contains(&last) && !address.is_loopback()).then_some(last),
        scope: if address.is_loopback() { "host" } else { "global" },
    })
}

/// Lines of `/proc/net/if_inet6`: address, index, prefix, scope, flags (hexadecimal), name.
fn ipv6_addresses(text: &str) -> Vec<Address> {
    const IFA_F_TEMPORARY: u32 = 1;

    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [address, _, prefix, _, flags, interface] = fields[..] else { return None };
        let address = ipv6(address)?;
        Some(Address {
            interface: interface.to_owned(),
            label: interface.to_owned(),
            address: address.into(),
            prefix: u8::from_str_radix(prefix, 16).ok()?,
            secondary: u32::from_str_radix(flags, 16).ok()? & IFA_F_TEMPORARY != 0,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fake::Fake;
    use super::*;

    const DEV: &str = "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo: 2467133354  209737    0    0    0     0          0         0 2467133354  209737    0    0
  eth0: 144309918    5840    0    0    0     0          0         0   418968    3878    0    0
";
    const ROUTE: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth1\t00000000\t010200C0\t0003\t0\t0\t500\t00000000\t0\t0\t0
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
";
    const TRIE: &str = "Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
Local:
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 192.0.2.0/24 2 0 2
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
           |-- 192.0.2.3
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
";
    const IF_INET6: &str = "fe8000000000000000fc00fffe000001 04 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000002 04 40 00 01     eth0
";
    const IPV6_ROUTE: &str = concat!(
        "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 ",
        "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n",
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 ",
        "fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth0\n",
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 ",
        "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n",
    );

    fn host(directory: &str) -> Fake {
        let texts = [
            ("dev", DEV),
            ("route", ROUTE),
            ("fib_trie", TRIE),
            ("if_inet6", IF_INET6),
            ("ipv6_route", IPV6_ROUTE),
        ];
        texts
            .into_iter()
            .fold(Fake::default(), |host, (name, text)| host.file(&format!("{directory}/{name}"), text))
    }

    // The bytes of addresses in /proc/net/route stand in the order of the machine that printed these.
    #[cfg(target_endian = "little")]
    #[test]
    fn files_of_the_kernel_tell_the_network() {
        let network = network(&host("/proc/net"), "/proc/net").unwrap();
        let shown: Vec<String> = network
            .addresses
            .iter()
            .map(|own| {
                let end = if own.secondary { " secondary" } else { "" };
                format!("{} {}/{} {}{end}", own.interface, own.address, own.prefix, own.scope)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "lo 127.0.0.1/8 host",
                "eth0 192.0.2.2/24 global",
                "eth0 192.0.2.3/24 global secondary",
                "eth0 fe80::fc:ff:fe00:1/64 link",
                "lo ::1/128 host",
                "eth0 fd00::2/64 global secondary",
            ]
        );
        assert_eq!(network.addresses[1].broadcast, Some(Ipv4Addr::new(192, 0, 2, 255)));
        let gateway = |route: &Option<Route>| {
            let route = route.as_ref().unwrap();
            (route.interface.clone(), route.gateway.unwrap().to_string())
        };
        assert_eq!(gateway(&network.default_ipv4), ("eth0".to_owned(), "192.0.2.1".to_owned()));
        assert_eq!(gateway(&network.default_ipv6), ("eth0".to_owned(), "fd00::1".to_owned()));
    }

    #[test]
    fn links_are_described_by_sysfs() {
        let host = host("/proc/net")
            .file("/sys/class/net/eth0/type", "1\n")
            .file("/sys/class/net/eth0/flags", "0x1103\n")
            .file("/sys/class/net/eth0/mtu", "1400\n")
            .file("/sys/class/net/eth0/operstate", "up\n")
            .file("/sys/class/net/eth0/address", "02:fc:00:00:00:01\n")
            .file("/sys/class/net/eth0/bridge/bridge_id", "8000.02fc00000001\n")
            .file("/sys/class/net/lo/address", "00:00:00:00:00:00\n");
        let network = network(&host, "/proc/net").unwrap();
        let bridge = Link {
            name: "eth0".to_owned(),
            mac: Some("02:fc:00:00:00:01".to_owned()),
            mtu: 1400,
            up: true,
            promiscuous: true,
            kind: "bridge",
        };
        assert_eq!(network.link("eth0"), Some(&bridge));
        let lo = network.link("lo").unwrap();
        assert_eq!((lo.kind, &lo.mac, lo.mtu), ("loopback", &None, 0));
    }

    #[test]
    fn without_files_there_is_no_network() {
        assert_eq!(network(&host("/proc/net"), "/proc/1/net"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r"[0-9A-Fa-f|/.: \tLOCAL\n-]{0,120}") {
            let routes = ipv4_routes(&text);
            let _ = (default_ipv4(&routes), ipv4_addresses(&text, &routes));
            let _ = (ipv6_addresses(&text), default_ipv6(&text), device_names(&text).count());
        }

        #[test]
        fn no_route_panics(fields in proptest::collection::vec(0_u32.., 8)) {
            let line: String = fields.iter().map(|field| format!("{field:X} ")).collect();
            let routes = ipv4_routes(&line);
            let _ = ipv4_addresses("|-- 10.0.0.1\n/32 host LOCAL\n", &routes);
        }
    }
}
