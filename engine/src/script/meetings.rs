//! `once` and `barrier`: where the hosts of a play meet.

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};
use serde_json::Value;

use super::fault::{Ending, Fault, Stop, place, stop};
use super::host::Host;
use super::marks::UNKNOWN;
use super::outcome::Outcome;
use super::values::{from_json, to_json};
use super::words::error;
use crate::coordination::{Coordination, Meeting, Once, Refused};
use crate::diagnostic::Diagnostic;

type ScriptResult<T> = Result<T, Box<EvalAltResult>>;

impl Host {
    /// Runs a body on the first host that comes here; the others get what it gave back.
    pub(super) fn run_once(&self, context: &NativeCallContext<'_>, body: &FnPtr) -> ScriptResult<Dynamic> {
        let coordination = self.coordination(context, "once")?;
        let at = place(context).map(|at| format!("{}:{}:{}", at.path, at.line, at.column));
        let meeting = self.meeting("once", at.unwrap_or_default());
        let here = &self.bundle.host.name;
        match coordination.once(here, meeting.clone(), &|| self.gives_up()) {
            Ok(Once::Done(value)) => Ok(from_json(&value)),
            Ok(Once::Do) => {
                let result = body.call_within_context::<Dynamic>(context, ());
                let result = result.and_then(|value| data(context, &value));
                coordination.done(meeting, self.told(&result));
                result.map(|value| from_json(&value))
            }
            Err(refused) => Err(self.refused(context, refused)),
        }
    }

    /// Waits until all hosts of the batch have come here, or have ended.
    pub(super) fn wait_at_barrier(&self, context: &NativeCallContext<'_>, name: &str) -> ScriptResult<()> {
        let coordination = self.coordination(context, "barrier")?;
        let meeting = self.meeting("barrier", name.to_owned());
        let waited = coordination.barrier(&self.bundle.host.name, meeting, &|| self.gives_up());
        waited.map_err(|refused| self.refused(context, refused))
    }

    fn coordination(&self, context: &NativeCallContext<'_>, word: &str) -> ScriptResult<&Coordination> {
        match &self.controller {
            Some(controller) => Ok(controller.coordination()),
            None => {
                let what = format!("`{word}` needs a play that is evaluated on the controller");
                error(
                    context,
                    Diagnostic::new(what).hint("say `placement: \"controller\"` in the play's options"),
                )
            }
        }
    }

    /// The next time that this host comes to a place.
    fn meeting(&self, word: &'static str, place: String) -> Meeting {
        let mut times = self.meetings.borrow_mut();
        let next = times.entry((word, place.clone())).or_insert(0);
        let meeting = Meeting { place, time: *next };
        *next += 1;
        meeting
    }

    fn gives_up(&self) -> bool {
        self.interrupted() || self.overdue()
    }

    fn refused(&self, context: &NativeCallContext<'_>, refused: Refused) -> Box<EvalAltResult> {
        match refused {
            Refused::GivenUp if self.overdue() => Ending::Overdue.throw(place(context)),
            Refused::GivenUp => Ending::Interrupted.throw(place(context)),
            Refused::Because(why) => {
                let at = place(context).or_else(|| why.at.clone());
                Fault::new(Diagnostic { at, ..*why }).throw(context.call_position())
            }
        }
    }

    /// What the other hosts are told of what was done once.
    fn told(&self, result: &ScriptResult<Value>) -> Result<Value, Box<Diagnostic>> {
        let error = match result {
            Ok(value) => return Ok(value.clone()),
            Err(error) => error,
        };
        let what = format!("what is done once has failed on `{}`", self.bundle.host.name);
        let why = Diagnostic::new(what);
        match stop(&self.bundle.sources.playbook, error) {
            // A real run would know it.
            Stop::Ending(Ending::Unknown, _) => Ok(UNKNOWN.into()),
            Stop::Ending(..) => Err(Box::new(why.because("the play has ended there"))),
            Stop::Error(error) => Err(Box::new(Diagnostic {
                causes: [vec![error.message], error.causes].concat(),
                output: error.output,
                hint: error.hint,
                ..why
            })),
        }
    }
}

/// A value as data that other hosts can be given.
fn data(context: &NativeCallContext<'_>, value: &Dynamic) -> ScriptResult<Value> {
    if let Some(outcome) = value.clone().try_cast::<Outcome>() {
        return Ok(outcome.data());
    }
    match to_json(value) {
        Ok(value) => Ok(value),
        Err(what) => {
            let problem = Diagnostic::new(format!("`once` can't give {what} to other hosts"));
            error(context, problem.hint("its body gives back data: text, numbers, arrays, maps"))
        }
    }
}
