//! Which names and files the template that is being rendered sees.
//!
//! minijinja wants its objects `Send + Sync`; the variables of a host are neither, because one host is one thread and its
//! values are resolved lazily behind `RefCell`s. So the object that a template has as its context is empty: it asks the
//! innermost scope of the thread it runs on. Scopes nest, because rendering a template reads a variable whose own value is
//! a template.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Enumerator, Object};
use minijinja::{Error, ErrorKind, Value};

use super::source::Prepared;
use super::{Loader, Names, Source};
use crate::diagnostic::Diagnostic;

/// What one rendering may see, and what it has seen.
pub(super) struct Scope {
    pub names: Rc<dyn Names>,
    pub loader: Option<Rc<dyn Loader>>,
    /// The templates that were included or imported so far, by the name used for that.
    pub included: RefCell<IndexMap<String, Rc<Prepared>>>,
    /// The delimiters of the outermost template, which hold in what it includes.
    syntax: SyntaxConfig,
    /// Why names are undefined although they exist: their own value uses something undefined.
    reasons: RefCell<Vec<(String, Diagnostic)>>,
}

thread_local! {
    static SCOPES: RefCell<Vec<Rc<Scope>>> = const { RefCell::new(Vec::new()) };
}

/// Leaves the scope when dropped.
pub(super) struct Inside(());

impl Drop for Inside {
    fn drop(&mut self) {
        SCOPES.with_borrow_mut(Vec::pop);
    }
}

impl Scope {
    pub fn new(names: Rc<dyn Names>, loader: Option<Rc<dyn Loader>>, syntax: SyntaxConfig) -> Rc<Self> {
        Rc::new(Self { names, loader, included: RefCell::default(), syntax, reasons: RefCell::default() })
    }

    /// Remembers an included template and gives the text for the engine.
    pub fn include(&self, name: &str, source: &Source) -> String {
        let prepared = Prepared::included(&source.path, &source.text, &self.syntax);
        let body = prepared.body.clone();
        self.included.borrow_mut().insert(name.to_owned(), Rc::new(prepared));
        body
    }

    /// Makes this the scope of the thread until the guard is dropped.
    pub fn enter(self: &Rc<Self>) -> Inside {
        SCOPES.with_borrow_mut(|scopes| scopes.push(Rc::clone(self)));
        Inside(())
    }

    /// Why `expression` came out undefined, if it was because of a name inside the value of a variable.
    pub fn reason(&self, expression: Option<&str>) -> Option<Diagnostic> {
        let reasons = self.reasons.borrow();
        let last = |path: &str| path.rsplit(['.', '[']).next().unwrap_or(path).to_owned();
        let found = match expression {
            None => reasons.last(),
            Some(expression) => reasons
                .iter()
                .rev()
                .find(|(name, _)| name == expression)
                .or_else(|| reasons.iter().rev().find(|(name, _)| last(name) == last(expression))),
        };
        found.map(|(_, reason)| reason.clone())
    }
}

/// The innermost scope of this thread; none outside a rendering.
pub(super) fn current() -> Option<Rc<Scope>> {
    SCOPES.with_borrow(|scopes| scopes.last().cloned())
}

/// The undefined value of a name that exists, whose value can't be had because of `reason`.
///
/// `default` and `is defined` see it as undefined, as they do in Ansible; any other use fails with `reason`.
pub(crate) fn undefined_because(name: &str, reason: Diagnostic) -> Value {
    match current() {
        Some(scope) => {
            scope.reasons.borrow_mut().push((name.to_owned(), reason));
            Value::UNDEFINED
        }
        // No template is there to ask for a default.
        None => Value::from(carry(reason)),
    }
}

/// An error of the template engine that carries a finished diagnostic through it.
pub(crate) fn carry(diagnostic: Diagnostic) -> Error {
    Error::new(ErrorKind::InvalidOperation, diagnostic.message.clone()).with_source(diagnostic)
}

/// The context of every template.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// The name by which it was looked up, if it was.
    pub looked_up: Option<String>,
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        if let (Some(path), "template_path") = (&self.looked_up, name) {
            return Some(Value::from(path.as_str()));
        }
        match current()?.names.get(name) {
            Ok(found) => found,
            Err(diagnostic) => Some(Value::from(carry(diagnostic))),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = current().map(|scope| scope.names.names()).unwrap_or_default();
        Enumerator::Values(names.into_iter().map(Value::from).collect())
    }
}
