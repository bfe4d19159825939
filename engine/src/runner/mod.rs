//! Runs playbooks: plays in order, their hosts in parallel.
//!
//! [`prepare`] reads and checks everything without touching a host; what it refuses is bad input. [`run`] then goes through
//! the plays. Whatever happens is an event.

mod connect;
mod connection_options;
mod connection_variables;
mod controller;
mod foretellings;
pub mod listing;
mod plugin;
mod prepare;
mod prepare_rollback;
mod reached;
mod reporters;
mod shape;
mod target;
mod written;

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use rayon::prelude::*;

use self::controller::Shared;
use self::foretellings::Foretellings;
use self::prepare::Way;
use self::reporters::Reporters;
use crate::agent::Work;
use crate::bundle::Settings;
use crate::coordination::Coordination;
use crate::diagnostic::Diagnostic;
use crate::ended::Ended;
use crate::event::{Event, EventKind, Recap, Reporter};
use crate::interrupt::{Interrupt, Urgency};
use crate::module::Registry;
use crate::placement::Placement;
use crate::script::playbook::{Batch, Order, PlayDefinition, Said};
use crate::secrets::{SecretText, Secrets};
pub use connection_options::ConnectionOptions;
pub use controller::AskStep;
pub use prepare::{LOCK_TIMEOUT, Options, Prepared, PreparedPlay, PreparedPlaybook, prepare};
pub use prepare_rollback::prepare_rollback;
pub use written::Written;

/// At most so many hosts at once, unless `--forks` says otherwise.
pub const DEFAULT_FORKS: usize = 32;

/// How often it is looked whether the run shall stop, to say so, and the reporter is told that time passes.
const LOOK: Duration = Duration::from_millis(50);

/// Stack of a thread that evaluates scripts. Rhai recurses for every nested call and expression.
const STACK: usize = 16 * 1024 * 1024;

/// What a run has of its surroundings.
pub struct Stage {
    /// The module functions.
    pub registry: Arc<Registry>,
    /// Read the events, each told in this order.
    pub reporters: Vec<Box<dyn Reporter>>,
    /// Whether the run shall stop: told from outside.
    pub interrupt: Arc<Interrupt>,
}

/// What all threads of a run share.
struct Running {
    registry: Arc<Registry>,
    reporters: Mutex<Reporters>,
    interrupt: Arc<Interrupt>,
    start: Instant,
    recaps: Mutex<IndexMap<String, Recap>>,
    out: Mutex<HashSet<String>>,
    /// The hosts on which what `--start-at` names was met: later plays run there from their beginning.
    started: Mutex<HashSet<String>>,
    /// What check mode has foretold so far.
    foretellings: Arc<Foretellings>,
}

impl Running {
    fn emit(&self, host: Option<&str>, kind: EventKind) {
        let event = Event { at: self.elapsed(), host: host.map(ToOwned::to_owned), kind };
        self.reporters().event(&event);
    }

    fn reporters(&self) -> MutexGuard<'_, Reporters> {
        self.reporters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the start.
    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn interrupted(&self) -> bool {
        self.interrupt.is_set()
    }

    fn note(&self, host: &str, recap: &Recap) {
        let mut recaps = self.recaps.lock().unwrap_or_else(PoisonError::into_inner);
        recaps.entry(host.to_owned()).or_default().add(recap);
    }

    fn start(&self, host: &str) {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
    }

    /// The settings of a play on a host.
    fn settings(&self, prepared: &Prepared, host: &str) -> Arc<Settings> {
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner).contains(host);
        match &prepared.settings.start_at {
            Some(_) if started => Arc::new(Settings { start_at: None, ..(*prepared.settings).clone() }),
            _ => Arc::clone(&prepared.settings),
        }
    }

    /// What there is to say when nothing of the name that `--start-at` gives was met anywhere.
    fn never_started(&self, prepared: &Prepared) -> Option<Diagnostic> {
        let name = prepared.settings.start_at.as_ref()?;
        let started =
            self.interrupted() || !self.started.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        let warning = Diagnostic::new(format!("nothing is called `{name}`, so nothing was done"));
        (!started).then(|| warning.hint("`--start-at` takes the name of a task, a role or a module function"))
    }

    fn take_out(&self, host: &str) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
    }

    fn is_out(&self, host: &str) -> bool {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).contains(host)
    }
}

