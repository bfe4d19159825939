//! As whom the calls of a play are made: as whoever runs it, or as the users whom its tasks become.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::accounts;
use crate::diagnostic::Diagnostic;
use crate::escalation::{EscalationOptions, Method, TaskEscalation};
use crate::failure::Failure;
use crate::system::preview::{Overlay, Predicted};
use crate::system::{System, View};

/// The host as one user acts on it.
pub(super) struct Actor {
    /// Where that user's changes are made.
    pub(super) system: Rc<dyn System>,
    /// Predictions, made when something is first predicted.
    overlay: OnceCell<Rc<Overlay>>,
}

impl Actor {
    fn new(system: Rc<dyn System>) -> Rc<Self> {
        Rc::new(Self { system, overlay: OnceCell::new() })
    }

    fn view(&self) -> Rc<dyn View> {
        Rc::clone(&self.system) as Rc<dyn View>
    }
}

/// A user whom tasks become, by a program; or why not. A program that has refused is not asked again: some lock the account.
type Others = HashMap<(Method, String), Result<Rc<Actor>, Failure>>;

/// All who act in a play.
pub(super) struct Actors {
    own: Rc<Actor>,
    tasks: TaskEscalation,
    /// What earlier plays have predicted.
    earlier: Vec<Predicted>,
    others: RefCell<Others>,
}

impl Actors {
    /// The play's own user acts on `system`; what else is needed to become somebody is in `tasks`. `earlier` plays have
    /// predicted something already.
    pub(super) fn new(system: Rc<dyn System>, tasks: TaskEscalation, earlier: Vec<Predicted>) -> Self {
        Self { own: Actor::new(system), tasks, earlier, others: RefCell::default() }
    }

    /// Checks what a task says about it.
    ///
    /// # Errors
    /// It is to be made as the user who logged in, who is somebody else by now.
    pub(super) fn check(&self, task: &EscalationOptions) -> Result<(), Diagnostic> {
        match &self.tasks.play {
            Some(user) if task.wanted == Some(false) => Err(Diagnostic::new(format!(
                "the play has become `{user}`, and a task of it can't be made as the user who logs in"
            ))
            .hint("leave `become` out of the play, and give it to the tasks that need it")),
            _ => Ok(()),
        }
    }

    /// Who acts where tasks ask for this. `None` for a user whom only check mode has made.
    ///
    /// # Errors
    /// The user can't be become.
    pub(super) fn acting(
        &self,
        asked: &EscalationOptions,
        checking: bool,
    ) -> Result<Option<Rc<Actor>>, Failure> {
        let escalation = asked.over(&self.tasks.options).escalation(self.tasks.password.clone());
        let Some(escalation) = escalation.filter(|whom| !whom.is_in_effect(&*self.own.system)) else {
            return Ok(Some(Rc::clone(&self.own)));
        };
        let key = (escalation.method, escalation.user.clone());
        if let Some(known) = self.others.borrow().get(&key) {
            return known.clone().map(Some);
        }
        if checking && self.is_predicted(&escalation.user) {
            return Ok(None);
        }
        let actor = self.own.system.escalate(&escalation).map(Actor::new);
        self.others.borrow_mut().insert(key, actor.clone());
        actor.map(Some)
    }

    /// Whether the host would have a user whom it does not have.
    fn is_predicted(&self, name: &str) -> bool {
        let has = |host: &dyn View| {
            accounts::users(host).is_ok_and(|users| users.iter().any(|user| user.name == name))
        };
        has(&*self.overlay(&self.own)) && !has(&*self.own.system)
    }

    /// Whether somebody is the play's own user.
    pub(super) fn is_own(&self, actor: &Rc<Actor>) -> bool {
        Rc::ptr_eq(actor, &self.own)
    }

    /// What check mode has predicted, over the host as `actor` sees it: what one of them would make is there for all.
    pub(super) fn overlay(&self, actor: &Rc<Actor>) -> Rc<Overlay> {
        let new = || match self.earlier.is_empty() {
            true => Overlay::new(self.own.view()),
            false => Overlay::after(self.own.view(), &self.earlier),
        };
        let own = self.own.overlay.get_or_init(|| Rc::new(new()));
        if self.is_own(actor) {
            return Rc::clone(own);
        }
        Rc::clone(actor.overlay.get_or_init(|| Rc::new(own.seen_by(actor.view()))))
    }

    /// What was predicted in this play. `None` if that is too much to be told.
    pub(super) fn predicted(&self) -> Option<Predicted> {
        self.own.overlay.get().map_or(Some(Predicted::default()), |overlay| overlay.predicted_here())
    }

    /// Forgets what is remembered of the host, because it is about to be changed in earnest.
    pub(super) fn forget_host(&self) {
        let others = self.others.borrow();
        let all = others.values().filter_map(|other| other.as_ref().ok()).chain([&self.own]);
        all.filter_map(|actor| actor.overlay.get()).for_each(|overlay| overlay.forget_host());
    }
}
