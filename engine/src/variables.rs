//! A host's variables: layers of raw values, resolved when they are read.
//!
//! A value may be a template over other variables, also deep inside lists and maps. It is rendered when it is asked for, and
//! kept until the layers change. What is inside of a list or map is rendered when a template reaches it, so that a map may
//! refer to its own entries and a broken entry hurts only who reads it.

mod lazy;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::Serde;
use serde_json::Value as Json;

use crate::bundle::Values;
use crate::diagnostic::{Diagnostic, Location};
use crate::secrets::{self, Secrets};
use crate::template::{self, Failure, Names};

/// Where a set of variables comes from. A later kind wins over an earlier one, and of one kind the last pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Defaults of a role.
    Defaults,
    /// The inventory with its group and host variables.
    Inventory,
    /// What was found out about the host.
    Facts,
    /// Variables of the play.
    Play,
    /// Variables of a role.
    Role,
    /// Parameters that a role was called with.
    Parameters,
    /// What the script has set.
    Set,
    /// Given on the command line.
    Extra,
    /// Names that belong to the engine, such as `inventory_hostname`, `groups` and `hostvars`.
    Engine,
}

enum Content {
    Values(IndexMap<String, Json>),
    Supplied(Rc<dyn Names>),
}

/// Says where a value of the inventory or the command line stands. Entries of lists and maps are asked for as
/// `users[0].name`, and as `users` if that gives nothing.
pub type Origins = Rc<dyn Fn(&str) -> Option<Location>>;

/// Says which of the same values are to be taken literally (`!unsafe`), by the same names.
pub type Literals = Rc<dyn Fn(&str) -> bool>;

/// The variables of one host. Cloning gives another handle to the same variables.
#[derive(Clone)]
pub struct Variables {
    inner: Rc<Inner>,
}

/// What was pushed, and the places of it in order of precedence, the highest first.
type Stack = (Vec<(Layer, Content)>, Vec<usize>);

struct Inner {
    /// What lazy lists and maps find these variables by.
    id: u64,
    stack: RefCell<Stack>,
    resolved: RefCell<HashMap<String, Value>>,
    /// The values that are being rendered, outermost first.
    resolving: RefCell<Vec<String>>,
    /// What failed since the outermost of them was asked for: the engine asks again while it reports an error.
    failed: RefCell<HashMap<String, Failure>>,
    origins: RefCell<Option<Origins>>,
    literals: RefCell<Option<Literals>>,
    /// What the marks in values stand for.
    secrets: RefCell<Option<Rc<Secrets>>>,
    /// The resolved names whose values have a secret in them.
    secret_names: RefCell<HashSet<String>>,
}