/// Runs what was prepared. Returns what happened on each host, in the order in which they were first met.
pub fn run(prepared: &Arc<Prepared>, stage: Stage) -> IndexMap<String, Recap> {
    let running = Arc::new(Running {
        registry: stage.registry,
        reporters: Mutex::new(Reporters::new(stage.reporters)),
        interrupt: stage.interrupt,
        start: Instant::now(),
        recaps: Mutex::default(),
        out: Mutex::default(),
        started: Mutex::default(),
        foretellings: Arc::default(),
    });
    let playbooks = prepared.playbooks.iter().map(|playbook| playbook.name.clone()).collect();
    let check = prepared.settings.check;
    running.emit(None, EventKind::RunStarted { run: prepared.run.clone(), playbooks, check });
    for warning in &prepared.warnings {
        running.emit(None, EventKind::Warning(Box::new(warning.clone())));
    }
    watched(&running, || plays(&running, prepared));
    if let Some(warning) = running.never_started(prepared) {
        running.emit(None, EventKind::Warning(Box::new(warning)));
    }
    let hosts = in_order(prepared, &running.recaps.lock().unwrap_or_else(PoisonError::into_inner));
    running.emit(None, EventKind::RunFinished { hosts: hosts.clone(), duration: running.elapsed() });
    hosts
}

/// Does something during which it is told when the run shall stop, and that time passes.
fn watched(running: &Arc<Running>, act: impl FnOnce()) {
    let (over, is_over) = mpsc::channel::<()>();
    let watch = {
        let running = Arc::clone(running);
        move || {
            let mut told = Urgency::None;
            loop {
                let more = is_over.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout);
                let urgency = running.interrupt.urgency();
                if urgency > told {
                    told = urgency;
                    running.emit(None, EventKind::Stopping { now: urgency == Urgency::Now });
                }
                if !more {
                    break;
                }
                running.reporters().tick(running.elapsed());
            }
        }
    };
    // Without a thread to be had, it is not told.
    let watcher = thread::Builder::new().spawn(watch);
    act();
    drop(over);
    if let Ok(watcher) = watcher {
        // It does not panic.
        let _ = watcher.join();
    }
}

/// All plays of all playbooks.
fn plays(running: &Arc<Running>, prepared: &Arc<Prepared>) {
    for playbook in &prepared.playbooks {
        for said in &playbook.said {
            running.emit(
                None,
                match said {
                    Said::Message(text) => EventKind::Message { text: text.clone() },
                    Said::Warning(warning) => EventKind::Warning(Box::new(warning.clone())),
                },
            );
        }
        for play in &playbook.plays {
            if running.interrupted() {
                break;
            }
            run_play(running, prepared, playbook, play);
        }
    }
}

/// What happened on each host, in the order in which the plays name them: hosts end in any order.
fn in_order(prepared: &Prepared, recaps: &IndexMap<String, Recap>) -> IndexMap<String, Recap> {
    let plays = prepared.playbooks.iter().flat_map(|playbook| &playbook.plays);
    let hosts = plays.flat_map(|play| &play.hosts);
    hosts.filter_map(|host| Some((host.clone(), *recaps.get(host)?))).collect()
}

