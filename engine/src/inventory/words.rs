//! The words of a line of hosts, split as a shell would.

/// A word without its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Where it starts in the line, in bytes.
    pub(super) at: usize,
}

/// What a line lacks at its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// A quote is opened here (in bytes) and not closed.
    Quote(usize),
    /// The line ends with a backslash.
    Backslash(usize),
}

/// Splits a line at blanks. Quotes keep blanks, a backslash keeps the character behind it (inside of `"` only a quote or a
/// backslash), and a comment begins with `#`, also in the middle of a word.
pub(super) fn split(line: &str) -> Result<Vec<Word>, Unfinished> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    let mut letters = line.char_indices();
    while let Some((at, c)) = letters.next() {
        if matches!(c, ' ' | '\t' | '\r') {
            open = false;
            continue;
        }
        if c == '#' {
            break;
        }
        if !open {
            words.push(Word { text: String::new(), at });
            open = true;
        }
        // The word was pushed when it was opened.
        let Some(Word { text, .. }) = words.last_mut() else { break };
        match c {
            '\\' => text.push(letters.next().ok_or(Unfinished::Backslash(at))?.1),
            '"' | '\'' => quoted(c, at, &mut letters, text)?,
            _ => text.push(c),
        }
    }
    Ok(words)
}

/// Takes in the rest of a quoted text.
fn quoted(
    quote: char,
    at: usize,
    letters: &mut std::str::CharIndices<'_>,
    text: &mut String,
) -> Result<(), Unfinished> {
    loop {
        let (_, c) = letters.next().ok_or(Unfinished::Quote(at))?;
        match c {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => {
                let (_, escaped) = letters.next().ok_or(Unfinished::Quote(at))?;
                if !matches!(escaped, '"' | '\\') {
                    text.push('\\');
                }
                text.push(escaped);
            }
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_posix_shell() {
        // What Python's `shlex.split(line, comments=True)` makes of them.
        let cases: [(&str, &[&str]); 10] = [
            ("web1 a=1  b=2 ", &["web1", "a=1", "b=2"]),
            ("web1 # a=1", &["web1"]),
            ("web1 a=b#c d=e", &["web1", "a=b"]),
            ("web1 a='b # c'", &["web1", "a=b # c"]),
            ("web1 a=\"b \\\" \\n c\"", &["web1", "a=b \" \\n c"]),
            ("web1 a='b \\' c", &["web1", "a=b \\", "c"]),
            ("web1 a=b\\ c", &["web1", "a=b c"]),
            ("web1 a='b'\"c\"d", &["web1", "a=bcd"]),
            ("web1 ''", &["web1", ""]),
            ("", &[]),
        ];
        for (line, expected) in cases {
            let words = split(line).map(|words| words.into_iter().map(|word| word.text).collect::<Vec<_>>());
            assert_eq!(
                words.as_deref(),
                Ok(expected.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>().as_slice()),
                "{line}"
            );
        }
        assert_eq!(split("web1 a='b"), Err(Unfinished::Quote(7)));
        assert_eq!(split("web1 a=b\\"), Err(Unfinished::Backslash(8)));
        assert_eq!(split("ä b").map(|words| words[1].at), Ok(3));
    }
}
