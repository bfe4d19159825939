//! Versions of packages, in xbps' order.

use std::cmp::Ordering;

/// Words that stand for a number; the earlier one counts where two fit.
const WORDS: [(&str, i64); 6] = [("alpha", -3), ("beta", -2), ("pre", -1), ("rc", -1), ("pl", 0), (".", 0)];

/// A version as what is compared: its parts, then its revision.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    numbers: Vec<i64>,
    revision: i64,
}

impl Parts {
    fn of(version: &str) -> Self {
        let mut parts = Self::default();
        let mut rest = version;
        while let Some(first) = rest.chars().next() {
            rest = parts.take(first, rest);
        }
        parts
    }

    /// Takes in what `rest` begins with, and gives what follows.
    fn take<'a>(&mut self, first: char, rest: &'a str) -> &'a str {
        if first.is_ascii_digit() {
            let (number, rest) = number(rest);
            self.numbers.push(number);
            return rest;
        }
        if let Some((word, value)) = WORDS.iter().find(|(word, _)| starts_with(rest, word)) {
            self.numbers.push(*value);
            return &rest[word.len()..];
        }
        let behind = &rest[first.len_utf8()..];
        if first == '_' {
            let (number, rest) = number(behind);
            self.revision = number;
            return rest;
        }
        if first.is_ascii_alphabetic() {
            // A letter is a part of its own, behind an empty one: 1.0a comes after 1.0.
            self.numbers.extend([0, i64::from(first.to_ascii_lowercase() as u32 - 'a' as u32) + 1]);
        }
        behind
    }
}

fn starts_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
}

/// The number that a text begins with, 0 without one, and what follows.
fn number(text: &str) -> (i64, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].parse().unwrap_or(if end == 0 { 0 } else { i64::MAX }), &text[end..])
}

/// Which of two versions comes first. A part that one of them does not have counts as 0.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (Parts::of(left), Parts::of(right));
    let part = |of: &Parts, index: usize| of.numbers.get(index).copied().unwrap_or(0);
    let count = left.numbers.len().max(right.numbers.len());
    let parts = (0..count).map(|index| part(&left, index).cmp(&part(&right, index)));
    parts.fold(Ordering::Equal, Ordering::then).then(left.revision.cmp(&right.revision))
}

/// The name and the version of `chrony-4.6_1`. `None` where there is no version with a revision.
pub fn split(package: &str) -> Option<(&str, &str)> {
    let (name, version) = package.rsplit_once('-')?;
    let (before, revision) = version.rsplit_once('_')?;
    let has_number = before.bytes().take_while(|byte| *byte != b'_').any(|byte| byte.is_ascii_digit());
    let is_revision = !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit());
    (!name.is_empty() && has_number && is_revision).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_an_order() {
        let ascending = [
            "1.0alpha1_1",
            "1.0beta2_1",
            "1.0rc1_1",
            "1.0_1",
            "1.0_2",
            "1.0a_1",
            "1.9_1",
            "1.10_1",
            "20240203_1",
        ];
        for (index, left) in ascending.iter().enumerate() {
            for (other, right) in ascending.iter().enumerate() {
                assert_eq!(compare(left, right), index.cmp(&other), "{left} and {right}");
            }
        }
        assert_eq!(compare("1.0_1", "1.0.0_1"), Ordering::Equal);
        assert_eq!(compare("1.0a_1", "1.0.1_1"), Ordering::Equal);
        assert_eq!(compare("1.0PRE1_1", "1.0rc1_1"), Ordering::Equal);
        assert_eq!(compare("99999999999999999999_1", "5_1"), Ordering::Greater);
    }

    #[test]
    fn packages_have_a_name_and_a_version() {
        let case = |package: &str, expected| assert_eq!(split(package), expected, "{package}");
        case("chrony-4.6_1", Some(("chrony", "4.6_1")));
        case("python3-foo-1.0rc1_12", Some(("python3-foo", "1.0rc1_12")));
        case("libX11-git20240101_1", Some(("libX11", "git20240101_1")));
        for name in ["chrony", "nvidia-libs-32bit", "foo-x_y", "foo-1.0", "foo-1.0_", "-1.0_1", "font-_1"] {
            case(name, None);
        }
    }
}
