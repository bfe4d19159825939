//! A playbook's top level: it runs once, on the controller, and gives the plays.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext, Scope};
use serde_json::Value;

use super::fault::{Stop, place, stop};
use super::task::{environment, strings};
use super::values::to_json;
use super::words::error;
use super::{current, engine as rhai_engine, handles};
use crate::bundle::{Capture, Play};
use crate::diagnostic::{Diagnostic, Location};
use crate::escalation::EscalationOptions;
use crate::module::Registry;
use crate::placement::Placement;
use crate::project::Project;
use crate::secrets::Secrets;

/// Asks the person at the controller: the question, and whether the answer must not be seen.
pub type Ask = Box<dyn Fn(&str, bool) -> Result<String, String>>;

/// Something that the top level said.
#[derive(Clone, Debug)]
pub enum Said {
    /// It printed this.
    Message(String),
    /// It warned of this.
    Warning(Diagnostic),
}

/// What the top level of a playbook may look at and do.
pub struct TopLevel {
    project: Project,
    texts: RefCell<BTreeMap<String, Option<Arc<str>>>>,
    /// The hosts of each group of the inventory.
    pub groups: IndexMap<String, Vec<String>>,
    ask: Ask,
    /// What was asked for in private.
    pub(super) secrets: Rc<Secrets>,
    plays: RefCell<Vec<PlayDefinition>>,
    said: RefCell<Vec<Said>>,
}

/// In which order hosts are begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As in the inventory.
    #[default]
    Inventory,
    /// The other way round.
    Reverse,
    /// By name.
    Sorted,
    /// By name, the other way round.
    ReverseSorted,
}

/// How many hosts run together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Batch {
    /// So many.
    Count(usize),
    /// This share of the play's hosts, in percent; at least one.
    Percent(f64),
}

/// A play as the playbook defines it.
#[derive(Clone, Debug, Default)]
pub struct PlayDefinition {
    /// What travels.
    pub play: Play,
    /// The pattern that selects its hosts.
    pub hosts: String,
    /// How its hosts are reached, when the play says so.
    pub connection: Option<String>,
    /// Where it is evaluated, when the play says so.
    pub placement: Option<Placement>,
    /// As whom its calls are made, as far as the play says so.
    pub escalation: EscalationOptions,
    /// The sizes of the batches; the last one repeats. All at once when empty.
    pub serial: Vec<Batch>,
    /// More failed hosts than this end the play for all. Without limit when absent.
    pub max_failures: Option<usize>,
    /// The order of its hosts.
    pub order: Order,
    /// Variables that travel although no script names them plainly: names and patterns.
    pub uses: Vec<String>,
    /// Files and templates that travel although no script names them plainly: patterns, in which `${host.name}` is the host.
    pub files: Vec<String>,
    /// Where the play stands.
    pub at: Option<Location>,
}

/// The names of the options of a play.
pub const OPTIONS: [&str; 15] = [
    "hosts",
    "become",
    "become_user",
    "become_method",
    "connection",
    "placement",
    "serial",
    "max_failures",
    "stop_on_first_failure",
    "vars",
    "environment",
    "tags",
    "order",
    "uses",
    "files",
];

impl TopLevel {
    /// A top level that may look at `groups` and ask through `ask`.
    pub fn new(project: Project, groups: IndexMap<String, Vec<String>>, ask: Ask) -> Self {
        Self {
            project,
            texts: RefCell::default(),
            groups,
            ask,
            secrets: Rc::default(),
            plays: RefCell::default(),
            said: RefCell::default(),
        }
    }

    /// The text of a script, read once.
    pub(super) fn text(&self, path: &str) -> Option<Arc<str>> {
        if let Some(known) = self.texts.borrow().get(path) {
            return known.clone();
        }
        let text = self.project.text(path).ok();
        self.texts.borrow_mut().insert(path.to_owned(), text.clone());
        text
    }

    pub(super) fn print(&self, text: String) {
        self.said.borrow_mut().push(Said::Message(text));
    }

    pub(super) fn warn(&self, warning: Diagnostic) {
        self.said.borrow_mut().push(Said::Warning(warning));
    }

    pub(super) fn prompt(&self, question: &str, private: bool) -> Result<String, String> {
        (self.ask)(question, private)
    }

    /// Takes in a play.
    pub(super) fn add_play(
        &self,
        context: &NativeCallContext<'_>,
        name: &str,
        options: Map,
        body: &FnPtr,
    ) -> Result<(), Box<EvalAltResult>> {
        let at = place(context);
        let mut definition = PlayDefinition {
            play: Play {
                name: name.to_owned(),
                body: body.fn_name().to_owned(),
                captures: Vec::new(),
                constants: IndexMap::new(),
                variables: IndexMap::new(),
                environment: BTreeMap::new(),
                tags: Vec::new(),
                secrets: BTreeMap::new(),
            },
            hosts: String::new(),
            connection: None,
            placement: None,
            escalation: EscalationOptions::default(),
            serial: Vec::new(),
            max_failures: None,
            order: Order::default(),
            uses: Vec::new(),
            files: Vec::new(),
            at,
        };
        for value in body.curry() {
            match capture(value) {
                Ok(capture) => definition.play.captures.push(capture),
                Err(what) => {
                    return error(
                        context,
                        Diagnostic::new(format!("the body of play `{name}` captures {what}, which can't travel to a host"))
                            .hint("data travels as a copy (texts, numbers, arrays, maps); define functions with `fn`"),
                    );
                }
            }
        }
        for (option, value) in options {
            if let Err(problem) = definition.set(&option, &value) {
                return error(context, problem);
            }
        }
        if definition.hosts.is_empty() {
            return error(context, without_hosts(name));
        }
        self.plays.borrow_mut().push(definition);
        Ok(())
    }
}