/// One play on its hosts, batch by batch.
fn run_play(
    running: &Arc<Running>,
    prepared: &Arc<Prepared>,
    playbook: &Arc<PreparedPlaybook>,
    play: &PreparedPlay,
) {
    let definition = &play.definition;
    let mut hosts: Vec<&String> = play.hosts.iter().filter(|host| !running.is_out(host)).collect();
    arrange(&mut hosts, definition.order);
    running.emit(
        None,
        EventKind::PlayStarted {
            play: definition.play.name.clone(),
            hosts: hosts.iter().map(|host| (*host).clone()).collect(),
        },
    );
    let forks = prepared.forks.unwrap_or(DEFAULT_FORKS).max(1);
    let shared = Shared {
        targets: targets(prepared, playbook, definition),
        foretellings: Arc::clone(&running.foretellings),
        coordination: Arc::new(Coordination::new(forks)),
        step: prepared.step.clone(),
    };
    let failures = AtomicUsize::new(0);
    let ended = AtomicBool::new(false);
    let over = || {
        ended.load(Ordering::Relaxed)
            || running.interrupted()
            || definition.max_failures.is_some_and(|most| failures.load(Ordering::Relaxed) > most)
    };
    for batch in batches(&hosts, &definition.serial) {
        if over() {
            break;
        }
        let one = |host: &&String| {
            if over() {
                return;
            }
            match on_host(running, prepared, playbook, play, &shared, host) {
                Some(result) if result.play_done => ended.store(true, Ordering::Relaxed),
                Some(result) if !result.recap.failed && !result.recap.interrupted => {}
                _ => {
                    failures.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        match play.placement.placement {
            Placement::Host => in_parallel(batch, forks.min(batch.len()), one),
            Placement::Controller => one_waits_for_another(batch, &shared.coordination, one),
        }
    }
}

/// Runs `one` for every host. A single host is done in this thread: starting a pool costs more than a converged play.
fn in_parallel(hosts: &[&String], forks: usize, one: impl Fn(&&String) + Sync + Send) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(forks).stack_size(STACK);
    match pool.build() {
        Ok(pool) if hosts.len() > 1 => {
            pool.install(|| hosts.par_iter().with_max_len(1).for_each(one));
        }
        // No thread to be had: then one after the other.
        _ => hosts.iter().for_each(one),
    }
}

/// Runs `one` for every host, each in a thread of its own: they may wait for one another. As many are at work as the coordination
/// has places.
fn one_waits_for_another(hosts: &[&String], coordination: &Coordination, one: impl Fn(&&String) + Sync) {
    coordination.begin(hosts.iter().map(|host| host.as_str()));
    let mut rest: &[&String] = &[];
    thread::scope(|scope| {
        for (number, host) in hosts.iter().enumerate() {
            let place = Place::take(coordination, host);
            let work = {
                let one = &one;
                move || {
                    // However it ends, its place is another one's then.
                    let _place = place;
                    one(host);
                }
            };
            if thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).is_err() {
                rest = &hosts[number..];
                break;
            }
        }
        // Nobody waits for those without a thread.
        rest.iter().for_each(|host| drop(Place::take(coordination, host)));
    });
    rest.iter().for_each(one);
}

/// The place of a host that is at work, which it gives back at its end.
struct Place<'a> {
    coordination: &'a Coordination,
    host: &'a str,
}

impl<'a> Place<'a> {
    /// Waits for one.
    fn take(coordination: &'a Coordination, host: &'a str) -> Self {
        coordination.start();
        Self { coordination, host }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.coordination.end(self.host);
    }
}

/// A play on one host. `None` when it could not be reached.
fn on_host(
    running: &Arc<Running>,
    prepared: &Arc<Prepared>,
    playbook: &Arc<PreparedPlaybook>,
    play: &PreparedPlay,
    shared: &Shared,
    host: &str,
) -> Option<Ended> {
    let emit = |kind| running.emit(Some(host), kind);
    let recap_of_failure =
        |unreachable: bool| Recap { failed: !unreachable, unreachable, ..Recap::default() };
    let settings = running.settings(prepared, host);
    let work = prepared.work(playbook, play, host, settings);
    for warning in prepared.warnings_of_connections() {
        running.emit(None, EventKind::Warning(Box::new(warning)));
    }
    let (mut work, Way { target, escalation, of_tasks }) = match work {
        Ok(found) => found,
        Err(error) => {
            emit(EventKind::HostFailed(Box::new(error)));
            running.note(host, &recap_of_failure(false));
            running.take_out(host);
            return None;
        }
    };
    if let Work::Play(bundle) = &mut work {
        bundle.foretold = running.foretellings.of(&target, escalation.as_ref());
    }
    emit(EventKind::HostStarted { connection: target.to_string() });
    let password = escalation.as_ref().and_then(|escalation| escalation.password.as_ref());
    let password = password.or(of_tasks.password.as_ref()).cloned();
    let last = Arc::new(Mutex::new(None));
    let emit: connect::Emit = Arc::new({
        let (running, host, last) = (Arc::clone(running), host.to_owned(), Arc::clone(&last));
        move |kind| {
            let kind = match &password {
                Some(password) => mask(kind, password),
                None => kind,
            };
            if let EventKind::HostFinished { recap } = &kind {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(*recap);
            }
            running.emit(Some(&host), kind);
        }
    });
    let job = connect::Job {
        registry: Arc::clone(&running.registry),
        work,
        project: Arc::clone(&playbook.project),
        emit: Arc::clone(&emit),
        interrupt: Arc::clone(&running.interrupt),
        shared: shared.clone(),
    };
    match connect::run(&target, escalation.as_ref(), play.placement.placement, job) {
        Ok(mut ended) => {
            let foretold = std::mem::take(&mut ended.foretold);
            running.foretellings.add(&target, escalation.as_ref(), foretold);
            running.note(host, &ended.recap);
            if ended.started {
                running.start(host);
            }
            if ended.recap.failed || ended.recap.interrupted || ended.host_done {
                running.take_out(host);
            }
            Some(ended)
        }
        Err(unreachable) => {
            let stage = unreachable.stage.word().to_owned();
            let error = Box::new(unreachable.error);
            emit(EventKind::HostUnreachable { stage, error });
            let mut recap: Recap = last.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_default();
            recap.add(&recap_of_failure(true));
            running.note(host, &recap);
            running.take_out(host);
            None
        }
    }
}

