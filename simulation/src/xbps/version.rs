//! Names, versions and patterns of packages: `chrony-4.6_1`, `chrony>=4<5`.

use std::cmp::Ordering;

/// The characters that make a pattern of a name.
const PATTERN: [char; 6] = ['>', '<', '*', '?', '[', ']'];

/// Where the version of `chrony-4.6_1` begins. `None` for what has no version with a revision.
fn version_start(package: &str) -> Option<usize> {
    let start = package.rfind('-')? + 1;
    let version = &package[start..];
    let digit = version.find(|c: char| c.is_ascii_digit() || c == '_')?;
    let revision = version[digit..].strip_prefix(|c: char| c.is_ascii_digit())?.split_once('_')?.1;
    let digits = |c: char| c.is_ascii_digit() || c == '_';
    (!revision.is_empty() && revision.chars().all(digits)).then_some(start)
}

/// The version of `chrony-4.6_1`: `4.6_1`.
pub fn version(package: &str) -> Option<&str> {
    version_start(package).map(|start| &package[start..])
}

/// The name of `chrony-4.6_1`: `chrony`.
pub fn name(package: &str) -> Option<&str> {
    version_start(package).map(|start| &package[..start - 1])
}

/// The revision of `chrony-4.6_1`: `1`.
pub fn revision(package: &str) -> Option<&str> {
    version(package)?.rsplit_once('_').map(|(_, revision)| revision)
}

/// The version part of a pattern: `>=4<5` of `chrony>=4<5`. `None` for what is no pattern.
pub fn pattern_version(pattern: &str) -> Option<&str> {
    pattern.find(PATTERN).map(|start| &pattern[start..])
}

/// The name in a pattern: `chrony` of `chrony>=4` and of `chrony-[0-9]*`. `None` for what is no pattern.
pub fn pattern_name(pattern: &str) -> Option<&str> {
    let name = &pattern[..pattern.find(PATTERN)?];
    Some(name.strip_suffix('-').unwrap_or(name))
}

/// The name in a pattern or in a name with its version.
pub fn required_name(requirement: &str) -> Option<&str> {
    pattern_name(requirement).or_else(|| name(requirement))
}

/// The order of two versions, or of two packages of one name with their versions.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (Components::of(left), Components::of(right));
    let digit = |of: &[i64], at: usize| of.get(at).copied().unwrap_or(0);
    let places = 0..left.numbers.len().max(right.numbers.len());
    let orders = places.map(|at| digit(&left.numbers, at).cmp(&digit(&right.numbers, at)));
    let first = orders.into_iter().find(|order| order.is_ne());
    first.unwrap_or_else(|| left.revision.cmp(&right.revision))
}

/// A version as numbers that can be compared place by place.
struct Components {
    numbers: Vec<i64>,
    revision: i64,
}

/// What counts less than nothing at all, and what only separates.
const WORDS: [(&str, i64); 6] = [("alpha", -3), ("beta", -2), ("pre", -1), ("rc", -1), ("pl", 0), (".", 0)];

impl Components {
    fn of(text: &str) -> Self {
        let mut components = Self { numbers: Vec::new(), revision: 0 };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = components.take(first, rest);
        }
        components
    }

    /// Takes the first component of `rest` and returns what follows.
    fn take<'a>(&mut self, first: char, rest: &'a str) -> &'a str {
        if first.is_ascii_digit() {
            let (number, rest) = leading_number(rest);
            self.numbers.push(number);
            return rest;
        }
        for (word, number) in WORDS {
            if rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) {
                self.numbers.push(number);
                return &rest[word.len()..];
            }
        }
        let after = &rest[first.len_utf8()..];
        if first == '_' {
            let (number, rest) = leading_number(after);
            self.revision = number;
            return rest;
        }
        if first.is_ascii_alphabetic() {
            self.numbers.extend([0, i64::from(first.to_ascii_lowercase() as u32 - u32::from('a')) + 1]);
        }
        after
    }
}

fn leading_number(text: &str) -> (i64, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].parse().unwrap_or(0), &text[end..])
}

/// Whether `package`, a name with its version, is what `pattern` asks for.
pub fn matches(package: &str, pattern: &str) -> bool {
    if package == pattern {
        return true;
    }
    if pattern.contains(['<', '>']) {
        return matches_range(package, pattern);
    }
    pattern.contains(['*', '?', '[', ']']) && glob(pattern, package, true)
}

fn matches_range(package: &str, pattern: &str) -> bool {
    let Some((name, version)) = package.rsplit_once('-') else { return false };
    let Some(limits) = pattern.strip_prefix(name).filter(|limits| limits.starts_with(['<', '>'])) else {
        return false;
    };
    let upper = limits.starts_with('>').then(|| limits.find('<')).flatten();
    let (lower, upper) = limits.split_at(upper.unwrap_or(limits.len()));
    within(version, lower) && (upper.is_empty() || within(version, upper))
}

/// Whether a version is within one limit, such as `>=4`.
fn within(version: &str, limit: &str) -> bool {
    let (strict, or_equal) = (&limit[1..], limit[1..].strip_prefix('='));
    let order = compare(version, or_equal.unwrap_or(strict));
    let wanted = if limit.starts_with('<') { Ordering::Less } else { Ordering::Greater };
    order == wanted || (order.is_eq() && or_equal.is_some())
}

