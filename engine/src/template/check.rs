//! What a template uses, found without rendering it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use minijinja::machinery::ast::{Call, CallArg, Expr, Stmt};
use minijinja::machinery::{self, Span};

use super::source::Prepared;
use super::unsupported::{self, Kind};
use super::visit::{self, Visitor};
use super::{environment, filters, lookup, predicates, reads, report};
use crate::diagnostic::{Diagnostic, Location};
use crate::reads::Reads;

/// What a template uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// What the template reads of the inventory. The names that it expects from outside are variables.
    pub reads: Reads,
    /// Where it computes the name of a variable.
    pub computed_variables: Vec<Location>,
    /// The templates that it includes, imports or extends by a literal name, and where it does.
    pub templates: BTreeMap<String, Location>,
    /// Those of them that need not be there: one of several, or `ignore missing`.
    pub optional_templates: BTreeSet<String>,
    /// Where it includes, imports or extends one whose name is computed.
    pub computed_templates: Vec<Location>,
    /// The files that it looks up by a literal name, and where it does.
    pub files: BTreeMap<String, Location>,
    /// Where it looks up one whose name is computed.
    pub computed_files: Vec<Location>,
    /// The filters that it uses.
    pub filters: BTreeSet<String>,
    /// The tests that it uses.
    pub tests: BTreeSet<String>,
}

/// Parses a template and finds what it uses; an unknown filter or test is an error at its place.
///
/// # Errors
/// The first thing that is wrong with the template.
pub fn check(path: &str, text: &str) -> Result<Uses, Diagnostic> {
    let prepared = Prepared::file(path, text)?;
    let template = machinery::parse(&prepared.text, path, prepared.syntax.clone())
        .map_err(|error| report::syntax(&error, &prepared))?;
    let mut finder = Finder { prepared: &prepared, uses: Uses::default(), error: None };
    visit::statement(&template, &mut finder);
    if let Some(error) = finder.error {
        return Err(error);
    }
    let mut lookups = reads::Finder::default();
    visit::statement(&template, &mut lookups);
    let place = |span: Span| prepared.location(range(span));
    let mut uses = finder.uses;
    uses.computed_variables = lookups.computed.into_iter().map(place).collect();
    uses.files = lookups.files.into_iter().map(|(name, span)| (name, place(span))).collect();
    uses.computed_files = lookups.computed_files.into_iter().map(place).collect();
    uses.templates.extend(lookups.templates.into_iter().map(|(name, span)| (name, place(span))));
    uses.computed_templates.extend(lookups.computed_templates.into_iter().map(place));
    uses.reads = lookups.reads;
    let mut env = environment::copy();
    env.set_syntax(prepared.syntax.clone());
    if let Ok(template) = env.template_from_named_str(path, &prepared.text) {
        let global = |name: &String| env.globals().any(|(known, _)| known == name);
        let expected = template.undeclared_variables(false).into_iter();
        let expected = expected.filter(|name| !reads::ROOTS.contains(&name.as_str()) && !global(name));
        uses.reads.variables.named.extend(expected);
    }
    Ok(uses)
}

/// The bytes of the text that a span is.
fn range(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

struct Finder<'p> {
    prepared: &'p Prepared,
    uses: Uses,
    error: Option<Diagnostic>,
}

impl Finder<'_> {
    fn template(&mut self, name: &Expr<'_>, required: bool) {
        let location = self.prepared.location(range(name.span()));
        let Some(name) = name.as_const() else {
            self.uses.computed_templates.push(location);
            return;
        };
        // Of several, the first that there is counts.
        let names = match name.as_str() {
            Some(_) => vec![name],
            None => name.try_iter().into_iter().flatten().collect(),
        };
        let required = required && names.len() == 1;
        for name in names.iter().filter_map(|name| name.as_str()) {
            self.uses.templates.insert(name.to_owned(), location.clone());
            if !required {
                self.uses.optional_templates.insert(name.to_owned());
            }
        }
    }

    /// A lookup whose name is written out has to be one, and a function must not be one that is not there.
    fn call(&mut self, call: &Call<'_>) {
        let Expr::Var(function) = &call.expr else { return };
        if unsupported::hint(Kind::Function, function.id).is_some() {
            return self.unknown(Kind::Function, "function", function.id, function.span(), Vec::new());
        }
        let Some(CallArg::Pos(plugin)) = call.args.first() else { return };
        let name = plugin.as_const().and_then(|name| name.as_str().map(str::to_owned));
        let Some(name) = name.filter(|_| matches!(function.id, "lookup" | "query" | "q")) else { return };
        if !lookup::PLUGINS.contains(&lookup::short_name(&name)) {
            self.unknown(Kind::Lookup, "lookup", &name, plugin.span(), lookup::PLUGINS.to_vec());
        }
    }

    fn unknown(&mut self, kind: Kind, what: &str, name: &str, span: Span, known: Vec<&'static str>) {
        if self.error.is_none() {
            let start = range(span).start;
            let text = self.prepared.text.get(range(span)).unwrap_or("");
            // The span covers the whole expression up to the filter's arguments; its own name is the last one.
            let at = text.match_indices(name).map(|(at, _)| at).last().map_or(start, |at| start + at);
            let location = self.prepared.location(at..at + name.len());
            let (message, hint) = report::missing(kind, what, name, known);
            let mut error = Diagnostic::new(message).at(location);
            error.hint = hint;
            self.error = Some(error);
        }
    }
}

impl<'a> Visitor<'a> for Finder<'_> {
    fn statement(&mut self, statement: &Stmt<'a>) {
        match statement {
            Stmt::Import(import) => self.template(&import.expr, true),
            Stmt::FromImport(import) => self.template(&import.expr, true),
            Stmt::Extends(extends) => self.template(&extends.name, true),
            Stmt::Include(include) => self.template(&include.name, !include.ignore_missing),
            _ => {}
        }
    }

    fn expression(&mut self, expression: &Expr<'a>) {
        match expression {
            Expr::Filter(filter) => {
                self.uses.filters.insert(filter.name.to_owned());
                if !filters::exists(filter.name) {
                    self.unknown(Kind::Filter, "filter", filter.name, filter.span(), filters::names());
                }
            }
            Expr::Call(call) => self.call(call),
            Expr::Test(test) => {
                self.uses.tests.insert(test.name.to_owned());
                if !predicates::exists(test.name) {
                    self.unknown(Kind::Test, "test", test.name, test.span(), predicates::names());
                }
            }
            _ => {}
        }
    }
}
