//! The variables of hosts with their templates rendered, on the controller: nothing is known of the hosts but what is written.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use minijinja::Value as Jinja;
use minijinja::value::{Enumerator, Object, Serde};

use super::{Inventory, values};
use crate::bundle::Values;
use crate::diagnostic::Diagnostic;
use crate::template::{self, Names, OwnEnvironment};
use crate::variables::{Layer, Variables};

/// Renders the variables of hosts; each host is made ready once. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Resolver {
    known: Rc<Known>,
}

struct Known {
    inventory: Arc<Inventory>,
    extra: Arc<Values>,
    hosts: RefCell<HashMap<String, Variables>>,
}

thread_local! {
    /// Whom `hostvars` in a template asks, since template objects have to be `Send` and a resolver is not.
    static CURRENT: RefCell<Vec<Resolver>> = const { RefCell::new(Vec::new()) };
}

impl Resolver {
    /// Of the variables that the inventory has, and those of the command line over them.
    pub fn new(inventory: Arc<Inventory>, extra: Arc<Values>) -> Self {
        Self { known: Rc::new(Known { inventory, extra, hosts: RefCell::default() }) }
    }

    /// The variables of a host, to be read in [`within`](Self::within).
    pub fn variables(&self, host: &str) -> Variables {
        if let Some(ready) = self.known.hosts.borrow().get(host) {
            return ready.clone();
        }
        let Known { inventory, extra, hosts } = &*self.known;
        let written = Arc::new(values(inventory.variables(host).iter()));
        let variables = Variables::knowing(vec![Arc::clone(extra), Arc::clone(&written)]);
        variables.push(Layer::Inventory, written.values.clone());
        variables.push(Layer::Extra, extra.values.clone());
        variables.supply(Layer::Engine, self.names(host));
        hosts.borrow_mut().insert(host.to_owned(), variables.clone());
        variables
    }

    /// The names that belong to the engine: `inventory_hostname`, `groups`, `hostvars` and the like.
    pub fn names(&self, host: &str) -> Rc<dyn Names> {
        Rc::new(EngineNames { host: host.to_owned(), inventory: Arc::clone(&self.known.inventory) })
    }

    /// Does something that renders templates. In them, `hostvars` asks this resolver.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Inside;
        impl Drop for Inside {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(Vec::pop);
            }
        }
        CURRENT.with_borrow_mut(|current| current.push(self.clone()));
        let _inside = Inside;
        work()
    }

    fn current() -> Option<Self> {
        CURRENT.with_borrow(|current| current.last().cloned())
    }
}

struct EngineNames {
    host: String,
    inventory: Arc<Inventory>,
}

/// What [`EngineNames`] has.
const NAMES: [&str; 6] =
    ["inventory_hostname", "inventory_hostname_short", "group_names", "groups", "hostvars", "vars"];

impl Names for EngineNames {
    fn get(&self, name: &str) -> Result<Option<Jinja>, Diagnostic> {
        Ok(Some(match name {
            "inventory_hostname" => Jinja::from(self.host.as_str()),
            "inventory_hostname_short" => Jinja::from(self.host.split('.').next().unwrap_or_default()),
            "group_names" => self.inventory.groups_of(&self.host).collect(),
            "groups" => Jinja::from(Serde(&self.inventory.hosts_by_group())),
            "hostvars" => Jinja::from_object(AllHosts(Arc::clone(&self.inventory))),
            "vars" => Jinja::from_object(OneHost(self.host.clone())),
            name => return OwnEnvironment.get(name),
        }))
    }

    fn names(&self) -> Vec<String> {
        NAMES.map(str::to_owned).to_vec()
    }

    fn may_have(&self, name: &str) -> bool {
        NAMES.contains(&name) || OwnEnvironment.may_have(name)
    }
}

/// `hostvars`.
#[derive(Debug)]
struct AllHosts(Arc<Inventory>);

impl Object for AllHosts {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let host = key.as_str()?;
        self.0.knows(host).then(|| Jinja::from_object(OneHost(host.to_owned())))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.hosts().map(Jinja::from).collect())
    }
}

/// `hostvars[NAME]`, and `vars`.
#[derive(Debug)]
struct OneHost(String);

impl Object for OneHost {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let variables = Resolver::current()?.variables(&self.0);
        match variables.get(key.as_str()?) {
            Ok(value) => value.map(|value| Jinja::from(Serde(&value))),
            Err(error) => Some(Jinja::from(template::carry(error))),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = Resolver::current().map(|resolver| resolver.variables(&self.0).names());
        Enumerator::Values(names.into_iter().flatten().map(Jinja::from).collect())
    }
}
