//! Where something new goes in a file: the options `insert_after` and `insert_before`.

use std::borrow::Cow;

use refrain_engine::failure::Failure;
use refrain_engine::python_regex::{Flags, Pattern, has_flag};
use schemars::JsonSchema;
use serde::Deserialize;

use super::lines::{LinePattern, refuse};

/// The arguments `insert_after` and `insert_before`. A module takes them in with `#[serde(flatten)]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct PlaceOptions {
    /// A Python regular expression: what is new goes behind the last line that matches it, or to the end of the file when
    /// none does. `"EOF"` is the end of the file, which is also the default; `"BOF"` its beginning.
    insert_after: Option<String>,
    /// The same, but in front of the last line that matches. Not together with `insert_after`.
    insert_before: Option<String>,
}

impl PlaceOptions {
    /// Whether none of them is given.
    pub fn is_empty(&self) -> bool {
        self.insert_after.is_none() && self.insert_before.is_none()
    }

    /// What they ask for.
    ///
    /// # Errors
    /// Both are given, or what is given is no regular expression.
    pub fn place(&self) -> Result<Place<'_>, Failure> {
        let (argument, pattern, behind) = match (&self.insert_after, &self.insert_before) {
            (None, None) => return Ok(Place::End),
            (Some(after), None) => ("insert_after", after, true),
            (None, Some(before)) => ("insert_before", before, false),
            (Some(_), Some(_)) => {
                let message = "`insert_after` and `insert_before` can't both be given";
                return Err(Failure::argument("insert_before", message));
            }
        };
        Ok(match pattern.as_str() {
            "EOF" => Place::End,
            "BOF" => Place::Beginning,
            _ => {
                let line = LinePattern::compile(argument, pattern)?;
                Place::Beside(Beside { argument, pattern, line, behind })
            }
        })
    }
}

/// A place among the lines of a file.
pub enum Place<'a> {
    /// In front of everything.
    Beginning,
    /// Behind everything.
    End,
    /// In front of a line that matches, or behind it.
    Beside(Beside<'a>),
}

/// A place beside a line that matches.
pub struct Beside<'a> {
    argument: &'static str,
    pattern: &'a str,
    line: LinePattern,
    behind: bool,
}

impl Place<'_> {
    /// The index in front of which a new line goes: beside the last line that matches, or the first.
    ///
    /// # Errors
    /// The expression gives up on a line.
    pub fn among(&self, lines: &[Cow<'_, str>], first: bool) -> Result<usize, Failure> {
        match self {
            Self::Beginning => Ok(0),
            Self::End => Ok(lines.len()),
            Self::Beside(beside) => {
                let found = beside.line.find(lines, first).map_err(refuse(beside.argument))?;
                Ok(found.map_or(lines.len(), |index| index + usize::from(beside.behind)))
            }
        }
    }

    /// The same where an expression that begins with `(?m)` is held against the whole text, whose lines these are, and its
    /// first match counts: the place is beside the line in which that begins or ends.
    ///
    /// # Errors
    /// The expression gives up.
    pub fn among_or_across(&self, lines: &[Cow<'_, str>]) -> Result<usize, Failure> {
        match self {
            Self::Beside(beside) if has_flag(beside.pattern, 'm') => beside.across(lines),
            _ => self.among(lines, false),
        }
    }
}

impl Beside<'_> {
    fn across(&self, lines: &[Cow<'_, str>]) -> Result<usize, Failure> {
        let text = lines.concat();
        let refuse = refuse(self.argument);
        let pattern = Pattern::compile(self.pattern, Flags::default(), &text).map_err(&refuse)?;
        let found = pattern.captures(&text).map_err(&refuse)?;
        let Some(found) = found.and_then(|found| found.get(0)) else { return Ok(lines.len()) };
        let newlines = |end: usize| text[..end].matches('\n').count();
        Ok(match self.behind {
            false => newlines(found.start()),
            // A newline that the match ends with belongs to the line before it.
            true if found.as_str().ends_with('\n') => newlines(found.end()),
            true => (newlines(found.end()) + 1).min(lines.len()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::split;
    use super::*;

    fn place(after: Option<&str>, before: Option<&str>, across: bool) -> usize {
        let options = PlaceOptions {
            insert_after: after.map(ToOwned::to_owned),
            insert_before: before.map(ToOwned::to_owned),
        };
        let lines = split("é\nb\nc\nb\nd\n");
        let place = options.place().unwrap();
        if across { place.among_or_across(&lines) } else { place.among(&lines, false) }.unwrap()
    }

    #[test]
    fn a_place_is_beside_a_line() {
        assert_eq!(place(None, None, false), 5);
        assert_eq!(place(Some("EOF"), None, false), 5);
        assert_eq!(place(None, Some("BOF"), false), 0);
        assert_eq!(place(Some("^b"), None, false), 4);
        assert_eq!(place(None, Some("^b"), false), 3);
        assert_eq!(place(None, Some("nowhere"), false), 5);
    }

    #[test]
    fn a_multiline_expression_is_held_against_the_whole_text() {
        assert_eq!(place(Some("(?m)^b\\nc$"), None, true), 3);
        assert_eq!(place(Some("(?m)^b\\nc\\n"), None, true), 3);
        assert_eq!(place(None, Some("(?m)b\\nd"), true), 3);
        assert_eq!(place(Some("(?m)nowhere"), None, true), 5);
        assert_eq!(place(Some("(?m)^b"), None, true), 2, "the first match counts");
        assert_eq!(place(Some("^b"), None, true), 4, "the last line counts");
    }
}
