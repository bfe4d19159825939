//! A host at the other end of a connection: the calls of [`System`] travel, the play stays where it is.
//!
//! The connection may lead to another machine, or to an agent of another user on this one: whatever carries bytes. Waiting for
//! an answer is what costs, so looking at a path brings all about it, and what was looked at is believed for a short while, but
//! not past any change. What the host says is bounded and checked; after an answer that makes no sense it is not believed any
//! further.

mod beliefs;
mod call;
mod journal;
mod link;
mod look;
mod server;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use self::call::{Answer, Call, Change};
pub use self::journal::{RemoteJournal, Turn};
pub use self::server::serve;

use self::beliefs::Beliefs;
use self::call::{Seen, SeenContent};
use self::link::Link;
use super::account_files::AccountFile;
use super::ownership::Owner;
use super::{
    Attributes, Command, Content, Output, RootKind, Stat, System, Time, View, changes, no_way_to_become,
};
use crate::agent::client;
use crate::diagnostic::Diagnostic;
use crate::escalation::Escalation;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::raw_path::RawPath;
use crate::transport::{Connection, Unreachable};

/// The files that names of users and groups are looked up in. Who asks for one will ask for the other.
const ACCOUNTS: [&str; 2] = ["/etc/passwd", "/etc/group"];

/// A host behind a connection.
pub struct Remote {
    /// Absent when it was closed or lost.
    link: RefCell<Option<Link>>,
    lost: RefCell<Option<Unreachable>>,
    beliefs: RefCell<Beliefs>,
    root_kind: RootKind,
    identity: (u32, u32),
    /// What its journal was opened for.
    turn: RefCell<Option<Turn>>,
    /// What is made together with the next call.
    deferred: RefCell<Vec<Call>>,
    /// Whether names of accounts have been looked up.
    wants_accounts: Cell<bool>,
    /// Makes another connection. Absent where there is no way to.
    dial: Option<Dial>,
    /// Whether another connection may take the place of this one.
    reconnects: bool,
    /// How often there was a new one.
    renewed: Cell<u32>,
    interrupt: Arc<Interrupt>,
}

/// Connects to a host and starts the agent there.
pub type Dial = Box<dyn Fn() -> Result<Box<dyn Connection>, Unreachable>>;

impl Remote {
    /// Has the agent behind `connection` serve calls, in a root of this kind. What runs there is ended when `interrupt` says
    /// that it be now.
    ///
    /// # Errors
    /// It is not there, or what is there is no agent of this release.
    pub fn open(
        connection: Box<dyn Connection>,
        root_kind: RootKind,
        interrupt: Arc<Interrupt>,
    ) -> Result<Self, Unreachable> {
        let (link, identity) = open(connection, root_kind, &interrupt)?;
        Ok(Self {
            link: RefCell::new(Some(link)),
            lost: RefCell::default(),
            beliefs: RefCell::default(),
            root_kind,
            identity,
            turn: RefCell::default(),
            deferred: RefCell::default(),
            wants_accounts: Cell::default(),
            dial: None,
            reconnects: false,
            renewed: Cell::default(),
            interrupt,
        })
    }

    /// As [`open`](Self::open), on a connection that can be made anew.
    ///
    /// # Errors
    /// As [`open`](Self::open), or there is no connection to be had.
    pub fn dial(dial: Dial, root_kind: RootKind, interrupt: Arc<Interrupt>) -> Result<Self, Unreachable> {
        let mut host = Self::at_hand(dial, root_kind, interrupt)?;
        host.reconnects = true;
        Ok(host)
    }

    /// As [`open`](Self::open), on a connection beside which there can be others. When it breaks, the host itself has ended.
    ///
    /// # Errors
    /// As [`dial`](Self::dial).
    pub fn at_hand(dial: Dial, root_kind: RootKind, interrupt: Arc<Interrupt>) -> Result<Self, Unreachable> {
        let mut host = Self::open(dial()?, root_kind, interrupt)?;
        host.dial = Some(dial);
        Ok(host)
    }

    /// Why the host was lost, if it was. Then all further calls fail.
    pub fn unreachable(&self) -> Option<Unreachable> {
        self.lost.borrow().clone()
    }

    /// How often answers were waited for. Used by tests and `-vv`.
    pub fn round_trips(&self) -> u64 {
        self.link.borrow().as_ref().map_or(0, Link::exchanges)
    }

    /// Ends the connection in good order.
    pub fn close(&self) {
        if let Some(link) = self.link.take() {
            link.finish();
        }
    }

