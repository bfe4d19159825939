//! The calls of a play, as far as other runs have to know them.

use std::cell::RefCell;
use std::collections::HashMap;

use super::{CallIdentity, HandlerIdentity, Pending, PendingCall, Settled};

/// Numbers the calls of a play, and knows those that an earlier run has made without getting to its end.
#[derive(Debug, Default)]
pub struct Calls {
    pending: Pending,
    numbers: RefCell<HashMap<CallIdentity, u32>>,
    met: RefCell<Vec<CallIdentity>>,
    handled: RefCell<Vec<HandlerIdentity>>,
}

impl Calls {
    /// With what earlier runs have left behind.
    pub fn new(pending: Pending) -> Self {
        Self { pending, ..Self::default() }
    }

    /// The same, when this of what earlier runs have left behind is settled.
    #[must_use]
    pub fn when_settled<'a>(mut self, settled: impl IntoIterator<Item = &'a Settled>) -> Self {
        settled.into_iter().for_each(|settled| self.pending.settle(settled));
        self
    }

    /// What earlier runs have left behind.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// The identity of the next call of `function` about `subject`.
    pub fn identify(&self, place: &str, function: &str, subject: &str) -> CallIdentity {
        let (place, function, subject) = (place.to_owned(), function.to_owned(), subject.to_owned());
        let first = CallIdentity { place, function, subject, number: 0 };
        let mut numbers = self.numbers.borrow_mut();
        match numbers.get_mut(&first) {
            Some(next) => {
                let number = *next;
                *next += 1;
                CallIdentity { number, ..first }
            }
            None => {
                numbers.insert(first.clone(), 1);
                first
            }
        }
    }

    /// Whether an earlier run has made the call and died before anybody could act upon it.
    pub fn left(&self, call: &CallIdentity) -> Option<&PendingCall> {
        self.pending.call(call)
    }

    /// The call has been made again, or found made: its outcome is the script's to act upon.
    pub fn meet(&self, call: &CallIdentity) {
        if self.left(call).is_some() {
            self.met.borrow_mut().push(call.clone());
        }
    }

    /// A handler that an earlier run has left has run, if it is one.
    pub fn handle(&self, handler: &HandlerIdentity) {
        if self.pending.handler(handler).is_some() {
            self.handled.borrow_mut().push(handler.clone());
        }
    }

    /// The handlers of earlier runs that have run.
    pub fn handled(&self) -> Vec<HandlerIdentity> {
        self.handled.borrow().clone()
    }

    /// The calls of earlier runs that were met.
    pub fn met(&self) -> Vec<CallIdentity> {
        self.met.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_calls_are_told_apart() {
        let calls = Calls::default();
        let identify = |subject| calls.identify("web", "file::line", subject).number;
        assert_eq!([identify("/a"), identify("/b"), identify("/a"), identify("/a")], [0, 0, 1, 2]);
    }
}
