//! `ipaddr` of ansible.utils, and those of its family that ask the same.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use crate::template::arguments::{Call, Callable, callable, fail, unknown};
use crate::template::network::Network;
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("ipaddr", &["value", "query", "version", "alias"], |_, call| {
        let version = call.integer("version")?.and_then(|version| u8::try_from(version).ok());
        family(call, version)
    }),
    callable("ipv4", QUERY, |_, call| family(call, Some(4))),
    callable("ipv6", QUERY, |_, call| family(call, Some(6))),
    callable("ipwrap", &["value"], |_, call| wrap(call.value()?)),
];

pub(super) const QUERY: &[&str] = &["value", "query"];

/// What can be asked of an address, beside a position and a network.
const QUERIES: [&str; 47] = [
    "6to4",
    "address",
    "address/prefix",
    "bool",
    "broadcast",
    "cidr",
    "first_usable",
    "gateway",
    "gw",
    "host",
    "host/prefix",
    "hostmask",
    "hostnet",
    "int",
    "ip",
    "ip/prefix",
    "ip_netmask",
    "ipv4",
    "ipv6",
    "last_usable",
    "link-local",
    "lo",
    "loopback",
    "multicast",
    "net",
    "next_usable",
    "netmask",
    "network",
    "network_id",
    "network/prefix",
    "network_netmask",
    "network_wildcard",
    "peer",
    "prefix",
    "previous_usable",
    "private",
    "public",
    "range_usable",
    "revdns",
    "router",
    "size",
    "size_usable",
    "subnet",
    "type",
    "unicast",
    "version",
    "wildcard",
];

/// An address or network, and whether it was written with a prefix.
pub(super) struct Given {
    pub at: Network,
    with_prefix: bool,
    /// How it was written.
    text: String,
}

/// A text, or a number as one; `None` if it is neither an address nor a network.
pub(super) fn given(value: &Value, version: Option<u8>) -> Result<Option<Given>> {
    let text = python::text(value)?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.parse::<u128>().ok();
        let at = number.and_then(|number| {
            let four = if version == Some(6) { None } else { Network::of_number(4, number) };
            four.or_else(|| Network::of_number(6, number))
        });
        return Ok(at.map(|at| Given { at, with_prefix: false, text: at.to_string() }));
    }
    if let Some(at) = Network::parse(&text) {
        return Ok(Some(Given { at, with_prefix: text.contains('/'), text }));
    }
    let numeric = text.split_once('/').and_then(|(address, prefix)| {
        let (address, prefix) = (address.parse().ok()?, prefix.parse().ok()?);
        let of = |version| Network::of_number(version, address)?.with_prefix(prefix);
        of(4).or_else(|| of(6))
    });
    Ok(numeric.map(|at| Given { at, with_prefix: true, text: at.to_string() }))
}

fn family(call: &Call, version: Option<u8>) -> Result<Value> {
    let value = call.value()?;
    match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => {}
        ValueKind::Seq | ValueKind::Iterable => {}
        _ => {
            return Err(fail(format!(
                "expected a text, a number or a list, got {}",
                python::type_name(value)
            )));
        }
    }
    ask(value, &call.text("query", "")?, version)
}

/// Asks one value, or each of a list, of which what has no answer is left out.
fn ask(value: &Value, query: &str, version: Option<u8>) -> Result<Value> {
    if python::is_list(value) {
        let answers = python::items(value)?;
        let answers = answers.iter().map(|item| ask(item, query, version)).collect::<Result<Vec<Value>>>()?;
        return Ok(answers.into_iter().filter(Value::is_true).collect());
    }
    let no = Ok(Value::from(false));
    if !value.is_true() || value.kind() == ValueKind::Bool {
        return no;
    }
    let Some(given) = given(value, version)? else { return no };
    if version.is_some_and(|version| version != given.at.version) {
        return no;
    }
    Ok(answer(&given, query)?.unwrap_or(Value::from(())))
}

