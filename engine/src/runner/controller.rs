//! The controller, as the plays that are evaluated on it see it.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::foretellings::Foretellings;
use super::reached::Reached;
use super::target::Target;
use crate::coordination::Coordination;
use crate::diagnostic::Diagnostic;
use crate::escalation::Escalation;
use crate::interrupt::Interrupt;
use crate::project::Project;
use crate::script::controller::{Consent, Controller};
use crate::script::workplace::OtherHost;
use crate::system::native::Native;
use crate::system::{RootKind, System};

/// This machine and the project.
pub(super) struct ThisMachine {
    project: Arc<Project>,
    system: Rc<dyn System>,
    shared: Shared,
    interrupt: Arc<Interrupt>,
}

/// What the hosts of a play have in common that is evaluated here.
#[derive(Clone)]
pub(super) struct Shared {
    /// How other hosts are reached.
    pub targets: Targets,
    /// What is foretold of them.
    pub foretellings: Arc<Foretellings>,
    /// Where the hosts wait for one another.
    pub coordination: Arc<Coordination>,
    /// Asks a person before each call, who wants to be asked.
    pub step: Option<AskStep>,
}

/// Asks a person whether a call shall be made.
pub type AskStep = Arc<dyn Fn(&str) -> Consent + Send + Sync>;

/// Says how a host of the inventory is reached, and who is become there.
pub(super) type Targets = Arc<dyn Fn(&str) -> Result<(Target, Option<Escalation>), Diagnostic> + Send + Sync>;

impl ThisMachine {
    /// With the project whose plays they are, and what their hosts have in common.
    pub(super) fn new(project: Arc<Project>, shared: Shared, interrupt: Arc<Interrupt>) -> Self {
        Self { project, system: Rc::new(Native::new(RootKind::Live)), shared, interrupt }
    }
}

impl Controller for ThisMachine {
    fn system(&self) -> Rc<dyn System> {
        Rc::clone(&self.system)
    }

    fn project(&self) -> &Path {
        self.project.root()
    }

    fn consent(&self, call: &str) -> Consent {
        self.shared.step.as_ref().map_or(Consent::Yes, |ask| ask(call))
    }

    fn coordination(&self) -> &Coordination {
        &self.shared.coordination
    }

    fn reach(&self, host: &str) -> Result<OtherHost, Diagnostic> {
        let refused = |error: Diagnostic| Diagnostic {
            causes: [vec![error.message], error.causes].concat(),
            message: format!("`{host}` can't be reached"),
            ..error
        };
        let (target, escalation) = (self.shared.targets)(host).map_err(refused)?;
        let reached = Reached::open(&target, escalation.as_ref(), &self.interrupt);
        let reached = reached.map_err(|unreachable| refused(unreachable.error))?;
        let journal = reached.journal();
        let foretold = self.shared.foretellings.of(&target, escalation.as_ref());
        let foretellings = Arc::clone(&self.shared.foretellings);
        let remember = Box::new(move |foretold| foretellings.add(&target, escalation.as_ref(), foretold));
        Ok(OtherHost { system: reached.system, facts: reached.facts, journal, foretold, remember })
    }
}
