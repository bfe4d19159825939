//! Texts of files that people write, and places in them that are cheap to keep.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Location};
use crate::failure::reason;

/// The text of a file (or of an argument of the command line), whose lines can be quoted.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    path: String,
    text: String,
    /// Where each line starts, in bytes: a file of 10,000 lines must not be searched for each of its values.
    lines: Vec<usize>,
}

impl SourceText {
    /// The text of `path`, which is how a person would name it. A byte order mark is dropped.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let mut text = text.into();
        if text.starts_with('\u{FEFF}') {
            text.drain(..'\u{FEFF}'.len_utf8());
        }
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(starts).collect();
        Arc::new(Self { path: path.into(), text, lines })
    }

    /// As [`new`](Self::new), from the bytes of a file.
    ///
    /// # Errors
    /// They are not UTF-8.
    pub fn from_bytes(path: impl Into<String>, bytes: Vec<u8>) -> Result<Arc<Self>, Diagnostic> {
        let path = path.into();
        String::from_utf8(bytes).map(|text| Self::new(path.clone(), text)).map_err(|error| {
            let end = error.utf8_error().valid_up_to();
            let lossy = Self::new(path, String::from_utf8_lossy(error.as_bytes()));
            lossy.at_byte(end).error("this is not UTF-8 text")
        })
    }

    /// Reads a file; `path` is how a person would name it.
    ///
    /// # Errors
    /// It can't be read, or is not UTF-8.
    pub fn read(file: &Path, path: &str) -> Result<Arc<Self>, Diagnostic> {
        Self::from_bytes(path, Self::bytes(file, path)?)
    }

    /// The bytes of a file; `path` is how a person would name it.
    ///
    /// # Errors
    /// It can't be read.
    pub fn bytes(file: &Path, path: &str) -> Result<Vec<u8>, Diagnostic> {
        std::fs::read(file)
            .map_err(|error| Diagnostic::new(format!("could not read `{path}`: {}", reason(&error))))
    }

    /// As a person would name it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A line, counted from 1, without its end. Empty when there is no such line.
    pub fn line(&self, number: usize) -> &str {
        let Some(start) = number.checked_sub(1).and_then(|index| self.lines.get(index)) else { return "" };
        let end = self.lines.get(number).map_or(self.text.len(), |next| next - 1);
        self.text[*start..end].trim_end_matches('\r')
    }

    /// How many lines there are, counting an empty one behind the last newline.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// A place in it; line and column (in characters) are counted from 1.
    pub fn at(self: &Arc<Self>, line: usize, column: usize) -> Origin {
        Origin { source: Arc::clone(self), line, column }
    }

    /// The place of a byte of the text.
    pub fn at_byte(self: &Arc<Self>, byte: usize) -> Origin {
        let byte = self.text.floor_char_boundary(byte);
        let line = self.lines.partition_point(|start| *start <= byte);
        let start = self.lines[line - 1];
        let before = self.text.get(start..byte).unwrap_or_default();
        self.at(line, before.chars().count() + 1)
    }
}

/// Where something was written.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    source: Arc<SourceText>,
    line: usize,
    column: usize,
}

impl Origin {
    /// The file, as a person would name it.
    pub fn path(&self) -> &str {
        &self.source.path
    }

    /// Line, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Column in characters, counted from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// The text that it is a place in.
    pub fn source(&self) -> &Arc<SourceText> {
        &self.source
    }

    /// The place with its line's text.
    pub fn location(&self) -> Location {
        Location::in_line(&self.source.path, self.source.line(self.line), self.line, self.column)
    }

    /// An error at this place.
    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message).at(self.location())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source.path, self.line)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.path, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_number() {
        let source = SourceText::new("a.yml", "\u{FEFF}one\r\ntwö x\n");
        let lines: Vec<&str> = (0..5).map(|number| source.line(number)).collect();
        assert_eq!(lines, ["", "one", "twö x", "", ""]);
    }

    #[test]
    fn bytes_that_are_no_text_are_pointed_at() {
        let error = SourceText::from_bytes("a.yml", b"a: 1\nb: \xE4\n".to_vec()).expect_err("Latin-1");
        let at = error.at.expect("a place");
        assert_eq!((at.line, at.column), (2, 4));
    }

    #[test]
    fn a_byte_has_a_place() {
        let source = SourceText::new("a.yml", "one\ntwö x\n");
        let places: Vec<(usize, usize)> = [0, 3, 4, 9, 11, 99]
            .map(|byte| source.at_byte(byte))
            .iter()
            .map(|at| (at.line, at.column))
            .collect();
        assert_eq!(places, [(1, 1), (1, 4), (2, 1), (2, 5), (3, 1), (3, 1)]);
    }

    #[test]
    fn an_origin_is_a_location_with_its_line() {
        let source = SourceText::new("a.yml", "one\ntwo = x\n");
        let origin = source.at(2, 7);
        assert_eq!(origin.to_string(), "a.yml:2");
        assert_eq!(origin.location(), Location::new("a.yml", "one\ntwo = x\n", 2, 7));
    }
}
