//! Where the hosts of a play wait for one another: `once` and `barrier`.
//!
//! As many hosts as there are forks are at work at a time. A host that waits is not at work: it gives its place to another one, so
//! that those it waits for can come. So hosts that wait for one another are never more than there is room for, and where all that are
//! left wait for what nobody brings about, they are told so.

use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::diagnostic::Diagnostic;

/// How often a waiting host looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(100);

/// What a place in a script is known by on all hosts: which one, and the how manieth time a host has come to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Meeting {
    /// The place: where a `once` stands, or the name of a barrier.
    pub place: String,
    /// 0 for the first time.
    pub time: u32,
}

/// Why a host does not get what it waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
    /// It shall not wait any longer.
    GivenUp,
    /// This is wrong.
    Because(Box<Diagnostic>),
}

/// What a host is to do where something is done once.
#[derive(Debug)]
pub enum Once {
    /// Do it, and say what came of it by [`Coordination::done`].
    Do,
    /// Nothing: this has come of it.
    Done(Value),
}

/// The hosts of a play, and what they wait for.
pub struct Coordination {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    /// How many more hosts may be at work.
    places: usize,
    /// The hosts of the batch that have not ended.
    left: HashSet<String>,
    /// What each of them waits for, if it does.
    waiting: HashMap<String, Wait>,
    /// Who has come to a barrier.
    come: HashMap<Meeting, HashSet<String>>,
    /// What has been done once, or who does it.
    once: HashMap<Meeting, Doing>,
    /// Those who can't get what they wait for, and why.
    stuck: HashMap<String, Diagnostic>,
}

enum Doing {
    By(String),
    Done(Result<Value, Box<Diagnostic>>),
}

#[derive(Clone)]
enum Wait {
    Barrier(Meeting),
    Once(Meeting),
}

impl Coordination {
    /// For a play of which so many hosts are at work at a time, at least one.
    pub fn new(forks: usize) -> Self {
        let state = State { places: forks.max(1), ..State::default() };
        Self { state: Mutex::new(state), news: Condvar::new() }
    }

