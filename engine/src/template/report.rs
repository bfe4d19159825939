//! From the engine's errors to [`Diagnostic`]s that point into the text as it was written.

use std::error::Error as _;

use minijinja::{Error, ErrorKind, Value};

use super::arguments::Hint;
use super::scope::Scope;
use super::source::Prepared;
use super::unsupported::{self, Kind};
use super::{filters, functions, methods, predicates};
use crate::diagnostic::{Diagnostic, Location};

/// Why a template could not be rendered.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub diagnostic: Diagnostic,
    /// Whether it is about something undefined, which `default` catches one level up.
    pub undefined: bool,
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, undefined: false }
    }
}

/// Makes a failure of the engine's error, innermost cause first.
pub(super) fn failure(error: &Error, main: &Prepared, scope: &Scope) -> Failure {
    let mut chain = vec![error];
    let mut carried = None;
    let mut hint = None;
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<Error>() {
            chain.push(error);
        } else if let Some(diagnostic) = cause.downcast_ref::<Diagnostic>() {
            carried = Some(diagnostic.clone());
        } else if let Some(Hint(text)) = cause.downcast_ref::<Hint>() {
            hint = Some(text.clone());
        }
        source = cause.source();
    }
    let mut places = chain.iter().rev().map(|error| Place::of(error, main, Some(scope)));
    // The chain has at least the error itself.
    let Some(place) = places.next() else { return Diagnostic::new(error.to_string()).into() };
    let mut callers: Vec<Location> = places.filter_map(|place| place.location(None)).collect();
    let innermost = chain.last().copied().unwrap_or(error);
    let expression = undefined_expression(innermost);
    let undefined = innermost.kind() == ErrorKind::UndefinedError || expression.is_some();
    let reason = if undefined { scope.reason(expression.as_deref()) } else { None };
    let mut diagnostic = match carried.or(reason) {
        Some(mut diagnostic) => {
            match diagnostic.at {
                None => diagnostic.at = place.location(None),
                Some(_) => callers.splice(0..0, place.location(None)).for_each(drop),
            }
            diagnostic
        }
        None => describe(innermost, expression.as_deref(), &place, scope),
    };
    callers.dedup();
    diagnostic.called_from.extend(callers);
    if let Some(hint) = hint {
        diagnostic.hint = Some(hint);
    }
    Failure { diagnostic, undefined }
}

/// Where an error happened: the template, and the bytes of its text if the engine knows them.
struct Place {
    whole: Option<Location>,
    /// The text of the failing expression.
    text: String,
}

impl Place {
    fn of(error: &Error, main: &Prepared, scope: Option<&Scope>) -> Self {
        let included = error.name().and_then(|name| scope?.included.borrow().get(name).cloned());
        let prepared: &Prepared = included.as_deref().unwrap_or(main);
        let range = error.range().map(|range| {
            let start = prepared.original(range.start);
            start..prepared.original(range.end).max(start)
        });
        let location = match (&range, error.line()) {
            (Some(range), _) => Some(prepared.location(range.clone())),
            (None, Some(line)) => Some(prepared.line(line)),
            (None, None) => None,
        };
        let text = range.and_then(|range| prepared.text.get(range)).unwrap_or("").to_owned();
        Self { whole: location, text }
    }

    /// The place of `word` within the expression, or of the expression.
    fn location(&self, word: Option<&str>) -> Option<Location> {
        let mut location = self.whole.clone()?;
        let found = word.and_then(|word| Some((word, find_word(&self.text, word)?)));
        match found.map(|(word, at)| (word, &self.text[..at])) {
            Some((word, before)) if !before.contains('\n') => {
                location.column += before.chars().count();
                Some(location.with_width(word.chars().count()))
            }
            // An error in what a filter is given is one of the filter to the engine.
            _ => match word.and_then(|word| Some((word, last_before(&location, word)?))) {
                Some((word, column)) => {
                    location.column = column;
                    Some(location.with_width(word.chars().count()))
                }
                None => Some(location),
            },
        }
    }
}

/// The column at which `word` stands last in the line of `location`, before it.
fn last_before(location: &Location, word: &str) -> Option<usize> {
    let before: String = location.text.chars().take(location.column - 1).collect();
    let mut column = None;
    let mut start = 0;
    while let Some(at) = find_word(&before[start..], word) {
        column = Some(before[..start + at].chars().count() + 1);
        start += at + word.len();
    }
    column
}

/// The byte at which `word` stands by itself.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        !text[..*at].chars().next_back().is_some_and(part)
            && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// The `a.b` of "`a.b` is undefined".
fn undefined_expression(error: &Error) -> Option<String> {
    let detail = error.detail()?;
    let (_, rest) = detail.split_once('`')?;
    let (expression, rest) = rest.split_once('`')?;
    rest.starts_with(" is undefined").then(|| expression.to_owned())
}

