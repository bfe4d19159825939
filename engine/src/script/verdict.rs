//! `changed_when` and `failed_when`: what a playbook itself thinks of an action's result.
//!
//! Every action takes them beside its own arguments: `true`, `false`, or a closure that sees the outcome.

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};
use serde_json::Value;

use super::outcome::Outcome;
use crate::event::Status;
use crate::failure::Failure;
use crate::module::converge::{Field, Report};
use crate::module::{Contract, Entry};

/// The names of both, for lint and documentation.
pub const NAMES: [&str; 2] = ["changed_when", "failed_when"];

/// Says yes or no to an outcome.
enum Verdict {
    Always(bool),
    Closure(FnPtr),
}

/// What a call wants to have a say in.
#[derive(Default)]
pub(super) struct Verdicts {
    changed: Option<Verdict>,
    failed: Option<Verdict>,
}

impl Verdicts {
    /// Takes them out of a call's options.
    ///
    /// # Errors
    /// One of them is neither a closure nor `true` nor `false`.
    pub(super) fn take(contract: Contract, values: &mut [Dynamic]) -> Result<Self, Failure> {
        let options = values.last_mut().and_then(|last| last.as_map_mut().ok());
        let Some(mut options) = options.filter(|_| contract == Contract::Action) else {
            return Ok(Self::default());
        };
        let mut take = |name: &str| options.remove(name).map(|value| Verdict::of(name, value)).transpose();
        Ok(Self { changed: take("changed_when")?, failed: take("failed_when")? })
    }

    /// The report as the playbook sees it.
    ///
    /// # Errors
    /// A closure failed, or gave something else than `true` or `false`.
    pub(super) fn apply(
        self,
        context: &NativeCallContext<'_>,
        entry: &Entry,
        mut report: Report,
    ) -> Result<Report, Box<EvalAltResult>> {
        if report.done {
            if let Some(verdict) = &self.failed {
                let failed = verdict.on(context, entry, &report)?;
                judge_failure(failed, &mut report);
            }
            if let Some(verdict) = self.changed.as_ref().filter(|_| report.failure.is_none()) {
                let changed = verdict.on(context, entry, &report)?;
                report.status = if changed { Status::Changed } else { Status::Ok };
                report.changed = Field::Known(Value::Bool(changed));
            }
        } else if let Some(Verdict::Always(changed)) = self.changed.filter(|_| report.failure.is_none()) {
            // Not done because of check mode: that much is known all the same.
            if report.changed == Field::Unknown {
                report.changed = Field::Known(Value::Bool(changed));
            }
        }
        Ok(report)
    }
}

impl Verdict {
    fn of(name: &str, value: Dynamic) -> Result<Self, Failure> {
        if let Ok(always) = value.as_bool() {
            return Ok(Self::Always(always));
        }
        value.try_cast().map(Self::Closure).ok_or_else(|| {
            Failure::argument(name, format!("`{name}` has to be a closure, `true` or `false`"))
                .advise(format!("#{{ {name}: |r| r.rc > 1 }}"))
        })
    }

    fn on(
        &self,
        context: &NativeCallContext<'_>,
        entry: &Entry,
        report: &Report,
    ) -> Result<bool, Box<EvalAltResult>> {
        match self {
            Self::Always(always) => Ok(*always),
            Self::Closure(closure) => {
                closure.call_within_context(context, (Outcome::new(entry.name, report),))
            }
        }
    }
}

fn judge_failure(failed: bool, report: &mut Report) {
    if failed {
        report.status = Status::Failed;
        report.failure.get_or_insert_with(|| Failure::state("`failed_when` says that this is a failure"));
    } else if report.failure.take().is_some() {
        let changed = report.changed == Field::Known(Value::Bool(true));
        report.status = if changed { Status::Changed } else { Status::Ok };
    }
}