    /// A fact by its name.
    ///
    /// # Errors
    /// The host is lost.
    pub fn fact(&self, name: &str) -> Result<Option<Value>, Failure> {
        self.ask(Call::Fact(name.to_owned()), |answer| match answer {
            Answer::Fact(fact) => Some(fact),
            _ => None,
        })
    }

    /// The facts that `call` asks for.
    ///
    /// # Errors
    /// The host is lost.
    pub fn facts(&self, call: Call) -> Result<Map<String, Value>, Failure> {
        self.ask(call, |answer| match answer {
            Answer::Facts(facts) => Some(facts),
            _ => None,
        })
    }

    /// The names of all facts in Ansible.
    ///
    /// # Errors
    /// The host is lost.
    pub fn fact_names(&self) -> Result<Vec<String>, Failure> {
        self.ask(Call::AnsibleNames, |answer| match answer {
            Answer::FactNames(names) => Some(names),
            _ => None,
        })
    }

    /// Makes a call. `read` takes the kind of answer that belongs to it.
    fn ask<T>(&self, call: Call, read: impl FnOnce(Answer) -> Option<T>) -> Result<T, Failure> {
        let mut link = self.link.borrow_mut();
        let Some(open) = link.as_mut() else { return Err(self.failure()) };
        let mut calls = self.deferred.take();
        calls.push(call);
        let answer = match open.exchange(calls) {
            // Of what was put off, nothing but a failure is of interest, and that is the last answer, too.
            Ok(mut answers) => answers.pop().unwrap_or(Err(Failure::Interrupted))?,
            Err(unreachable) => {
                *link = None;
                return Err(self.lose(unreachable));
            }
        };
        if let Some(value) = read(answer) {
            return Ok(value);
        }
        let unreachable = open.senseless("an answer to something else");
        *link = None;
        Err(self.lose(unreachable))
    }

    fn lose(&self, unreachable: Unreachable) -> Failure {
        *self.lost.borrow_mut() = Some(unreachable);
        self.failure()
    }

    /// Why there is no link.
    fn failure(&self) -> Failure {
        match &*self.lost.borrow() {
            Some(unreachable) => Failure::Lost(Box::new(unreachable.error.clone())),
            None => Failure::state("the connection to the host has been closed"),
        }
    }

    /// Makes a change. What was looked at before is not believed any more.
    fn change<T>(&self, change: Change, read: impl FnOnce(Answer) -> Option<T>) -> Result<T, Failure> {
        changes::note();
        self.ask(Call::Change(change), read)
    }

    /// Puts a call off until the next one, with which it is made. If it fails, that one is not made, and fails.
    fn defer(&self, call: Call) {
        self.deferred.borrow_mut().push(call);
    }

    /// Makes what was put off now.
    fn make_deferred(&self) -> Result<(), Failure> {
        let last = self.deferred.borrow_mut().pop();
        last.map_or(Ok(()), |last| self.done(last))
    }

    /// Makes a call to which there is not much to say.
    fn done(&self, call: Call) -> Result<(), Failure> {
        self.ask(call, |answer| matches!(answer, Answer::Done).then_some(()))
    }

    /// The same with a change.
    fn changed(&self, change: Change) -> Result<(), Failure> {
        changes::note();
        self.done(Call::Change(change))
    }

    /// Looks at paths in one go, and at the files of accounts where those will be wanted again.
    fn look(&self, paths: &[&Path]) -> Result<Vec<Seen>, Failure> {
        let mut all: Vec<RawPath> = paths.iter().map(|path| RawPath((*path).to_owned())).collect();
        let accounts = ACCOUNTS.map(Path::new);
        self.wants_accounts
            .set(self.wants_accounts.get() || paths.iter().any(|path| accounts.contains(path)));
        if self.wants_accounts.get() {
            let beliefs = &mut *self.beliefs.borrow_mut();
            let missing =
                accounts.into_iter().filter(|path| !paths.contains(path) && !has_content(beliefs, path));
            all.extend(missing.map(|path| RawPath(path.to_owned())));
        }
        let seen = self.ask(Call::Look(all), |answer| match answer {
            Answer::Looked(seen) => Some(seen),
            _ => None,
        })?;
        let mut beliefs = self.beliefs.borrow_mut();
        for seen in &seen {
            beliefs.believe(seen.clone());
        }
        Ok(seen)
    }

