//! What a host is: gathered natively, when it is asked for, once.
//!
//! A fact is gathered on first use and kept. What can't be found is absent, never an error: a host may have no `/sys`,
//! a root that is an image no processes. Files of the host are untrusted text. No program is started.
//!
//! Facts are about the target root. An offline root has no host name but the one in its files, and no kernel, network,
//! mounts or virtualization. Hardware is that of the machine on which the agent works: an install target will run on it.
//!
//! The same facts go under Ansible's names ([`HostFacts::ansible`]), so that its templates keep working. `docs/facts.md` has
//! all of them.

mod ansible;
pub(crate) mod clock;
mod devices;
mod elf;
#[cfg(test)]
mod fake;
mod hardware;
mod identity;
mod managers;
mod mounts;
mod native;
mod netlink;
mod network;
mod os;
mod proc_net;
mod remote;
mod source;
#[cfg(test)]
mod tests;
mod text;
mod timezone;
mod tree;
mod virtualization;

use std::sync::OnceLock;
use std::time::SystemTime;

use serde_json::{Map, Value};

pub use ansible::Family;
pub use native::Native;
pub use network::{Address, Link, Network, Route};
pub use os::family_of;
pub use remote::Remote;
pub use source::{FactSource, Identity, Space, Uname};
pub use tree::Tree;

/// How a fact is gathered.
type Gather = fn(&Facts) -> Option<Value>;

/// All facts by name.
const FACTS: &[(&str, Gather)] = &[
    ("os", |facts| os::fact(facts.source())),
    ("hostname", |facts| identity::hostname(facts.source())),
    ("fqdn", |facts| identity::fqdn(facts.source()).map(Value::from)),
    ("domain", |facts| identity::domain(facts.source())),
    ("kernel", |facts| os::kernel(facts.source())),
    ("architecture", |facts| os::architecture(facts.source())),
    ("memory", |facts| hardware::memory(facts.source())),
    ("cpu", |facts| hardware::cpu(facts.source())),
    ("firmware", |facts| hardware::firmware(facts.source())),
    ("load", |facts| hardware::load(facts.source())),
    ("network", |facts| network::fact(facts.source(), facts.network())),
    ("devices", |facts| devices::fact(facts.source())),
    ("mounts", |facts| mounts::fact(facts.source())),
    ("virtualization", |facts| virtualization::fact(facts.source())),
    ("uptime", |facts| hardware::uptime(facts.source())),
    ("boot_id", |facts| identity::boot_id(facts.source())),
    ("machine_id", |facts| identity::machine_id(facts.source())),
    ("service_manager", |facts| Some(managers::service_manager(facts.source()))),
    ("package_manager", |facts| managers::package_manager(facts.source(), facts.text("os", "family"))),
    ("selinux", |facts| Some(os::selinux(facts.source()))),
    ("ssh_host_keys", |facts| identity::ssh_host_keys(facts.source())),
    ("date_time", |facts| Some(clock::fact(facts.time()))),
    ("timezone", |facts| Some(timezone::fact(facts.source(), facts.time()))),
    ("user", |facts| Some(identity::user(facts.source()))),
    ("env", |facts| Some(identity::env(facts.source()))),
];

/// What a host is, for plays and templates.
pub trait HostFacts {
    /// A fact by its top-level name; absent when there is no such fact, or the host does not tell.
    fn get(&self, name: &str) -> Option<Value>;

    /// All facts that the host has, by name.
    fn all(&self) -> Map<String, Value>;

    /// A fact by the name that Ansible has for it (`ansible_default_ipv4`); absent where Ansible has none, or the host
    /// does not tell. `ansible_facts` holds all of them without the prefix.
    fn ansible(&self, name: &str) -> Option<Value>;

    /// The names that [`HostFacts::ansible`] knows on this host, its interfaces included.
    fn ansible_names(&self) -> Vec<String>;

    /// What belongs together of Ansible's facts, by their names without the prefix.
    fn family(&self, family: Family) -> Map<String, Value>;
}

impl HostFacts for Facts {
    fn get(&self, name: &str) -> Option<Value> {
        self.peek(name).cloned()
    }

    fn all(&self) -> Map<String, Value> {
        names().filter_map(|name| Some((name.to_owned(), self.get(name)?))).collect()
    }

    fn ansible(&self, name: &str) -> Option<Value> {
        ansible::get(self, name)
    }

    fn ansible_names(&self) -> Vec<String> {
        ansible::names(self)
    }

    fn family(&self, family: Family) -> Map<String, Value> {
        family.gather(self)
    }
}

/// The names of all facts, whether a host has them or not.
pub fn names() -> impl Iterator<Item = &'static str> {
    FACTS.iter().map(|(name, _)| *name)
}

/// The facts of one host. Cheap to make: nothing is read until a fact is asked for.
pub struct Facts {
    source: Box<dyn FactSource>,
    gathered: [OnceLock<Option<Value>>; FACTS.len()],
    network: OnceLock<Option<Network>>,
    time: OnceLock<SystemTime>,
}

impl Facts {
    /// The facts that `source` answers for.
    pub fn new(source: impl FactSource + 'static) -> Self {
        Self {
            source: Box::new(source),
            gathered: [const { OnceLock::new() }; FACTS.len()],
            network: OnceLock::new(),
            time: OnceLock::new(),
        }
    }

    /// A fact by its top-level name, without a copy.
    pub fn peek(&self, name: &str) -> Option<&Value> {
        let index = FACTS.iter().position(|(own, _)| *own == name)?;
        self.gathered[index].get_or_init(|| (FACTS[index].1)(self)).as_ref()
    }

    fn source(&self) -> &dyn FactSource {
        self.source.as_ref()
    }

    fn network(&self) -> Option<&Network> {
        self.network.get_or_init(|| Network::of(self.source())).as_ref()
    }

    /// A text inside of a fact.
    fn text(&self, fact: &str, key: &str) -> Option<&str> {
        self.peek(fact)?.get(key)?.as_str()
    }

    /// A copy of what is inside of a fact.
    fn inside(&self, fact: &str, key: &str) -> Option<Value> {
        self.peek(fact)?.get(key).cloned()
    }

    /// When the time was first asked for.
    fn time(&self) -> SystemTime {
        *self.time.get_or_init(|| self.source.now())
    }
}

impl std::fmt::Debug for Facts {
    /// Names what was gathered; the values may hold what is not for logs (the environment).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let gathered = FACTS.iter().zip(&self.gathered).filter(|(_, value)| value.get().is_some());
        f.debug_struct("Facts")
            .field("gathered", &gathered.map(|((name, _), _)| name).collect::<Vec<_>>())
            .finish()
    }
}
