//! Writes YAML as libyaml's emitter does for PyYAML: which texts are quoted and how, where lines are broken, how lists and
//! maps are laid out.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::arguments::fail;
use super::python;
use crate::yaml;

type Result<T> = std::result::Result<T, Error>;

/// Deeper values are an error instead of an exhausted stack.
const DEPTH: usize = 100;
/// A longer key is written behind a `?`.
const LONGEST_KEY: usize = 128;

/// How it is written.
pub(super) struct Style {
    /// Whether lists and maps are written in brackets; `None` does so where nothing in them has an inside.
    pub flow: Option<bool>,
    /// Blanks for each level.
    pub indent: usize,
    /// The column behind which lines are broken.
    pub width: usize,
    /// Whether keys are sorted.
    pub sort: bool,
    /// Whether it begins with `---`.
    pub explicit_start: bool,
    /// Whether it ends with `...`.
    pub explicit_end: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { flow: None, indent: 2, width: 80, sort: true, explicit_start: false, explicit_end: false }
    }
}

/// Writes a value as one document.
pub(super) fn write(value: &Value, style: &Style) -> Result<String> {
    let node = Node::of(value, style, 0)?;
    let mut writer = Writer {
        out: String::new(),
        style,
        column: 0,
        indent: None,
        flow_level: 0,
        blank: true,
        indenting: true,
    };
    if style.explicit_start {
        writer.new_line();
        writer.indicator("---", true, false, false);
    }
    writer.node(&node, Context::default());
    writer.new_line();
    if style.explicit_end {
        writer.indicator("...", true, false, false);
        writer.new_line();
    }
    Ok(writer.out)
}

/// A value as it is written.
enum Node {
    /// The text, and whether that text without quotes is read as the value again.
    Scalar {
        text: String,
        plain: bool,
    },
    List {
        items: Vec<Node>,
        flow: bool,
    },
    Map {
        entries: Vec<(Node, Node)>,
        flow: bool,
    },
}

impl Node {
    fn of(value: &Value, style: &Style, depth: usize) -> Result<Self> {
        if depth > DEPTH {
            return Err(fail("the value is nested too deeply"));
        }
        let simple = |text: &str| Self::Scalar { text: text.to_owned(), plain: true };
        Ok(match value.kind() {
            ValueKind::Undefined => return Err(python::undefined(value)),
            ValueKind::None => simple("null"),
            ValueKind::Bool => simple(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number if value.is_integer() => simple(&value.to_string()),
            ValueKind::Number => simple(&float(f64::try_from(value.clone())?)),
            ValueKind::Map => Self::map(value, style, depth)?,
            ValueKind::Seq | ValueKind::Iterable => {
                let items = python::items(value)?;
                let items = items.iter().map(|item| Self::of(item, style, depth + 1));
                let items = items.collect::<Result<Vec<Self>>>()?;
                let flow = style.flow.unwrap_or_else(|| items.iter().all(Self::is_scalar));
                Self::List { items, flow }
            }
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default().to_owned();
                let plain = yaml::is_text(&text);
                Self::Scalar { text, plain }
            }
            _ => return Err(fail(format!("{} can't be written as YAML", python::type_name(value)))),
        })
    }

    fn map(value: &Value, style: &Style, depth: usize) -> Result<Self> {
        let mut pairs: Vec<Value> =
            python::pairs(value)?.into_iter().map(|(key, value)| Value::from(vec![key, value])).collect();
        // Keys that have no order stay as they are.
        if style.sort {
            _ = python::sort(&mut pairs, |pair| pair.get_item_by_index(0));
        }
        let mut entries = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let part = |at| Self::of(&pair.get_item_by_index(at)?, style, depth + 1);
            entries.push((part(0)?, part(1)?));
        }
        let scalars = || entries.iter().all(|(key, value)| key.is_scalar() && value.is_scalar());
        let flow = style.flow.unwrap_or_else(scalars);
        Ok(Self::Map { entries, flow })
    }

    fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalar { .. })
    }

    /// Whether it can stand before a `:` in one line.
    fn is_simple_key(&self) -> bool {
        match self {
            Self::Scalar { text, .. } => text.len() <= LONGEST_KEY && !text.contains(is_break),
            Self::List { items, .. } => items.is_empty(),
            Self::Map { entries, .. } => entries.is_empty(),
        }
    }
}

fn float(number: f64) -> String {
    match python::float(number).as_str() {
        "nan" => ".nan".to_owned(),
        "inf" => ".inf".to_owned(),
        "-inf" => "-.inf".to_owned(),
        // A float of YAML 1.1 has a point.
        text if !text.contains('.') => text.replacen('e', ".0e", 1),
        text => text.to_owned(),
    }
}

