//! Makes values of the events of a YAML parser.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use serde_json::Value;

use super::{Content, DEPTH, Entry, Map, Node, Place, hint, scalar};
use crate::diagnostic::Diagnostic;
use crate::origin::SourceText;

/// What aliases may add to a file, in bytes of its values. A few lines can otherwise stand for more than there is memory.
const ALIASED: usize = 64 << 20;

/// The value of a file, if there is one in it, and what is suspicious about it.
pub(super) fn parse(source: &Arc<SourceText>) -> Result<(Option<Rc<Node>>, Vec<Diagnostic>), Diagnostic> {
    refuse_control_characters(source)?;
    let mut builder = Builder::new(source);
    for event in Parser::new_from_str(source.text()) {
        let (event, span) = event.map_err(|error| not_yaml(source, &error))?;
        builder.event(event, place(span.start))?;
    }
    Ok((builder.root, builder.warnings))
}

/// The warning about a key of a map that stands in it before.
pub(super) fn given_twice(source: &Arc<SourceText>, key: &str, first: &Entry, again: Place) -> Diagnostic {
    let first = source.at(first.key_at.line, first.key_at.column);
    source
        .at(again.line, again.column)
        .error(format!("`{key}` is given twice, and the last one counts"))
        .because(format!("it is given first at {first}"))
}

fn place(marker: Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}

