//! Finds the places of the values in a YAML document.
//!
//! A parser tells what is there, and roughly where. The exact places are looked for in the text between what it tells.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::super::merge::Problem;
use super::super::merge::tree::{Content, Entry, Item, Node};
use super::scalar::{opaque, plain};

/// Lists and maps inside one another are refused beyond this depth: what walks over them must not exhaust the stack.
const DEPTH: usize = 100;

/// The document in a text. `None` when there is nothing in it but comments.
///
/// # Errors
/// It is no YAML, or there is more than one document.
pub fn parse(text: &str) -> Result<Option<Node>, Problem> {
    refuse_control_characters(text)?;
    let bytes = Bytes::of(text);
    let mut builder = Builder::new(text);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            Problem::new(format!("not valid YAML: {}", error.info()), bytes.at(error.marker().index()))
        })?;
        builder.event(event, bytes.range(span))?;
    }
    Ok(builder.root)
}

/// A parser takes a zero byte for the end of the file, and what follows would be lost.
fn refuse_control_characters(text: &str) -> Result<(), Problem> {
    let strange = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    match text.char_indices().find(|(_, c)| strange(*c)) {
        Some((at, c)) => {
            Err(Problem::new(format!("not valid YAML: a control character (U+{:04X})", u32::from(c)), at))
        }
        None => Ok(()),
    }
}

/// From characters, which the parser counts, to bytes.
struct Bytes {
    offsets: Option<Vec<usize>>,
    end: usize,
}

impl Bytes {
    fn of(text: &str) -> Self {
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { offsets, end: text.len() }
    }

    fn at(&self, index: usize) -> usize {
        match &self.offsets {
            Some(offsets) => offsets.get(index).copied().unwrap_or(self.end),
            None => index.min(self.end),
        }
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.at(span.start.index())..self.at(span.end.index())
    }
}

/// A list or map that has begun.
struct Frame {
    /// Where its bracket is. `None` for one that is told by its indentation.
    bracket: Option<usize>,
    /// Where what is in it may begin.
    behind: usize,
    open: Open,
}

enum Open {
    List { items: Vec<Item>, start: usize },
    Map { entries: Vec<Entry>, key: Option<Key> },
}

struct Key {
    start: usize,
    text: String,
    behind_colon: usize,
}

