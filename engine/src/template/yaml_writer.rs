//! Writes YAML as libyaml's emitter does for PyYAML: which texts are quoted and how, where lines are broken, how lists and
//! maps are laid out.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use self::scalar::is_break;
use super::arguments::fail;
use super::python;
use crate::yaml;

mod scalar;

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
}