/// Where a node stands.
#[derive(Clone, Copy, Default)]
struct Context {
    in_map: bool,
    simple_key: bool,
}

/// What a text allows.
struct Allowed {
    flow_plain: bool,
    block_plain: bool,
    single_quoted: bool,
}

/// Looks at what stands in a text.
fn analyze(text: &str) -> Allowed {
    if text.is_empty() {
        return Allowed { flow_plain: false, block_plain: true, single_quoted: true };
    }
    let chars: Vec<char> = text.chars().collect();
    let last = chars.len() - 1;
    let marker = text.starts_with("---") || text.starts_with("...");
    let (mut block, mut flow) = (marker, marker);
    let (mut special, mut break_space, mut space_break) = (false, false, false);
    let blank = |at: usize| chars.get(at).is_none_or(|c| matches!(c, ' ' | '\t') || is_break(*c));
    for (at, c) in chars.iter().enumerate() {
        let followed = blank(at + 1);
        let preceded = at == 0 || blank(at - 1);
        match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`'
                if at == 0 =>
            {
                (block, flow) = (true, true);
            }
            '?' | ':' if at == 0 => (block, flow) = (block || followed, true),
            '-' if at == 0 && followed => (block, flow) = (true, true),
            ',' | '?' | '[' | ']' | '{' | '}' => flow = true,
            ':' => (block, flow) = (block || followed, true),
            '#' if preceded => (block, flow) = (true, true),
            _ => {}
        }
        special |= !is_printable(*c);
        let before = at.checked_sub(1).map(|at| chars[at]);
        break_space |= *c == ' ' && before.is_some_and(is_break);
        space_break |= is_break(*c) && before == Some(' ');
    }
    let outside = |c: char| c == ' ' || is_break(c);
    let edges = outside(chars[0]) || outside(chars[last]);
    let lines = text.contains(is_break);
    let quoted_only = edges || break_space || space_break || special || lines;
    Allowed {
        flow_plain: !quoted_only && !flow,
        block_plain: !quoted_only && !block,
        single_quoted: !break_space && !space_break && !special,
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What libyaml writes as it is.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

struct Writer<'s> {
    out: String,
    style: &'s Style,
    column: usize,
    /// The column of the innermost list or map; `None` outside of all.
    indent: Option<usize>,
    flow_level: usize,
    /// Whether a blank or nothing was written last.
    blank: bool,
    /// Whether the line has only blanks and `-`, `?`, `:` so far.
    indenting: bool,
}

impl Writer<'_> {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column = if is_break(c) { 0 } else { self.column + 1 };
    }

    fn indicator(&mut self, text: &str, needs_blank: bool, is_blank: bool, is_indention: bool) {
        if needs_blank && !self.blank {
            self.put(' ');
        }
        text.chars().for_each(|c| self.put(c));
        self.blank = is_blank;
        self.indenting &= is_indention;
    }

    /// Goes to the column of the innermost list or map, in a new line if need be.
    fn new_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indenting || self.column > indent || (self.column == indent && !self.blank) {
            self.put('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.blank = true;
        self.indenting = true;
    }

    /// Goes one level in, and gives what to go back to.
    fn deeper(&mut self, flow: bool, same_column: bool) -> Option<usize> {
        let before = self.indent;
        self.indent = match before {
            None => Some(if flow { self.style.indent } else { 0 }),
            Some(indent) if same_column => Some(indent),
            Some(indent) => Some(indent + self.style.indent),
        };
        before
    }

    fn node(&mut self, node: &Node, context: Context) {
        match node {
            Node::Scalar { text, plain } => self.scalar(text, *plain, context),
            Node::List { items, flow } if self.flow_level > 0 || *flow || items.is_empty() => {
                self.flow_list(items);
            }
            Node::List { items, .. } => self.block_list(items, context),
            Node::Map { entries, flow } if self.flow_level > 0 || *flow || entries.is_empty() => {
                self.flow_map(entries);
            }
            Node::Map { entries, .. } => self.block_map(entries),
        }
    }

    fn block_list(&mut self, items: &[Node], context: Context) {
        // In a map, the items stand in the column of its keys.
        let before = self.deeper(false, context.in_map && !self.indenting);
        for item in items {
            self.new_line();
            self.indicator("-", true, false, true);
            self.node(item, Context::default());
        }
        self.indent = before;
    }

    fn block_map(&mut self, entries: &[(Node, Node)]) {
        let before = self.deeper(false, false);
        let inside = Context { in_map: true, simple_key: false };
        for (key, value) in entries {
            self.new_line();
            if key.is_simple_key() {
                self.node(key, Context { simple_key: true, ..inside });
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.node(key, inside);
                self.new_line();
                self.indicator(":", true, false, true);
            }
            self.node(value, inside);
        }
        self.indent = before;
    }

    fn flow_list(&mut self, items: &[Node]) {
        self.indicator("[", true, true, false);
        let before = self.deeper(true, false);
        self.flow_level += 1;
        for (index, item) in items.iter().enumerate() {
            self.between(index);
            self.node(item, Context::default());
        }
        self.flow_level -= 1;
        self.indent = before;
        self.indicator("]", false, false, false);
    }

    fn flow_map(&mut self, entries: &[(Node, Node)]) {
        self.indicator("{", true, true, false);
        let before = self.deeper(true, false);
        self.flow_level += 1;
        let inside = Context { in_map: true, simple_key: false };
        for (index, (key, value)) in entries.iter().enumerate() {
            self.between(index);
            if key.is_simple_key() {
                self.node(key, Context { simple_key: true, ..inside });
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, false);
                self.node(key, inside);
                if self.column > self.style.width {
                    self.new_line();
                }
                self.indicator(":", true, false, false);
            }
            self.node(value, inside);
        }
        self.flow_level -= 1;
        self.indent = before;
        self.indicator("}", false, false, false);
    }

    fn between(&mut self, index: usize) {
        if index > 0 {
            self.indicator(",", false, false, false);
        }
        if self.column > self.style.width {
            self.new_line();
        }
    }

    fn scalar(&mut self, text: &str, plain: bool, context: Context) {
        let allowed = analyze(text);
        let before = self.deeper(true, false);
        let multiline = text.contains(is_break);
        let in_flow = self.flow_level > 0;
        let plain = plain
            && (if in_flow { allowed.flow_plain } else { allowed.block_plain })
            && !(text.is_empty() && (in_flow || context.simple_key));
        let breaks = !context.simple_key;
        if context.simple_key && multiline {
            self.double_quoted(text, breaks);
        } else if plain {
            self.plain(text, breaks);
        } else if allowed.single_quoted {
            self.single_quoted(text, breaks);
        } else {
            self.double_quoted(text, breaks);
        }
        self.indent = before;
    }

    fn plain(&mut self, text: &str, breaks: bool) {
        if !self.blank && (!text.is_empty() || self.flow_level > 0) {
            self.put(' ');
        }
        let mut spaces = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let next_is_space = chars.peek() == Some(&' ');
            if c == ' ' && breaks && !spaces && self.column > self.style.width && !next_is_space {
                self.new_line();
            } else {
                self.put(c);
                self.indenting = false;
            }
            spaces = c == ' ';
        }
        self.blank = false;
        self.indenting = false;
    }

    fn single_quoted(&mut self, text: &str, breaks: bool) {
        self.indicator("'", true, false, false);
        let (mut spaces, mut in_breaks) = (false, false);
        let chars: Vec<char> = text.chars().collect();
        for (at, c) in chars.iter().enumerate() {
            let inner = at > 0 && at + 1 < chars.len();
            match c {
                ' ' => {
                    let fold = breaks && !spaces && self.column > self.style.width && inner;
                    if fold && chars[at + 1] != ' ' {
                        self.new_line();
                    } else {
                        self.put(' ');
                    }
                    spaces = true;
                }
                c if is_break(*c) => {
                    if !in_breaks && *c == '\n' {
                        self.put('\n');
                    }
                    self.put(*c);
                    self.indenting = true;
                    in_breaks = true;
                }
                c => {
                    if in_breaks {
                        self.new_line();
                    }
                    if *c == '\'' {
                        self.put('\'');
                    }
                    self.put(*c);
                    self.indenting = false;
                    (spaces, in_breaks) = (false, false);
                }
            }
        }
        if in_breaks {
            self.new_line();
        }
        self.indicator("'", false, false, false);
        self.blank = false;
        self.indenting = false;
    }

    fn double_quoted(&mut self, text: &str, breaks: bool) {
        self.indicator("\"", true, false, false);
        let mut spaces = false;
        let chars: Vec<char> = text.chars().collect();
        for (at, c) in chars.iter().enumerate() {
            let inner = at > 0 && at + 1 < chars.len();
            match c {
                ' ' if breaks && !spaces && self.column > self.style.width && inner => {
                    self.new_line();
                    if chars[at + 1] == ' ' {
                        self.put('\\');
                    }
                    spaces = true;
                }
                c if !is_printable(*c) || is_break(*c) || matches!(c, '"' | '\\') => {
                    escaped(*c).chars().for_each(|c| self.put(c));
                    spaces = false;
                }
                c => {
                    self.put(*c);
                    spaces = *c == ' ';
                }
            }
        }
        self.indicator("\"", false, false, false);
        self.blank = false;
        self.indenting = false;
    }
}

/// A character as it stands between double quotes.
fn escaped(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            return match u32::from(c) {
                code @ 0..=0xff => format!("\\x{code:02X}"),
                code @ 0x100..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
