//! Hardware addresses, of ansible.utils.

use minijinja::{Error, State, Value};

use super::addresses::{QUERY, given};
use crate::template::arguments::{Call, Callable, callable, fail, unknown};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("slaac", QUERY, slaac),
    callable("hwaddr", &["value", "query", "alias"], |_, call| hardware(call)),
    callable("macaddr", QUERY, |_, call| hardware(call)),
];

/// The six bytes of a hardware address in any spelling.
fn mac(text: &str) -> Option<[u8; 6]> {
    let words: Vec<&str> = text.split([':', '-', '.']).collect();
    let digits: String = match words.len() {
        1 if text.len() == 12 => text.to_owned(),
        2 | 3 | 6 => {
            let width = 12 / words.len();
            let fits = words.iter().all(|word| !word.is_empty() && word.len() <= width);
            fits.then(|| words.iter().map(|word| format!("{word:0>width$}")).collect())?
        }
        _ => return None,
    };
    let number = u64::from_str_radix(&digits, 16).ok()?;
    let bytes = number.to_be_bytes();
    bytes[2..].try_into().ok()
}

fn hardware(call: &Call) -> Result<Value> {
    let (text, query) = (call.input()?, call.text("query", "")?);
    let Some(mac) = mac(&text) else {
        return match query.as_str() {
            "" | "bool" => Ok(Value::from(())),
            _ => Err(fail(format!("`{text}` is not a hardware address"))),
        };
    };
    let spelled = |width: usize, separator: &str| {
        let words =
            mac.chunks(width).map(|word| word.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        Value::from(words.collect::<Vec<_>>().join(separator))
    };
    Ok(match query.as_str() {
        "" => Value::from(text),
        "bool" => Value::from(true),
        "int" => Value::from(mac.iter().fold(0i64, |number, byte| (number << 8) | i64::from(*byte))),
        "bare" => Value::from(python::text(&spelled(6, ""))?.to_uppercase()),
        "cisco" => spelled(2, "."),
        "eui48" | "win" => Value::from(python::text(&spelled(1, "-"))?.to_uppercase()),
        "linux" => spelled(1, ":"),
        "pgsql" | "postgresql" | "psql" => spelled(3, ":"),
        "unix" => Value::from(mac.map(|byte| format!("{byte:x}")).join(":")),
        other => {
            let known = ["bare", "bool", "cisco", "eui48", "int", "linux", "pgsql", "unix", "win"];
            return Err(unknown(format!("a hardware address has no spelling `{other}`"), other, known));
        }
    })
}

/// The address that a host with a hardware address gives itself in a network of IPv6.
fn slaac(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let no = Ok(Value::from(false));
    let Some(given) = given(call.value()?, None)?.filter(|given| given.at.version == 6) else { return no };
    let Some(mac) = mac(&call.text("query", "")?) else { return no };
    let [a, b, c, d, e, f] = mac;
    let identifier = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    Ok(Value::from(given.at.spell(given.at.first() | u128::from(identifier))))
}
