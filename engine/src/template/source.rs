//! A template's text made ready for the engine, and the way back from its positions to the file.

use minijinja::syntax::SyntaxConfig;

use super::header::{self, Header};
use super::lenient;
use crate::diagnostic::{Diagnostic, Location};

/// A template as the engine gets it.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The file as a person would name it.
    pub path: String,
    /// What the file says, behind its header line, with the line ends that Jinja2 makes of them.
    pub text: String,
    /// What the engine parses: `text` with the edits of [`lenient`].
    pub body: String,
    /// The delimiters and the handling of blanks.
    pub syntax: SyntaxConfig,
    /// How many lines of the file are not part of `text`.
    lines_before: usize,
    /// For each edit, the offset in `body` behind it and how far `body` is ahead of `text` from there on.
    edits: Vec<(usize, isize)>,
}

impl Prepared {
    /// Reads the header line and allows for what Ansible tolerates.
    pub fn new(path: &str, source: &str) -> Result<Self, Diagnostic> {
        let Header { syntax, newline, text, lines } = header::read(path, source)?;
        let text = newlines(text, newline);
        Ok(Self::with_syntax(path, text, syntax, lines))
    }

    /// A template that another one includes: the header line has no meaning in it, the delimiters are the other's.
    pub fn included(path: &str, source: &str, syntax: &SyntaxConfig) -> Self {
        Self::with_syntax(path, newlines(source, "\n"), syntax.clone(), 0)
    }

    fn with_syntax(path: &str, text: String, syntax: SyntaxConfig, lines_before: usize) -> Self {
        let (body, edits) = lenient::rewrite(&text, &syntax);
        Self { path: path.to_owned(), text, body, syntax, lines_before, edits }
    }

    /// The offset in `text` of an offset in `body`.
    pub fn original(&self, offset: usize) -> usize {
        let ahead = self.edits.iter().rev().find(|(end, _)| *end <= offset).map_or(0, |(_, ahead)| *ahead);
        let mut offset = offset.saturating_add_signed(-ahead).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    /// The place of the bytes `range` of `text`.
    pub fn location(&self, range: std::ops::Range<usize>) -> Location {
        let before = self.text.get(..range.start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        let marked = self.text.get(range).unwrap_or("").lines().next().unwrap_or("").trim_end();
        let mut location =
            Location::new(&*self.path, &self.text, line, column).with_width(marked.chars().count());
        location.line += self.lines_before;
        location
    }

    /// The start of a line (from 1) of `text`, for errors that know no more.
    pub fn line(&self, line: usize) -> Location {
        let start: usize = self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let line = self.text[start..].lines().next().unwrap_or("");
        let indent = line.len() - line.trim_start().len();
        self.location(start + indent..start + line.len())
    }
}

/// Jinja2 knows one line end and makes the others into it.
fn newlines(text: &str, newline: &str) -> String {
    let text =
        if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() };
    if newline == "\n" { text } else { text.replace('\n', newline) }
}
