//! Patterns of names, as ssh_config(5) and sshd(8) describe them.

/// Whether `*` and `?` in a pattern can stand for something so that it is the name.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // Where to go on when the last `*` has to take one more character.
    let mut again = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                again = Some((p, n + 1));
                p += 1;
            }
            Some(wanted) if *wanted == b'?' || *wanted == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((star, next)) = again else { return false };
                again = Some((star, next + 1));
                p = star + 1;
                n = next;
            }
        }
    }
    pattern[p..].iter().all(|rest| *rest == b'*')
}

/// Whether a list of patterns covers a name: one of them matches, and none that has a `!` in front.
pub(super) fn covers<'a>(patterns: impl IntoIterator<Item = &'a str>, name: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern, name) => return false,
            Some(_) => {}
            None => found |= matches(pattern, name),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, without its speed.
    fn matches_slowly(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, rest) => rest.is_none(),
            (Some((b'*', more)), rest) => {
                matches_slowly(more, name) || rest.is_some_and(|(_, name)| matches_slowly(pattern, name))
            }
            (Some((wanted, more)), Some((got, name))) => {
                (*wanted == b'?' || wanted == got) && matches_slowly(more, name)
            }
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_match_as_defined(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
            prop_assert_eq!(matches(&pattern, &name), matches_slowly(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
