//! How a line is split into words: as ssh does it.

/// What stands between words.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A word, and the column in characters at which it begins, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub column: usize,
}

/// Takes the first word off, and what separates it from the next: space, and at most one `=`. Returns it, its place and that of
/// the rest in bytes.
pub(super) fn first(line: &str, from: usize) -> Option<(&str, usize, usize)> {
    let start = from + (line[from..].len() - line[from..].trim_start_matches(SPACE).len());
    let rest = &line[start..];
    let (end, quoted) = match rest.strip_prefix('"') {
        Some(inside) => (1 + inside.find('"')?, 1),
        None => (rest.find(|c| SPACE.contains(&c) || c == '=').unwrap_or(rest.len()), 0),
    };
    let word = &rest[quoted..end];
    let after = rest[end + quoted..].trim_start_matches(SPACE);
    let after = after.strip_prefix('=').filter(|_| quoted == 0).unwrap_or(after).trim_start_matches(SPACE);
    let place = start + quoted;
    (!word.is_empty() || quoted == 1).then_some((word, place, line.len() - after.len()))
}

/// Splits what stands from byte `from` on: quotes, backslashes and a comment at the end as ssh understands them.
///
/// # Errors
/// A quote is not closed: its column.
pub(super) fn split(line: &str, from: usize) -> Result<Vec<Word>, usize> {
    let mut words = Vec::new();
    let mut column = line[..from].chars().count() + 1;
    let mut rest = line[from..].chars().peekable();
    while let Some(next) = rest.peek() {
        match next {
            ' ' | '\t' => {
                rest.next();
                column += 1;
            }
            '#' => break,
            _ => {
                let (text, length) = word(&mut rest).ok_or(column)?;
                words.push(Word { text, column });
                column += length;
            }
        }
    }
    Ok(words)
}

/// One word, and how many characters it takes in the line; `None` when a quote is not closed.
fn word(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<(String, usize)> {
    let (mut text, mut length, mut quote) = (String::new(), 0, None);
    while let Some(next) = rest.next_if(|next| quote.is_some() || !matches!(next, ' ' | '\t')) {
        length += 1;
        match next {
            '\\' => {
                let escaped = rest
                    .next_if(|next| matches!(next, '\'' | '"' | '\\') || (quote.is_none() && *next == ' '));
                length += usize::from(escaped.is_some());
                text.push(escaped.unwrap_or('\\'));
            }
            '"' | '\'' if quote.is_none() => quote = Some(next),
            _ if quote == Some(next) => quote = None,
            _ => text.push(next),
        }
    }
    quote.is_none().then_some((text, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_ssh_does_it() {
        for (line, words) in [
            ("a b", &["a", "b"][..]),
            (r#"a "b c" 'd "e'"#, &["a", "b c", "d \"e"]),
            (r"a\ b c\d \\ \'", &["a b", r"c\d", r"\", "'"]),
            (r#""a\"b" x"y"z"#, &["a\"b", "xyz"]),
            ("a # b", &["a"]),
            ("a#b", &["a#b"]),
            (r#""" b"#, &["", "b"]),
        ] {
            let found: Vec<String> = split(line, 0).unwrap().into_iter().map(|word| word.text).collect();
            assert_eq!(found, words, "{line}");
        }
        assert_eq!(split("a  'b", 0), Err(4));
        assert_eq!(split("é \"b c\" d", 0).unwrap()[2].column, 9);
    }

    #[test]
    fn the_first_word_ends_at_space_or_an_equals_sign() {
        for (line, word, rest) in [
            ("Port 22", "Port", "22"),
            ("  Port=22", "Port", "22"),
            ("Port = 22", "Port", "22"),
            ("Port\t==22", "Port", "=22"),
            ("Port", "Port", ""),
            ("\"a b\" c", "a b", "c"),
        ] {
            let (found, _, after) = first(line, 0).unwrap();
            assert_eq!((found, &line[after..]), (word, rest), "{line}");
        }
        assert_eq!(first("   ", 0), None);
        assert_eq!(first("= 3", 0), None);
    }
}