fn answer(given: &Given, query: &str) -> Result<Option<Value>> {
    let at = given.at;
    let text = |text: String| Ok(Some(Value::from(text)));
    let itself = |holds: bool| Ok(holds.then(|| Value::from(given.text.as_str())));
    let host_address =
        at.is_single() || at.value != at.first() || at.broadcast().is_none() || at.version == 6;
    let small = at.size().is_some_and(|size| size <= 2);
    match query {
        "" if given.with_prefix => text(at.to_string()),
        "" => text(at.ip()),
        "bool" => Ok(Some(Value::from(true))),
        "address" | "ip" => Ok(host_address.then(|| Value::from(at.ip()))),
        "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => {
            let reserved = !small && (at.value == at.first() || Some(at.value) == at.broadcast());
            Ok(Some(if reserved { Value::from(false) } else { Value::from(at.to_string()) }))
        }
        "broadcast" => Ok(if small { None } else { at.broadcast().map(|last| Value::from(at.spell(last))) }),
        "cidr" => text(at.to_string()),
        "network/prefix" | "subnet" => text(at.cidr().to_string()),
        "host" => {
            let host = at.is_single() || at.value != at.first() || at.broadcast().is_none();
            Ok(host.then(|| Value::from(at.to_string())))
        }
        "hostmask" | "wildcard" => text(at.spell(at.hostmask())),
        "netmask" => text(at.spell(at.netmask())),
        "network" | "network_id" => text(at.spell(at.first())),
        "network_netmask" => text(format!("{} {}", at.spell(at.first()), at.spell(at.netmask()))),
        "network_wildcard" => text(format!("{} {}", at.spell(at.first()), at.spell(at.hostmask()))),
        "int" if given.with_prefix => text(format!("{}/{}", at.value, at.prefix)),
        "int" => Ok(Some(number(at.value))),
        "ip/prefix" | "ip_netmask" => {
            let mask = if query == "ip/prefix" {
                format!("/{}", at.prefix)
            } else {
                format!(" {}", at.spell(at.netmask()))
            };
            let host = at.size() == Some(2) || (!at.is_single() && at.value != at.first());
            Ok(host.then(|| Value::from(format!("{}{mask}", at.ip()))))
        }
        "ipv4" | "v4" if at.version == 4 => itself(true),
        "ipv4" | "v4" => Ok(Some(as_ipv4(at).map_or(Value::from(false), |at| Value::from(at.to_string())))),
        "ipv6" | "v6" if at.version == 6 => itself(true),
        "ipv6" | "v6" => {
            let mapped = Network { version: 6, value: 0xffff_0000_0000 | at.value, prefix: 96 + at.prefix };
            text(mapped.to_string())
        }
        "link-local" => itself(single(at).is_in(&["169.254.0.0/16", "fe80::/10"])),
        "lo" | "loopback" => itself(single(at).is_loopback()),
        "multicast" => itself(at.is_multicast()),
        "unicast" => itself(!at.is_multicast()),
        "private" => itself(at.is_private()),
        "public" => itself(is_public(at)),
        "6to4" => Ok(Some(six_to_four(given)?)),
        "net" => Ok((!at.is_single() && at.value == at.first()).then(|| Value::from(at.to_string()))),
        "prefix" => Ok(Some(Value::from(at.prefix))),
        "revdns" => text(at.reverse_name()),
        "size" => Ok(Some(size(at, 0))),
        "size_usable" => Ok(Some(match at.size() {
            Some(1) => Value::from(0),
            Some(2) => Value::from(2),
            _ => size(at, 2),
        })),
        "type" => text(kind(at).to_owned()),
        "version" => Ok(Some(Value::from(at.version))),
        "first_usable" | "last_usable" | "range_usable" | "next_usable" | "previous_usable" | "peer" => {
            of_network(given, query)
        }
        "wrap" => Ok(Some(wrapped(given))),
        query => by_position(given, query),
    }
}

/// What can only be asked of a network.
fn of_network(given: &Given, query: &str) -> Result<Option<Value>> {
    let at = given.at;
    if !given.with_prefix {
        return Err(fail(format!("`{}` is not a network, and `{query}` is about one", given.text)));
    }
    if query == "peer" {
        return match (at.size(), at.value % 4) {
            (Some(2), _) => Ok(Some(Value::from(at.spell(at.value ^ 1)))),
            (Some(4), 0) => Err(fail("the address of a /30 network has no peer")),
            (Some(4), 3) => Err(fail("the broadcast address of a /30 network has no peer")),
            (Some(4), _) => Ok(Some(Value::from(at.spell(at.value ^ 3)))),
            _ => Err(fail(format!("`{at}` is not a network of two"))),
        };
    }
    let Some((first, last)) = at.usable() else { return Ok(None) };
    let usable = |address: Option<u128>| {
        address
            .filter(|address| (first..=last).contains(address))
            .map(|address| Value::from(at.spell(address)))
    };
    Ok(match query {
        "first_usable" => Some(Value::from(at.spell(first))),
        "last_usable" => Some(Value::from(at.spell(last))),
        "range_usable" => Some(Value::from(format!("{}-{}", at.spell(first), at.spell(last)))),
        "next_usable" => usable(at.value.checked_add(1)),
        _ => usable(at.value.checked_sub(1)),
    })
}