/// How the other hosts of a play's inventory are reached.
fn targets(
    prepared: &Arc<Prepared>,
    playbook: &Arc<PreparedPlaybook>,
    definition: &PlayDefinition,
) -> controller::Targets {
    let (prepared, playbook) = (Arc::clone(prepared), Arc::clone(playbook));
    let definition = definition.clone();
    Arc::new(move |host| {
        if !playbook.inventory.knows(host) {
            let error = Diagnostic::new(format!("the inventory has no host `{host}`"));
            return Err(error.near(host, playbook.inventory.hosts()));
        }
        let way = prepared.way(&playbook, &definition, host, false)?;
        Ok((way.target, way.escalation))
    })
}

/// An event without the password, whatever the host has made of it.
fn mask(kind: EventKind, password: &SecretText) -> EventKind {
    let secrets = Secrets::new(BTreeMap::from([(0, password.clone())]));
    kind.mask(|text| secrets.mask(text))
}

fn arrange(hosts: &mut [&String], order: Order) {
    match order {
        Order::Inventory => {}
        Order::Reverse => hosts.reverse(),
        Order::Sorted => hosts.sort(),
        Order::ReverseSorted => hosts.sort_by(|a, b| b.cmp(a)),
    }
}

/// The hosts in batches. The last size repeats until all are in one.
fn batches<'a, 'b>(hosts: &'a [&'b String], serial: &[Batch]) -> Vec<&'a [&'b String]> {
    if serial.is_empty() {
        return if hosts.is_empty() { Vec::new() } else { vec![hosts] };
    }
    let mut rest = hosts;
    let mut sizes = serial.iter().chain(std::iter::repeat(&serial[serial.len() - 1]));
    let mut all = Vec::new();
    while !rest.is_empty() {
        let size = match sizes.next() {
            Some(Batch::Count(count)) => *count,
            // A share of few hosts is at least one of them. Rounds down, as in Ansible.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            Some(Batch::Percent(percent)) => (hosts.len() as f64 * percent / 100.0) as usize,
            None => rest.len(),
        };
        let (batch, later) = rest.split_at(size.clamp(1, rest.len()));
        all.push(batch);
        rest = later;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_as_the_steps_say() {
        let names: Vec<String> = (0..10).map(|number| format!("h{number}")).collect();
        let hosts: Vec<&String> = names.iter().collect();
        let sizes =
            |serial: &[Batch]| batches(&hosts, serial).iter().map(|batch| batch.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [10]);
        assert_eq!(sizes(&[Batch::Count(3)]), [3, 3, 3, 1]);
        assert_eq!(sizes(&[Batch::Count(1), Batch::Count(4)]), [1, 4, 4, 1]);
        assert_eq!(sizes(&[Batch::Percent(30.0)]), [3, 3, 3, 1]);
        assert_eq!(sizes(&[Batch::Percent(1.0)]), [1; 10]);
        assert!(batches(&[], &[]).is_empty());
    }
}
