//! Networks and their parts, of ansible.utils: `ipsubnet`, `nthhost`, `cidr_merge` and the like.

use minijinja::{Error, State, Value};

use super::addresses::{QUERY, given, kind, nth, number};
use crate::template::arguments::{Call, Callable, callable, fail, unknown};
use crate::template::network::{Network, merge, span};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("ipsubnet", &["value", "query", "index"], subnet),
    callable("ipmath", &["value", "amount"], math),
    callable("network_in_network", &["value", "test"], |_, call| within(call, false)),
    callable("network_in_usable", &["value", "test"], |_, call| within(call, true)),
    callable("next_nth_usable", &["value", "offset"], |_, call| nth_usable(call, 1)),
    callable("previous_nth_usable", &["value", "offset"], |_, call| nth_usable(call, -1)),
    callable("nthhost", QUERY, nth_host),
    callable("cidr_merge", &["value", "action"], cidr_merge),
    callable("reduce_on_network", &["value", "network"], reduce),
    callable("ip4_hex", &["value", "delimiter"], hexadecimal),
    callable("usable_range", &["value"], usable_range),
];

/// More addresses than anybody means to list.
const MOST: u128 = 1 << 20;

fn subnet(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let no = Ok(Value::from(false));
    let Some(given) = given(call.value()?, None)? else { return no };
    let at = given.at.cidr();
    let is_address = at.is_single();
    let at = if kind(given.at) == "address" && !is_address { given.at.cidr() } else { at };
    let query = call.text("query", "")?;
    if query.is_empty() {
        return Ok(Value::from(at.to_string()));
    }
    let index = call.some("index").map(python::text).transpose()?;
    let index = index.map(|index| index.parse::<i128>()).transpose();
    let index = index.map_err(|_| fail("its argument `index` is not a number"))?;
    let Ok(prefix) = query.parse::<u32>() else { return rank(at, &query) };
    if prefix > at.width() {
        return no;
    }
    if is_address {
        return supernet(at, prefix, index);
    }
    let Some(bits) = prefix.checked_sub(at.prefix) else {
        return match index {
            // There is a quarter of such a subnet, and it is the first.
            Some(0) => Ok(Value::from(Network { prefix, ..at }.to_string())),
            None => Err(fail(format!("`{at}` has no subnet of the size /{prefix}"))),
            Some(_) => no,
        };
    };
    let count = if bits >= 127 { i128::MAX } else { 1 << bits };
    let Some(index) = index else { return Ok(Value::from(count.to_string())) };
    let index = if index < 0 { index + count } else { index };
    if !(0..count).contains(&index) {
        return no;
    }
    let first = at.first() + (index.unsigned_abs() << (at.width() - prefix));
    Ok(Value::from(Network { value: first, prefix, ..at }.to_string()))
}

/// The network of a size around an address; the index says which of the sizes between.
fn supernet(at: Network, prefix: u32, index: Option<i128>) -> Result<Value> {
    let width = i128::from(at.width());
    let count = i128::from(at.width() - prefix);
    let index = match index {
        None => 0,
        Some(index) if index > width + 1 - index || index < i128::from(prefix) - width => {
            return Ok(Value::from(false));
        }
        Some(index) => index,
    };
    let from_start = if index < 0 { index + count } else { index };
    if !(0..count).contains(&from_start) {
        return Err(fail(format!("there is no network {index} between /{prefix} and the address")));
    }
    let prefix = prefix + u32::try_from(from_start).unwrap_or(0);
    Ok(Value::from(Network { prefix, ..at }.cidr().to_string()))
}

/// The place of a subnet among those of its size in a network, from 1.
fn rank(at: Network, network: &str) -> Result<Value> {
    let outer = Network::parse(network)
        .ok_or_else(|| fail(format!("`{network}` is neither the size of a subnet nor a network")))?;
    if !outer.contains(at) {
        return Err(fail(format!("`{at}` is not in the network {}", outer.cidr())));
    }
    let shift = at.width() - at.prefix;
    let offset = if shift >= 128 { 0 } else { (at.first() - outer.first()) >> shift };
    Ok(Value::from((offset + 1).to_string()))
}