/// A number is a position in the network, and a network is what the address is to be in.
fn by_position(given: &Given, query: &str) -> Result<Option<Value>> {
    let at = given.at;
    if let Ok(position) = query.parse::<i128>() {
        if at.is_single() {
            return Ok(Some(Value::from(if given.with_prefix { at.to_string() } else { at.ip() })));
        }
        let address = nth(at, position).map(|address| format!("{}/{}", at.spell(address), at.prefix));
        return Ok(Some(address.map_or(Value::from(false), Value::from)));
    }
    match Network::parse(query) {
        Some(network) => Ok(network.contains(at).then(|| Value::from(given.text.as_str()))),
        None => Err(unknown(format!("an address has no `{query}`"), query, QUERIES)),
    }
}

/// The address at a position, which counts from the end below zero.
pub(super) fn nth(at: Network, position: i128) -> Option<u128> {
    let address = match u128::try_from(position) {
        Ok(position) => at.first().checked_add(position)?,
        Err(_) => at.last().checked_sub(position.unsigned_abs() - 1)?,
    };
    (at.first()..=at.last()).contains(&address).then_some(address)
}

pub(super) fn number(value: u128) -> Value {
    i64::try_from(value).map_or_else(|_| Value::from(value), Value::from)
}

fn size(at: Network, without: u128) -> Value {
    // The whole of IPv6 is more than any integer here.
    at.size()
        .map_or_else(|| Value::from("340282366920938463463374607431768211456"), |size| number(size - without))
}

pub(super) fn kind(at: Network) -> &'static str {
    if at.is_single() || at.value != at.first() { "address" } else { "network" }
}

fn single(at: Network) -> Network {
    Network { prefix: at.width(), ..at }
}

fn is_public(at: Network) -> bool {
    let address = single(at);
    let mask = |value: u128| value & value.wrapping_add(1) == 0;
    !address.is_multicast()
        && !address.is_private()
        && !address.is_loopback()
        && !mask(address.value)
        && !mask(address.value ^ address.all())
}

fn as_ipv4(at: Network) -> Option<Network> {
    let low = at.value & 0xffff_ffff;
    let high = at.value >> 32;
    (high == 0 || high == 0xffff).then_some(Network {
        version: 4,
        value: low,
        prefix: at.prefix.saturating_sub(96),
    })
}

fn six_to_four(given: &Given) -> Result<Value> {
    let at = given.at;
    if at.version == 6 {
        let inside = single(at).is_in(&["2002::/16"]);
        let holds = if given.with_prefix { at.value != at.first() && inside } else { inside };
        return Ok(if holds { Value::from(given.text.as_str()) } else { Value::from(false) });
    }
    let host = at.is_single() || at.value != at.first();
    if !host || !(is_public(at) || single(at).is_private()) {
        return Ok(Value::from(false));
    }
    Ok(Value::from(format!("2002:{:04x}:{:04x}::1/48", at.value >> 16, at.value & 0xffff)))
}

fn wrapped(given: &Given) -> Value {
    let at = given.at;
    match (at.version, given.with_prefix) {
        (6, true) => Value::from(format!("[{}]/{}", at.ip(), at.prefix)),
        (6, false) => Value::from(format!("[{}]", at.ip())),
        _ => Value::from(given.text.as_str()),
    }
}

/// Puts IPv6 addresses in brackets and leaves everything else as it is.
fn wrap(value: &Value) -> Result<Value> {
    if python::is_list(value) {
        return python::items(value)?.iter().map(wrap).collect::<Result<Vec<Value>>>().map(Value::from);
    }
    let known = if value.is_true() && value.kind() != ValueKind::Bool { given(value, None)? } else { None };
    Ok(known.map_or_else(|| value.clone(), |given| wrapped(&given)))
}
