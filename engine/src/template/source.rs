//! A template's text made ready for the engine, and the way back from its positions to the file.

use minijinja::syntax::SyntaxConfig;

use super::header::{self, Header};
use super::rewrite::{self, Rewritten};
use crate::diagnostic::{Diagnostic, Location};

/// A template as the engine gets it.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The file as a person would name it.
    pub path: String,
    /// What the file says, behind its header line, with the line ends that Jinja2 makes of them.
    pub text: String,
    /// What the engine parses: `text` with the edits of [`rewrite`].
    pub body: String,
    /// The delimiters and the handling of blanks.
    pub syntax: SyntaxConfig,
    /// How many lines of the file are not part of `text`.
    lines_before: usize,
    /// The steps from `text` to `body`.
    passes: Vec<Rewritten>,
}

impl Prepared {
    /// A file: reads its header line.
    pub fn file(path: &str, source: &str) -> Result<Self, Diagnostic> {
        let Header { syntax, newline, text, lines } = header::read(path, source)?;
        Ok(Self::with_syntax(path, newlines(text, newline), syntax, lines, Vec::new()))
    }

    /// The value of a variable, in whose expressions a backslash in a string is one.
    pub fn value(origin: &str, source: &str) -> Result<Self, Diagnostic> {
        let Header { syntax, newline, text, lines } = header::read(origin, source)?;
        let text = newlines(text, newline);
        let plain = rewrite::literal_backslashes(&text, &syntax);
        Ok(Self::with_syntax(origin, text, syntax, lines, vec![plain]))
    }

    /// A template that another one includes: the header line has no meaning in it, the delimiters are the other's.
    pub fn included(path: &str, source: &str, syntax: &SyntaxConfig) -> Self {
        Self::with_syntax(path, newlines(source, "\n"), syntax.clone(), 0, Vec::new())
    }

    fn with_syntax(
        path: &str,
        text: String,
        syntax: SyntaxConfig,
        lines_before: usize,
        mut passes: Vec<Rewritten>,
    ) -> Self {
        let before = passes.last().map_or(&text, |pass| &pass.text);
        let last = rewrite::for_engine(before, &syntax);
        let body = last.text.clone();
        passes.push(last);
        Self { path: path.to_owned(), text, body, syntax, lines_before, passes }
    }

    /// The offset in `text` of an offset in `body`.
    pub fn original(&self, offset: usize) -> usize {
        let back = self.passes.iter().rev().fold(offset, |offset, pass| pass.original(offset));
        let mut offset = back.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    /// What is rendered, with as many newlines at its end as the template has: Jinja2 takes the last one away, and a
    /// statement in the last line takes one, too.
    pub fn with_last_newlines(&self, mut rendered: String) -> String {
        let count = |text: &str| text.len() - text.trim_end_matches('\n').len();
        let missing = count(&self.text).saturating_sub(count(&rendered));
        rendered.extend(std::iter::repeat_n('\n', missing));
        rendered
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
