//! Names of hosts with a port behind them: `web1:2222`, `[2001:db8::1]:22`.

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use regex::Regex;

use crate::constant_pattern::constant_pattern;

/// A range in brackets that may be part of an address.
static RANGE: LazyLock<Regex> =
    LazyLock::new(|| constant_pattern(r"(?i)\[(?:[a-z]:[a-z]|[0-9a-f]+:[0-9a-f]+)(?::[0-9]+)?\]"));

/// The host and the port of an address, if it is one: a name as DNS has it (with underscores), or an IP address; with or
/// without a port, and possibly with ranges.
pub(super) fn split(text: &str) -> Option<(&str, Option<u64>)> {
    // Nearly all hosts are names alone, and there may be many.
    if text.split('.').all(is_label) {
        return Some((text, None));
    }
    let (host, port) = split_port(text);
    is_host(host).then_some((host, port))
}

fn split_port(text: &str) -> (&str, Option<u64>) {
    let Some((host, digits)) = text.rsplit_once(':') else { return (text, None) };
    let port = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
    if port.is_none() {
        return (text, None);
    }
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) if !inner.contains(['[', ']']) => (inner, port),
        // The colons of an IPv6 address without brackets, or those of a range.
        _ if RANGE.replace_all(host, "").contains([':', '[', ']']) => (text, None),
        _ => (host, port),
    }
}

fn is_host(host: &str) -> bool {
    let sample = RANGE.replace_all(host, "1");
    sample.parse::<Ipv6Addr>().is_ok() || sample.split('.').all(is_label)
}

/// Whether it may stand between the dots of a name (or of an IPv4 address).
fn is_label(label: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    label.starts_with(word) && !label.ends_with(['-', '_']) && label.chars().all(|c| word(c) || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_from_addresses() {
        let cases = [
            ("web1", Some(("web1", None))),
            ("web1:2222", Some(("web1", Some(2222)))),
            ("192.0.2.1:22", Some(("192.0.2.1", Some(22)))),
            ("2001:db8::1", Some(("2001:db8::1", None))),
            ("::1", Some(("::1", None))),
            ("[2001:db8::1]:22", Some(("2001:db8::1", Some(22)))),
            ("node[1:3]", Some(("node[1:3]", None))),
            ("node[1:3].example:22", Some(("node[1:3].example", Some(22)))),
            ("[a:c]:22", None),
            ("[2001:db8::1]", None),
            ("web:db", None),
            ("web1:", None),
            ("web1:+2", None),
            ("a_-:22", None),
            ("web[1]", None),
            ("all:!web", None),
            ("/srv/root", None),
            ("web*", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