struct Builder<'t> {
    text: &'t str,
    stack: Vec<Frame>,
    /// Where the outermost value may begin.
    behind_start: usize,
    documents: usize,
    /// The paths of the values that have anchors.
    anchors: HashMap<usize, String>,
    root: Option<Node>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, stack: Vec::new(), behind_start: 0, documents: 0, anchors: HashMap::new(), root: None }
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(explicit) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Problem::new("there is more than one document in the file", range.start));
                }
                if explicit {
                    self.behind_start = range.end;
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let behind = self.begin(anchor);
                let tag = tag.as_deref();
                let content = self.scalar(&text, style, tag);
                let range = self.scalar_range(&text, style, range, behind);
                self.put(Node { range, block: false, content }, &text)
            }
            Event::Alias(anchor) => {
                self.begin(0);
                let target = self.anchors.get(&anchor).map_or("", String::as_str);
                let content = Content::Scalar(opaque(&format!("*{target}")));
                self.put(Node { range, block: false, content }, "*")
            }
            Event::SequenceStart(anchor, _) => {
                self.open(anchor, range, '[', Open::List { items: Vec::new(), start: 0 })
            }
            Event::MappingStart(anchor, _) => {
                self.open(anchor, range, '{', Open::Map { entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&range),
            _ => Ok(()),
        }
    }

    /// Notes that a value begins, and says where it may begin at the earliest.
    fn begin(&mut self, anchor: usize) -> usize {
        let text = self.text;
        let behind = match self.stack.last_mut() {
            None => self.behind_start,
            Some(Frame { open: Open::Map { key, .. }, behind, .. }) => {
                key.as_ref().map_or(*behind, |key| key.behind_colon)
            }
            Some(Frame { bracket, behind, open: Open::List { items, start } }) => {
                let from = items.last().map_or(*behind, |last| last.value.range.end);
                *start = item_start(text, from, bracket.is_some(), items.is_empty());
                *start + usize::from(bracket.is_none())
            }
        };
        if anchor > 0 {
            let path = self.path();
            self.anchors.insert(anchor, path);
        }
        behind
    }

    /// Where in the document the value is that begins now.
    fn path(&self) -> String {
        let step = |frame: &Frame| match &frame.open {
            Open::List { items, .. } => format!("/{}", items.len()),
            Open::Map { key, .. } => format!("/{}", key.as_ref().map_or("?", |key| &key.text)),
        };
        self.stack.iter().map(step).collect()
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Content {
        Content::Scalar(match (tag, style) {
            (Some(tag), _) => opaque(&format!("{tag} {text}")),
            (None, ScalarStyle::Plain) => plain(text),
            (None, _) => text.into(),
        })
    }

    /// Where a scalar really is.
    fn scalar_range(
        &self,
        text: &str,
        style: ScalarStyle,
        range: Range<usize>,
        behind: usize,
    ) -> Range<usize> {
        let written = self.text[range.clone()].trim();
        match style {
            // Nothing is written: it is behind the anchor or tag, if there is one.
            ScalarStyle::Plain if text.is_empty() || (text == "~" && written != "~") => {
                let at = behind_properties(self.text, behind);
                at..at
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let start = skip_blanks(self.text, behind_properties(self.text, behind));
                let header = self.text[start..].lines().next().unwrap_or_default();
                let end = range.end.max(start + header.len());
                let kept = header.split('#').next().is_some_and(|header| header.contains('+'));
                start..if kept { end } else { start + self.text[start..end].trim_end().len() }
            }
            // What is told of the end may reach into a comment behind it.
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                range.start..range.start + quoted_length(&self.text[range.start..])
            }
            ScalarStyle::Plain => range.start..range.start + written.len(),
        }
    }

    fn open(&mut self, anchor: usize, range: Range<usize>, bracket: char, open: Open) -> Result<(), Problem> {
        if self.expects_key() {
            return Err(Problem::new("a key that is a list or map can't be dealt with", range.start));
        }
        if self.stack.len() == DEPTH {
            let message = format!("more than {DEPTH} lists and maps are inside one another");
            return Err(Problem::new(message, range.start));
        }
        let behind = self.begin(anchor);
        let bracket =
            (!range.is_empty() && self.text[range.start..].starts_with(bracket)).then_some(range.start);
        self.stack.push(Frame { bracket, behind: bracket.map_or(behind, |bracket| bracket + 1), open });
        Ok(())
    }

    fn close(&mut self, range: &Range<usize>) -> Result<(), Problem> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let (content, inner) = match frame.open {
            Open::List { items, .. } => {
                let inner =
                    items.first().zip(items.last()).map(|(first, last)| first.start..last.range().end);
                (Content::List(items), inner)
            }
            Open::Map { entries, .. } => {
                let inner =
                    entries.first().zip(entries.last()).map(|(first, last)| first.start..last.range().end);
                (Content::Map(entries), inner)
            }
        };
        let range = match (frame.bracket, inner) {
            // As with quotes, what is told of the end may reach further.
            (Some(bracket), _) => bracket..range.start + 1,
            (None, Some(inner)) => inner,
            (None, None) => range.clone(),
        };
        self.put(Node { range, block: frame.bracket.is_none(), content }, "")
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { open: Open::Map { key: None, .. }, .. }))
    }

    /// A finished value takes its place: as key, as value of a key, as item, or as the whole.
    fn put(&mut self, value: Node, text: &str) -> Result<(), Problem> {
        let source = self.text;
        match self.stack.last_mut() {
            None => self.root = Some(value),
            Some(Frame { open: Open::List { items, start }, .. }) => {
                let start = (*start).min(value.range.start);
                items.push(Item { start, value });
            }
            Some(Frame { bracket, open: Open::Map { entries, key }, .. }) => match key.take() {
                None => {
                    let colon = value.range.end + blanks(&source[value.range.end..]);
                    let behind_colon =
                        if source[colon..].starts_with(':') { colon + 1 } else { value.range.end };
                    *key = Some(Key { start: value.range.start, text: text.to_owned(), behind_colon });
                }
                Some(Key { start, text: key, behind_colon }) => {
                    let block = bracket.is_none();
                    entries.push(Entry { start, key, behind_colon, block, value });
                }
            },
        }
        Ok(())
    }
}

/// The length of the quoted text that a text begins with.
fn quoted_length(text: &str) -> usize {
    let quote = text.chars().next().unwrap_or('"');
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        let doubled = quote == '\'' && letters.peek().is_some_and(|(_, next)| *next == quote);
        match letter {
            '\\' if quote == '"' => _ = letters.next(),
            _ if letter != quote => {}
            _ if doubled => _ = letters.next(),
            _ => return at + 1,
        }
    }
    text.len()
}

/// Where the next entry of a list begins, from behind the one before or from where the list may begin.
fn item_start(text: &str, from: usize, in_brackets: bool, is_first: bool) -> usize {
    if !in_brackets {
        let from = if is_first { behind_properties(text, from) } else { from };
        return skip_blanks(text, from);
    }
    let at = skip_blanks(text, from);
    if !is_first && text[at..].starts_with(',') { skip_blanks(text, at + 1) } else { at }
}

/// How many bytes of white space a text begins with.
fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The position behind white space, line ends and comments.
pub fn skip_blanks(text: &str, mut at: usize) -> usize {
    loop {
        at += blanks(&text[at..]);
        if !text[at..].starts_with('#') {
            return at;
        }
        at += text[at..].find('\n').unwrap_or(text.len() - at);
    }
}

/// The position behind an anchor and a tag, if there are any.
fn behind_properties(text: &str, at: usize) -> usize {
    let mut end = at;
    loop {
        let next = skip_blanks(text, end);
        if !text[next..].starts_with(['&', '!']) {
            return end;
        }
        end = next
            + text[next..]
                .find(|c: char| c.is_whitespace() || ",]}".contains(c))
                .unwrap_or(text.len() - next);
    }
}