    /// Begins a batch of these hosts.
    pub fn begin<'a>(&self, hosts: impl IntoIterator<Item = &'a str>) {
        let mut state = self.state();
        state.left = hosts.into_iter().map(ToOwned::to_owned).collect();
        state.come.clear();
        state.stuck.clear();
    }

    /// Waits until there is a place to be at work.
    pub fn start(&self) {
        let mut state = self.state();
        while state.places == 0 {
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.places -= 1;
    }

    /// A host has ended, and gives its place back. What it was to do once and has not done has failed.
    pub fn end(&self, host: &str) {
        let mut state = self.state();
        state.places += 1;
        state.left.remove(host);
        for doing in state.once.values_mut() {
            if matches!(doing, Doing::By(by) if by == host) {
                let error =
                    Diagnostic::new(format!("`{host}`, which was to do this once for all, has ended"));
                *doing = Doing::Done(Err(Box::new(error)));
            }
        }
        state.check();
        self.news.notify_all();
    }

    /// Waits until all hosts of the batch have come to a barrier, or have ended. `gives_up` says that this one shall not wait any
    /// longer.
    ///
    /// # Errors
    /// It has given up, or the others can't come.
    pub fn barrier(&self, host: &str, meeting: Meeting, gives_up: &dyn Fn() -> bool) -> Result<(), Refused> {
        let mut state = self.state();
        state.come.entry(meeting.clone()).or_default().insert(host.to_owned());
        self.news.notify_all();
        self.wait(state, host, &Wait::Barrier(meeting), gives_up).map(drop)
    }

    /// Has something done on the first host that comes to it; all others wait for what comes of it.
    ///
    /// # Errors
    /// It has given up, or it has failed where it was done.
    pub fn once(&self, host: &str, meeting: Meeting, gives_up: &dyn Fn() -> bool) -> Result<Once, Refused> {
        let mut state = self.state();
        if let Entry::Vacant(first) = state.once.entry(meeting.clone()) {
            first.insert(Doing::By(host.to_owned()));
            return Ok(Once::Do);
        }
        let state = self.wait(state, host, &Wait::Once(meeting.clone()), gives_up)?;
        match state.once.get(&meeting) {
            Some(Doing::Done(Ok(value))) => Ok(Once::Done(value.clone())),
            Some(Doing::Done(Err(error))) => Err(Refused::Because(error.clone())),
            Some(Doing::By(_)) | None => Err(Refused::GivenUp),
        }
    }

    /// Says what came of what was to be done once: data, or why it failed.
    pub fn done(&self, meeting: Meeting, result: Result<Value, Box<Diagnostic>>) {
        let mut state = self.state();
        state.once.insert(meeting, Doing::Done(result));
        self.news.notify_all();
    }

    /// Waits for something, not at work meanwhile.
    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        host: &str,
        wait: &Wait,
        gives_up: &dyn Fn() -> bool,
    ) -> Result<MutexGuard<'a, State>, Refused> {
        if state.has(wait) {
            return Ok(state);
        }
        state.waiting.insert(host.to_owned(), wait.clone());
        state.places += 1;
        state.check();
        self.news.notify_all();
        let mut given_up = false;
        // Also who gives up needs a place to go on.
        while !(state.places > 0 && (state.has(wait) || state.stuck.contains_key(host) || given_up)) {
            let waited = self.news.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
            given_up = given_up || gives_up();
        }
        state.places -= 1;
        state.waiting.remove(host);
        match state.stuck.remove(host) {
            _ if state.has(wait) => Ok(state),
            Some(error) => Err(Refused::Because(Box::new(error))),
            None => Err(Refused::GivenUp),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether what is waited for has come.
    fn has(&self, wait: &Wait) -> bool {
        match wait {
            Wait::Barrier(meeting) => {
                self.come.get(meeting).is_some_and(|come| self.left.iter().all(|host| come.contains(host)))
            }
            Wait::Once(meeting) => matches!(self.once.get(meeting), Some(Doing::Done(_))),
        }
    }

    /// Finds out whether all that are left wait for what none of them brings about.
    fn check(&mut self) {
        let moves = |host: &String| {
            self.stuck.contains_key(host) || self.waiting.get(host).is_none_or(|wait| self.has(wait))
        };
        if self.left.is_empty() || self.left.iter().any(moves) {
            return;
        }
        let mut where_to: Vec<(&String, &Wait)> = self.waiting.iter().collect();
        where_to.sort_by_key(|(host, _)| *host);
        let words = |(host, wait): (&String, &Wait)| match wait {
            Wait::Barrier(meeting) => format!("`{host}` waits at the barrier `{}`", meeting.place),
            Wait::Once(_) => format!("`{host}` waits for what is done once"),
        };
        let causes = where_to.into_iter().map(words).collect();
        let error = Diagnostic {
            causes,
            hint: Some("all hosts of a play have to come to the same barriers, in the same order".to_owned()),
            ..Diagnostic::new("the hosts wait for one another")
        };
        self.stuck = self.waiting.keys().map(|host| (host.clone(), error.clone())).collect();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    const FORKS: usize = 2;

    fn at(place: &str) -> Meeting {
        Meeting { place: place.to_owned(), time: 0 }
    }

    /// Runs `act` for each of these hosts as a play does. Never more of them are at work than there are forks.
    fn with_hosts(hosts: &[String], act: impl Fn(&Coordination, &str, &AtomicUsize) + Sync) {
        let coordination = Coordination::new(FORKS);
        let at_work = AtomicUsize::new(0);
        coordination.begin(hosts.iter().map(String::as_str));
        thread::scope(|scope| {
            for host in hosts {
                coordination.start();
                scope.spawn(|| {
                    assert!(at_work.fetch_add(1, Ordering::SeqCst) < FORKS);
                    act(&coordination, host, &at_work);
                    at_work.fetch_sub(1, Ordering::SeqCst);
                    coordination.end(host);
                });
            }
        });
        assert_eq!(coordination.state().places, FORKS, "all places were given back");
    }

    fn hosts(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("h{number:02}")).collect()
    }

    /// Waits at a barrier, not at work meanwhile.
    fn barrier(
        coordination: &Coordination,
        host: &str,
        place: &str,
        at_work: &AtomicUsize,
    ) -> Result<(), Refused> {
        at_work.fetch_sub(1, Ordering::SeqCst);
        let result = coordination.barrier(host, at(place), &|| false);
        assert!(at_work.fetch_add(1, Ordering::SeqCst) < FORKS);
        result
    }

    #[test]
    fn nobody_passes_before_all_have_come_or_ended() {
        let (come, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        with_hosts(&hosts(12), |coordination, host, at_work| {
            if host.ends_with('7') {
                ended.fetch_add(1, Ordering::SeqCst);
                return;
            }
            for place in ["first", "second"] {
                come.fetch_add(1, Ordering::SeqCst);
                barrier(coordination, host, place, at_work).unwrap();
                let all = if place == "first" { 11 } else { 22 };
                assert!(come.load(Ordering::SeqCst) >= all, "{host} has passed {place}");
            }
        });
        assert_eq!((come.into_inner(), ended.into_inner()), (22, 1));
    }

    #[test]
    fn one_does_it_and_all_know_what_came_of_it() {
        let done = AtomicUsize::new(0);
        with_hosts(&hosts(12), |coordination, host, at_work| {
            at_work.fetch_sub(1, Ordering::SeqCst);
            let value = match coordination.once(host, at("x"), &|| false).unwrap() {
                Once::Done(value) => value,
                Once::Do => {
                    done.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(20));
                    coordination.done(at("x"), Ok("made".into()));
                    "made".into()
                }
            };
            at_work.fetch_add(1, Ordering::SeqCst);
            assert_eq!(value, "made");
        });
        assert_eq!(done.into_inner(), 1);
    }

    #[test]
    fn its_failure_is_that_of_all() {
        let failed = AtomicUsize::new(0);
        with_hosts(&hosts(6), |coordination, host, at_work| {
            at_work.fetch_sub(1, Ordering::SeqCst);
            match coordination.once(host, at("x"), &|| false) {
                // It ends without a word.
                Ok(Once::Do) => {}
                Ok(Once::Done(value)) => panic!("{value}"),
                Err(refused) => {
                    let Refused::Because(error) = refused else { panic!("nobody gives up") };
                    assert!(error.message.contains("which was to do this once for all, has ended"));
                    failed.fetch_add(1, Ordering::SeqCst);
                }
            }
            at_work.fetch_add(1, Ordering::SeqCst);
        });
        assert_eq!(failed.into_inner(), 5);
    }

    #[test]
    fn those_who_wait_for_one_another_are_told_so() {
        let told = Mutex::new(Vec::new());
        with_hosts(&hosts(5), |coordination, host, at_work| {
            let place = if host == "h03" { "here" } else { "there" };
            let Err(Refused::Because(error)) = barrier(coordination, host, place, at_work) else {
                panic!("{host} has passed")
            };
            told.lock().unwrap().push(error.to_string());
            // Who goes on can meet the others again.
            barrier(coordination, host, "later", at_work).unwrap();
        });
        let told = told.into_inner().unwrap();
        assert_eq!(told.len(), 5);
        assert!(told[0].contains("`h03` waits at the barrier `here`"), "{}", told[0]);
        assert!(told[0].contains("`h04` waits at the barrier `there`"), "{}", told[0]);
    }

    #[test]
    fn who_gives_up_does_not_wait() {
        let coordination = Coordination::new(1);
        coordination.begin(["a", "b"]);
        coordination.start();
        assert_eq!(coordination.barrier("a", at("x"), &|| true), Err(Refused::GivenUp));
    }
}
