//! The options of `task(name, #{ … }, body)`: tags, environment, timeout, repetition.

use std::collections::BTreeMap;
use std::time::Instant;

use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};
use serde_json::Value;

use super::fault::{Ending, Fault, place};
use super::host::Host;
use super::values::to_json;
use crate::diagnostic::Diagnostic;
use crate::escalation::EscalationOptions;

/// The names of the options.
pub const OPTIONS: [&str; 11] = [
    "tags",
    "become",
    "become_user",
    "become_method",
    "environment",
    "timeout",
    "retries",
    "delay",
    "retry_until",
    "check",
    "no_log",
];

/// What a `task` asks for.
#[derive(Clone, Default)]
pub struct TaskOptions {
    /// Tags of all calls inside.
    pub tags: Vec<String>,
    /// As whom the calls inside are made, as far as the task says so.
    pub escalation: EscalationOptions,
    /// Environment of the commands inside.
    pub environment: BTreeMap<String, String>,
    /// How long the body may take, in seconds.
    pub timeout: Option<f64>,
    /// How often it is tried again after it failed, or after `retry_until` said no. 0 by default; 3 with `retry_until`.
    pub retries: u32,
    /// Seconds between two tries. 5 by default.
    pub delay: f64,
    /// Says whether the body's value is good enough.
    pub retry_until: Option<FnPtr>,
    /// Predict (`true`) or make (`false`) the changes inside, whatever the run was asked for.
    pub check: Option<bool>,
    /// Show no differences and no output of what happens inside.
    pub no_log: bool,
}

impl TaskOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// An unknown option, or a value that makes no sense.
    pub fn parse(mut options: Map) -> Result<Self, Diagnostic> {
        let retry_until = match options.remove("retry_until").map(Dynamic::try_cast::<FnPtr>) {
            Some(None) => return Err(bad("retry_until", "a closure, |result| …")),
            Some(closure) => closure,
            None => None,
        };
        let mut parsed = Self {
            delay: 5.0,
            retries: if retry_until.is_some() { 3 } else { 0 },
            retry_until,
            ..Self::default()
        };
        for (name, value) in options {
            let value = to_json(&value).map_err(|what| bad(&name, &format!("data, not {what}")))?;
            parsed.set(&name, value)?;
        }
        Ok(parsed)
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), Diagnostic> {
        match name {
            "tags" => self.tags = strings(value).ok_or_else(|| bad(name, "a tag or an array of tags"))?,
            "become" | "become_user" | "become_method" => {
                self.escalation.set(name, &value, |wanted| bad(name, wanted))?;
            }
            "environment" => {
                self.environment = environment(value).ok_or_else(|| bad(name, "a map of texts"))?;
            }
            "timeout" => {
                self.timeout = Some(seconds(&value).ok_or_else(|| bad(name, "a number of seconds"))?)
            }
            "retries" => {
                self.retries = value
                    .as_u64()
                    .and_then(|count| u32::try_from(count).ok())
                    .ok_or_else(|| bad(name, "a whole number"))?;
            }
            "delay" => self.delay = seconds(&value).ok_or_else(|| bad(name, "a number of seconds"))?,
            "check" => self.check = Some(value.as_bool().ok_or_else(|| bad(name, "true or false"))?),
            "no_log" => self.no_log = value.as_bool().ok_or_else(|| bad(name, "true or false"))?,
            _ => {
                return Err(Diagnostic::new(format!("`task` has no option `{name}`"))
                    .hint(format!("it has {}", OPTIONS.join(", ")))
                    .near(name, OPTIONS));
            }
        }
        Ok(())
    }
}

fn bad(name: &str, wanted: &str) -> Diagnostic {
    Diagnostic::new(format!("the option `{name}` of `task` has to be {wanted}"))
}

fn seconds(value: &Value) -> Option<f64> {
    value.as_f64().filter(|seconds| seconds.is_finite() && (0.0..=1e9).contains(seconds))
}

/// One text or an array of texts.
pub fn strings(value: Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::String(text) => Some(text),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// A map of texts; numbers and flags are written as text.
pub fn environment(value: Value) -> Option<BTreeMap<String, String>> {
    let Value::Object(map) = value else { return None };
    map.into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Number(number) => Some((name, number.to_string())),
            Value::Bool(flag) => Some((name, flag.to_string())),
            _ => None,
        })
        .collect()
}

/// Runs a body as often as its options ask for.
pub(super) fn run(
    host: &Host,
    context: &NativeCallContext<'_>,
    options: &TaskOptions,
    body: impl Fn() -> Result<Dynamic, Box<EvalAltResult>>,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let start = Instant::now();
    let mut tries = 0;
    loop {
        let mut result = body();
        let late = options.timeout.is_some_and(|limit| start.elapsed().as_secs_f64() > limit);
        if late && result.as_ref().err().and_then(|error| Ending::of(error)) == Some(Ending::Overdue) {
            result = Err(exhausted(context, options, late));
        }
        let good = match (&result, &options.retry_until) {
            (Err(error), _) if !error.is_catchable() => return result,
            (Err(_), _) => false,
            (Ok(value), Some(until)) => {
                let verdict = until.call_within_context::<Dynamic>(context, (value.clone(),))?;
                match verdict.as_bool() {
                    Ok(good) => good,
                    Err(_) => return Err(Ending::Unknown.throw(place(context))),
                }
            }
            (Ok(_), None) => true,
        };
        if good && !late {
            return result;
        }
        if tries == options.retries || late {
            return result.and_then(|_| Err(exhausted(context, options, late)));
        }
        if host.interrupted() {
            return Err(Ending::Interrupted.throw(place(context)));
        }
        tries += 1;
        host.pause(options.delay);
    }
}

fn exhausted(context: &NativeCallContext<'_>, options: &TaskOptions, late: bool) -> Box<EvalAltResult> {
    let message = if late {
        format!("the task took longer than {} s", options.timeout.unwrap_or_default())
    } else {
        format!("`retry_until` was not satisfied after {} tries", options.retries + 1)
    };
    let mut diagnostic = Diagnostic::new(message);
    diagnostic.at = place(context);
    Fault::new(diagnostic).throw(context.call_position())
}
