//! Lookups that may go through something undefined: `{{ a.b.c | default("x") }}` where `a` does not exist.
//!
//! Ansible lets an undefined value be looked into and complains when it is used; `default` and `is defined` don't use it.
//! The engine has either that (and then says nothing when an undefined value is used) or strictness (and then stops at
//! `a.b`). So under these filters and tests each `.name` and `[index]` is rewritten to a filter, [`LOOKUP`], which passes
//! undefined through. The edits are remembered, because errors have to point into the text that the person wrote.

use minijinja::machinery::{self, ast::Expr};
use minijinja::syntax::SyntaxConfig;

use super::visit::{self, Visitor};

/// The filter that stands for a lookup. Not a name that a template would use.
pub(super) const LOOKUP: &str = "_lookup";

/// The filters and tests that accept undefined.
const FORGIVING: [&str; 5] = ["default", "d", "mandatory", "defined", "undefined"];

/// The text for the engine and, for each edit, the offset behind it and how much longer the text is from there on.
pub(super) fn rewrite(text: &str, syntax: &SyntaxConfig) -> (String, Vec<(usize, isize)>) {
    let mut edits =
        if FORGIVING.iter().any(|word| text.contains(word)) { find(text, syntax) } else { Vec::new() };
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
    (out, shifts)
}

struct Edit {
    start: usize,
    end: usize,
    replacement: String,
}

fn find(text: &str, syntax: &SyntaxConfig) -> Vec<Edit> {
    // What doesn't parse is reported when the engine parses it.
    let Ok(template) = machinery::parse(text, "", syntax.clone()) else { return Vec::new() };
    let mut finder = Finder { text, edits: Vec::new() };
    visit::statement(&template, &mut finder);
    finder.edits
}

struct Finder<'t> {
    text: &'t str,
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
