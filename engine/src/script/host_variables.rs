//! The variables of the host that a play runs on: what travelled, what roles add, and the names that the engine supplies.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value as Jinja;
use minijinja::value::{Enumerator, Object, Serde};
use serde_json::{Map, Value};

use super::current::{Current, current};
use crate::bundle::{Bundle, Neighbours};
use crate::diagnostic::Diagnostic;
use crate::facts::HostFacts;
use crate::module::Text;
use crate::secrets::Secrets;
use crate::template::{self, Loader, Names};
use crate::variables::{Layer, Variables};

/// What a role has added and takes away again.
#[derive(Default)]
struct Frame {
    pushed: usize,
    defaults: IndexMap<String, Value>,
}

/// The variables of one host, and those of the others as far as they travelled.
pub(super) struct HostVariables {
    variables: Variables,
    name: String,
    neighbours: Arc<Neighbours>,
    others: RefCell<HashMap<String, Variables>>,
    frames: RefCell<Vec<Frame>>,
    /// Names of variables that did not travel and are near to one that is read.
    near: BTreeSet<String>,
}

impl HostVariables {
    /// The variables that a bundle brings, and the facts under Ansible's names.
    pub(super) fn new(bundle: &Bundle, facts: Rc<dyn HostFacts>, secrets: Rc<Secrets>) -> Self {
        let (own, extra) = (&bundle.host.variables, &bundle.host.extra);
        let variables = Variables::knowing(vec![Arc::clone(extra), Arc::clone(own)]).with_secrets(secrets);
        let withheld = &bundle.host.withheld;
        withhold(&variables, Layer::Inventory, &withheld.inventory, "in the inventory");
        variables.supply(Layer::Inventory, Rc::new(NearNames(bundle.host.near.values().cloned().collect())));
        variables.push(Layer::Inventory, own.values.clone());
        variables.supply(Layer::Facts, Rc::new(FactNames(facts)));
        withhold(&variables, Layer::Play, &withheld.play, "in the play's `vars`");
        variables.push(Layer::Play, bundle.play.variables.clone());
        withhold(&variables, Layer::Extra, &withheld.extra, "given by `-e`");
        variables.push(Layer::Extra, extra.values.clone());
        variables.supply(
            Layer::Engine,
            Rc::new(EngineNames {
                name: bundle.host.name.clone(),
                groups: bundle.host.groups.clone(),
                play: bundle.play.name.clone(),
                check: bundle.settings.check,
                neighbours: Arc::clone(&bundle.neighbours),
            }),
        );
        Self {
            variables,
            name: bundle.host.name.clone(),
            neighbours: Arc::clone(&bundle.neighbours),
            others: RefCell::default(),
            frames: RefCell::new(vec![Frame::default()]),
            near: bundle.host.near.values().cloned().collect(),
        }
    }

    /// A variable with everything in it rendered.
    pub(super) fn get(&self, name: &str) -> Result<Option<Value>, Diagnostic> {
        self.variables.get(name)
    }

    /// The names of all variables, and of those that the controller knows to be near to a name that is read and not there.
    pub(super) fn near_names(&self) -> Vec<String> {
        self.variables.names()
    }

