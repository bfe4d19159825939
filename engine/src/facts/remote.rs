//! The facts of a host that is reached over a connection: gathered there when they are asked for, and kept here.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::ansible::{self, Family};
use super::{HostFacts, names};
use crate::system::System;
use crate::system::remote::{self, Call};

/// The facts of a remote host. Each costs a round trip when it is first asked for; those of Ansible come in families.
///
/// A host that is lost meanwhile has no facts. The next call on it says so.
pub struct Remote {
    host: Rc<remote::Remote>,
    known: RefCell<HashMap<String, Option<Value>>>,
    families: RefCell<HashMap<Family, Map<String, Value>>>,
    ansible_names: RefCell<Option<Vec<String>>>,
    /// The connection over which all that was asked: after a new one, the host may have booted.
    connection: Cell<u32>,
}

impl Remote {
    /// Those of `host`.
    pub fn new(host: Rc<remote::Remote>) -> Self {
        Self {
            host,
            known: RefCell::default(),
            families: RefCell::default(),
            ansible_names: RefCell::default(),
            connection: Cell::default(),
        }
    }

    /// Forgets everything after a new connection.
    fn refresh(&self) {
        if self.connection.replace(self.host.renewed()) != self.host.renewed() {
            self.known.take();
            self.families.take();
            self.ansible_names.take();
        }
    }

    fn ask(&self, call: Call) -> Map<String, Value> {
        self.host.facts(call).unwrap_or_default()
    }
}

impl HostFacts for Remote {
    fn get(&self, name: &str) -> Option<Value> {
        if !names().any(|known| known == name) {
            return None;
        }
        self.refresh();
        if let Some(known) = self.known.borrow().get(name) {
            return known.clone();
        }
        let value = self.host.fact(name).ok().flatten();
        self.known.borrow_mut().insert(name.to_owned(), value.clone());
        value
    }

    fn all(&self) -> Map<String, Value> {
        self.refresh();
        let all = self.ask(Call::AllFacts);
        let mut known = self.known.borrow_mut();
        let new = names().map(|name| (name.to_owned(), all.get(name).cloned()));
        for (name, value) in new {
            known.entry(name).or_insert(value);
        }
        names().filter_map(|name| Some((name.to_owned(), known.get(name)?.clone()?))).collect()
    }

    fn ansible(&self, name: &str) -> Option<Value> {
        let name = name.strip_prefix(ansible::PREFIX)?;
        match Family::of(name) {
            Family::All => Some(self.family(Family::All).into()),
            // How a host is reached is nothing that it may say itself.
            Family::Interfaces if !ansible::may_be_interface(name) => None,
            family => self.family(family).get(name).cloned(),
        }
    }

    fn ansible_names(&self) -> Vec<String> {
        self.refresh();
        let ask = || self.host.fact_names().unwrap_or_default();
        self.ansible_names.borrow_mut().get_or_insert_with(ask).clone()
    }

    fn family(&self, family: Family) -> Map<String, Value> {
        self.refresh();
        if let Some(known) = self.families.borrow().get(&family) {
            return known.clone();
        }
        let facts = self.ask(Call::AnsibleFacts(family));
        self.families.borrow_mut().insert(family, facts.clone());
        facts
    }
}
