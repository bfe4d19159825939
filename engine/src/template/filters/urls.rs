//! Addresses of the web.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::template::arguments::{Call, Callable, callable, fail, unknown};
use crate::template::python;

type Result<T> = std::result::Result<T, Error>;

pub(in crate::template) const TABLE: &[Callable] = &[
    callable("urlencode", &["value"], encode),
    callable("urldecode", &["value"], |_, call| Ok(Value::from(decode(&call.input()?)))),
    callable("urlsplit", &["value", "query"], split),
];

/// The parts of an address, in the order in which a map has them.
const PARTS: [&str; 9] =
    ["fragment", "hostname", "netloc", "password", "path", "port", "query", "scheme", "username"];

/// A text, or the entries of a map as `a=1&b=2`. In the latter a `/` is escaped, too.
fn encode(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let value = call.value()?;
    let pairs = match value.kind() {
        ValueKind::Map => python::pairs(value)?,
        ValueKind::Seq | ValueKind::Iterable => python::pairs_of(value)?,
        _ => return Ok(Value::from(quoted(&call.input()?, true))),
    };
    let part = |value: &Value| Ok::<_, Error>(quoted(&python::text(value)?, false));
    let parts = pairs.iter().map(|(key, value)| Ok(format!("{}={}", part(key)?, part(value)?)));
    Ok(Value::from(parts.collect::<Result<Vec<String>>>()?.join("&")))
}

fn quoted(text: &str, slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(char::from(byte)),
            b'/' if slash => out.push('/'),
            b' ' if !slash => out.push('+'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match (first, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = behind;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn split(_: &mut State<'_, '_>, call: &Call) -> Result<Value> {
    let url = call.input()?;
    let parts = parts(&url)?;
    match call.some("query").filter(|query| query.is_true()) {
        None => Ok(Value::from_pairs(PARTS.into_iter().zip(parts))),
        Some(name) => {
            let name = python::text(name)?;
            let at = PARTS.iter().position(|part| *part == name);
            let at = at.ok_or_else(|| unknown(format!("an address has no part `{name}`"), &name, PARTS))?;
            Ok(parts[at].clone())
        }
    }
}

/// The values of [`PARTS`].
pub(in crate::template) fn parts(url: &str) -> Result<[Value; 9]> {
    let url: String = url.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, rest) = match url.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => (String::new(), url.as_str()),
    };
    let (location, rest) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, host) = location.rsplit_once('@').map_or((None, location), |(user, host)| (Some(user), host));
    let (username, password) = match user.map(|user| user.split_once(':').ok_or(user)) {
        Some(Ok((name, password))) => (Some(name), Some(password)),
        Some(Err(name)) => (Some(name), None),
        None => (None, None),
    };
    let (host, port) = match host.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
    };
    let port = match port.filter(|port| !port.is_empty()).map(str::parse::<u16>) {
        None => Value::from(()),
        Some(Ok(port)) => Value::from(port),
        Some(Err(_)) => return Err(fail(format!("the port of `{url}` is not a number up to 65535"))),
    };
    let optional = |text: Option<&str>| text.map_or(Value::from(()), Value::from);
    let host = Some(host).filter(|host| !host.is_empty()).map(str::to_lowercase);
    Ok([
        Value::from(fragment),
        optional(host.as_deref()),
        Value::from(location),
        optional(password),
        Value::from(path),
        port,
        Value::from(query),
        Value::from(scheme),
        optional(username),
    ])
}