fn math(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let at = Network::parse(&text).ok_or_else(|| fail(format!("`{text}` is not an address")))?;
    let amount = call.integer("amount")?.ok_or_else(|| fail("its argument `amount` is missing"))?;
    let moved = at.value.checked_add_signed(i128::from(amount));
    let moved = moved.filter(|moved| *moved <= at.all());
    Ok(Value::from(at.spell(moved.ok_or_else(|| fail("there is no such address"))?)))
}

/// The address or network of a text, which has to be one.
fn known(value: &Value) -> Result<Network> {
    let found = if value.is_true() { given(value, None)? } else { None };
    match found {
        Some(given) => Ok(given.at.cidr()),
        None => Err(fail(format!("`{}` is neither an address nor a network", python::text(value)?))),
    }
}

fn within(call: &Call, usable: bool) -> Result<Value> {
    let (network, test) = (known(call.value()?)?, known(call.need("test")?)?);
    let (first, last) = match network.usable() {
        Some(range) if usable => range,
        _ => (network.first(), network.last()),
    };
    let inside = network.version == test.version && first <= test.first() && test.last() <= last;
    Ok(Value::from(inside))
}

fn nth_usable(call: &Call, sign: i128) -> Result<Value> {
    let Some(given) = given(call.value()?, None)? else { return Ok(Value::from(false)) };
    let at = given.at;
    let offset = call.integer("offset")?.ok_or_else(|| fail("its argument `offset` is missing"))?;
    let Some((first, last)) = at.usable() else { return Ok(Value::from(())) };
    let address = at.value.checked_add_signed(sign * i128::from(offset));
    let address = address.filter(|address| (first..=last).contains(address));
    Ok(address.map_or(Value::from(()), |address| Value::from(at.spell(address))))
}

fn nth_host(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let no = Ok(Value::from(false));
    let Some(given) = given(call.value()?, None)? else { return no };
    let Ok(position) = call.text("query", "")?.parse::<i128>() else { return no };
    let found = nth(given.at, position);
    if position < 0 && found.is_none() {
        return Err(fail("there is no such address"));
    }
    Ok(found.map_or(Value::from(false), |address| Value::from(given.at.spell(address))))
}

fn cidr_merge(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let parse = |item: &Value| {
        let text = python::text(item)?;
        Network::parse(&text).ok_or_else(|| fail(format!("`{text}` is neither an address nor a network")))
    };
    let networks = call.items()?.iter().map(parse).collect::<Result<Vec<Network>>>()?;
    match call.text("action", "merge")?.as_str() {
        "merge" => Ok(merge(&networks).into_iter().map(|network| Value::from(network.to_string())).collect()),
        "span" => match networks.as_slice() {
            [] => Ok(Value::from(())),
            [only] => Ok(Value::from(only.to_string())),
            _ => {
                let whole = span(&networks)
                    .ok_or_else(|| fail("addresses of IPv4 and IPv6 have no network in common"))?;
                Ok(Value::from(whole.to_string()))
            }
        },
        other => Err(unknown(format!("unknown `action` `{other}`"), other, ["merge", "span"])),
    }
}

fn reduce(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let network = known(call.need("network")?)?;
    let mut inside = Vec::new();
    for item in call.items()? {
        if known(&item).is_ok_and(|at| network.contains(at)) {
            inside.push(item);
        }
    }
    Ok(Value::from(inside))
}

fn hexadecimal(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let at = Network::address(&text).filter(|at| at.version == 4);
    let at = at.ok_or_else(|| fail(format!("`{text}` is not an address of IPv4")))?;
    let bytes = u32::try_from(at.value).unwrap_or_default().to_be_bytes();
    Ok(Value::from(bytes.map(|byte| format!("{byte:02x}")).join(&call.text("delimiter", "")?)))
}

fn usable_range(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let text = call.input()?;
    let at = Network::parse(&text).filter(|at| at.value == at.first());
    let at = at.ok_or_else(|| fail(format!("`{text}` is not a network")))?;
    let count = at.size().filter(|size| *size <= MOST);
    let count = count.ok_or_else(|| fail(format!("`{text}` has more than {MOST} addresses")))?;
    let addresses = (0..count).map(|offset| Value::from(at.spell(at.first() + offset)));
    Ok(Value::from_pairs([("usable_ips", addresses.collect::<Value>()), ("number_of_ips", number(count))]))
}
