//! The replacement of `re.sub` and `Match.expand`.

use std::mem::take;

use fancy_regex::Captures;

use super::{Pattern, PatternError};

/// A text with `\1`, `\g<1>`, `\g<name>` and escapes.
pub struct Replacement(Vec<Piece>);

enum Piece {
    Text(String),
    Number(usize),
    Name(String),
}

impl Replacement {
    /// Reads the replacement for the matches of `pattern`.
    ///
    /// # Errors
    /// [`PatternError::Replacement`] for an escape that Python does not know, or a group that the pattern does not have.
    pub fn parse(text: &str, pattern: &Pattern) -> Result<Self, PatternError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            plain.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let (piece, length) = escape(rest)?;
            match piece {
                Piece::Text(text) => plain.push_str(&text),
                group => {
                    known(&group, pattern)?;
                    pieces.extend([Piece::Text(take(&mut plain)), group]);
                }
            }
            rest = &rest[length..];
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    /// Appends the replacement of one match. A group that took no part is empty.
    pub fn expand(&self, found: &Captures<'_, str>, out: &mut String) {
        for piece in &self.0 {
            let group = match piece {
                Piece::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Piece::Number(number) => found.get(*number),
                Piece::Name(name) => found.name(name),
            };
            out.push_str(group.map_or("", |group| group.as_str()));
        }
    }
}

/// What stands behind a backslash, and how long it is.
fn escape(rest: &str) -> Result<(Piece, usize), PatternError> {
    let Some(next) = rest.chars().next() else {
        return Err(PatternError::Replacement("ends in a single backslash".to_owned()));
    };
    if let Some((name, _)) = rest.strip_prefix("g<").and_then(|rest| rest.split_once('>')) {
        let group = name.parse().map_or_else(|_| Piece::Name(name.to_owned()), Piece::Number);
        return Ok((group, name.len() + 3));
    }
    let letter = match next {
        '0'..='9' => return Ok(number(rest)),
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '\\' => '\\',
        c if c.is_ascii_alphabetic() => {
            return Err(PatternError::Replacement(format!("has a bad escape `\\{c}`")));
        }
        c => return Ok((Piece::Text(format!("\\{c}")), c.len_utf8())),
    };
    Ok((Piece::Text(letter.to_string()), 1))
}

/// A group of one or two digits, or a character: `\0`, `\07`, or three octal digits.
fn number(rest: &str) -> (Piece, usize) {
    let digits = |most: usize, digit: fn(&u8) -> bool| rest.bytes().take(most).take_while(digit).count();
    let octal = digits(3, |byte| matches!(byte, b'0'..=b'7'));
    if rest.starts_with('0') || octal == 3 {
        let code = u32::from_str_radix(&rest[..octal], 8).unwrap_or_default();
        return (Piece::Text(char::from_u32(code).map(String::from).unwrap_or_default()), octal);
    }
    let length = digits(2, u8::is_ascii_digit);
    (Piece::Number(rest[..length].parse().unwrap_or_default()), length)
}

fn known(group: &Piece, pattern: &Pattern) -> Result<(), PatternError> {
    let missing = match group {
        Piece::Number(number) if *number > pattern.groups() => number.to_string(),
        Piece::Name(name) if !pattern.has_group(name) => format!("`{name}`"),
        _ => return Ok(()),
    };
    Err(PatternError::Replacement(format!("uses group {missing}, which there is not")))
}