/// What is wrong with a play that has no `hosts`.
pub fn without_hosts(name: &str) -> Diagnostic {
    Diagnostic::new(format!("play `{name}` does not say on which hosts it runs"))
        .hint("`hosts: \"all\"` is every host of the inventory")
}

fn capture(value: &Dynamic) -> Result<Capture, String> {
    let value = value.clone().flatten();
    match handles::word(&value) {
        Some(word) => Ok(Capture::Word(word.to_owned())),
        None => to_json(&value).map(Capture::Data),
    }
}

impl PlayDefinition {
    fn set(&mut self, name: &str, value: &Dynamic) -> Result<(), Diagnostic> {
        let value = to_json(value)
            .map_err(|what| Diagnostic::new(format!("the option `{name}` of a play can't be {what}")))?;
        let bad = |wanted: &str| Diagnostic::new(format!("the option `{name}` of a play has to be {wanted}"));
        match name {
            "hosts" => {
                self.hosts =
                    strings(value).ok_or_else(|| bad("a pattern or an array of patterns"))?.join(",");
            }
            "connection" => {
                let Value::String(connection) = value else { return Err(bad("a name, such as \"local\"")) };
                self.connection = Some(connection);
            }
            "placement" => {
                let placement = value.as_str().and_then(Placement::of);
                self.placement = Some(placement.ok_or_else(|| bad("\"host\" or \"controller\""))?);
            }
            "become" | "become_user" | "become_method" => self.escalation.set(name, &value, bad)?,
            "serial" => {
                self.serial =
                    batches(&value).ok_or_else(|| bad("a number, a percentage, or an array of them"))?
            }
            "max_failures" => {
                let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
                self.max_failures = Some(count.ok_or_else(|| bad("a whole number"))?);
            }
            "stop_on_first_failure" => {
                if value.as_bool().ok_or_else(|| bad("true or false"))? {
                    self.max_failures = Some(0);
                }
            }
            "vars" => {
                let Value::Object(map) = value else { return Err(bad("a map")) };
                self.play.variables = map.into_iter().collect();
            }
            "environment" => {
                self.play.environment = environment(value).ok_or_else(|| bad("a map of texts"))?;
            }
            "tags" => self.play.tags = strings(value).ok_or_else(|| bad("a tag or an array of tags"))?,
            "uses" => self.uses = strings(value).ok_or_else(|| bad("an array of names and patterns"))?,
            "files" => self.files = strings(value).ok_or_else(|| bad("an array of patterns"))?,
            "order" => {
                self.order = match value.as_str() {
                    Some("inventory") => Order::Inventory,
                    Some("reverse_inventory") => Order::Reverse,
                    Some("sorted") => Order::Sorted,
                    Some("reverse_sorted") => Order::ReverseSorted,
                    _ => return Err(bad("inventory, reverse_inventory, sorted or reverse_sorted")),
                };
            }
            _ => {
                return Err(Diagnostic::new(format!("a play has no option `{name}`"))
                    .hint(format!("it has {}", OPTIONS.join(", ")))
                    .near(name, OPTIONS));
            }
        }
        Ok(())
    }
}

fn batches(value: &Value) -> Option<Vec<Batch>> {
    match value {
        Value::Array(steps) => {
            let steps = steps.iter().map(batches).collect::<Option<Vec<_>>>()?.concat();
            (!steps.is_empty()).then_some(steps)
        }
        Value::Number(count) => {
            let count = usize::try_from(count.as_u64()?).ok()?;
            (count > 0).then(|| vec![Batch::Count(count)])
        }
        Value::String(text) => {
            let percent: f64 = text.strip_suffix('%')?.trim().parse().ok()?;
            (percent > 0.0 && percent <= 100.0).then(|| vec![Batch::Percent(percent)])
        }
        _ => None,
    }
}

/// A playbook whose top level has run.
pub struct Playbook {
    /// Its plays, in order.
    pub plays: Vec<PlayDefinition>,
    /// What it said meanwhile.
    pub said: Vec<Said>,
}

/// Runs the top level of the playbook `path`.
///
/// # Errors
/// A syntax error, an error of the script, or a play that makes no sense.
pub fn evaluate(registry: &Registry, path: &str, top: TopLevel) -> Result<Playbook, Diagnostic> {
    let engine = rhai_engine::engine(registry);
    let top = Rc::new(top);
    let _guard = current::enter(current::Current::TopLevel(Rc::clone(&top)));
    let Some(text) = top.text(path) else {
        return Err(Diagnostic::new(format!("there is no playbook `{path}`")));
    };
    let ast = rhai_engine::compile(&engine, path, &text)?;
    let mut scope = Scope::new();
    if let Err(error) = engine.run_ast_with_scope(&mut scope, &ast) {
        return Err(match stop(path, &error) {
            Stop::Error(error) => *error,
            Stop::Ending(_, at) => {
                Diagnostic { at, ..Diagnostic::new("the top level of a playbook has no host or play to end") }
            }
        });
    }
    let constants: IndexMap<String, Value> = scope
        .iter_raw()
        .filter(|(_, constant, _)| *constant)
        .filter_map(|(name, _, value)| Some((name.to_owned(), to_json(value).ok()?)))
        .collect();
    let mut plays = top.plays.take();
    for definition in &mut plays {
        definition.play.constants.clone_from(&constants);
        definition.play.secrets = definition.play.secrets_of(&top.secrets);
    }
    Ok(Playbook { plays, said: top.said.take() })
}
