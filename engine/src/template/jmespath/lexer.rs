//! The words of an expression.

use serde_json::Value;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Quoted(String),
    Literal(Value),
    Number(i64),
    /// Anything else, by its spelling.
    Sign(&'static str),
    End,
}

/// The signs, longer ones before those that they begin with.
const SIGNS: [&str; 24] = [
    "[?", "[]", "||", "&&", "==", "!=", "<=", ">=", ".", "*", "]", ",", ":", "@", "(", ")", "{", "}", "[",
    "|", "&", "<", ">", "!",
];

/// All words, each with the character at which it begins, from 1.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text[..text.len() - rest.len()].chars().count() + 1;
        let Some(first) = rest.chars().next() else {
            tokens.push((Token::End, at));
            return Ok(tokens);
        };
        let (token, behind) =
            token(rest, first).ok_or_else(|| format!("`{first}` at character {at} makes no sense"))?;
        tokens.push((token, at));
        rest = behind;
    }
}

fn token(rest: &str, first: char) -> Option<(Token, &str)> {
    let word = |part: fn(char) -> bool| rest.split_at(rest.find(|c| !part(c)).unwrap_or(rest.len()));
    match first {
        'a'..='z' | 'A'..='Z' | '_' => {
            let (name, behind) = word(|c| c.is_ascii_alphanumeric() || c == '_');
            Some((Token::Name(name.to_owned()), behind))
        }
        '0'..='9' | '-' => {
            let digits = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| at + 1);
            Some((Token::Number(rest[..digits].parse().ok()?), &rest[digits..]))
        }
        '"' => {
            let (inner, behind) = quoted(rest, '"')?;
            Some((Token::Quoted(serde_json::from_str(&format!("\"{inner}\"")).ok()?), behind))
        }
        '\'' => {
            let (inner, behind) = quoted(rest, '\'')?;
            Some((Token::Literal(Value::from(inner.replace("\\'", "'"))), behind))
        }
        '`' => {
            let (inner, behind) = quoted(rest, '`')?;
            let inner = inner.trim_start().replace("\\`", "`");
            // A text without quotes is one, as it was in the language's first version.
            let value = serde_json::from_str(&inner).unwrap_or_else(|_| Value::from(inner));
            Some((Token::Literal(value), behind))
        }
        _ => {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
            Some((Token::Sign(sign), &rest[sign.len()..]))
        }
    }
}

/// What stands between two marks, of which a backslash takes the meaning.
fn quoted(text: &str, mark: char) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return Some((&text[1..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}