    /// The names of all variables, with the facts under Ansible's names and the engine's own.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = self.variables.names();
        names.retain(|name| !self.near.contains(name) || matches!(self.variables.get(name), Ok(Some(_))));
        names
    }

    /// Defaults of the role that is running. They stay for the rest of the play, as they do in Ansible, below the
    /// defaults of the roles that run then.
    pub(super) fn add_defaults(&self, values: Map<String, Value>) {
        let values: IndexMap<String, Value> = values.into_iter().collect();
        if let Some(frame) = self.frames.borrow_mut().last_mut() {
            frame.pushed += 1;
            frame.defaults.extend(values.clone());
        }
        self.variables.push(Layer::Defaults, values);
    }

    /// A role begins.
    pub(super) fn enter_role(&self, parameters: &IndexMap<String, Value>) {
        let frame = Frame { pushed: 1, ..Frame::default() };
        self.frames.borrow_mut().push(frame);
        self.variables.push(Layer::Parameters, parameters.clone());
    }

    /// The role that began last ends.
    pub(super) fn leave_role(&self) {
        let mut frames = self.frames.borrow_mut();
        let Some(frame) = frames.pop() else { return };
        for _ in 0..frame.pushed {
            self.variables.pop();
        }
        let Some(outer) = frames.last_mut() else { return };
        let kept: IndexMap<String, Value> =
            frame.defaults.into_iter().filter(|(name, _)| !outer.defaults.contains_key(name)).collect();
        if !kept.is_empty() {
            outer.defaults.extend(kept.clone());
            outer.pushed += 1;
            self.variables.push(Layer::Defaults, kept);
        }
    }

    /// A variable of another host (or of this one).
    pub(super) fn of_host(&self, host: &str, name: &str) -> Result<Option<Value>, Diagnostic> {
        if host == self.name {
            return self.get(name);
        }
        match self.other(host) {
            Some(variables) => variables.get(name),
            None => Ok(None),
        }
    }

    fn other(&self, host: &str) -> Option<Variables> {
        if let Some(known) = self.others.borrow().get(host) {
            return Some(known.clone());
        }
        let peer = self.neighbours.hosts.get(host)?;
        let variables = Variables::knowing(vec![Arc::clone(&peer.variables)]);
        withhold(&variables, Layer::Inventory, &self.neighbours.withheld, "in the inventory");
        variables.push(Layer::Inventory, peer.variables.values.clone());
        variables.supply(
            Layer::Engine,
            Rc::new(EngineNames {
                name: host.to_owned(),
                groups: peer.groups.clone(),
                play: String::new(),
                check: false,
                neighbours: Arc::clone(&self.neighbours),
            }),
        );
        self.others.borrow_mut().insert(host.to_owned(), variables.clone());
        Some(variables)
    }

    /// Renders a template that sees these variables and `extra`.
    pub(super) fn render(
        &self,
        path: &str,
        text: &str,
        extra: &Map<String, Value>,
        loader: impl Loader + 'static,
    ) -> Result<Text, Diagnostic> {
        let extended = !extra.is_empty();
        if extended {
            let extra = extra.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            self.variables.push(Layer::Set, extra);
        }
        let (result, secret) = self
            .variables
            .watch(|| template::render_file(path, text, self.variables.as_names(), Some(Rc::new(loader))));
        if extended {
            self.variables.pop();
        }
        let text = Text::new(result?);
        Ok(Text { secret: text.secret || secret, ..text })
    }
}

/// Makes an error of reading what is there and did not travel. What lies below must not be taken for it.
fn withhold(variables: &Variables, layer: Layer, names: &BTreeSet<String>, place: &'static str) {
    if !names.is_empty() {
        variables.supply(layer, Rc::new(WithheldNames { names: names.clone(), place }));
    }
}

/// Variables that did not travel.
struct WithheldNames {
    names: BTreeSet<String>,
    /// Where they are.
    place: &'static str,
}

