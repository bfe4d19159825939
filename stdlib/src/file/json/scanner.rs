//! Finds the places of the values in a JSON document.

use serde_json::Value;

use super::super::merge::tree::{Content, Entry, Item, Node};
use super::super::merge::{Problem, Syntax};
use super::Json;

/// Finds the places of the values in a text that is known to be JSON.
pub struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    /// At the start of a text.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The value at the place that it has come to.
    ///
    /// # Errors
    /// It is not JSON after all.
    pub fn value(&mut self) -> Result<Node, Problem> {
        self.skip_blanks();
        let start = self.at;
        let content = match self.peek() {
            Some(b'{') => Content::Map(self.entries()?),
            Some(b'[') => Content::List(self.items()?),
            Some(b'"') => {
                self.skip_text();
                self.scalar(start)?
            }
            _ => {
                self.skip_while(|byte| !b",]} \t\r\n".contains(&byte));
                self.scalar(start)?
            }
        };
        Ok(Node { range: start..self.at, block: false, content })
    }

    fn scalar(&self, start: usize) -> Result<Content, Problem> {
        Json::read(&self.text[start..self.at]).map(Content::Scalar)
    }

    fn entries(&mut self) -> Result<Vec<Entry>, Problem> {
        let mut entries = Vec::new();
        while self.more(b'}') {
            let start = self.at;
            self.skip_text();
            let key = match Json::read(&self.text[start..self.at])? {
                Value::String(key) => key,
                _ => return Err(Problem::new("a key has to be a text", start)),
            };
            self.skip_blanks();
            self.at += 1;
            let behind_colon = self.at;
            entries.push(Entry { start, key, behind_colon, block: false, value: self.value()? });
        }
        Ok(entries)
    }

    fn items(&mut self) -> Result<Vec<Item>, Problem> {
        let mut items = Vec::new();
        while self.more(b']') {
            items.push(Item { start: self.at, value: self.value()? });
        }
        Ok(items)
    }

    /// Goes on to the next entry behind a bracket or comma. At the closing bracket, which is taken, there is none.
    fn more(&mut self, close: u8) -> bool {
        self.skip_blanks();
        if self.peek() != Some(close) {
            self.at += 1;
            self.skip_blanks();
        }
        if self.peek() == Some(close) {
            self.at += 1;
            return false;
        }
        self.peek().is_some()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        self.skip_while(|byte| b" \t\r\n".contains(&byte));
    }

    fn skip_while(&mut self, skipped: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&skipped) {
            self.at += 1;
        }
    }

    /// Skips a text with its quotes.
    fn skip_text(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
    }
}