    /// What `read` takes from what is known of a path: from what is believed, or else from a new look.
    fn seen<T>(&self, path: &Path, read: impl Fn(&Seen) -> Option<T>) -> Result<Option<T>, Failure> {
        if let Some(value) = self.beliefs.borrow_mut().seen(path).and_then(&read) {
            return Ok(Some(value));
        }
        let seen = self.look(&[path])?;
        Ok(seen.iter().find(|seen| seen.path == path).and_then(&read))
    }

    /// As [`seen`](Self::seen), where a host has to tell.
    fn told<T>(&self, path: &Path, read: impl Fn(&Seen) -> Result<T, Failure>) -> Result<T, Failure> {
        match self.seen(path, |seen| Some(read(seen)))? {
            Some(told) => told,
            None => {
                Err(self.distrust(&format!("nothing about `{}`, which it was asked for", path.display())))
            }
        }
    }

    /// Loses the host because of what it said.
    fn distrust(&self, what: &str) -> Failure {
        match self.link.take() {
            Some(mut link) => self.lose(link.senseless(what)),
            None => self.failure(),
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.close();
    }
}

/// Has an agent serve calls. Returns as whom it does that.
fn open(
    connection: Box<dyn Connection>,
    root_kind: RootKind,
    interrupt: &Arc<Interrupt>,
) -> Result<(Link, (u32, u32)), Unreachable> {
    let mut link = Link::open(connection, root_kind, Arc::clone(interrupt))?;
    let answers = link.exchange(vec![Call::Identity])?;
    match answers[..] {
        [Ok(Answer::Identity(uid, gid))] => Ok((link, (uid, gid))),
        _ => Err(link.senseless("no answer to who it is")),
    }
}

fn has_content(beliefs: &mut Beliefs, path: &Path) -> bool {
    beliefs.seen(path).is_some_and(|seen| seen.content != SeenContent::Untold)
}

fn raw(path: &Path) -> RawPath {
    RawPath(path.to_owned())
}

impl View for Remote {
    fn lstat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        self.told(path, |seen| seen.lstat.clone())
    }

    fn stat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        self.told(path, |seen| seen.stat().clone())
    }

    fn read(&self, path: &Path) -> Result<Option<Content>, Failure> {
        let told = self.seen(path, |seen| match &seen.content {
            SeenContent::Untold => None,
            SeenContent::Apart => Some(None),
            SeenContent::Told(content) => Some(Some(content.clone())),
        })?;
        if let Some(content) = told.flatten() {
            return content;
        }
        self.ask(Call::Read(raw(path)), |answer| match answer {
            Answer::Content(content) => Some(content),
            _ => None,
        })
    }

    fn read_in_place(&self, path: &Path) -> Result<Option<(Stat, Content)>, Failure> {
        // What was seen before does not count.
        self.ask(Call::ReadInPlace(raw(path)), |answer| match answer {
            Answer::InPlace(found) => Some(found),
            _ => None,
        })
    }

    fn holds(&self, path: &Path, size: u64, hash: &str) -> Result<bool, Failure> {
        let told = self.seen(path, |seen| match (&seen.content, seen.stat()) {
            (SeenContent::Told(Ok(content)), _) => {
                Some(Some(content.as_ref().is_some_and(|content| content.is(size, hash))))
            }
            (_, Ok(stat)) if stat.as_ref().is_none_or(|stat| stat.size != size) => Some(Some(false)),
            (SeenContent::Untold, _) => None,
            _ => Some(None),
        })?;
        if let Some(holds) = told.flatten() {
            return Ok(holds);
        }
        let call = Call::Holds { path: raw(path), size, hash: hash.to_owned() };
        self.ask(call, |answer| match answer {
            Answer::Holds(holds) => Some(holds),
            _ => None,
        })
    }

    fn read_link(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        self.told(path, |seen| seen.link.clone().map(|link| link.map(|RawPath(link)| link)))
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, Failure> {
        if let Some(known) = self.beliefs.borrow_mut().names(path) {
            return known.clone();
        }
        let listed = self.ask(Call::List(raw(path)), |answer| match answer {
            Answer::Listed { names, seen } => Some((names, seen)),
            _ => None,
        });
        let mut beliefs = self.beliefs.borrow_mut();
        let names = listed.map(|(names, seen)| {
            seen.into_iter().for_each(|seen| beliefs.believe(seen));
            names.into_iter().map(|RawPath(name)| name.into_os_string()).collect()
        });
        beliefs.believe_names(path, &names);
        names
    }

    fn probe(&self, command: &Command) -> Result<Output, Failure> {
        self.ask(Call::Probe(Box::new(command.clone())), output)
    }

    fn find_program(&self, name: &str) -> Option<PathBuf> {
        if let Some(known) = self.beliefs.borrow_mut().program(name) {
            return known.clone();
        }
        let found = self.ask(Call::FindProgram(name.to_owned()), |answer| match answer {
            Answer::Program(path) => Some(path.map(|RawPath(path)| path)),
            _ => None,
        });
        // If the host is lost, the next call says so.
        let found = found.ok()?;
        self.beliefs.borrow_mut().believe_program(name, found.as_deref());
        found
    }

    fn root_kind(&self) -> RootKind {
        self.root_kind
    }

    fn identity(&self) -> (u32, u32) {
        self.identity
    }

    fn look_ahead(&self, paths: &[&Path]) {
        let unknown: Vec<&Path> = {
            let beliefs = &mut *self.beliefs.borrow_mut();
            paths.iter().filter(|path| beliefs.seen(path).is_none()).copied().collect()
        };
        if !unknown.is_empty() {
            // Whatever is wrong, the look itself will say it.
            let _ = self.look(&unknown);
        }
    }
}

