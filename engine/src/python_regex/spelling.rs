//! From Python's spelling of a regular expression to that of the crate.

/// From Python's spelling to that of the crate, where they differ.
pub(super) fn translate(pattern: &str, newline: bool) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut class = false;
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let Some(next) = behind.chars().next() else {
                    out.push('\\');
                    break;
                };
                match next {
                    'Z' if !class => out.push_str("\\z"),
                    // A slash and other marks that need no escape may have one in Python.
                    next if !next.is_alphanumeric() && !next.is_whitespace() && next.is_ascii() => {
                        if regex::escape(&next.to_string()).len() > 1 || class {
                            out.push('\\');
                        }
                        out.push(next);
                    }
                    next => out.extend(['\\', next]),
                }
                rest = &behind[next.len_utf8()..];
                continue;
            }
            '[' if class => out.push_str("\\["),
            '&' | '~' if class => out.extend(['\\', c]),
            '[' => {
                class = true;
                out.push('[');
                let mut inner = behind;
                if let Some(negated) = inner.strip_prefix('^') {
                    out.push('^');
                    inner = negated;
                }
                if let Some(literal) = inner.strip_prefix(']') {
                    out.push_str("\\]");
                    inner = literal;
                }
                rest = inner;
                continue;
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            '{' if !class && !quantifier(behind) => out.push_str("\\{"),
            '}' if !class && !closes_quantifier(&out) => out.push_str("\\}"),
            '$' if !class && newline => out.push_str("(?=\\n?\\z)"),
            c => out.push(c),
        }
        rest = behind;
    }
    out
}

/// Whether `{` in front of this starts `{2}`, `{2,}`, `{,3}` or `{2,3}`; any other is a plain brace in Python.
fn quantifier(behind: &str) -> bool {
    let Some((inner, _)) = behind.split_once('}') else { return false };
    let (low, high) = inner.split_once(',').unwrap_or((inner, "0"));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    digits(low) && digits(high) && !(low.is_empty() && (high.is_empty() || !inner.contains(',')))
}

/// Whether a `}` behind `out` ends a quantifier that was passed through.
fn closes_quantifier(out: &str) -> bool {
    out.rfind('{').is_some_and(|at| {
        !out[..at].ends_with('\\') && out[at + 1..].chars().all(|c| c.is_ascii_digit() || c == ',')
    })
}
