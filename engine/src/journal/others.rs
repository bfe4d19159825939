//! The journals of a play that makes changes as other users, too.
//!
//! Root's play keeps everything in its own journal, since root sees what was there before. Any other play keeps what it makes as
//! another user in that user's journal: what was there before is for that user's eyes. Its own journal then has a record of
//! each such step, so that the way back knows the order of all of them.

use std::cell::Cell;
use std::rc::Rc;

use super::{CallIdentity, HandlerIdentity, Journal, Pending, StepByOther, StepNote};
use crate::escalation::Whom;
use crate::failure::Failure;
use crate::system::{Time, View};

/// Numbers the steps of a play that are made as others.
pub struct Serials(Cell<u64>);

impl Default for Serials {
    fn default() -> Self {
        // Two plays of a run may have one name: their numbers begin where the clock stands.
        let Time { seconds, nanoseconds } = Time::now();
        Self(Cell::new(seconds.unsigned_abs() * 1_000_000_000 + u64::from(nanoseconds)))
    }
}

impl Serials {
    fn next(&self) -> u64 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}

/// What a play makes as another user, in that user's journal.
pub struct ByOther {
    /// The journal of the play's own user.
    pub own: Rc<dyn Journal>,
    /// The other user.
    pub whom: Whom,
    /// The journal of that user.
    pub theirs: Box<dyn Journal>,
    /// Numbers the steps.
    pub serials: Rc<Serials>,
}

impl Journal for ByOther {
    fn pending(&self) -> Result<Pending, Failure> {
        self.own.pending()
    }

    fn before(&self, step: &StepNote, host: &dyn View) -> Result<(), Failure> {
        let serial = self.serials.next();
        let (call, whom) = (step.call.clone(), self.whom.clone());
        self.own.by_other(&StepByOther { call, whom, serial })?;
        self.own.sync()?;
        self.theirs.before(&StepNote { serial: Some(serial), ..step.clone() }, host)
    }

    fn after(&self, host: &dyn View) -> Result<(), Failure> {
        self.theirs.after(host)
    }

    fn by_other(&self, step: &StepByOther) -> Result<(), Failure> {
        self.own.by_other(step)
    }

    fn sync(&self) -> Result<(), Failure> {
        self.theirs.sync()
    }

    fn action(&self, call: &CallIdentity) -> Result<(), Failure> {
        self.own.action(call)?;
        self.own.sync()
    }

    fn notified(&self, handler: &HandlerIdentity, call: Option<&CallIdentity>) -> Result<(), Failure> {
        self.own.notified(handler, call)
    }

    fn handled(&self, handler: &HandlerIdentity) -> Result<(), Failure> {
        self.own.handled(handler)
    }

    fn ended(&self, complete: bool, met: &[CallIdentity]) -> Result<(), Failure> {
        self.theirs.ended(complete, met)
    }
}

/// What root's play makes as another user, in root's own journal.
pub struct SeenByRoot {
    /// Root's journal.
    pub own: Rc<dyn Journal>,
    /// The host as root sees it.
    pub view: Rc<dyn View>,
}

impl Journal for SeenByRoot {
    fn pending(&self) -> Result<Pending, Failure> {
        self.own.pending()
    }

    fn before(&self, step: &StepNote, _host: &dyn View) -> Result<(), Failure> {
        self.own.before(step, &*self.view)?;
        self.own.sync()
    }

    fn after(&self, _host: &dyn View) -> Result<(), Failure> {
        self.own.after(&*self.view)
    }

    fn by_other(&self, step: &StepByOther) -> Result<(), Failure> {
        self.own.by_other(step)
    }

    fn sync(&self) -> Result<(), Failure> {
        self.own.sync()
    }

    fn action(&self, call: &CallIdentity) -> Result<(), Failure> {
        self.own.action(call)?;
        self.own.sync()
    }

    fn notified(&self, handler: &HandlerIdentity, call: Option<&CallIdentity>) -> Result<(), Failure> {
        self.own.notified(handler, call)
    }

    fn handled(&self, handler: &HandlerIdentity) -> Result<(), Failure> {
        self.own.handled(handler)
    }

    /// It ends with root's play.
    fn ended(&self, _complete: bool, _met: &[CallIdentity]) -> Result<(), Failure> {
        Ok(())
    }
}
