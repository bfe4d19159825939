//! As whom the calls of a play are made: as whoever runs it, or as the users whom its tasks become.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::accounts;
use crate::diagnostic::Diagnostic;
use crate::escalation::{EscalationOptions, TaskEscalation, Whom};
use crate::failure::Failure;
use crate::journal::others::{ByOther, SeenByRoot, Serials};
use crate::journal::{Journal, Source};
use crate::system::preview::{Overlay, Predicted};
use crate::system::remote::Remote;
use crate::system::{System, View};

/// The host as one user acts on it.
pub(super) struct Actor {
    /// Where that user's changes are made.
    pub(super) system: Rc<dyn System>,
    /// Who that is, and the way there, if it is not the play's own user.
    other: Option<(Whom, Rc<Remote>)>,
    /// Where that other user's changes are noted, opened before the first one.
    journal: OnceCell<Rc<dyn Journal>>,
    /// Predictions, made when something is first predicted.
    overlay: OnceCell<Rc<Overlay>>,
}

impl Actor {
    fn new(system: Rc<dyn System>, other: Option<(Whom, Rc<Remote>)>) -> Rc<Self> {
        Rc::new(Self { system, other, journal: OnceCell::new(), overlay: OnceCell::new() })
    }

    fn other(whom: Whom, system: Rc<Remote>) -> Rc<Self> {
        Self::new(Rc::clone(&system) as Rc<dyn System>, Some((whom, system)))
    }

    fn view(&self) -> Rc<dyn View> {
        Rc::clone(&self.system) as Rc<dyn View>
    }
}

/// A user whom tasks become, by a program; or why not. A program that has refused is not asked again: some lock the account.
type Others = HashMap<Whom, Result<Rc<Actor>, Failure>>;

/// All who act in a play.
pub(super) struct Actors {
    own: Rc<Actor>,
    tasks: TaskEscalation,
    /// What earlier plays have predicted.
    earlier: Vec<Predicted>,
    /// Numbers the steps that are made as others.
    serials: Rc<Serials>,
    others: RefCell<Others>,
    /// How often the host had a new connection when they were become.
    renewed: Cell<u32>,
}

impl Actors {
    /// The play's own user acts on `system`; what else is needed to become somebody is in `tasks`. `earlier` plays have
    /// predicted something already.
    pub(super) fn new(system: Rc<dyn System>, tasks: TaskEscalation, earlier: Vec<Predicted>) -> Self {
        let own = Actor::new(system, None);
        Self {
            own,
            tasks,
            earlier,
            serials: Rc::default(),
            others: RefCell::default(),
            renewed: Cell::default(),
        }
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
        let renewed = self.own.system.renewed();
        if self.renewed.replace(renewed) != renewed {
            // They were on the other side of the old one.
            self.others.borrow_mut().clear();
        }
        let whom = escalation.whom();
        if let Some(known) = self.others.borrow().get(&whom) {
            return known.clone().map(Some);
        }
        if checking && self.is_predicted(&escalation.user) {
            return Ok(None);
        }
        let actor = self.own.system.escalate(&escalation);
        let actor = actor.map(|system| Actor::other(whom.clone(), system));
        self.others.borrow_mut().insert(whom, actor.clone());
        actor.map(Some)
    }

    /// The journal for what `actor` changes, where `own` is that of the play. Another user's is opened by `open`, once.
    ///
    /// # Errors
    /// It can't be opened.
    pub(super) fn journal(
        &self,
        actor: &Actor,
        own: &Rc<dyn Journal>,
        open: impl FnOnce(&Whom, Source) -> Result<Box<dyn Journal>, Failure>,
    ) -> Result<Rc<dyn Journal>, Failure> {
        let Some((whom, system)) = &actor.other else { return Ok(Rc::clone(own)) };
        if let Some(journal) = actor.journal.get() {
            return Ok(Rc::clone(journal));
        }
        let own = Rc::clone(own);
        let (user, _) = self.own.system.identity();
        let journal: Rc<dyn Journal> = if user == 0 {
            Rc::new(SeenByRoot { own, view: self.own.view() })
        } else {
            let theirs = open(whom, Source::Remote(Rc::clone(system)))?;
            Rc::new(ByOther { own, whom: whom.clone(), theirs, serials: Rc::clone(&self.serials) })
        };
        Ok(Rc::clone(actor.journal.get_or_init(|| journal)))
    }

    /// The journals of other users that were opened.
    pub(super) fn journals(&self) -> Vec<Rc<dyn Journal>> {
        let others = self.others.borrow();
        others.values().filter_map(|other| other.as_ref().ok()?.journal.get().cloned()).collect()
    }

    /// Whether the host would have a user whom it does not have.
    fn is_predicted(&self, name: &str) -> bool {
        let has = |host: &dyn View| {
            accounts::users(host).is_ok_and(|users| users.iter().any(|user| user.name == name))
        };
        has(&*self.overlay(&self.own)) && !has(&*self.own.system)
    }

    /// Why one of the other users can't act any more.
    pub(super) fn lost(&self) -> Option<Diagnostic> {
        let others = self.others.borrow();
        others.values().filter_map(|other| other.as_ref().ok()).find_map(|other| other.system.lost())
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