/// Whether a shell pattern matches the whole of a text. `*` also stands for slashes; a leading dot has to be written out if
/// `period` is set.
pub fn glob(pattern: &str, text: &str, period: bool) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    if period && text.first() == Some(&'.') && pattern.first() != Some(&'.') {
        return false;
    }
    glob_from(&pattern, &text)
}

fn glob_from(pattern: &[char], text: &[char]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return text.is_empty() };
    match first {
        '*' => (0..=text.len()).any(|taken| glob_from(rest, &text[taken..])),
        '?' => !text.is_empty() && glob_from(rest, &text[1..]),
        '[' => match (bracket(rest), text.split_first()) {
            (Some((members, after)), Some((character, text))) => {
                member(members, *character) && glob_from(after, text)
            }
            _ => false,
        },
        literal => text.first() == Some(literal) && glob_from(rest, &text[1..]),
    }
}

/// The inside of a bracket expression and what follows it.
fn bracket(pattern: &[char]) -> Option<(&[char], &[char])> {
    let end = pattern.iter().skip(1).position(|c| *c == ']')? + 1;
    Some((&pattern[..end], &pattern[end + 1..]))
}

fn member(members: &[char], character: char) -> bool {
    let (negated, members) = match members.split_first() {
        Some(('!' | '^', rest)) => (true, rest),
        _ => (false, members),
    };
    let mut rest = members;
    let mut found = false;
    while let Some(first) = rest.first() {
        if let [from, '-', to, ..] = rest {
            found |= (*from..=*to).contains(&character);
            rest = &rest[3..];
        } else {
            found |= *first == character;
            rest = &rest[1..];
        }
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_told_apart() {
        let cases = [
            ("chrony-4.6_1", Some(("chrony", "4.6_1", "1"))),
            ("perl-Digest-1.17_01_1", Some(("perl-Digest", "1.17_01_1", "1"))),
            ("font-misc-misc-1.1.2_6", Some(("font-misc-misc", "1.1.2_6", "6"))),
            ("linux6.6-6.6.63_1", Some(("linux6.6", "6.6.63_1", "1"))),
            ("foo-bar_1", None),
            ("nomad-1.9.3", None),
            ("chrony", None),
            ("fs-utils-v1_x", None),
        ];
        for (package, expected) in cases {
            let parts = name(package).zip(version(package)).zip(revision(package));
            assert_eq!(
                parts.map(|((name, version), revision)| (name, version, revision)),
                expected,
                "{package}"
            );
        }
    }

    #[test]
    fn versions_are_ordered_as_by_xbps() {
        let ascending = [
            ["1.0alpha_1", "1.0beta_1"],
            ["1.0beta_1", "1.0rc1_1"],
            ["1.0rc1_1", "1.0_1"],
            ["1.0_1", "1.0_2"],
            ["1.0_9", "1.0_10"],
            ["1.0_10", "1.0a_1"],
            ["1.9_1", "1.10_1"],
            ["4.6_1", "4.6.1_1"],
            ["9.9p1_1", "9.9p2_1"],
            ["chrony-4.6_1", "chrony-4.7_1"],
        ];
        for [lower, higher] in ascending {
            assert_eq!(compare(lower, higher), Ordering::Less, "{lower} {higher}");
            assert_eq!(compare(higher, lower), Ordering::Greater, "{lower} {higher}");
        }
        assert_eq!(compare("1.0_1", "1_1"), Ordering::Equal);
        assert_eq!(compare("1pl2_1", "1.2_1"), Ordering::Equal);
    }

    #[test]
    fn patterns_match_what_they_ask_for() {
        let cases = [
            ("chrony-4.6_1", "chrony>=4.6", true),
            ("chrony-4.6_1", "chrony>4.6_1", false),
            ("chrony-4.6_1", "chrony<=4.6_1", true),
            ("nomad-1.9.3_2", "nomad>=1.9<2.0", true),
            ("nomad-2.0_1", "nomad>=1.9<2.0", false),
            ("nomad-1.9.3_2", "nom>=1", false),
            ("nomad-1.9.3_2", "nomad-driver>=1", false),
            ("nomad-1.9.3_2", "nomad-1.9.3_2", true),
            ("nomad-1.9.3_2", "nomad-1.9.*", true),
            ("nomad-1.9.3_2", "nomad-[0-9]*", true),
            ("nomad-1.9.3_2", "nomad-[!0-9]*", false),
            ("nomad-1.9.3_2", "nomad-1.9.3", false),
        ];
        for (package, pattern, expected) in cases {
            assert_eq!(matches(package, pattern), expected, "{package} {pattern}");
        }
    }

    #[test]
    fn a_pattern_has_a_name() {
        let cases = [
            ("chrony>=4", Some("chrony")),
            ("chrony-[0-9]*", Some("chrony")),
            ("chrony-4.6_1", Some("chrony")),
            ("chrony", None),
        ];
        for (requirement, expected) in cases {
            assert_eq!(required_name(requirement), expected, "{requirement}");
        }
    }
}
