//! Names with wildcards, as a shell has them.

use regex::Regex;

/// Whether a text has a wildcard in it.
pub(crate) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The expression that matches what a glob matches: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`. A `[` without its `]` is a letter.
///
/// # Errors
/// A range in brackets ends before it begins.
pub(crate) fn compile(glob: &str) -> Result<Regex, regex::Error> {
    let mut expression = String::from(r"(?s)\A");
    let mut rest = glob;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => expression += ".*",
            '?' => expression += ".",
            '[' => match class(rest) {
                Some((inner, behind)) => {
                    expression += &inner;
                    rest = behind;
                }
                None => expression += r"\[",
            },
            c => expression += &regex::escape(c.encode_utf8(&mut [0; 4])),
        }
    }
    Regex::new(&(expression + r"\z"))
}

/// The expression of the letters in brackets, of which the first is taken already, and what is behind them.
fn class(rest: &str) -> Option<(String, &str)> {
    let (negated, inner) = rest.strip_prefix('!').map_or((false, rest), |inner| (true, inner));
    // The first letter belongs to the class whatever it is.
    let first = inner.chars().next()?.len_utf8();
    let end = first + inner[first..].find(']')?;
    let mut class = String::from(if negated { "[^" } else { "[" });
    for c in inner[..end].chars() {
        // Signs that mean something in a class of an expression; the minus means a range in both.
        if "\\[]^&~|".contains(c) {
            class.push('\\');
        }
        class.push(c);
    }
    class.push(']');
    Some((class, &inner[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_those_of_python() {
        let cases = [
            ("web*", "web1", true),
            ("web*", "aweb1", false),
            ("web?", "web", false),
            ("web?", "webä", true),
            ("a.b", "axb", false),
            ("web[12]", "web2", true),
            ("web[1-3]", "web2", true),
            ("web[!1-3]", "web2", false),
            ("web[!1-3]", "web4", true),
            ("web[]]", "web]", true),
            ("web[", "web[", true),
            ("web[^a]", "web^", true),
            ("web[^a]", "webb", false),
            ("a[\\d]", "a1", false),
            ("*", "", true),
        ];
        for (glob, text, expected) in cases {
            let compiled = compile(glob).expect("a valid glob");
            assert_eq!(compiled.is_match(text), expected, "{glob} {text}");
        }
        assert!(compile("[z-a]").is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_glob_without_wildcards_matches_itself_only(text in "[^*?\\[]{0,10}", other in ".{0,10}") {
            let compiled = compile(&text).expect("a valid glob");
            proptest::prop_assert!(compiled.is_match(&text));
            proptest::prop_assert_eq!(compiled.is_match(&other), text == other);
        }

        #[test]
        fn no_glob_makes_it_panic(glob in r"([\[\]!*?^&~|\\a-c-]|\PC){0,20}") {
            _ = compile(&glob);
        }
    }
}