fn describe(error: &Error, expression: Option<&str>, place: &Place, scope: &Scope) -> Diagnostic {
    let detail = error.detail().unwrap_or_default();
    let word = |skip: &str| detail.trim_start_matches(skip).split(' ').next().unwrap_or("").to_owned();
    if let Some(expression) = expression {
        return undefined_name(expression, place, scope);
    }
    let (message, word, near) = match error.kind() {
        ErrorKind::UnknownFilter => {
            let name = word("filter ");
            let (message, hint) = missing(Kind::Filter, "filter", &name, filters::names());
            (message, name, hint)
        }
        ErrorKind::UnknownTest => {
            let name = word("test ");
            let (message, hint) = missing(Kind::Test, "test", &name, predicates::names());
            (message, name, hint)
        }
        ErrorKind::UnknownFunction => {
            let name = word("");
            let (message, hint) = missing(Kind::Function, "function", &name, functions::names());
            (message, name, hint)
        }
        ErrorKind::UnknownMethod => {
            let name = detail.rsplit(' ').next().unwrap_or("").to_owned();
            let near = near_callable(&name, methods::names());
            let kind = detail.split(" has no method").next().unwrap_or("value").to_owned();
            (format!("a {kind} has no method `{name}`"), name, near)
        }
        ErrorKind::SyntaxError => (format!("syntax error: {detail}"), String::new(), None),
        ErrorKind::TemplateNotFound => (detail.to_owned(), String::new(), None),
        kind if detail.is_empty() => (kind.to_string(), String::new(), None),
        _ => (detail.to_owned(), String::new(), None),
    };
    let word = Some(word.as_str()).filter(|word| !word.is_empty());
    let mut diagnostic = placed(Diagnostic::new(message), place.location(word));
    diagnostic.hint = near;
    diagnostic
}

fn placed(mut diagnostic: Diagnostic, location: Option<Location>) -> Diagnostic {
    diagnostic.at = location;
    diagnostic
}

/// What to say of a name that means nothing here, and the hint: it is Ansible's, or it is like one of these.
pub(super) fn missing(
    kind: Kind,
    what: &str,
    name: &str,
    known: Vec<&'static str>,
) -> (String, Option<String>) {
    match unsupported::hint(kind, name) {
        Some(hint) => {
            let hint = Some(hint).filter(|hint| !hint.is_empty()).map(str::to_owned);
            (format!("the {what} `{name}` is not supported"), hint)
        }
        // A name with a collection is near one that has none.
        None => {
            let short = name.rsplit('.').next().unwrap_or(name);
            (format!("unknown {what} `{name}`"), near_callable(short, known))
        }
    }
}

fn near_callable(name: &str, known: Vec<&'static str>) -> Option<String> {
    Diagnostic::default().near(name, known).hint
}

/// `a.b` is undefined: the near match is among the names, or among the keys of `a`.
fn undefined_name(expression: &str, place: &Place, scope: &Scope) -> Diagnostic {
    if let Some(hint) = unsupported::hint(Kind::Variable, expression) {
        let diagnostic = Diagnostic::new(format!("the variable `{expression}` is not supported")).hint(hint);
        return placed(diagnostic, place.location(Some(expression)));
    }
    let diagnostic = Diagnostic::new(format!("`{expression}` is undefined"));
    let (parent, name) = match expression.rsplit_once('.') {
        Some((parent, name)) => (Some(parent), name),
        None => (None, expression),
    };
    let diagnostic = placed(diagnostic, place.location(Some(name)));
    let candidates = match parent {
        None => scope.names.names(),
        Some(parent) => keys(parent, scope),
    };
    diagnostic.near(name, candidates.iter().map(String::as_str))
}

/// The keys of a value that is reached by names alone.
fn keys(path: &str, scope: &Scope) -> Vec<String> {
    let mut parts = path.split('.');
    let first = parts.next().unwrap_or_default();
    let Ok(Some(mut value)) = scope.names.get(first) else { return Vec::new() };
    for part in parts {
        value = value.get_attr(part).unwrap_or(Value::UNDEFINED);
    }
    let Ok(items) = value.try_iter() else { return Vec::new() };
    items.take(1000).filter_map(|key| key.as_str().map(str::to_owned)).collect()
}

/// A template that does not parse.
pub(super) fn syntax(error: &Error, prepared: &Prepared) -> Diagnostic {
    let place = Place::of(error, prepared, None);
    let detail = error.detail().unwrap_or_default();
    placed(Diagnostic::new(format!("syntax error: {detail}")), place.location(None))
}

/// An error outside of any template: a lazy value that could not be had while it was copied.
pub(super) fn unplaced(error: &Error) -> Diagnostic {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(diagnostic) = cause.downcast_ref::<Diagnostic>() {
            return diagnostic.clone();
        }
        source = cause.source();
    }
    Diagnostic::new(error.detail().map_or_else(|| error.kind().to_string(), str::to_owned))
}
