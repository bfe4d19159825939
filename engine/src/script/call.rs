//! Module calls: from `file::copy("a", "/b", #{ mode: "0600" })` in a script to the module, and back.

use std::any::TypeId;
use std::time::Instant;

use rhai::{Dynamic, Engine, EvalAltResult, Module, NativeCallContext, Position};
use serde_json::{Map, Value};

use super::controller::Consent;
use super::current;
use super::engine::original;
use super::fault::{Ending, Fault, locate, place};
use super::host::Host;
use super::marks::readable;
use super::outcome::Outcome;
use super::values::{from_json, to_json};
use super::verdict::Verdicts;
use crate::diagnostic::{Diagnostic, Location};
use crate::event::{EventKind, Status, TaskReport, elapsed};
use crate::failure::Failure;
use crate::module::converge::{Field, Report};
use crate::module::{Contract, Entry, Registry, arguments};

/// Registers every function of the standard library.
pub(super) fn register(engine: &mut Engine, registry: &Registry) {
    for (namespace, _) in registry.namespaces() {
        let mut module = Module::new();
        for entry in registry.entries().filter(|entry| entry.namespace() == namespace) {
            for arity in 0..=entry.positional.len() + 1 {
                let entry = *entry;
                let types = vec![TypeId::of::<Dynamic>(); arity];
                rhai::FuncRegistration::new(entry.function()).set_into_module_raw(
                    &mut module,
                    types,
                    rhai::RhaiFunc::Pure {
                        func: rhai::Shared::new(
                            move |context: Option<NativeCallContext<'_>>, values: &mut [&mut Dynamic]| {
                                // Registered as a function with context, so Rhai gives one.
                                let Some(context) = context else { return Ok(Dynamic::UNIT) };
                                let values = values.iter_mut().map(|value| std::mem::take(*value)).collect();
                                call(&context, &entry, values)
                            },
                        ),
                        has_context: true,
                        is_pure: true,
                        is_volatile: true,
                    },
                );
            }
        }
        engine.register_static_module(namespace, module.into());
    }
}

/// Where a call stands. The line's text is only looked for when somebody has to see it: to find it in a script of 10,000 lines
/// for each of its calls would take longer than the calls.
struct CallSite {
    path: String,
    position: Position,
}

impl CallSite {
    fn of(context: &NativeCallContext<'_>) -> Self {
        let path = context.call_source().unwrap_or_default().to_owned();
        Self { path, position: context.call_position() }
    }

    fn location(&self) -> Option<Location> {
        (!self.path.is_empty()).then(|| locate(&self.path, self.position))
    }
}

/// One call of a module function.
fn call(
    context: &NativeCallContext<'_>,
    entry: &Entry,
    mut values: Vec<Dynamic>,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let host = current::host(context, entry.name)?;
    if host.interrupted() {
        return Err(Ending::Interrupted.throw(place(context)));
    }
    let at = CallSite::of(context);
    let start = Instant::now();
    if entry.contract != Contract::Query
        && let Some(reason) = host.left_out(entry.name)
    {
        let mut report = Report { reason: Some(reason.to_owned()), ..Report::empty(Status::Skipped) };
        report.subject = first_text(&values);
        return finish(&host, entry, report, at, start);
    }
    if entry.contract != Contract::Query {
        match host.consent(entry.name, &first_text(&values)) {
            Consent::Yes => {}
            Consent::No => {
                let reason = Some("not wanted".to_owned());
                let report =
                    Report { reason, subject: first_text(&values), ..Report::empty(Status::Skipped) };
                return finish(&host, entry, report, at, start);
            }
            Consent::Nobody => return Err(Ending::Interrupted.throw(place(context))),
        }
    }
    let report = match Verdicts::take(entry.contract, &mut values) {
        Err(failure) => failed(failure),
        Ok(verdicts) => {
            let report = match gather(entry, &values) {
                Ok(arguments) => host.call(entry, arguments),
                Err(failure) => failed(failure),
            };
            verdicts.apply(context, entry, report)?
        }
    };
    finish(&host, entry, report, at, start)
}

fn failed(failure: Failure) -> Report {
    Report { failure: Some(failure), ..Report::empty(Status::Failed) }
}

fn first_text(values: &[Dynamic]) -> String {
    values.first().and_then(|value| value.clone().into_string().ok()).unwrap_or_default()
}

fn gather(entry: &Entry, values: &[Dynamic]) -> Result<Value, Failure> {
    let values =
        values.iter().map(to_json).collect::<Result<Vec<_>, _>>().map_err(|what| Failure::Argument {
            message: format!("`{}` can't take {what}", entry.name),
            argument: None,
            hint: Some("arguments are data: text, numbers, arrays, maps".to_owned()),
        })?;
    arguments::gather(entry.name, entry.positional, values)
}

