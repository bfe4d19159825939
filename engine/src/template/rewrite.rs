//! What a template says, said so that the engine does what Ansible does.
//!
//! Each pass is a list of small edits, which are remembered: errors have to point into the text that the person wrote.
//!
//! * **Lookups that go through something undefined**: `{{ a.b.c | default("x") }}` where `a` does not exist. Ansible lets an
//!   undefined value be looked into and complains when it is used; `default` and `is defined` don't use it. The engine has
//!   either that (and then says nothing when an undefined value is used) or strictness (and then stops at `a.b`). So under
//!   these filters and tests each `.name` and `[index]` becomes the filter [`LOOKUP`], which passes undefined through.
//! * **`"%s" % value`**: the engine has no such operator, and the filter [`PERCENT`] is what it would do.
//! * **`a - b`** where templates make moments: so does the filter [`MINUS`].
//! * **`list.append(x)`**: the engine's lists never change. Where a template calls a method that changes its list or map, the
//!   ones that it writes out become changeable by the filter [`MUTABLE`].
//! * **A newline behind `{% raw %}`**: Jinja2 keeps it where it drops the one behind every other block.
//! * **Backslashes** in the value of a variable: between `{{ }}` a string means what it says.

use minijinja::machinery::ast::{BinOpKind, Expr};
use minijinja::machinery::{self, Token};
use minijinja::syntax::SyntaxConfig;

use super::mutable;
use super::visit::{self, Visitor};

/// The filter that stands for a lookup. Not a name that a template would use.
pub(super) const LOOKUP: &str = "_lookup";
/// The filter that stands for the operator `%` behind a string.
pub(super) const PERCENT: &str = "_percent";
/// The filter that stands for the operator `-` where it may be between moments.
pub(super) const MINUS: &str = "_minus";
/// The filter that makes a list or map that can be changed.
pub(super) const MUTABLE: &str = "_mutable";

/// The filters and tests that accept undefined.
const FORGIVING: [&str; 5] = ["default", "d", "mandatory", "defined", "undefined"];

/// A text with edits, and the way back.
#[derive(Debug)]
pub(super) struct Rewritten {
    pub text: String,
    /// For each edit, the offset behind it and how far the new text is ahead from there on.
    shifts: Vec<(usize, isize)>,
}

impl Rewritten {
    /// The offset before the edits of an offset behind them.
    pub fn original(&self, offset: usize) -> usize {
        let ahead = self.shifts.iter().rev().find(|(end, _)| *end <= offset).map_or(0, |(_, ahead)| *ahead);
        offset.saturating_add_signed(-ahead)
    }
}

/// What the engine gets for the text of a template.
pub(super) fn for_engine(text: &str, syntax: &SyntaxConfig) -> Rewritten {
    let lenient = FORGIVING.iter().any(|word| text.contains(word));
    let changes = mutable::METHODS.iter().any(|method| text.contains(method));
    let percent = text.contains(['"', '\'']) && text.contains(" % ");
    let raw = raw_newlines(text, syntax);
    let moments = text.contains(" - ") && (text.contains("to_datetime") || text.contains("now("));
    if !(lenient || changes || percent || moments) {
        return apply(text, raw);
    }
    // What doesn't parse is reported when the engine parses it.
    let Ok(template) = machinery::parse(text, "", syntax.clone()) else { return apply(text, raw) };
    let mut finder = Finder { text, changes, moments, edits: raw };
    visit::statement(&template, &mut finder);
    apply(text, finder.edits)
}

/// The newlines behind `{% raw %}`, doubled: the engine drops one.
fn raw_newlines(text: &str, syntax: &SyntaxConfig) -> Vec<Edit> {
    if !syntax.trim_blocks() || !text.contains("raw") {
        return Vec::new();
    }
    let (start, end) = syntax.block_delimiters();
    let newline = |(at, _): (usize, &str)| {
        let tag = text[at + start.len()..].trim_start_matches(['-', '+']).trim_start();
        let behind = tag.strip_prefix("raw")?.trim_start().strip_prefix(end)?;
        let at = text.len() - behind.len();
        behind.starts_with('\n').then(|| Edit { start: at, end: at, replacement: "\n".to_owned() })
    };
    text.match_indices(start).filter_map(newline).collect()
}

/// The text in which strings between `{{ }}` mean what they say.
pub(super) fn literal_backslashes(text: &str, syntax: &SyntaxConfig) -> Rewritten {
    let mut edits = Vec::new();
    let mut inside = false;
    if text.contains('\\') {
        for (token, span) in machinery::tokenize(text, false, syntax.clone()).map_while(Result::ok) {
            match token {
                Token::VariableStart => inside = true,
                Token::VariableEnd => inside = false,
                Token::Str(_) | Token::String(_) if inside => {
                    let (start, end) = (span.start_offset as usize, span.end_offset as usize);
                    if let Some(quoted) = text.get(start..end).filter(|quoted| quoted.contains('\\')) {
                        edits.push(Edit { start, end, replacement: quoted.replace('\\', "\\\\") });
                    }
                }
                _ => {}
            }
        }
    }
    apply(text, edits)
}

