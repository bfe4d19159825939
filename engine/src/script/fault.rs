//! Errors in scripts: thrown by words and modules, caught by playbooks, shown to people.

use std::rc::Rc;

use rhai::{Dynamic, EvalAltResult, NativeCallContext, ParseError, Position};

use super::values::Unknown;
use super::vocabulary;
use crate::diagnostic::{Diagnostic, Location, near_match};
use crate::failure::Failure;

/// What a script catches when a module call or a word failed: `e.message`, `e.function`, `e.stderr`, `e.line`.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The error as a person will see it if nobody catches it.
    pub diagnostic: Rc<Diagnostic>,
    /// The module function, `file::copy`. Empty for the engine's own words.
    pub function: String,
    /// Exit status, where a command failed.
    pub status: Option<i32>,
}

impl Fault {
    /// An error of the engine's own words.
    pub fn new(diagnostic: Diagnostic) -> Self {
        Self { diagnostic: Rc::new(diagnostic), function: String::new(), status: None }
    }

    /// The failure of a module call.
    pub fn of_module(function: &str, failure: &Failure, diagnostic: Diagnostic) -> Self {
        let status = match failure {
            Failure::Command { status, .. } => Some(*status),
            _ => None,
        };
        Self { diagnostic: Rc::new(diagnostic), function: function.to_owned(), status }
    }

    /// The fault as an error that a script can catch.
    pub fn throw(self, position: Position) -> Box<EvalAltResult> {
        EvalAltResult::ErrorRuntime(Dynamic::from(self), position).into()
    }
}

/// Ends the play on this host in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `end_host()`: this host takes no further part in the run.
    Host,
    /// `end_play()`: nobody begins anything further in this play.
    Play,
    /// The run was interrupted.
    Interrupted,
    /// A host that the play works on is gone.
    Lost,
    /// The time of an enclosing task is over; that task makes an error of it.
    Overdue,
    /// What follows depends on something that check mode can't know.
    Unknown,
}

/// An ending on its way out of a script. Rhai moves the position of such an error to the outermost call, so it carries its
/// own place.
#[derive(Clone, Debug)]
struct Halt {
    ending: Ending,
    at: Option<Location>,
}

impl Ending {
    /// The ending as an error that no script can catch, and the place that it is about.
    pub fn throw(self, at: Option<Location>) -> Box<EvalAltResult> {
        EvalAltResult::ErrorTerminated(Dynamic::from(Halt { ending: self, at }), Position::NONE).into()
    }

    /// The ending that an error is.
    pub fn of(error: &EvalAltResult) -> Option<Self> {
        match error {
            EvalAltResult::ErrorTerminated(token, _) => halt(token).map(|halt| halt.ending),
            EvalAltResult::ErrorInFunctionCall(_, _, inner, _)
            | EvalAltResult::ErrorInModule(_, inner, _) => Self::of(inner),
            _ => None,
        }
    }
}

fn halt(token: &Dynamic) -> Option<Halt> {
    match token.clone().try_cast::<Ending>() {
        // What interrupts a script from outside knows no place.
        Some(ending) => Some(Halt { ending, at: None }),
        None => token.clone().try_cast(),
    }
}

/// The place of the call that `context` is about.
pub fn place(context: &NativeCallContext<'_>) -> Option<Location> {
    let path = context.call_source()?;
    Some(locate(path, context.call_position()))
}

/// The place at `position` of the script `path`, as far as the current run has the script.
pub fn locate(path: &str, position: Position) -> Location {
    let text = super::current::script_text(path).unwrap_or_default();
    let (line, column) = super::engine::original(path, position).unwrap_or((1, 1));
    let mut at = Location::new(path, &text, line, column);
    if position.line().is_none() {
        at.text = String::new();
    }
    at
}

/// A syntax error, at its place.
pub fn of_parsing(path: &str, text: &str, error: &ParseError) -> Diagnostic {
    let position = error.position();
    let at_end = || (text.lines().count().max(1), 1);
    let (line, column) = super::engine::original(path, position).unwrap_or_else(at_end);
    let message = error.err_type().to_string();
    let diagnostic = Diagnostic::new(lower(&message)).at(Location::new(path, text, line, column));
    // A reserved word is a syntax error of whatever kind: the parser expected anything but that.
    let word = diagnostic.at.as_ref().map(|at| at.text.chars().skip(at.column - 1).take(at.width));
    let word: String = word.into_iter().flatten().collect();
    let misused = message.contains("reserved") || message.contains("xpecting");
    if misused && RESERVED.contains(&word.as_str()) {
        diagnostic.hint(format!(
            "`{word}` is a reserved word of the language: use another name, or quote it where it is the key of a map"
        ))
    } else {
        diagnostic
    }
}

