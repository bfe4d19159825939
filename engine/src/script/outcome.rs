//! What a module call gives back to the script: `r.changed`, `r.stdout`, `r.notify(h)`.

use std::fmt;
use std::rc::Rc;

use rhai::{Dynamic, EvalAltResult, ImmutableString, NativeCallContext};
use serde_json::Value;

use super::fault::{Fault, place};
use super::marks::UNKNOWN;
use super::values::{Unknown, from_json};
use crate::diagnostic::Diagnostic;
use crate::event::Status;
use crate::journal::CallIdentity;
use crate::module::converge::{Field, Report};

/// The outcome of a module call.
#[derive(Clone, Debug)]
pub struct Outcome {
    module: &'static str,
    changed: Field,
    skipped: bool,
    diff: Rc<str>,
    fields: Rc<[(String, Field)]>,
    call: Option<Rc<CallIdentity>>,
}

impl Outcome {
    /// The outcome that a report stands for.
    pub fn new(module: &'static str, report: &Report) -> Self {
        Self {
            module,
            changed: report.changed.clone(),
            skipped: report.status == Status::Skipped,
            diff: report
                .steps
                .iter()
                .filter_map(|step| step.diff.as_deref())
                .collect::<Vec<_>>()
                .concat()
                .into(),
            fields: report.fields.clone().into(),
            call: report.call.clone().map(Rc::new),
        }
    }

    /// What the call is known by in other runs.
    pub fn call(&self) -> Option<&CallIdentity> {
        self.call.as_deref()
    }

    /// Whether a handler has to run because of it. `None` when check mode can't know.
    pub fn notifies(&self) -> Option<bool> {
        match &self.changed {
            Field::Known(value) => Some(value.as_bool().unwrap_or(false)),
            Field::Unknown => None,
        }
    }

    /// The outcome as data, for who can't act upon the call itself.
    pub fn data(&self) -> Value {
        let plain = [
            ("changed", json(&self.changed)),
            ("skipped", self.skipped.into()),
            ("diff", self.diff.to_string().into()),
        ];
        let plain = plain.into_iter().map(|(name, value)| (name.to_owned(), value));
        let fields = self.fields.iter().map(|(name, field)| (name.clone(), json(field)));
        Value::Object(plain.chain(fields).collect())
    }

    /// The field of this name.
    ///
    /// # Errors
    /// There is no such field, at the place of the call.
    pub fn field(&self, context: &NativeCallContext<'_>, name: &str) -> Result<Dynamic, Box<EvalAltResult>> {
        match name {
            "changed" => return Ok(dynamic(&self.changed)),
            "skipped" => return Ok(self.skipped.into()),
            "diff" => return Ok(ImmutableString::from(&*self.diff).into()),
            _ => {}
        }
        if let Some((_, field)) = self.fields.iter().find(|(field, _)| field == name) {
            return Ok(dynamic(field));
        }
        if self.skipped {
            return Ok(Dynamic::UNIT);
        }
        if self.changed == Field::Unknown {
            return Ok(Dynamic::from(Unknown));
        }
        let known: Vec<&str> = ["changed", "skipped", "diff"]
            .into_iter()
            .chain(self.fields.iter().map(|(name, _)| name.as_str()))
            .collect();
        let mut error = Diagnostic::new(format!("the outcome of `{}` has no field `{name}`", self.module))
            .hint(format!("it has {}", known.join(", ")))
            .near(name, known.iter().copied());
        error.at = place(context);
        Err(Fault::new(error).throw(context.call_position()))
    }
}

/// As JSON, without the difference: that is many lines, and shown by the run.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut data = self.data();
        if let Value::Object(fields) = &mut data {
            fields.shift_remove("diff");
        }
        write!(f, "{data}")
    }
}

fn json(field: &Field) -> Value {
    match field {
        Field::Known(value) => value.clone(),
        Field::Unknown => UNKNOWN.into(),
    }
}

fn dynamic(field: &Field) -> Dynamic {
    match field {
        Field::Known(value) => from_json(value),
        Field::Unknown => Dynamic::from(Unknown),
    }
}
