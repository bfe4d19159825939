//! The names of users and groups, as arguments.

use std::fmt;
use std::ops::Deref;

use crate::argument_schema::text_argument;

/// As long as a name can be.
const LONGEST: usize = 32;

/// The name of a user or group: letters, digits, `_`, `-` and `.`, with a letter, digit or `_` at its beginning, not digits alone,
/// 32 characters at most; `$` may be its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountName(String);

impl AccountName {
    /// The name, if it can be one.
    ///
    /// # Errors
    /// Why it can't.
    pub fn new(name: &str) -> Result<Self, String> {
        let fail = |why: &str| Err(format!("`{name}` can't be the name of a user or group: {why}"));
        let letters = name.strip_suffix('$').unwrap_or(name);
        let odd = letters.chars().find(|c| !c.is_ascii_alphanumeric() && !"_-.".contains(*c));
        match (letters.chars().next(), odd) {
            (None, _) => fail("it is empty"),
            (_, Some(odd)) => fail(&format!("{odd:?} is in it")),
            (Some('-' | '.'), _) => fail("it begins with a sign"),
            _ if letters.bytes().all(|byte| byte.is_ascii_digit()) => fail("it looks like a number"),
            _ if name.len() > LONGEST => fail("it is longer than 32 characters"),
            _ => Ok(Self(name.to_owned())),
        }
    }
}

impl Deref for AccountName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_argument!(AccountName, AccountName::new);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_not_break_the_files() {
        for name in ["root", "_chrony", "www-data", "a.b", "Ada", "host$", "0day"] {
            assert!(AccountName::new(name).is_ok(), "{name}");
        }
        for name in ["", "a:b", "a b", "a\nb", "-a", ".", "+", "12", "a,b", "é", "$", &"a".repeat(33)] {
            assert!(AccountName::new(name).is_err(), "{name:?}");
        }
        let error = AccountName::new("a:b").unwrap_err();
        assert_eq!(error, "`a:b` can't be the name of a user or group: ':' is in it");
    }
}