fn not_yaml(source: &Arc<SourceText>, error: &ScanError) -> Diagnostic {
    let mut at = place(*error.marker());
    if error.info().contains("tab") {
        at = tab_from(source, at);
    }
    let diagnostic = source.at(at.line, at.column).error(format!("not valid YAML: {}", error.info()));
    match hint::of(source.line(at.line), error.info()) {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

/// The tab that is complained about: the parser may point at the text that it interrupts, some lines above.
fn tab_from(source: &SourceText, at: Place) -> Place {
    let lines = (at.line..=source.lines()).map(|number| (number, source.line(number)));
    let mut tabs = lines.filter_map(|(line, text)| {
        let column = text.chars().position(|c| c == '\t')? + 1;
        Some(Place { line, column })
    });
    tabs.next().unwrap_or(at)
}

/// A parser takes a NUL for the end of the file, and what follows would be lost.
fn refuse_control_characters(source: &Arc<SourceText>) -> Result<(), Diagnostic> {
    let allowed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    match source.text().char_indices().find(|(_, c)| !allowed(*c)) {
        None => Ok(()),
        Some((at, c)) => {
            let code = u32::from(c);
            let mut location = source.at_byte(at).location();
            // A terminal shall not obey it.
            location.text = location.text.replace(char::is_control, "\u{FFFD}");
            Err(Diagnostic::new(format!("not valid YAML: there is a control character (U+{code:04X})"))
                .at(location)
                .hint("write it as an escape, in double quotes"))
        }
    }
}

/// A list or map that has begun.
struct Frame {
    at: Place,
    anchor: usize,
    /// Whether it is marked `!unsafe` itself.
    is_unsafe: bool,
    open: Open,
}

enum Open {
    List(Vec<Rc<Node>>),
    Map {
        /// What `<<` brings; entries of the map itself win over it.
        merged: Map,
        entries: Map,
        key: Option<Key>,
    },
}

enum Key {
    Merge(Place),
    Name { text: String, is_text: bool, at: Place },
}

struct Builder<'a> {
    source: &'a Arc<SourceText>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Rc<Node>>,
    /// How many frames are marked `!unsafe`.
    unsafe_frames: usize,
    /// What aliases have added so far.
    aliased: usize,
    root: Option<Rc<Node>>,
    warnings: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Arc<SourceText>) -> Self {
        Self {
            source,
            stack: Vec::new(),
            anchors: HashMap::new(),
            unsafe_frames: 0,
            aliased: 0,
            root: None,
            warnings: Vec::new(),
        }
    }

    fn error(&self, at: Place, message: impl Into<String>) -> Diagnostic {
        self.source.at(at.line, at.column).error(message)
    }

    fn event(&mut self, event: Event<'_>, at: Place) -> Result<(), Diagnostic> {
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), at),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::SequenceStart(anchor, tag) => self.open(Open::List(Vec::new()), "seq", anchor, tag, at),
            Event::MappingStart(anchor, tag) => {
                let open = Open::Map { merged: Map::new(), entries: Map::new(), key: None };
                self.open(open, "map", anchor, tag, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::DocumentStart(_) if self.root.is_some() => Err(self
                .error(at, "a second document begins here, and a file may hold only one")
                .hint("take the `---` away")),
            Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::StreamStart
            | Event::StreamEnd
            | Event::Nothing => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        at: Place,
    ) -> Result<(), Diagnostic> {
        let plain = style == ScalarStyle::Plain;
        if plain && tag.is_none() && text == "<<" && self.expects_key() {
            self.key(Key::Merge(at));
            return Ok(());
        }
        let mut literal = self.unsafe_frames > 0;
        let value = match tag.map(name) {
            None if plain => scalar::plain(text),
            None => Value::from(text),
            Some(tag) => match &*tag {
                // Both look at the text as if it had no quotes, as Ansible does.
                "!" => scalar::plain(text),
                "!unsafe" => {
                    literal = true;
                    scalar::plain(text)
                }
                tag => self.tagged(tag, text, at)?,
            },
        };
        self.add(Node::new(at, Content::Scalar(value), literal), anchor)
    }

    fn tagged(&self, tag: &str, text: &str, at: Place) -> Result<Value, Diagnostic> {
        let Some(kind) = tag.strip_prefix("!!") else { return Err(self.unknown_tag(tag, at)) };
        match kind {
            "str" | "null" | "bool" | "int" | "float" | "timestamp" => scalar::tagged(kind, text)
                .ok_or_else(|| self.error(at, format!("`{text}` is not what its tag `{tag}` says"))),
            _ => Err(self.unknown_tag(tag, at)),
        }
    }

    fn unknown_tag(&self, tag: &str, at: Place) -> Diagnostic {
        if matches!(tag, "!vault" | "!vault-encrypted") {
            return self
                .error(at, "values encrypted by Ansible Vault can't be read yet")
                .hint("give this one with `-e @FILE` from a file that is not encrypted");
        }
        self.error(at, format!("the tag `{tag}` is unknown"))
            .hint("values can have `!unsafe` and YAML's own tags: `!!str`, `!!int`, `!!float`, `!!bool`")
    }

    fn open(
        &mut self,
        open: Open,
        own_tag: &str,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        at: Place,
    ) -> Result<(), Diagnostic> {
        if self.expects_key() {
            return Err(self.no_key(at));
        }
        let tag = tag.as_deref().map(name);
        let is_unsafe = match tag.as_deref() {
            None | Some("!") => false,
            Some("!unsafe") => true,
            Some(tag) if tag.strip_prefix("!!") == Some(own_tag) => false,
            Some(tag) => return Err(self.unknown_tag(tag, at)),
        };
        if self.stack.len() == DEPTH {
            return Err(self.too_deep(at));
        }
        self.unsafe_frames += usize::from(is_unsafe);
        self.stack.push(Frame { at, anchor, is_unsafe, open });
        Ok(())
    }

    fn too_deep(&self, at: Place) -> Diagnostic {
        self.error(at, format!("more than {DEPTH} lists and maps are inside one another"))
    }

    fn no_key(&self, at: Place) -> Diagnostic {
        let error = self.error(at, "a list or map can't be the key of a map");
        match hint::of_template(self.source.line(at.line)) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let literal = self.unsafe_frames > 0;
        self.unsafe_frames -= usize::from(frame.is_unsafe);
        let content = match frame.open {
            Open::List(items) => Content::List(items),
            Open::Map { mut merged, entries, .. } => {
                merged.extend(entries);
                Content::Map(merged)
            }
        };
        self.add(Node::new(frame.at, content, literal), frame.anchor)
    }

    fn alias(&mut self, anchor: usize, at: Place) -> Result<(), Diagnostic> {
        let Some(node) = self.anchors.get(&anchor).map(Rc::clone) else {
            return Err(self.error(at, "a value can't contain itself"));
        };
        if self.stack.len() + node.depth > DEPTH {
            return Err(self.too_deep(at));
        }
        self.aliased = self.aliased.saturating_add(node.weight);
        if self.aliased > ALIASED {
            return Err(
                self.error(at, format!("the aliases of this file stand for more than {} MiB", ALIASED >> 20))
            );
        }
        self.put(node, at)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Diagnostic> {
        let at = node.at;
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(node, at)
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { open: Open::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, new: Key) {
        if let Some(Frame { open: Open::Map { key, .. }, .. }) = self.stack.last_mut() {
            *key = Some(new);
        }
    }

    /// A finished value takes its place: as key, as value of a key, as item, or as the whole.
    fn put(&mut self, node: Rc<Node>, at: Place) -> Result<(), Diagnostic> {
        if self.expects_key() {
            let Content::Scalar(value) = &node.content else { return Err(self.no_key(at)) };
            let (text, is_text) = match value {
                Value::String(text) => (text.clone(), true),
                // As JSON shows it.
                other => (other.to_string(), false),
            };
            self.key(Key::Name { text, is_text, at });
            return Ok(());
        }
        match self.stack.last_mut().map(|frame| &mut frame.open) {
            None => self.root = Some(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map { merged, entries, key }) => match key.take() {
                Some(Key::Merge(merge_at)) => merge(merged, &node)
                    .ok_or_else(|| self.error(merge_at, "`<<` takes a map or a list of maps"))?,
                Some(Key::Name { text, is_text, at: key_at }) => {
                    if let Some(first) = entries.get(&text) {
                        self.warnings.push(given_twice(self.source, &text, first, key_at));
                    }
                    entries.insert(text, Entry { key_at, text_key: is_text, value: node });
                }
                None => {}
            },
        }
        Ok(())
    }
}

/// Takes in what `<<` names. Of a list of maps the first wins; of several `<<` the last.
fn merge(merged: &mut Map, node: &Node) -> Option<()> {
    match &node.content {
        Content::Map(entries) => {
            merged.extend(entries.iter().map(|(key, entry)| (key.clone(), entry.clone())));
        }
        Content::List(maps) => {
            for map in maps.iter().rev() {
                let Content::Map(_) = map.content else { return None };
                merge(merged, map)?;
            }
        }
        Content::Scalar(_) => return None,
    }
    Some(())
}

/// A tag as it is usually written.
fn name(tag: &Tag) -> String {
    if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else {
        format!("{}{}", tag.handle, tag.suffix)
    }
}