fn apply(text: &str, mut edits: Vec<Edit>) -> Rewritten {
    edits.sort_by_key(|edit| edit.start);
    let mut out = String::with_capacity(text.len() + edits.len() * 16);
    let mut shifts = Vec::with_capacity(edits.len());
    let mut done = 0;
    for edit in &edits {
        // Lookups inside an index (`a[b.c]`) lie within an edit that was made already.
        if edit.start < done {
            continue;
        }
        out.push_str(&text[done..edit.start]);
        out.push_str(&edit.replacement);
        done = edit.end;
        shifts.push((out.len(), out.len().cast_signed() - done.cast_signed()));
    }
    out.push_str(&text[done..]);
    Rewritten { text: out, shifts }
}

struct Edit {
    start: usize,
    end: usize,
    replacement: String,
}

struct Finder<'t> {
    text: &'t str,
    /// Whether what the template writes out has to be changeable.
    changes: bool,
    /// Whether `-` may be between moments.
    moments: bool,
    edits: Vec<Edit>,
}

impl<'a> Visitor<'a> for Finder<'_> {
    fn expression(&mut self, expression: &Expr<'a>) {
        match expression {
            Expr::Filter(filter) if FORGIVING.contains(&filter.name) => {
                if let Some(operand) = &filter.expr {
                    self.chain(operand);
                }
            }
            Expr::Test(test) if FORGIVING.contains(&test.name) => self.chain(&test.expr),
            Expr::BinOp(operation)
                if matches!(operation.op, BinOpKind::Rem)
                    && operation.left.as_const().is_some_and(|text| text.as_str().is_some()) =>
            {
                self.operator(&operation.left, '%', &operation.right, PERCENT);
            }
            Expr::BinOp(operation) if self.moments && matches!(operation.op, BinOpKind::Sub) => {
                self.operator(&operation.left, '-', &operation.right, MINUS);
            }
            Expr::List(_) | Expr::Map(_) if self.changes => {
                let end = expression.span().end_offset as usize;
                // A filter would take the name behind the point for its own.
                if self.text.get(end..).is_some_and(|rest| rest.starts_with('.')) {
                    return;
                }
                self.edits.push(Edit { start: end, end, replacement: format!("|{MUTABLE}") });
            }
            _ => {}
        }
    }
}

impl Finder<'_> {
    fn chain(&mut self, expression: &Expr<'_>) {
        let (inner, outer) = match expression {
            Expr::GetAttr(attr) => (&attr.expr, attr.span()),
            Expr::GetItem(item) => (&item.expr, item.span()),
            _ => return,
        };
        let (start, end) = (inner.span().end_offset as usize, outer.end_offset as usize);
        if let Some(replacement) = self.text.get(start..end).and_then(replacement) {
            self.edits.push(Edit { start, end, replacement });
        }
        self.chain(inner);
    }

    /// `left % right` as a filter of what stands left of it. What is in parentheses has its span inside of them.
    fn operator(&mut self, left: &Expr<'_>, sign: char, right: &Expr<'_>, filter: &str) {
        let (start, middle) = (left.span().end_offset as usize, right.span().start_offset as usize);
        let Some((before, behind)) =
            self.text.get(start..middle).and_then(|between| between.split_once(sign))
        else {
            return;
        };
        // A filter belongs to the last operand alone.
        let operation =
            matches!(left, Expr::BinOp(_) | Expr::UnaryOp(_) | Expr::IfExpr(_) | Expr::Compare(_));
        if operation && !before.contains(')') {
            return;
        }
        let mut end = right.span().end_offset as usize;
        for _ in behind.matches('(') {
            let Some(at) = self.text.get(end..).and_then(|rest| rest.find(')')) else { return };
            end += at + 1;
        }
        self.edits.push(Edit { start, end: middle, replacement: format!("{before}|{filter}({behind}") });
        self.edits.push(Edit { start: end, end, replacement: ")".to_owned() });
    }
}

/// `.name` or `[index]` as a filter; `None` for what else can stand there (a parenthesis that ends before it).
fn replacement(lookup: &str) -> Option<String> {
    let lookup = lookup.trim();
    if let Some(name) = lookup.strip_prefix('.') {
        let name = name.trim();
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
        let index = name.chars().all(|c| c.is_ascii_digit());
        return plain.then(
            || {
                if index { format!("|{LOOKUP}({name})") } else { format!("|{LOOKUP}('{name}')") }
            },
        );
    }
    let index = lookup.strip_prefix('[')?.strip_suffix(']')?;
    Some(format!("|{LOOKUP}({index})"))
}