thread_local! {
    /// Whether a secret was read in what this thread is rendering.
    static SECRET_READ: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`, and says whether it read a secret. What goes on around it is told, too.
fn watched<T>(work: impl FnOnce() -> T) -> (T, bool) {
    let before = SECRET_READ.replace(false);
    let done = work();
    let read = SECRET_READ.get();
    SECRET_READ.set(before || read);
    (done, read)
}

/// A value that needs another that needs another … is refused from here on, before it exhausts the stack.
const DEPTH: usize = 40;

impl Default for Variables {
    fn default() -> Self {
        Self::new()
    }
}

impl Variables {
    /// No variables at all.
    pub fn new() -> Self {
        let inner = Rc::new(Inner {
            id: lazy::next_id(),
            stack: RefCell::default(),
            resolved: RefCell::default(),
            resolving: RefCell::default(),
            failed: RefCell::default(),
            origins: RefCell::default(),
            literals: RefCell::default(),
            secrets: RefCell::default(),
            secret_names: RefCell::default(),
        });
        lazy::register(&inner);
        Self { inner }
    }

    /// No variables yet, but what is known of the values that will be in them; the first that has a name hides the others.
    pub fn knowing(values: Vec<Arc<Values>>) -> Self {
        let values = Rc::new(values);
        let origins = Rc::clone(&values);
        let with = |values: &[Arc<Values>], path: &str| {
            values.iter().find(|values| values.values.contains_key(variable_of(path))).map(Arc::clone)
        };
        Self::new()
            .with_origins(Rc::new(move |path| with(&origins, path)?.places.get(path).cloned()))
            .with_literals(Rc::new(move |path| {
                with(&values, path).is_some_and(|values| values.literals.contains(path))
            }))
    }

    /// Tells errors where values stand.
    #[must_use]
    pub fn with_origins(self, origins: Origins) -> Self {
        *self.inner.origins.borrow_mut() = Some(origins);
        self
    }

    /// Tells which values are not templates, whatever they look like.
    #[must_use]
    pub fn with_literals(self, literals: Literals) -> Self {
        *self.inner.literals.borrow_mut() = Some(literals);
        self
    }

    /// Tells what the marks of secrets in values stand for.
    #[must_use]
    pub fn with_secrets(self, secrets: Rc<Secrets>) -> Self {
        *self.inner.secrets.borrow_mut() = Some(secrets);
        self
    }

    /// Does something that reads these variables, and says whether a secret was among what it read.
    pub fn watch<T>(&self, work: impl FnOnce() -> T) -> (T, bool) {
        let before = SECRET_READ.replace(false);
        let result = watched(work);
        SECRET_READ.set(before);
        result
    }

    /// Puts values on top of those of the same kind.
    pub fn push(&self, layer: Layer, values: IndexMap<String, Json>) {
        self.inner.push(layer, Content::Values(values));
    }

    /// Puts names on top whose values are computed when they are asked for, and are not templates.
    pub fn supply(&self, layer: Layer, names: Rc<dyn Names>) {
        self.inner.push(layer, Content::Supplied(names));
    }

    /// Takes away what was pushed last; `false` if there was nothing.
    pub fn pop(&self) -> bool {
        let popped = self.inner.stack.borrow_mut().0.pop().is_some();
        self.inner.changed();
        popped
    }

    /// Sets one variable, as the script does.
    pub fn set(&self, name: &str, value: Json) {
        self.inner.set(name, value);
        self.inner.changed();
    }

    /// The value of a variable with everything in it rendered; `None` if there is no such variable. A secret, and what was
    /// made with one, is its mark.
    ///
    /// # Errors
    /// A template in the value can't be rendered, or the value needs itself. The error points at the value if its origin is
    /// known.
    pub fn get(&self, name: &str) -> Result<Option<Json>, Diagnostic> {
        if let Some(plain) = self.inner.plain(name) {
            return Ok(Some(plain));
        }
        let (value, secret) = self.watch(|| -> Result<_, Diagnostic> {
            match self.inner.resolve(name).map_err(|failure| failure.diagnostic)? {
                Some(value) => template::to_json(&value).map(Some),
                None => Ok(None),
            }
        });
        let mut value = value?;
        if secret && let (Some(value), Some(secrets)) = (&mut value, &*self.inner.secrets.borrow()) {
            secrets.seal(value);
        }
        Ok(value)
    }

    /// As [`get`](Self::get), but a variable that does not exist is an error with a near match.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn require(&self, name: &str) -> Result<Json, Diagnostic> {
        self.get(name)?.ok_or_else(|| {
            let names = self.names();
            Diagnostic::new(format!("`{name}` is undefined")).near(name, names.iter().map(String::as_str))
        })
    }

    /// The value as it was written, before rendering.
    pub fn raw(&self, name: &str) -> Option<Json> {
        self.inner.find(|content| match content {
            Content::Values(values) => values.get(name).cloned(),
            Content::Supplied(_) => None,
        })
    }

    /// Every name that has a value, sorted.
    pub fn names(&self) -> Vec<String> {
        self.inner.names()
    }

    /// Evaluates a string as the value of a variable would be; `origin` is how errors call it.
    ///
    /// # Errors
    /// As [`template::render_value`].
    pub fn evaluate(&self, origin: &str, text: &str) -> Result<Json, Diagnostic> {
        template::render_value(origin, text, self.as_names())
    }

    /// What templates see.
    pub fn as_names(&self) -> Rc<dyn Names> {
        Rc::clone(&self.inner) as Rc<dyn Names>
    }
}

impl Names for Variables {
    fn get(&self, name: &str) -> Result<Option<Value>, Diagnostic> {
        Names::get(&*self.inner, name)
    }

    fn names(&self) -> Vec<String> {
        self.inner.names()
    }
}

impl Names for Inner {
    fn get(&self, name: &str) -> Result<Option<Value>, Diagnostic> {
        match self.resolve(name) {
            Ok(found) => Ok(found),
            Err(failure) if failure.undefined => {
                Ok(Some(template::undefined_because(name, failure.diagnostic)))
            }
            Err(failure) => Err(failure.diagnostic),
        }
    }

    fn is_text(&self, name: &str) -> bool {
        let found = self.find(|content| match content {
            Content::Values(values) => values.get(name).map(Json::is_string),
            Content::Supplied(supplied) => supplied.may_have(name).then_some(false),
        });
        found.unwrap_or(false)
    }

    fn names(&self) -> Vec<String> {
        let mut names = HashSet::new();
        for (_, content) in &self.stack.borrow().0 {
            match content {
                Content::Values(values) => names.extend(values.keys().cloned()),
                Content::Supplied(supplied) => names.extend(supplied.names()),
            }
        }
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort();
        names
    }
}

/// A value on its way to templates.
enum Raw {
    Ready(Value),
    Template(String),
}

impl Inner {
    fn push(&self, layer: Layer, content: Content) {
        self.stack.borrow_mut().0.push((layer, content));
        self.changed();
    }

    fn set(&self, name: &str, value: Json) {
        let stack = &mut self.stack.borrow_mut().0;
        let set = stack.iter_mut().rev().find_map(|(layer, content)| match content {
            Content::Values(values) if *layer == Layer::Set => Some(values),
            _ => None,
        });
        match set {
            Some(values) => _ = values.insert(name.to_owned(), value),
            // At the bottom, so that `pop` takes what it took before.
            None => {
                let values = IndexMap::from([(name.to_owned(), value)]);
                stack.insert(0, (Layer::Set, Content::Values(values)));
            }
        }
    }

    fn changed(&self) {
        let (stack, order) = &mut *self.stack.borrow_mut();
        *order = (0..stack.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse((stack[*at].0, *at)));
        self.resolved.borrow_mut().clear();
        self.secret_names.borrow_mut().clear();
    }

    /// The first that `wanted` finds, from the highest layer down.
    fn find<T>(&self, mut wanted: impl FnMut(&Content) -> Option<T>) -> Option<T> {
        let (stack, order) = &*self.stack.borrow();
        order.iter().find_map(|at| wanted(&stack[*at].1))
    }

    /// The value of a name that has nothing to render in it.
    fn plain(&self, name: &str) -> Option<Json> {
        let found = self.find(|content| match content {
            Content::Values(values) => {
                values.get(name).map(|value| (!self.has_templates(name, value)).then(|| value.clone()))
            }
            // What is supplied is computed, possibly by reading these variables. It hides what lies below.
            Content::Supplied(supplied) => supplied.may_have(name).then_some(None),
        });
        found.flatten()
    }

    fn resolve(&self, name: &str) -> Result<Option<Value>, Failure> {
        if let Some(value) = self.resolved.borrow().get(name) {
            if self.secret_names.borrow().contains(name) {
                SECRET_READ.set(true);
            }
            return Ok(Some(value.clone()));
        }
        let (value, secret) = watched(|| match self.raw(name)? {
            None => Ok(None),
            Some(Raw::Ready(value)) => Ok(Some(value)),
            Some(Raw::Template(text)) => self.render(name, &text).map(Some),
        });
        let Some(value) = value? else { return Ok(None) };
        if secret {
            self.secret_names.borrow_mut().insert(name.to_owned());
        }
        self.resolved.borrow_mut().insert(name.to_owned(), value.clone());
        Ok(Some(value))
    }

    fn raw(&self, name: &str) -> Result<Option<Raw>, Failure> {
        // The suppliers may read these variables themselves, so none is called while the stack is borrowed.
        let mut skipped = 0;
        loop {
            let found = {
                let (stack, order) = &*self.stack.borrow();
                let mut found = None;
                for at in order.iter().skip(skipped) {
                    skipped += 1;
                    match &stack[*at].1 {
                        Content::Values(values) => {
                            if let Some(value) = values.get(name) {
                                return Ok(Some(self.prepare(name, value)));
                            }
                        }
                        Content::Supplied(names) => {
                            found = Some(Rc::clone(names));
                            break;
                        }
                    }
                }
                found
            };
            let Some(supplier) = found else { return Ok(None) };
            if let Some(value) = supplier.get(name)? {
                return Ok(Some(Raw::Ready(value)));
            }
        }
    }

    fn prepare(&self, path: &str, value: &Json) -> Raw {
        match value {
            Json::String(text) if self.is_template(path, text) => Raw::Template(text.clone()),
            Json::String(text) if secrets::has_mark(text) => Raw::Ready(self.reveal(text)),
            Json::Array(_) | Json::Object(_) if self.has_templates(path, value) => {
                Raw::Ready(lazy::container(self, path, value))
            }
            _ => Raw::Ready(Value::from(Serde(value))),
        }
    }

    fn is_template(&self, path: &str, text: &str) -> bool {
        let is_literal = || self.literals.borrow().as_ref().is_some_and(|literals| literals(path));
        template::is_template(text) && !(is_literal() && self.is_from_file(path))
    }

    fn has_templates(&self, path: &str, value: &Json) -> bool {
        match value {
            Json::String(text) => self.is_template(path, text) || secrets::has_mark(text),
            Json::Array(items) => {
                let mut items = items.iter().enumerate();
                items.any(|(at, item)| may_render(item) && self.has_templates(&format!("{path}[{at}]"), item))
            }
            Json::Object(entries) => {
                let mut entries = entries.iter();
                entries
                    .any(|(key, item)| may_render(item) && self.has_templates(&format!("{path}.{key}"), item))
            }
            _ => false,
        }
    }

    /// A text with the secrets in it, for templates.
    fn reveal(&self, text: &str) -> Value {
        SECRET_READ.set(true);
        let revealed = self.secrets.borrow().as_ref().and_then(|secrets| secrets.reveal(text));
        Value::from(revealed.unwrap_or_else(|| secrets::hide(text)))
    }

    /// Renders the template at `path`, a name or a place inside of one.
    fn render(&self, path: &str, text: &str) -> Result<Value, Failure> {
        if let Some(failure) = self.failed.borrow().get(path) {
            return Err(failure.clone());
        }
        self.enter(path)?;
        let marker = format!("variable {path}");
        let names = lazy::find(self.id).map(|inner| inner as Rc<dyn Names>);
        // The variables are alive: they are rendering.
        let names = names.unwrap_or_else(|| Rc::new(Variables::new()));
        let result = template::evaluate(&marker, text, names).map_err(|mut failure| {
            self.locate(&mut failure.diagnostic, &marker, path);
            failure
        });
        self.resolving.borrow_mut().pop();
        match &result {
            _ if self.resolving.borrow().is_empty() => self.failed.borrow_mut().clear(),
            Err(failure) => _ = self.failed.borrow_mut().insert(path.to_owned(), failure.clone()),
            Ok(_) => {}
        }
        result
    }

    fn enter(&self, path: &str) -> Result<(), Diagnostic> {
        let mut resolving = self.resolving.borrow_mut();
        if let Some(at) = resolving.iter().position(|outer| outer == path) {
            let chain: Vec<&str> = resolving[at..].iter().map(String::as_str).chain([path]).collect();
            return Err(Diagnostic::new(format!("`{path}` refers to itself: {}", chain.join(" -> "))));
        }
        if resolving.len() >= DEPTH {
            return Err(Diagnostic::new(format!(
                "`{path}` is behind more than {DEPTH} variables that need one another"
            )));
        }
        resolving.push(path.to_owned());
        Ok(())
    }

    /// Turns places inside of the value into places in the file that it came from, as far as that is known.
    fn locate(&self, diagnostic: &mut Diagnostic, marker: &str, path: &str) {
        let Some(origin) = self.origin(path) else { return };
        for place in diagnostic.at.iter_mut().chain(&mut diagnostic.called_from) {
            if place.path == marker {
                *place = within(place, &origin);
            }
        }
    }

    fn origin(&self, path: &str) -> Option<Location> {
        let origins = self.origins.borrow().clone().filter(|_| self.is_from_file(path))?;
        origins(path).or_else(|| origins(variable_of(path)))
    }

    /// Whether the value at `path` is one of those that places and marks are known of, and not one that hides it.
    fn is_from_file(&self, path: &str) -> bool {
        let (stack, order) = &*self.stack.borrow();
        let name = variable_of(path);
        let mut layers = order.iter().map(|at| &stack[*at]);
        let winner = layers
            .find(|(_, content)| matches!(content, Content::Values(values) if values.contains_key(name)));
        winner.is_some_and(|(layer, _)| matches!(layer, Layer::Inventory | Layer::Extra))
    }
}

/// The name of the variable that `users[0].name` is in.
fn variable_of(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

/// Whether it is worth to build the path of an entry.
fn may_render(value: &Json) -> bool {
    match value {
        Json::String(text) => template::is_template(text) || secrets::has_mark(text),
        Json::Array(_) | Json::Object(_) => true,
        _ => false,
    }
}

/// The place of `place`'s text in the line of `origin`, where it stands there as it is; else `origin`.
fn within(place: &Location, origin: &Location) -> Location {
    let text = place.text.trim_end();
    let found = if text.is_empty() || place.line != 1 { None } else { origin.text.find(text) };
    match found {
        Some(at) => Location {
            column: origin.text[..at].chars().count() + place.column,
            width: place.width,
            ..origin.clone()
        },
        None => origin.clone(),
    }
}

#[cfg(test)]
mod tests;
