//! Which package is meant, as an argument: a name, a name with a version, or with bounds.

use std::cmp::Ordering;
use std::fmt;

use super::version;
use crate::argument_schema::text_argument;

/// A package: `nomad`, `nomad-1.9.3_2`, `nomad>=1.9`, `nomad>=1.9<2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    name: String,
    bounds: Vec<(Bound, String)>,
}

/// How a version is bounded by another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Exactly,
    AtLeast,
    MoreThan,
    AtMost,
    LessThan,
}

impl Bound {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Exactly => order.is_eq(),
            Self::AtLeast => order.is_ge(),
            Self::MoreThan => order.is_gt(),
            Self::AtMost => order.is_le(),
            Self::LessThan => order.is_lt(),
        }
    }
}

impl Pattern {
    /// The package that a text means.
    ///
    /// # Errors
    /// Why it means none.
    pub fn new(text: &str) -> Result<Self, String> {
        let fail = |why: &str| Err(format!("`{text}` is no package: {why}"));
        let start = text.find(['<', '>']).unwrap_or(text.len());
        let (name, bounds) = text.split_at(start);
        let (name, bounds) = match version::split(name) {
            Some((name, version)) if bounds.is_empty() => (name, vec![(Bound::Exactly, version.to_owned())]),
            _ => match parse_bounds(bounds) {
                Some(bounds) => (name, bounds),
                None => return fail("its bounds are like `>=1.9`, `<2` or `>=1.9<2`"),
            },
        };
        let odd = |letter: char| !letter.is_ascii_alphanumeric() && !"+-_.".contains(letter);
        match name.chars().next() {
            None => fail("it has no name"),
            Some('-') => fail("a name does not begin with `-`"),
            _ => match name.chars().find(|letter| odd(*letter)) {
                Some(letter) => fail(&format!("{letter:?} is in its name")),
                None => Ok(Self { text: text.to_owned(), name: name.to_owned(), bounds }),
            },
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether only certain versions are meant.
    pub fn is_bounded(&self) -> bool {
        !self.bounds.is_empty()
    }

    /// Whether a version is meant.
    pub fn allows(&self, version: &str) -> bool {
        self.bounds.iter().all(|(bound, other)| bound.holds(version::compare(version, other)))
    }
}

/// A lower bound, an upper bound, both in this order, or nothing.
fn parse_bounds(text: &str) -> Option<Vec<(Bound, String)>> {
    let mut bounds: Vec<(Bound, String)> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let signs =
            [(">=", Bound::AtLeast), (">", Bound::MoreThan), ("<=", Bound::AtMost), ("<", Bound::LessThan)];
        let (sign, bound) = signs.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
        rest = &rest[sign.len()..];
        let (version, behind) = rest.split_at(rest.find(['<', '>']).unwrap_or(rest.len()));
        let odd = |letter: char| !letter.is_ascii_alphanumeric() && !"._+~".contains(letter);
        let is_lower = |bound: Bound| matches!(bound, Bound::AtLeast | Bound::MoreThan);
        let follows = bounds.last().is_none_or(|(before, _)| is_lower(*before) && !is_lower(bound));
        if version.is_empty() || version.contains(odd) || !follows {
            return None;
        }
        bounds.push((bound, version.to_owned()));
        rest = behind;
    }
    Some(bounds)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

text_argument!(Pattern, Pattern::new);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_some_versions() {
        let case = |text: &str, name: &str, allowed: &[&str], others: &[&str]| {
            let pattern = Pattern::new(text).unwrap();
            assert_eq!((pattern.name(), pattern.to_string().as_str()), (name, text));
            assert!(allowed.iter().all(|version| pattern.allows(version)), "{text}");
            assert!(!others.iter().any(|version| pattern.allows(version)), "{text}");
        };
        case("nomad", "nomad", &["0_1", "9_9"], &[]);
        case("nomad-1.9.3_2", "nomad", &["1.9.3_2"], &["1.9.3_1", "1.9.4_1"]);
        case("nomad>=1.9", "nomad", &["1.9_1", "1.9.3_2", "2.0_1"], &["1.8.9_1"]);
        case("nomad>=1.9<2", "nomad", &["1.9_1", "1.99_1"], &["2_1", "1.8_1"]);
        case("gtk+3>3.24_1", "gtk+3", &["3.24_2"], &["3.24_1"]);
        case("nvidia-libs-32bit<=550", "nvidia-libs-32bit", &["550"], &["550_1"]);
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for text in ["", "-S", ">=1", "a b", "a>=", "a>=1>2", "a<2>=1", "a>=1<2<3", "a*", "a=1", "a\n"] {
            assert!(Pattern::new(text).is_err(), "{text}");
        }
        assert_eq!(Pattern::new("a b").unwrap_err(), "`a b` is no package: ' ' is in its name");
    }
}
