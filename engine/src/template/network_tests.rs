//! The tests of ansible.utils: what kind of address it is.

use minijinja::{Error, Value};

use super::arguments::{Call, Callable, callable};
use super::network::Network;
use super::python;

type Result<T> = std::result::Result<T, Error>;

pub(super) const TABLE: &[Callable] = &[
    callable("ip", &["ip"], |_, call| Ok(Value::from(network(&call.input()?).is_some()))),
    callable("ipv4", &["ip"], |_, call| {
        Ok(Value::from(network(&call.input()?).is_some_and(|at| at.version == 4)))
    }),
    callable("ipv6", &["ip"], |_, call| {
        Ok(Value::from(network(&call.input()?).is_some_and(|at| at.version == 6)))
    }),
    callable("ip_address", &["ip"], |_, call| address(call, |_| true)),
    callable("ipv4_address", &["ip"], |_, call| address(call, |at| at.version == 4)),
    callable("ipv6_address", &["ip"], |_, call| address(call, |at| at.version == 6)),
    callable("loopback", &["ip"], |_, call| address(call, Network::is_loopback)),
    callable("multicast", &["ip"], |_, call| address(call, Network::is_multicast)),
    callable("unspecified", &["ip"], |_, call| address(call, |at| at.value == 0)),
    callable("private", &["ip"], |_, call| address(call, is_private)),
    callable("public", &["ip"], |_, call| {
        address(call, |at| !at.is_in(&["100.64.0.0/10"]) && !is_private(at))
    }),
    callable("reserved", &["ip"], |_, call| address(call, is_reserved)),
    callable("ipv6_ipv4_mapped", &["ip"], |_, call| address(call, |at| at.is_in(&["::ffff:0:0/96"]))),
    callable("ipv6_sixtofour", &["ip"], |_, call| address(call, |at| at.is_in(&["2002::/16"]))),
    callable("ipv6_teredo", &["ip"], |_, call| address(call, |at| at.is_in(&["2001::/32"]))),
    callable("ipv4_netmask", &["mask"], |_, call| mask(call, |at| at.value ^ at.all())),
    callable("ipv4_hostmask", &["ip"], |_, call| mask(call, |at| at.value)),
    callable("mac", &["mac"], |_, call| Ok(Value::from(is_mac(&call.input()?)))),
    callable("in_network", &["ip", "network"], |_, call| inside(call, "network")),
    callable("in_any_network", &["ip", "networks"], |_, call| Ok(Value::from(count_inside(call)? > 0))),
    callable("in_one_network", &["ip", "networks"], |_, call| Ok(Value::from(count_inside(call)? == 1))),
    callable("subnet_of", &["network_a", "network_b"], |_, call| inside(call, "network_b")),
    callable("supernet_of", &["network_a", "network_b"], |_, call| {
        let (outer, inner) = (network(&call.input()?), network(&python::text(call.need("network_b")?)?));
        Ok(Value::from(outer.zip(inner).is_some_and(|(outer, inner)| outer.contains(inner))))
    }),
];

/// A network, whose address has nothing behind its prefix.
fn network(text: &str) -> Option<Network> {
    Network::parse(text).filter(|at| at.value == at.first())
}

fn address(call: &Call, holds: impl Fn(Network) -> bool) -> Result<Value> {
    Ok(Value::from(Network::address(&call.input()?).is_some_and(holds)))
}

/// What Python's `ipaddress` takes for private: all that IANA has set aside, but for what providers share.
fn is_private(at: Network) -> bool {
    at.is_in(&[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/29",
        "192.0.0.170/31",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "::1/128",
        "::/128",
        "::ffff:0:0/96",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "fc00::/7",
        "fe80::/10",
    ])
}

fn is_reserved(at: Network) -> bool {
    at.is_in(&[
        "240.0.0.0/4",
        "::/8",
        "100::/8",
        "200::/7",
        "400::/6",
        "800::/5",
        "1000::/4",
        "4000::/3",
        "6000::/3",
        "8000::/3",
        "a000::/3",
        "c000::/3",
        "e000::/4",
        "f000::/5",
        "f800::/6",
        "fe00::/9",
    ])
}

/// Whether the bits that `host` gives are all at the end.
fn mask(call: &Call, host: fn(Network) -> u128) -> Result<Value> {
    let at = Network::address(&call.input()?).filter(|at| at.version == 4);
    Ok(Value::from(at.is_some_and(|at| host(at) & (host(at) + 1) == 0)))
}

fn is_mac(text: &str) -> bool {
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_hexdigit());
    let bytes = text.split([':', '-']);
    (bytes.clone().count() == 6 && bytes.into_iter().all(|byte| digits(byte, 2)))
        || (text.split('.').count() == 3 && text.split('.').all(|word| digits(word, 4)))
        || digits(text, 12)
}

fn inside(call: &Call, name: &str) -> Result<Value> {
    let (inner, outer) = (network(&call.input()?), network(&python::text(call.need(name)?)?));
    Ok(Value::from(inner.zip(outer).is_some_and(|(inner, outer)| outer.contains(inner))))
}

fn count_inside(call: &Call) -> Result<usize> {
    let inner = network(&call.input()?);
    let mut count = 0;
    for outer in python::items(call.need("networks")?)? {
        let outer = network(&python::text(&outer)?);
        count += usize::from(inner.zip(outer).is_some_and(|(inner, outer)| outer.contains(inner)));
    }
    Ok(count)
}
