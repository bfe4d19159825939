//! Names of hosts, many of them in few words.

use std::net::Ipv4Addr;

use indexmap::IndexMap;

/// From so many consecutive names on, a range says it more shortly.
const RUN: usize = 3;

/// The names with runs of consecutive numbers as the inventory writes them: `node[1:10], edge`. In the order in which they come; a
/// range stands where its first name does.
pub fn folded<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut families: IndexMap<(&str, &str), Vec<Numbered<'a>>> = IndexMap::new();
    for name in names {
        let (before, digits, after) = parts(name);
        // More digits than that are no count of hosts, and their sum might not fit.
        let number = Some(digits).filter(|digits| digits.len() < 19).and_then(|digits| digits.parse().ok());
        families.entry((before, after)).or_default().push(Numbered { name, digits, number });
    }
    let mut words = Vec::new();
    for ((before, after), mut members) in families {
        members.sort_by_key(|member| member.number);
        let mut rest = members.as_slice();
        while let Some(first) = rest.first() {
            let length = run(rest);
            let (taken, more) = rest.split_at(length);
            match taken.last() {
                Some(last) if length >= RUN => {
                    words.push(format!("{before}[{}:{}]{after}", first.digits, last.digits));
                }
                _ => words.extend(taken.iter().map(|member| member.name.to_owned())),
            }
            rest = more;
        }
    }
    words.join(", ")
}

/// A name with the number in it, if it has one of a size that can be counted on.
struct Numbered<'a> {
    name: &'a str,
    digits: &'a str,
    number: Option<u64>,
}

/// How many of the names, which are sorted, the inventory's `[FIRST:LAST]` stands for from the first one on. At least one.
fn run(members: &[Numbered<'_>]) -> usize {
    let Some((first, width)) = members.first().and_then(|first| Some((first.number?, first.digits.len())))
    else {
        return 1;
    };
    let numbers = (first..).zip(members);
    numbers.take_while(|(number, member)| format!("{number:0width$}") == member.digits).count().max(1)
}

/// A name around its number: the last digits of its first label, or of an address. Without any, all is before them.
fn parts(name: &str) -> (&str, &str, &str) {
    let label = match name.find('.') {
        Some(end) if name.parse::<Ipv4Addr>().is_err() => &name[..end],
        _ => name,
    };
    let Some(last) = label.rfind(|letter: char| letter.is_ascii_digit()) else { return (name, "", "") };
    let end = last + 1;
    let start = label[..end].trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    (&name[..start], &name[start..end], &name[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_ranges() {
        for (names, expected) in [
            ("node1", "node1"),
            ("node1 node2", "node1, node2"),
            ("node1 node2 node3", "node[1:3]"),
            ("node10 node9 node8 edge", "node[8:10], edge"),
            ("node1 edge node2 node3", "node[1:3], edge"),
            ("node1 node2 node3 node5", "node[1:3], node5"),
            ("n08 n09 n10", "n[08:10]"),
            ("n8 n09 n10", "n8, n09, n10"),
            ("n98 n99 n100", "n[98:100]"),
            ("a1 a2 a2 a3", "a1, a2, a2, a3"),
            ("web1.eu web2.eu web3.eu web4.us", "web[1:3].eu, web4.us"),
            ("10.0.0.1 10.0.0.2 10.0.0.3", "10.0.0.[1:3]"),
            ("r1-n1 r1-n2 r1-n3 r2-n1", "r1-n[1:3], r2-n1"),
            ("x99999999999999999999999 y", "x99999999999999999999999, y"),
            ("18446744073709551614 18446744073709551615", "18446744073709551614, 18446744073709551615"),
            ("", ""),
        ] {
            assert_eq!(folded(names.split_whitespace()), expected);
        }
    }
}
