//! From a host's connection variables to a play that runs there.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;

use super::controller::{Shared, ThisMachine};
use super::reached::{Reached, as_another_user, connect, enter, in_root_as_another, needed_here};
use super::target::Target;
use crate::agent::{Work, client};
use crate::diagnostic::Diagnostic;
use crate::ended::Ended;
use crate::escalation::Escalation;
use crate::event::EventKind;
use crate::facts::HostFacts;
use crate::failure::{self, Failure};
use crate::interrupt::Interrupt;
use crate::journal::{Source, rollback};
use crate::module::Registry;
use crate::placement::Placement;
use crate::project::Project;
use crate::script::controller::Controller;
use crate::script::host::{self, Surroundings};
use crate::system::{RootKind, System};
use crate::transport::{Connection, Stage, Unreachable};

/// Takes in the events of one host, from whatever thread.
pub(super) type Emit = Arc<dyn Fn(EventKind) + Send + Sync>;

/// What a play on one host needs of the run.
pub(super) struct Job {
    /// The module functions.
    pub registry: Arc<Registry>,
    /// What is to be done.
    pub work: Work,
    /// Where files that did not travel are read.
    pub project: Arc<Project>,
    /// Takes in events.
    pub emit: Emit,
    /// Whether the run shall stop.
    pub interrupt: Arc<Interrupt>,
    /// What its hosts have in common, for a play that is evaluated here.
    pub shared: Shared,
}

impl Job {
    /// Evaluates the play in this thread.
    fn evaluate(
        self,
        system: Rc<dyn System>,
        facts: Rc<dyn HostFacts>,
        journal: Source,
        controller: Option<Rc<dyn Controller>>,
        fetch: host::Fetch,
    ) -> Ended {
        let emit = self.emit;
        let bundle = match self.work {
            Work::Play(bundle) => *bundle,
            Work::RollBack(order) => {
                return Ended::of(rollback::follow(&order, system, journal, &*emit, &self.interrupt));
            }
        };
        let surroundings = Surroundings {
            system,
            facts,
            emit: Box::new(move |event| emit(event)),
            fetch,
            controller,
            journal,
            interrupt: self.interrupt,
        };
        host::run(&self.registry, bundle, surroundings)
    }

    /// Evaluates the play in this thread, on the controller.
    fn evaluate_here(self, system: Rc<dyn System>, facts: Rc<dyn HostFacts>, journal: Source) -> Ended {
        let project = Arc::clone(&self.project);
        let controller =
            ThisMachine::new(Arc::clone(&project), self.shared.clone(), Arc::clone(&self.interrupt));
        self.evaluate(
            system,
            facts,
            journal,
            Some(Rc::new(controller)),
            Box::new(move |path| read(&project, path).map_err(Failure::state)),
        )
    }
}

/// A file of the project.
fn read(project: &Project, path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(project.on_disk(path)).map_err(|error| format!("{path}: {}", failure::reason(&error)))
}

/// Runs a play on the host that `target` says, as the user of `escalation` if there is one, evaluated as `placement` says.
pub(super) fn run(
    target: &Target,
    escalation: Option<&Escalation>,
    placement: Placement,
    job: Job,
) -> Result<Ended, Unreachable> {
    match (target, placement, needed_here(escalation)) {
        (Target::Local, Placement::Host, Some(escalation)) => {
            return through(as_another_user(escalation, &job.interrupt), job);
        }
        (Target::Chroot(root, _), Placement::Host, Some(escalation)) => {
            return through(in_root_as_another(root, escalation, &job.interrupt), job);
        }
        _ => {}
    }
    match (target, placement) {
        (Target::Remote(remote, client), Placement::Host) => {
            through(connect(remote, client, escalation, &job.interrupt), job)
        }
        (Target::Chroot(root, kind), Placement::Host) => in_root(root, *kind, job),
        // What is at hand is worked on from here in any case.
        (Target::Local | Target::Sandbox(..), _) | (_, Placement::Controller) => {
            let host = match Reached::open(target, escalation, &job.interrupt) {
                Err(_) if job.interrupt.is_set() => return Ok(client::not_begun(&*job.emit)),
                result => result?,
            };
            let ended = job.evaluate_here(Rc::clone(&host.system), Rc::clone(&host.facts), host.journal());
            host.close().map(|()| ended)
        }
    }
}

/// Runs a play in the agent behind a connection, if there is one.
fn through(connection: Result<Box<dyn Connection>, Unreachable>, job: Job) -> Result<Ended, Unreachable> {
    let mut connection = match connection {
        Err(_) if job.interrupt.is_set() => return Ok(client::not_begun(&*job.emit)),
        connection => connection?,
    };
    let serve = |path: &str| read(&job.project, path);
    let ended = client::run(&mut *connection, job.work, &serve, &*job.emit, &job.interrupt)?;
    connection.finish();
    Ok(ended)
}

/// What a thread in another root asks of the one that stayed outside.
enum Outward {
    Need(String, mpsc::Sender<Result<Vec<u8>, String>>),
    Ended(Ended),
    NoRoot(std::io::Error),
}

/// Runs a play in a thread that has `root` as its root directory.
fn in_root(root: &Path, kind: RootKind, job: Job) -> Result<Ended, Unreachable> {
    let (sender, receiver) = mpsc::channel();
    let project = Arc::clone(&job.project);
    let place = root.to_owned();
    let thread = std::thread::Builder::new().stack_size(super::STACK);
    let started = thread.spawn(move || {
        let served = match enter(&place, kind, &job.interrupt) {
            Ok(entered) => entered,
            Err(error) => {
                // Nobody is there to hear it only if the run is over.
                let _ = sender.send(Outward::NoRoot(error));
                return;
            }
        };
        let needs = sender.clone();
        let fetch: host::Fetch = Box::new(move |path| {
            let (answer, answered) = mpsc::channel();
            needs.send(Outward::Need(path.to_owned(), answer)).map_err(|_| Failure::Interrupted)?;
            answered.recv().map_err(|_| Failure::Interrupted)?.map_err(Failure::state)
        });
        let ended = job.evaluate(served.system, served.facts, served.journal, None, fetch);
        let _ = sender.send(Outward::Ended(ended));
    });
    if let Err(error) = started {
        return Err(Unreachable::no_root(root, &error));
    }
    for message in receiver {
        match message {
            Outward::Need(path, answer) => drop(answer.send(read(&project, &path))),
            Outward::Ended(ended) => return Ok(ended),
            Outward::NoRoot(error) => return Err(Unreachable::no_root(root, &error)),
        }
    }
    let error = Diagnostic::new("the agent ended before the play had ended");
    Err(Unreachable { stage: Stage::Agent, error })
}
