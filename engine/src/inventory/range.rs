//! Ranges in the names of hosts: `node[01:20]`, `rack[a:d]-[1:10:2]`.

/// The most hosts that one name may stand for. A slip such as `[1:1000000000]` must not exhaust memory.
pub(super) const MOST: usize = 1_000_000;

/// Why a name can't be expanded, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadRange {
    pub(super) message: &'static str,
    pub(super) hint: &'static str,
}

const SPELLING: &str = "a range is `[1:20]`, `[01:20]` or `[a:d]`, with a step `[1:10:2]`";

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// All names that a name with ranges stands for: the last range varies fastest. A name without any gives itself.
pub(super) fn expand(name: &str) -> Result<Vec<String>, BadRange> {
    let bad = |message| BadRange { message, hint: SPELLING };
    let mut names = vec![String::new()];
    let mut rest = name;
    while let Some((head, behind)) = rest.split_once('[') {
        if head.contains(']') {
            return Err(bad("there is a `]` without its `[`"));
        }
        let (range, tail) = behind.split_once(']').ok_or(bad("the `[` has no `]`"))?;
        let values = values(range)?;
        if names.len().saturating_mul(values.len()) > MOST {
            let hint = "a name may stand for up to 1,000,000 hosts";
            return Err(BadRange { message: "these are too many hosts", hint });
        }
        names = names
            .iter()
            .flat_map(|name| values.iter().map(move |value| format!("{name}{head}{value}")))
            .collect();
        rest = tail;
    }
    if rest.contains(']') {
        return Err(bad("there is a `]` without its `[`"));
    }
    names.iter_mut().for_each(|name| name.push_str(rest));
    Ok(names)
}

/// The values of what stands between the brackets.
fn values(range: &str) -> Result<Vec<String>, BadRange> {
    let bad = |message| BadRange { message, hint: SPELLING };
    let parts: Vec<&str> = range.split(':').collect();
    let (begin, end, step) = match parts[..] {
        [begin, end] => (begin, end, "1"),
        [begin, end, step] => (begin, end, step),
        _ => return Err(bad("a range has a begin, an end and maybe a step")),
    };
    let step = step.parse().ok().filter(|step| *step > 0).ok_or(bad("the step has to be 1 or more"))?;
    if let (Some(first), Some(last)) = (letter(begin), letter(end)) {
        let letters = LETTERS.get(first..=last).ok_or(bad("the range ends before it begins"))?;
        return Ok(letters.chars().step_by(step).map(String::from).collect());
    }
    let begin = if begin.is_empty() { "0" } else { begin };
    let (first, last) = (number(begin), number(end));
    let (Some(first), Some(last)) = (first, last) else {
        return Err(bad("a range goes from number to number or from letter to letter"));
    };
    let width = if begin.starts_with('0') && begin.len() > 1 { begin.len() } else { 0 };
    if width > 0 && width != end.len() {
        let hint = "with zeros in front write both with as many digits: `[01:20]`";
        return Err(BadRange { message: "begin and end have different lengths", hint });
    }
    if first > last {
        return Err(bad("the range ends before it begins"));
    }
    let numbers = (first..=last).step_by(step);
    if numbers.clone().nth(MOST).is_some() {
        return Err(BadRange { message: "these are too many hosts", hint: SPELLING });
    }
    Ok(numbers.map(|number| format!("{number:0width$}")).collect())
}

fn letter(text: &str) -> Option<usize> {
    LETTERS.find(text).filter(|_| text.len() == 1)
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(name: &str) -> String {
        expand(name).map_or_else(|bad| bad.message.to_owned(), |names| names.join(" "))
    }

    #[test]
    fn ranges_are_those_of_ansible() {
        let cases = [
            ("node", "node"),
            ("node[1:3]", "node1 node2 node3"),
            ("node[08:11]x", "node08x node09x node10x node11x"),
            ("node[1:10:4]", "node1 node5 node9"),
            ("node[:2]", "node0 node1 node2"),
            ("node[7:7]", "node7"),
            ("node[1:010]", "node1 node2 node3 node4 node5 node6 node7 node8 node9 node10"),
            ("[a:c]", "a b c"),
            ("[y:B]", "y z A B"),
            ("r[a:c:2]n[1:2]", "ran1 ran2 rcn1 rcn2"),
            ("node[01:010]", "begin and end have different lengths"),
            ("node[3:1]", "the range ends before it begins"),
            ("node[c:a]", "the range ends before it begins"),
            ("node[1:]", "a range goes from number to number or from letter to letter"),
            ("node[1]", "a range has a begin, an end and maybe a step"),
            ("node[1:2:3:4]", "a range has a begin, an end and maybe a step"),
            ("node[1:2:0]", "the step has to be 1 or more"),
            ("node[1:b]", "a range goes from number to number or from letter to letter"),
            ("node[+1:2]", "a range goes from number to number or from letter to letter"),
            ("node[1:2", "the `[` has no `]`"),
            ("node1:2]", "there is a `]` without its `[`"),
            ("n]ode[1:2]", "there is a `]` without its `[`"),
            ("node[1:99999999999]", "these are too many hosts"),
            ("node[0:9999][0:9999]", "these are too many hosts"),
        ];
        for (name, expected) in cases {
            assert_eq!(joined(name), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_range_counts_as_a_loop_does(
            head in "[a-z.-]{0,5}", tail in "[a-z.-]{0,5}", first in 0u64..300, count in 0u64..50, step in 1usize..9,
            width in 1usize..6,
        ) {
            let last = first + count;
            let (first_text, last_text) = (format!("{first:0width$}"), format!("{last:0width$}"));
            prop_assume!(!first_text.starts_with('0') || first_text.len() == 1 || first_text.len() == last_text.len());
            let padded = if first_text.len() > 1 && first_text.starts_with('0') { width } else { 0 };
            let expected: Vec<String> =
                (first..=last).step_by(step).map(|number| format!("{head}{number:0padded$}{tail}")).collect();
            prop_assert_eq!(expand(&format!("{head}[{first_text}:{last_text}:{step}]{tail}")), Ok(expected));
        }

        #[test]
        fn no_name_makes_it_panic(name in r"([\[\]:0-9a-c]|\PC){0,30}") {
            _ = expand(&name);
        }
    }
}
