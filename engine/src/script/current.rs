//! Whose script this thread is running.
//!
//! Rhai's native functions are registered once per thread and serve every host that the thread configures, one after the
//! other; they find the host here. That keeps a run of a thousand hosts from building a thousand engines.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rhai::{EvalAltResult, NativeCallContext};

use super::fault::{Fault, place};
use super::host::Host;
use super::playbook::TopLevel;
use crate::diagnostic::Diagnostic;
use crate::secrets::Secrets;

/// What a script runs for.
#[derive(Clone)]
pub enum Current {
    /// The top level of a playbook, on the controller.
    TopLevel(Rc<TopLevel>),
    /// A play on a host.
    Host(Rc<Host>),
}

thread_local! {
    static CURRENT: RefCell<Vec<Current>> = const { RefCell::new(Vec::new()) };
}

/// Takes the thread back to what it did before when it goes out of scope.
pub struct Guard(());

impl Drop for Guard {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(Vec::pop);
    }
}

/// Makes this thread's scripts run for `current` until the guard is dropped.
#[must_use]
pub fn enter(current: Current) -> Guard {
    CURRENT.with_borrow_mut(|all| all.push(current));
    Guard(())
}

/// What this thread's script runs for.
pub fn current() -> Option<Current> {
    CURRENT.with_borrow(|all| all.last().cloned())
}

/// The host that this thread's script runs on.
///
/// # Errors
/// At the top level of a playbook there is none; the error says so at the place of the call of `word`.
pub fn host(context: &NativeCallContext<'_>, word: &str) -> Result<Rc<Host>, Box<EvalAltResult>> {
    match current() {
        Some(Current::Host(host)) => Ok(host),
        _ => {
            let mut error = without_host(word);
            error.at = place(context);
            Err(Fault::new(error).throw(context.call_position()))
        }
    }
}

/// What is wrong with `word` at the top level of a playbook.
pub fn without_host(word: &str) -> Diagnostic {
    Diagnostic::new(format!("`{word}` needs a host, and the top level has none"))
        .hint("the top level of a playbook runs once, on the controller: put this into the body of a `play`")
}

/// The text of a script of the current run.
pub fn script_text(path: &str) -> Option<Arc<str>> {
    match current()? {
        Current::TopLevel(top) => top.text(path),
        Current::Host(host) => host.bundle.sources.scripts.get(path).cloned(),
    }
}

/// The secrets that the current run knows. Absent outside of a script.
pub fn secrets() -> Option<Rc<Secrets>> {
    match current()? {
        Current::TopLevel(top) => Some(Rc::clone(&top.secrets)),
        Current::Host(host) => Some(Rc::clone(&host.secrets)),
    }
}

/// Whether changes are predicted at the moment.
pub fn check() -> bool {
    matches!(current(), Some(Current::Host(host)) if host.checking())
}
