//! Handlers: run once, after what notified them, also after a failure, and in a later run if this one dies.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use indexmap::IndexMap;
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext};

use super::fault::Ending;
use super::handles::HandlerRef;
use super::host::{Host, Scope, rethrow};
use super::outcome::Outcome;
use super::words::error;
use crate::diagnostic::Diagnostic;
use crate::event::EventKind;
use crate::failure::Failure;
use crate::journal::{CallIdentity, HandlerIdentity};
use crate::system::Time;

type ScriptResult<T> = Result<T, Box<EvalAltResult>>;

/// The handlers of a play on a host.
#[derive(Default)]
pub(super) struct Handlers {
    /// By their names, in the order of definition.
    defined: RefCell<IndexMap<String, Rc<Handler>>>,
    /// Those that have to run.
    notified: RefCell<HashMap<String, Notification>>,
}

/// That a handler has to run.
struct Notification {
    /// The earlier run that has left it, if one has.
    left_by: Option<String>,
    /// When it was notified last, by the host's clock. Absent where that is another one than ours.
    at: Option<Time>,
}

struct Handler {
    identity: HandlerIdentity,
    body: FnPtr,
    /// Where it was defined: the body's functions and imports are found through this.
    #[allow(deprecated)] // Rhai's word for "may change".
    context: rhai::NativeCallContextStore,
    scope: Scope,
}

impl Handlers {
    /// The next one to run, in the order of definition.
    fn next(&self) -> Option<(Rc<Handler>, Notification)> {
        let mut notified = self.notified.borrow_mut();
        let defined = self.defined.borrow();
        defined.iter().find_map(|(name, handler)| Some((Rc::clone(handler), notified.remove(name)?)))
    }
}

fn not_noted(name: &str, failure: &Failure) -> Diagnostic {
    let what = format!("the state of the handler `{name}` could not be noted on the host");
    let error = Diagnostic::new(what).because(failure.to_string());
    Diagnostic { hint: failure.hint(), ..error }
}

impl Host {
    /// Defines a handler.
    pub(super) fn define_handler(
        &self,
        context: &NativeCallContext<'_>,
        name: &str,
        body: FnPtr,
    ) -> ScriptResult<HandlerRef> {
        #[allow(deprecated)]
        let stored = context.store_data();
        let mut scope = self.scope();
        scope.within = vec![name.to_owned()];
        scope.in_handler = true;
        let identity = HandlerIdentity { place: self.place(), name: name.to_owned() };
        if let Some(left) = self.own.calls.pending().handler(&identity) {
            let mut notified = self.handlers.notified.borrow_mut();
            // The journal keeps whole seconds.
            let at = Some(Time { seconds: left.at, nanoseconds: 999_999_999 });
            let left_by = Some(left.run.clone());
            notified.entry(name.to_owned()).or_insert(Notification { left_by, at });
        }
        let handler = Rc::new(Handler { identity, body, context: stored, scope });
        let old = self.handlers.defined.borrow_mut().insert(name.to_owned(), Rc::clone(&handler));
        if let Some(old) = old {
            let role = |handler: &Handler| handler.scope.role.as_ref().map(|role| role.name.clone());
            if role(&old) != role(&handler) {
                let whose = role(&old).map_or("the play".to_owned(), |role| format!("role `{role}`"));
                return error(
                    context,
                    Diagnostic::new(format!("{whose} already has a handler `{name}`"))
                        .hint("handlers are known by their names throughout a play: choose another one"),
                );
            }
        }
        Ok(HandlerRef { name: name.into() })
    }

    /// Notifies a handler, because of a call if that is known.
    pub(super) fn notify(
        &self,
        context: &NativeCallContext<'_>,
        name: &str,
        call: Option<&CallIdentity>,
    ) -> ScriptResult<()> {
        let defined = self.handlers.defined.borrow();
        let Some(handler) = defined.get(name) else {
            let names = defined.keys().map(String::as_str);
            return error(
                context,
                Diagnostic::new(format!("there is no handler `{name}` yet"))
                    .hint("a handler is defined before it is notified")
                    .near(name, names),
            );
        };
        let new = {
            let mut notified = self.handlers.notified.borrow_mut();
            let new = !notified.contains_key(name);
            let notification = notified.entry(name.to_owned());
            let at = (!self.own.system.reconnects()).then(Time::now);
            notification.or_insert(Notification { left_by: None, at }).at = at;
            new
        };
        if (new || call.is_some()) && !self.checking() {
            let noted = self.own.journal.notified(&handler.identity, call);
            noted.or_else(|failure| error(context, not_noted(name, &failure)))?;
        }
        Ok(())
    }

    /// Notifies a handler if the outcome says that something changed.
    pub(super) fn notify_if(
        &self,
        context: &NativeCallContext<'_>,
        outcome: &Outcome,
        name: &str,
    ) -> ScriptResult<Outcome> {
        match outcome.notifies() {
            // An unknown change may notify: check mode then says that the handler may run.
            Some(true) | None => self.notify(context, name, outcome.call())?,
            // A misspelt name must not wait for the first change to be noticed.
            Some(false) if !self.handlers.defined.borrow().contains_key(name) => {
                self.notify(context, name, None)?;
            }
            Some(false) => {}
        }
        Ok(outcome.clone())
    }

    /// Runs the handlers that were notified, in the order in which they were defined.
    pub(super) fn flush_handlers(&self, engine: &Engine) -> ScriptResult<()> {
        let mut first_error = Ok(());
        // A handler may notify another one.
        loop {
            if self.interrupted() {
                return first_error.and(Err(Ending::Interrupted.throw(None)));
            }
            let Some((handler, Notification { left_by, at })) = self.handlers.next() else {
                return first_error;
            };
            let name = handler.identity.name.clone();
            self.emit(EventKind::HandlerStarted { handler: name.clone(), left_by });
            let result = self.run_handler(engine, &handler, at);
            // One that has failed has still to run; the next run will see to it.
            let has_run = match &result {
                Ok(()) => true,
                Err(error) => matches!(Ending::of(error), Some(Ending::Host | Ending::Play)),
            };
            if has_run {
                self.own.calls.handle(&handler.identity);
            }
            if has_run && let Err(failure) = self.own.journal.handled(&handler.identity) {
                self.emit(EventKind::Warning(Box::new(not_noted(&name, &failure))));
            }
            first_error = first_error.and(result);
        }
    }

    fn run_handler(&self, engine: &Engine, handler: &Handler, notified_at: Option<Time>) -> ScriptResult<()> {
        let role = handler.scope.role.clone();
        let parameters = role.as_ref().map(|role| role.parameters.clone()).unwrap_or_default();
        let mut scope = handler.scope.clone();
        scope.notified_at = notified_at;
        self.inside(scope, || {
            self.variables.enter_role(&parameters);
            #[allow(deprecated)]
            let context = handler.context.create_context(engine);
            let result = handler.body.call_within_context::<Dynamic>(&context, ()).map(drop);
            self.variables.leave_role();
            #[allow(deprecated)]
            let path = handler.context.source.clone().unwrap_or_default();
            result.map_err(|error| rethrow(&path, error))
        })
    }
}
