//! JSON, with places.
//!
//! The crate `serde_json` says whether a text is JSON, and reads its texts and numbers; where they are is found here.

use std::rc::Rc;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Content, DEPTH, Entry, Map, Node, Place, scalar};
use crate::diagnostic::Diagnostic;
use crate::origin::SourceText;

/// The value of a file that is one JSON list or map, and a warning for every key that is given twice; `None` if it is
/// anything else.
pub(super) fn parse(source: &Arc<SourceText>) -> Option<(Rc<Node>, Vec<Diagnostic>)> {
    let text = source.text();
    let begins = text.trim_start().starts_with(['{', '[']);
    if !begins || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return None;
    }
    let mut walk = Walk { source, rest: text, line: 1, column: 1, warnings: Vec::new() };
    let root = walk.value(0)?;
    Some((Rc::new(root), walk.warnings))
}

/// The value of a text in JSON.
///
/// # Errors
/// It is not JSON.
pub(crate) fn from_json(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str::<IgnoredAny>(text)?;
    let source = SourceText::new("", text);
    let mut walk = Walk { source: &source, rest: source.text(), line: 1, column: 1, warnings: Vec::new() };
    match walk.value(0) {
        Some(node) => Ok(node.to_json()),
        None => serde_json::from_str(text),
    }
}

/// Walks over a text that is known to be JSON: what does not fit gives `None`, and the text is read as YAML.
struct Walk<'a> {
    source: &'a Arc<SourceText>,
    rest: &'a str,
    line: usize,
    column: usize,
    warnings: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, depth: usize) -> Option<Node> {
        self.skip_blanks();
        let at = self.place();
        let content = match self.rest.chars().next()? {
            // The other reader refuses what is too deep, and says where.
            '{' | '[' if depth == DEPTH => return None,
            '{' => Content::Map(self.map(depth)?),
            '[' => Content::List(self.list(depth)?),
            '"' => Content::Scalar(Value::from(self.text()?)),
            _ => Content::Scalar(self.word()?),
        };
        Some(Node::new(at, content, false))
    }

    fn map(&mut self, depth: usize) -> Option<Map> {
        let mut entries = Map::new();
        self.take(1);
        loop {
            self.skip_blanks();
            match self.rest.chars().next()? {
                '}' => {
                    self.take(1);
                    return Some(entries);
                }
                ',' => _ = self.take(1),
                _ => {
                    let key_at = self.place();
                    let key = self.text()?;
                    self.skip_blanks();
                    self.take(1);
                    let value = Rc::new(self.value(depth + 1)?);
                    let entry = Entry { key_at, text_key: true, value };
                    if let Some(first) = entries.get(&key) {
                        self.warnings.push(super::build::given_twice(self.source, &key, first, key_at));
                    }
                    entries.insert(key, entry);
                }
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Rc<Node>>> {
        let mut items = Vec::new();
        self.take(1);
        loop {
            self.skip_blanks();
            match self.rest.chars().next()? {
                ']' => {
                    self.take(1);
                    return Some(items);
                }
                ',' => _ = self.take(1),
                _ => items.push(Rc::new(self.value(depth + 1)?)),
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let quoted = self.take(end?.0 + 1);
        serde_json::from_str(quoted).ok()
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Option<Value> {
        let end = self.rest.find(|c: char| c.is_whitespace() || ",]}".contains(c)).unwrap_or(self.rest.len());
        let word = self.take(end);
        match word {
            "true" | "false" | "null" => Some(scalar::plain(word)),
            _ if word.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(scalar::plain(word))
            }
            // The nearest float, as Python reads it; the quick way of `serde_json` is off by one bit at times.
            _ => word.parse().ok().map(scalar::from_float),
        }
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest.len() - self.rest.trim_start().len();
        self.take(blanks);
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        match taken.rsplit_once('\n') {
            Some((lines, last)) => {
                self.line += lines.matches('\n').count() + 1;
                self.column = last.chars().count() + 1;
            }
            None => self.column += taken.chars().count(),
        }
        taken
    }

    fn place(&self) -> Place {
        Place { line: self.line, column: self.column }
    }
}