/// Tells of the call, and gives the script its outcome or its error.
fn finish(
    host: &Host,
    entry: &Entry,
    mut report: Report,
    at: CallSite,
    start: Instant,
) -> Result<Dynamic, Box<EvalAltResult>> {
    if let Some(Failure::Lost(_)) = report.failure {
        return Err(Ending::Lost.throw(at.location()));
    }
    let error = report.failure.as_ref().map(|failure| {
        let at = at.location().map(|at| point_at_argument(failure, at));
        explain(entry, &report.subject, failure, at, host.no_log())
    });
    // A question that was answered is not worth an event.
    if entry.contract != Contract::Query || error.is_some() {
        tell(host, entry, &mut report, error.clone(), at, elapsed(start));
    }
    match (error, &report.failure) {
        // Nothing catches that.
        (Some(error), Some(failure)) if failure.is_interruption() => {
            if matches!(failure, Failure::Stopped { .. }) {
                host.emit(EventKind::Warning(Box::new(error)));
            }
            Err(Ending::Interrupted.throw(None))
        }
        (Some(error), Some(failure)) => {
            Err(Fault::of_module(entry.name, failure, error).throw(Position::NONE))
        }
        _ if entry.contract == Contract::Query => Ok(answer(&report)),
        _ => Ok(Dynamic::from(Outcome::new(entry.name, &report))),
    }
}

fn answer(report: &Report) -> Dynamic {
    match report.fields.first() {
        Some((_, Field::Known(value))) => from_json(value),
        Some((_, Field::Unknown)) => Dynamic::from(super::values::Unknown),
        None => Dynamic::UNIT,
    }
}

fn tell(
    host: &Host,
    entry: &Entry,
    report: &mut Report,
    error: Option<Diagnostic>,
    at: CallSite,
    duration: u64,
) {
    let mut steps = std::mem::take(&mut report.steps);
    for step in &mut steps {
        step.text = readable(&step.text);
        if host.no_log() {
            step.diff = None;
        }
    }
    host.count(report.status, report.undeclared);
    host.emit(EventKind::Task(Box::new(TaskReport {
        module: entry.name.to_owned(),
        subject: readable(&report.subject),
        within: host.within(),
        role: host.role(),
        status: report.status,
        reason: report.reason.take(),
        steps: steps.clone(),
        error: error.map(Box::new),
        line: original(&at.path, at.position).map_or(0, |(line, _)| line),
        path: at.path,
        duration,
    })));
    report.steps = steps;
}

fn explain(
    entry: &Entry,
    subject: &str,
    failure: &Failure,
    at: Option<Location>,
    no_log: bool,
) -> Diagnostic {
    let subject = if subject.is_empty() { String::new() } else { format!(" `{}`", readable(subject)) };
    let ending = if failure.is_interruption() { "was cut off" } else { "failed" };
    let mut error = Diagnostic::new(format!("{}{subject} {ending}", entry.name));
    error.at = at;
    error = match failure {
        // The template's or variable file's own place says more than the words about it.
        Failure::Source(source) => error.because(source.to_string()),
        failure => {
            let mut error = error.because(readable(&failure.to_string()));
            if let Failure::Become(refused) = failure {
                error = refused.causes.iter().fold(error, |error, cause| error.because(readable(cause)));
            }
            error.hint = failure.hint();
            error
        }
    };
    match failure {
        Failure::Source(_) => error,
        _ if no_log => error,
        failure => error.with_output(readable(failure.output().unwrap_or_default())),
    }
}

/// The place of the argument that a failure is about, if the call names it in that very line.
fn point_at_argument(failure: &Failure, at: Location) -> Location {
    let Failure::Argument { argument: Some(name), .. } = failure else { return at };
    let Some(text) = current::script_text(&at.path) else { return at };
    let Some((line, column)) = find_key(&text, at.line, at.column, name) else { return at };
    Location::new(at.path, &text, line, column)
}

/// Where `name:` stands in the call that begins at `line` and `column`: before the parenthesis that closes it.
fn find_key(text: &str, line: usize, column: usize, name: &str) -> Option<(usize, usize)> {
    let mut depth = 0_i32;
    for (number, content) in text.lines().enumerate().skip(line.saturating_sub(1)) {
        let letters: Vec<char> = content.chars().collect();
        let mut position = if number + 1 == line { column.saturating_sub(1) } else { 0 };
        let mut quoted = false;
        while position < letters.len() {
            let letter = letters[position];
            let word: String =
                letters[position..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
            match letter {
                '"' => quoted = !quoted,
                '\\' if quoted => position += 1,
                _ if quoted => {}
                '(' | '{' | '[' => depth += 1,
                ')' | '}' | ']' => {
                    depth -= 1;
                    if depth <= 0 {
                        return None;
                    }
                }
                _ if depth > 0 && !word.is_empty() => {
                    let behind =
                        letters[position + word.chars().count()..].iter().find(|c| !c.is_whitespace());
                    if word == name && behind == Some(&':') {
                        return Some((number + 1, position + 1));
                    }
                    position += word.chars().count() - 1;
                }
                _ => {}
            }
            position += 1;
        }
    }
    None
}

/// Options of a call or a word, taken apart with an error for each name that is unknown.
pub(super) fn options(value: &Dynamic) -> Result<Map<String, Value>, String> {
    match to_json(value)? {
        Value::Object(map) => Ok(map),
        _ => Err("the options have to be a map, #{ … }".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::find_key;

    #[test]
    fn an_argument_is_found_in_its_call() {
        let text = "let mode = 1;\nfile::copy(\"mode: x\", \"/b\", #{\n    owner: \"a\",\n    mode: 5,\n});\nmode: 3";
        assert_eq!(find_key(text, 2, 7, "mode"), Some((4, 5)));
        assert_eq!(find_key(text, 2, 7, "group"), None);
    }
}