impl Names for WithheldNames {
    fn get(&self, name: &str) -> Result<Option<Jinja>, Diagnostic> {
        if !self.names.contains(name) {
            return Ok(None);
        }
        let place = self.place;
        Err(Diagnostic::new(format!("`{name}` is {place} but did not travel: the play computes its name"))
            .hint(format!(
                "declare it in the play's options: `uses: [\"{name}\"]`, in which `*` stands for any text"
            )))
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn may_have(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// Names that have no value here, for near matches.
struct NearNames(Vec<String>);

impl Names for NearNames {
    fn get(&self, _: &str) -> Result<Option<Jinja>, Diagnostic> {
        Ok(None)
    }

    fn names(&self) -> Vec<String> {
        self.0.clone()
    }

    fn may_have(&self, _: &str) -> bool {
        false
    }
}

/// The facts, under Ansible's names and as `facts`.
struct FactNames(Rc<dyn HostFacts>);

impl Names for FactNames {
    fn get(&self, name: &str) -> Result<Option<Jinja>, Diagnostic> {
        let value = match name {
            "facts" => return Ok(Some(Jinja::from_object(FactMap::Own))),
            "ansible_facts" => return Ok(Some(Jinja::from_object(FactMap::Ansible))),
            name if name.starts_with("ansible_") => self.0.ansible(name),
            _ => None,
        };
        Ok(value.map(|value| Jinja::from(Serde(&value))))
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.0.ansible_names();
        names.push("facts".to_owned());
        names
    }

    fn may_have(&self, name: &str) -> bool {
        name == "facts" || name.starts_with("ansible_")
    }
}

/// `facts` and `ansible_facts` in templates: what nobody looks at is not gathered. The host of the current run answers, as
/// for `hostvars`.
#[derive(Debug)]
enum FactMap {
    Own,
    Ansible,
}

impl Object for FactMap {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let Some(Current::Host(host)) = current() else { return None };
        let name = key.as_str()?;
        let value = match **self {
            Self::Own => host.facts().get(name),
            Self::Ansible => host.own.facts.ansible(&format!("ansible_{name}")),
        };
        value.map(|value| Jinja::from(Serde(&value)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let Some(Current::Host(host)) = current() else { return Enumerator::Empty };
        let all = match **self {
            Self::Own => Some(host.facts().all()),
            Self::Ansible => host.own.facts.ansible("ansible_facts").and_then(|all| all.as_object().cloned()),
        };
        Enumerator::Values(all.unwrap_or_default().into_iter().map(|(name, _)| Jinja::from(name)).collect())
    }
}

/// The names that belong to the engine.
struct EngineNames {
    name: String,
    groups: Vec<String>,
    play: String,
    check: bool,
    neighbours: Arc<Neighbours>,
}

impl EngineNames {
    const NAMES: [&'static str; 10] = [
        "inventory_hostname",
        "inventory_hostname_short",
        "group_names",
        "groups",
        "hostvars",
        "vars",
        "host",
        "ansible_play_name",
        "ansible_check_mode",
        "ansible_managed",
    ];

    /// A variable of the controller's environment, by the name that it has here.
    fn environment(&self, name: &str) -> Option<&str> {
        self.neighbours.environment.get(template::environment_variable(name)?).map(String::as_str)
    }
}

impl Names for EngineNames {
    fn get(&self, name: &str) -> Result<Option<Jinja>, Diagnostic> {
        Ok(Some(match name {
            "inventory_hostname" => Jinja::from(self.name.as_str()),
            "inventory_hostname_short" => Jinja::from(self.name.split('.').next().unwrap_or_default()),
            "group_names" => {
                let mut groups = self.groups.clone();
                groups.sort();
                Jinja::from(groups)
            }
            "groups" => Jinja::from(Serde(&self.neighbours.groups)),
            "hostvars" => Jinja::from_object(AllHosts(Arc::clone(&self.neighbours))),
            "vars" => Jinja::from_object(OneHost(self.name.clone(), Arc::clone(&self.neighbours))),
            "host" => Jinja::from(Serde(&serde_json::json!({ "name": self.name, "groups": self.groups }))),
            "ansible_play_name" => Jinja::from(self.play.as_str()),
            "ansible_check_mode" => Jinja::from(self.check),
            "ansible_managed" => Jinja::from("Ansible managed"),
            name => return Ok(self.environment(name).map(Jinja::from)),
        }))
    }

    fn names(&self) -> Vec<String> {
        Self::NAMES.iter().map(|name| (*name).to_owned()).collect()
    }

    fn may_have(&self, name: &str) -> bool {
        Self::NAMES.contains(&name) || self.environment(name).is_some()
    }
}

/// `hostvars` in templates: the host of the current run answers, since template objects have to be `Send` and it is not.
#[derive(Debug)]
struct AllHosts(Arc<Neighbours>);

impl Object for AllHosts {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let name = key.as_str()?;
        let Some(Current::Host(host)) = current() else { return None };
        let known = host.bundle.host.name == name || self.0.hosts.contains_key(name);
        known.then(|| Jinja::from_object(OneHost(name.to_owned(), Arc::clone(&self.0))))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.hosts.keys().map(|name| Jinja::from(name.as_str())).collect())
    }
}

#[derive(Debug)]
struct OneHost(String, Arc<Neighbours>);

impl Object for OneHost {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let Some(Current::Host(host)) = current() else { return None };
        match host.variables_of(&self.0, key.as_str()?) {
            Ok(value) => value.map(|value| Jinja::from(Serde(&value))),
            Err(error) => Some(Jinja::from(template::carry(error))),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = match current() {
            Some(Current::Host(host)) if host.bundle.host.name == self.0 => host.variable_names(),
            _ => {
                let names = self.1.hosts.get(&self.0).map(|peer| peer.variables.values.keys().cloned());
                names.into_iter().flatten().collect()
            }
        };
        Enumerator::Values(names.into_iter().map(Jinja::from).collect())
    }
}
