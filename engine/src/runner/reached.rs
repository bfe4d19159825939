//! Hosts that the controller works on itself: call by call, through a connection or at hand.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::target::Target;
use crate::agent::client;
use crate::agent::in_process::{self, Served};
use crate::diagnostic::Diagnostic;
use crate::escalation::{self, Escalation};
use crate::facts::{self, Facts, HostFacts};
use crate::failure;
use crate::interrupt::Interrupt;
use crate::journal::Source;
use crate::system::native::Native;
use crate::system::remote::{Dial, Remote};
use crate::system::sandbox::{NoPrograms, Programs, Sandbox};
use crate::system::{RootKind, System, root};
use crate::transport::{self, AgentBinary, Connection, Stage, Unreachable, ssh};

/// A host that was reached.
pub(super) struct Reached {
    /// The host itself.
    pub system: Rc<dyn System>,
    /// What it is.
    pub facts: Rc<dyn HostFacts>,
    /// The connection to it, if there is one.
    remote: Option<Rc<Remote>>,
    /// The directory that it is, if it is a sandbox.
    directory: Option<PathBuf>,
}

impl Reached {
    /// Reaches the host that `target` says, as the user of `escalation` if there is one.
    ///
    /// # Errors
    /// Something on the way did not work out.
    pub(super) fn open(
        target: &Target,
        escalation: Option<&Escalation>,
        interrupt: &Arc<Interrupt>,
    ) -> Result<Self, Unreachable> {
        match target {
            Target::Remote(remote, client) => {
                let (remote, client) = ((**remote).clone(), Arc::clone(client));
                let stop = Arc::clone(interrupt);
                let escalation = escalation.cloned();
                let dial = move || connect(&remote, &client, escalation.as_ref(), &stop);
                Remote::dial(Box::new(dial), RootKind::Live, Arc::clone(interrupt)).map(Self::remote)
            }
            Target::Chroot(root, kind) => {
                let (place, kind) = (root.clone(), *kind);
                let stop = Arc::clone(interrupt);
                let dial: Dial = match needed_here(escalation).cloned() {
                    Some(escalation) => Box::new(move || in_root_as_another(&place, &escalation, &stop)),
                    None => Box::new(move || {
                        let (root, stop) = (place.clone(), Arc::clone(&stop));
                        let agent = in_process::serve(move || enter(&root, kind, &stop));
                        let agent = agent.map_err(|error| Unreachable::no_root(&place, &error))?;
                        Ok(Box::new(agent) as Box<dyn Connection>)
                    }),
                };
                Remote::at_hand(dial, kind, Arc::clone(interrupt)).map(Self::remote)
            }
            Target::Local => match needed_here(escalation) {
                Some(escalation) => {
                    let (escalation, stop) = (escalation.clone(), Arc::clone(interrupt));
                    let dial = move || as_another_user(&escalation, &stop);
                    Remote::at_hand(Box::new(dial), RootKind::Live, Arc::clone(interrupt)).map(Self::remote)
                }
                None => Ok(Self::this_machine(interrupt)),
            },
            Target::Sandbox(directory, programs) => sandbox(directory, *programs),
        }
    }

    fn remote(host: Remote) -> Self {
        let host = Rc::new(host);
        let facts = Rc::new(facts::Remote::new(Rc::clone(&host)));
        Self { system: Rc::clone(&host) as Rc<dyn System>, facts, remote: Some(host), directory: None }
    }

    fn this_machine(interrupt: &Arc<Interrupt>) -> Self {
        let kind = RootKind::Live;
        let facts = Rc::new(Facts::new(facts::Native::new(kind)));
        let system = Native::new(kind).interrupted_by(Arc::clone(interrupt));
        Self { system: Rc::new(system), facts, remote: None, directory: None }
    }

    /// Where its journal is kept.
    pub(super) fn journal(&self) -> Source {
        match (&self.remote, &self.directory) {
            (Some(remote), _) => Source::Remote(Rc::clone(remote)),
            (None, Some(directory)) => Source::Kept {
                directories: vec![directory.join("state")],
                root: directory.join("root"),
                lasts: false,
            },
            (None, None) => Source::of_this_process(),
        }
    }

    /// Ends the connection in good order.
    ///
    /// # Errors
    /// It was lost meanwhile.
    pub(super) fn close(&self) -> Result<(), Unreachable> {
        let Some(remote) = &self.remote else { return Ok(()) };
        remote.close();
        remote.unreachable().map_or(Ok(()), Err)
    }
}

/// Connects to a host, and has what follows done as the user of `escalation` if there is one.
///
/// # Errors
/// As [`transport::Remote::connect`]. Whether the user can be become is seen later.
pub(super) fn connect(
    remote: &transport::Remote,
    client: &Arc<ssh::Client>,
    escalation: Option<&Escalation>,
    interrupt: &Arc<Interrupt>,
) -> Result<Box<dyn Connection>, Unreachable> {
    let mut connection = remote.connect(client, interrupt)?;
    if let Some(escalation) = escalation {
        client::escalate(&mut *connection, escalation)?;
    }
    Ok(connection)
}

/// The escalation, unless this process is that user already.
pub(super) fn needed_here(escalation: Option<&Escalation>) -> Option<&Escalation> {
    escalation.filter(|whom| !whom.is_in_effect(&Native::new(RootKind::Live)))
}

/// An agent on this machine that is the user of `escalation`.
///
/// # Errors
/// The user can't be become.
pub(super) fn as_another_user(
    escalation: &Escalation,
    interrupt: &Interrupt,
) -> Result<Box<dyn Connection>, Unreachable> {
    let agent = escalation::launch(escalation, &AgentBinary::default(), interrupt);
    agent.map(|agent| Box::new(agent) as Box<dyn Connection>)
}

/// An agent on this machine that is the user of `escalation` and has `root` as its root directory.
///
/// # Errors
/// The user can't be become. Whether the root can be entered is seen later.
pub(super) fn in_root_as_another(
    root: &Path,
    escalation: &Escalation,
    interrupt: &Interrupt,
) -> Result<Box<dyn Connection>, Unreachable> {
    let mut connection = as_another_user(escalation, interrupt)?;
    // Whoever lets somebody in may start in another directory.
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    client::enter(&mut *connection, &root)?;
    Ok(connection)
}

/// A host in a directory.
fn sandbox(directory: &Path, programs: Option<fn() -> Box<dyn Programs>>) -> Result<Reached, Unreachable> {
    let programs = programs.map_or_else(|| Box::new(NoPrograms) as Box<dyn Programs>, |programs| programs());
    let system = Sandbox::open(directory, programs).map_err(|error| {
        let (place, reason) = (directory.display(), failure::reason(&error));
        let error = Diagnostic::new(format!("no sandbox in `{place}`: {reason}"));
        Unreachable { stage: Stage::Connection, error }
    })?;
    let facts = Rc::new(Facts::new(facts::Tree::new(directory.join("root"))));
    Ok(Reached { system: Rc::new(system), facts, remote: None, directory: Some(directory.to_owned()) })
}

/// Makes `root` the root of this thread.
///
/// # Errors
/// It can't be entered.
pub(super) fn enter(root: &Path, kind: RootKind, interrupt: &Arc<Interrupt>) -> io::Result<Served> {
    let source = facts::Native::seeing(kind, root::enter(root)?);
    let system = Native::new(kind).interrupted_by(Arc::clone(interrupt));
    let (system, facts) = (Rc::new(system), Rc::new(Facts::new(source)));
    Ok(Served { system, facts, journal: Source::of_this_process(), interrupt: Arc::clone(interrupt) })
}