/// The words that can't be names, not even of a map's key or a field.
const RESERVED: [&str; 57] = [
    "Fn",
    "as",
    "async",
    "await",
    "break",
    "call",
    "case",
    "catch",
    "const",
    "continue",
    "curry",
    "debug",
    "default",
    "do",
    "else",
    "eval",
    "export",
    "false",
    "fn",
    "for",
    "go",
    "goto",
    "if",
    "import",
    "in",
    "is",
    "let",
    "loop",
    "match",
    "module",
    "new",
    "nil",
    "null",
    "package",
    "print",
    "private",
    "protected",
    "public",
    "return",
    "shared",
    "spawn",
    "static",
    "super",
    "switch",
    "sync",
    "this",
    "thread",
    "throw",
    "true",
    "try",
    "until",
    "use",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// The first letter in lower case, names in backticks.
pub(super) fn lower(text: &str) -> String {
    let text = text.trim_start_matches("Syntax error: ").replace('\'', "`");
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

/// How an evaluation ended that did not end well.
#[derive(Debug)]
pub enum Stop {
    /// In good order, before its end.
    Ending(Ending, Option<Location>),
    /// With an error.
    Error(Box<Diagnostic>),
}

/// What an error that left a script means. `path` is the script that was evaluated.
pub fn stop(path: &str, error: &EvalAltResult) -> Stop {
    let mut calls = Vec::new();
    let (inner, source) = innermost(path, error, &mut calls);
    let at = |position: Position| (!position.is_none()).then(|| locate(&source, position));
    match inner {
        EvalAltResult::ErrorTerminated(token, _) => match halt(token) {
            Some(halt) => Stop::Ending(halt.ending, halt.at),
            None => Stop::Ending(Ending::Interrupted, None),
        },
        EvalAltResult::ErrorMismatchDataType(_, actual, position)
        | EvalAltResult::ErrorMismatchOutputType(_, actual, position)
            if is_unknown(actual) =>
        {
            Stop::Ending(Ending::Unknown, at(*position))
        }
        EvalAltResult::ErrorFunctionNotFound(signature, position) if is_unknown(signature) => {
            Stop::Ending(Ending::Unknown, at(*position))
        }
        EvalAltResult::ErrorFor(position) if super::current::check() => {
            Stop::Ending(Ending::Unknown, at(*position))
        }
        EvalAltResult::ErrorRuntime(payload, position) => {
            let mut diagnostic = match payload.clone().try_cast::<Fault>() {
                Some(fault) => (*fault.diagnostic).clone(),
                None => Diagnostic::new(super::marks::readable(&payload.to_string())),
            };
            if diagnostic.at.is_none() {
                diagnostic.at = at(*position);
            }
            add_calls(&mut diagnostic, calls);
            Stop::Error(Box::new(diagnostic))
        }
        other => {
            let mut diagnostic = explain(other);
            diagnostic.at = at(other.position());
            add_calls(&mut diagnostic, calls);
            Stop::Error(Box::new(diagnostic))
        }
    }
}

/// Whether the text of a type error, or the name of a type in it, is about a value that check mode does not know.
pub(super) fn is_unknown(type_name: &str) -> bool {
    type_name.contains("unknown") || type_name.contains(std::any::type_name::<Unknown>())
}

fn add_calls(diagnostic: &mut Diagnostic, calls: Vec<Location>) {
    let at = diagnostic.at.clone();
    diagnostic.called_from.extend(calls.into_iter().filter(|call| Some(call) != at.as_ref()));
}

/// The error at the bottom, the script it is in, and the calls that led there (innermost first).
fn innermost<'a>(
    path: &str,
    error: &'a EvalAltResult,
    calls: &mut Vec<Location>,
) -> (&'a EvalAltResult, String) {
    match error {
        EvalAltResult::ErrorInFunctionCall(name, source, inner, position) => {
            let inside = if source.is_empty() { path } else { source };
            let found = innermost(inside, inner, calls);
            if !name.starts_with("anon$") && !position.is_none() {
                calls.push(locate(path, *position));
            }
            found
        }
        EvalAltResult::ErrorInModule(module, inner, _) => {
            innermost(if module.is_empty() { path } else { module }, inner, calls)
        }
        error => (error, path.to_owned()),
    }
}

/// One of Rhai's own errors in our words.
fn explain(error: &EvalAltResult) -> Diagnostic {
    match error {
        EvalAltResult::ErrorVariableNotFound(name, _) => {
            Diagnostic::new(format!("unknown variable `{name}`")).near(name, vocabulary::values())
        }
        EvalAltResult::ErrorPropertyNotFound(name, _) => Diagnostic::new(format!("no field `{name}`"))
            .hint("`get(\"…\")` of a map gives `()` where there is no such field"),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            let name = signature.split([' ', '(']).next().unwrap_or(signature);
            let diagnostic = Diagnostic::new(format!("no function `{signature}`"));
            match near_match(name, vocabulary::words()) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic,
            }
        }
        EvalAltResult::Exit(..) => Diagnostic::new("`exit` would end the script without a word")
            .hint("use `end_host()`, `end_play()` or `fail(…)`"),
        other => {
            let mut text = other.to_string();
            if let Some(cut) = text.rfind(" (line ") {
                text.truncate(cut);
            }
            Diagnostic::new(lower(&text))
        }
    }
}

impl Fault {
    /// The error in one line, for a script that caught it: the cause where there is one.
    pub fn summary(&self) -> String {
        self.diagnostic.causes.first().unwrap_or(&self.diagnostic.message).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::RESERVED;

    #[test]
    fn reserved_words_are_those_of_the_language() {
        let engine = rhai::Engine::new_raw();
        for word in RESERVED {
            assert!(engine.compile(format!("let x = #{{ {word}: 1 }};")).is_err(), "{word}");
        }
        for word in [
            "port", "on", "once", "secret", "task", "copy", "link", "key", "run", "shell", "stop", "function",
        ] {
            assert!(engine.compile(format!("let x = #{{ {word}: 1 }};")).is_ok(), "{word}");
        }
    }
}
