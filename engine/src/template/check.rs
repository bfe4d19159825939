//! What a template uses, found without rendering it.

use std::collections::BTreeSet;

use minijinja::machinery::ast::{Expr, Stmt};
use minijinja::machinery::{self, Span};

use super::source::Prepared;
use super::visit::{self, Visitor};
use super::{environment, filters, predicates, report};
use crate::diagnostic::Diagnostic;

/// What a template uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// The names that the template expects from outside, without their attributes.
    pub variables: BTreeSet<String>,
    /// The templates that it includes, imports or extends by a literal name.
    pub templates: BTreeSet<String>,
    /// Whether it includes, imports or extends one whose name is computed.
    pub computed_templates: bool,
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
    let prepared = Prepared::new(path, text)?;
    let template = machinery::parse(&prepared.text, path, prepared.syntax.clone())
        .map_err(|error| report::syntax(&error, &prepared))?;
    let mut finder = Finder { prepared: &prepared, uses: Uses::default(), error: None };
    visit::statement(&template, &mut finder);
    if let Some(error) = finder.error {
        return Err(error);
    }
    let mut uses = finder.uses;
    let mut env = environment::copy();
    env.set_syntax(prepared.syntax.clone());
    if let Ok(template) = env.template_from_named_str(path, &prepared.text) {
        uses.variables = template.undeclared_variables(false).into_iter().collect();
        let global = |name: &String| env.globals().any(|(known, _)| known == name);
        uses.variables.retain(|name| !global(name));
    }
    Ok(uses)
}

struct Finder<'p> {
    prepared: &'p Prepared,
    uses: Uses,
    error: Option<Diagnostic>,
}

impl Finder<'_> {
    fn template(&mut self, name: &Expr<'_>) {
        let Some(name) = name.as_const() else {
            self.uses.computed_templates = true;
            return;
        };
        match name.as_str() {
            Some(name) => _ = self.uses.templates.insert(name.to_owned()),
            None => {
                let names = name.try_iter().into_iter().flatten();
                self.uses.templates.extend(names.filter_map(|name| name.as_str().map(str::to_owned)));
            }
        }
    }

    fn unknown(&mut self, kind: &str, name: &str, span: Span, known: Vec<&'static str>) {
        if self.error.is_none() {
            let (start, end) = (span.start_offset as usize, span.end_offset as usize);
            let text = self.prepared.text.get(start..end).unwrap_or("");
            // The span covers the whole expression up to the filter's arguments; its own name is the last one.
            let at = text.match_indices(name).map(|(at, _)| at).last().map_or(start, |at| start + at);
            let location = self.prepared.location(at..at + name.len());
            let message = format!("unknown {kind} `{name}`");
            self.error = Some(Diagnostic::new(message).at(location).near(name, known));
        }
    }
}

impl<'a> Visitor<'a> for Finder<'_> {
    fn statement(&mut self, statement: &Stmt<'a>) {
        match statement {
            Stmt::Import(import) => self.template(&import.expr),
            Stmt::FromImport(import) => self.template(&import.expr),
            Stmt::Extends(extends) => self.template(&extends.name),
            Stmt::Include(include) => self.template(&include.name),
            _ => {}
        }
    }

    fn expression(&mut self, expression: &Expr<'a>) {
        match expression {
            Expr::Filter(filter) => {
                self.uses.filters.insert(filter.name.to_owned());
                if !filters::exists(filter.name) {
                    self.unknown("filter", filter.name, filter.span(), filters::names());
                }
            }
            Expr::Test(test) => {
                self.uses.tests.insert(test.name.to_owned());
                if !predicates::exists(test.name) {
                    self.unknown("test", test.name, test.span(), predicates::names());
                }
            }
            _ => {}
        }
    }
}