fn output(answer: Answer) -> Option<Output> {
    match answer {
        Answer::Output(output) => Some(output),
        _ => None,
    }
}

impl System for Remote {
    fn escalate(&self, escalation: &Escalation) -> Result<Rc<Remote>, Failure> {
        let Some(dial) = &self.dial else { return Err(no_way_to_become(escalation)) };
        let other = dial().and_then(|mut connection| {
            client::escalate(&mut *connection, escalation)?;
            Self::open(connection, self.root_kind, Arc::clone(&self.interrupt))
        });
        other.map(Rc::new).map_err(|unreachable| Failure::Become(Box::new(unreachable.error)))
    }

    fn write(&self, path: &Path, content: &[u8], attributes: Attributes) -> Result<(), Failure> {
        self.changed(Change::Write { path: raw(path), content: content.to_owned(), attributes })
    }

    fn make_directory(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        self.changed(Change::MakeDirectory { path: raw(path), attributes })
    }

    fn make_link(&self, path: &Path, target: &Path) -> Result<(), Failure> {
        self.changed(Change::MakeLink { path: raw(path), target: raw(target) })
    }

    fn remove(&self, path: &Path) -> Result<(), Failure> {
        self.changed(Change::Remove(raw(path)))
    }

    fn set_attributes(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        self.changed(Change::SetAttributes { path: raw(path), attributes })
    }

    fn set_modified(&self, path: &Path, modified: Time) -> Result<(), Failure> {
        self.changed(Change::SetModified { path: raw(path), modified })
    }

    fn set_kernel_value(&self, path: &Path, value: &str) -> Result<(), Failure> {
        self.changed(Change::SetKernelValue { path: raw(path), value: value.to_owned() })
    }

    fn write_accounts(&self, files: &[AccountFile]) -> Result<(), Failure> {
        self.changed(Change::WriteAccounts(files.to_vec()))
    }

    fn give(&self, directory: &Path, from: Owner, to: Owner) -> Result<(), Failure> {
        self.changed(Change::Give { directory: raw(directory), from, to })
    }

    fn lost(&self) -> Option<Diagnostic> {
        self.unreachable().map(|unreachable| unreachable.error)
    }

    fn reconnects(&self) -> bool {
        self.reconnects
    }

    fn renewed(&self) -> u32 {
        self.renewed.get()
    }

    fn reconnect(&self) -> Result<(), Failure> {
        if self.interrupt.is_set() {
            return Err(Failure::Interrupted);
        }
        let Some(dial) = self.dial.as_ref().filter(|_| self.reconnects) else {
            return Err(Failure::state("the host is at hand, there is no connection to be made anew"));
        };
        // Without a word: the host may be gone, and nothing is under way.
        drop(self.link.take());
        changes::note();
        let (link, identity) = dial()
            .and_then(|connection| open(connection, self.root_kind, &self.interrupt))
            .map_err(|unreachable| self.lose(unreachable))?;
        if identity != self.identity {
            return Err(Failure::state("the agent is another user now"));
        }
        *self.link.borrow_mut() = Some(link);
        *self.lost.borrow_mut() = None;
        self.renewed.set(self.renewed.get() + 1);
        self.resume()
    }

    fn run(&self, command: &Command) -> Result<Output, Failure> {
        self.change(Change::Run(Box::new(command.clone())), output)
    }
}
