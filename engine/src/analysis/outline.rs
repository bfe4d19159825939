//! A play in outline: its roles, tasks and module calls in the order in which they are written, without any host.
//!
//! What stands in a condition or a loop is there once, whether or not and how often a host comes by. Handlers are not: they run
//! for what was changed, not in their place.

use std::collections::BTreeSet;

use super::parts::{Part, ScriptParts};
use super::reach::Map;
use crate::bundle::Settings;
use crate::diagnostic::Diagnostic;
use crate::module::{Contract, Registry};
use crate::script::calls::{Call, Literal};
use crate::script::tags;

/// What a line of an outline is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A role; what it does follows, one level deeper.
    Role,
    /// A `task`; what it does follows, one level deeper.
    Task,
    /// The call of a module function.
    Call,
}

/// A line of an outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// How many roles and tasks it stands in.
    pub depth: usize,
    /// What it is.
    pub kind: Kind,
    /// Its name: that of the role, the task or the module function. Absent where it is computed.
    pub name: Option<String>,
    /// The arguments of a call that are given without a name, as far as they are written out in a few words.
    pub arguments: Vec<String>,
    /// Its own tags and those around it.
    pub tags: Vec<String>,
    /// Whether some of the tags are computed: then it may have any.
    pub has_computed_tags: bool,
    /// The script that it stands in.
    pub path: String,
    /// The line there, from 1.
    pub line: usize,
}

impl Item {
    /// Whether `--start-at` can mean it.
    fn is_called(&self, pattern: &str) -> bool {
        self.name.as_ref().is_some_and(|name| tags::matches_name(pattern, name))
    }

    /// What a role does whose name is computed may have any tags.
    fn is_selected(&self, settings: &Settings) -> bool {
        let is_open = self.kind == Kind::Role && self.name.is_none();
        is_open || self.has_computed_tags || tags::selected(settings, &self.tags)
    }
}

/// A play in outline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Its lines, in the order of the source.
    pub items: Vec<Item>,
}

impl Outline {
    /// The lines that a run with these settings would come to. `started` tells whether what `--start-at` names was met, in this
    /// play or before.
    pub fn selected<'a>(&'a self, settings: &Settings, started: &mut bool) -> Vec<&'a Item> {
        let mut selected: Vec<&Item> = Vec::new();
        // Roles and tasks that are waiting for a call inside them to be selected.
        let mut around: Vec<&Item> = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            around.retain(|outer| outer.depth < item.depth);
            *started |= settings.start_at.as_ref().is_none_or(|pattern| item.is_called(pattern));
            let is_empty = self.items.get(index + 1).is_none_or(|next| next.depth <= item.depth);
            if item.kind != Kind::Call && !is_empty {
                around.push(item);
            } else if *started && item.is_selected(settings) {
                selected.append(&mut around);
                selected.push(item);
            }
        }
        selected
    }
}

/// Refuses a `--start-at` that no play's outline has anything for. A name that is computed may be any.
///
/// # Errors
/// There is nothing of this name, with the nearest one.
pub(crate) fn check_start_at(pattern: &str, outlines: &[Outline]) -> Result<(), Diagnostic> {
    let mut items = outlines.iter().flat_map(|outline| &outline.items);
    if items.any(|item| item.name.is_none() || item.is_called(pattern)) {
        return Ok(());
    }
    let names = outlines.iter().flat_map(|outline| &outline.items).filter_map(|item| item.name.as_deref());
    Err(Diagnostic::new(format!("nothing is called `{pattern}`, so there is nothing to start at"))
        .hint("`--list-tasks` shows the roles, tasks and module functions that it can name")
        .near(pattern, names))
}

/// A part of a script that is being gone through.
struct Frame<'a> {
    script: &'a ScriptParts,
    part: &'a str,
}

struct Walk<'a> {
    map: &'a Map,
    registry: &'a Registry,
    items: Vec<Item>,
    /// The parts that are being gone through, so that a function that calls itself comes to an end.
    open: Vec<(&'a str, &'a str)>,
    /// Roles whose parameters are written out, with these: they run once.
    roles: BTreeSet<(String, String)>,
    imported: BTreeSet<&'a str>,
    /// Closures that were given to something: what they do is told where that stands, or not at all.
    used: BTreeSet<(&'a str, String)>,
    depth: usize,
    tags: Vec<String>,
    has_computed_tags: bool,
}

impl Map {
    /// The outline of the play whose body is the closure `body` of the playbook and whose tags are `tags`.
    pub fn outline(&self, registry: &Registry, body: &str, tags: &[String]) -> Outline {
        let mut walk = Walk {
            map: self,
            registry,
            items: Vec::new(),
            open: Vec::new(),
            roles: BTreeSet::new(),
            imported: BTreeSet::new(),
            used: BTreeSet::new(),
            depth: 0,
            tags: tags.to_vec(),
            has_computed_tags: false,
        };
        walk.part(&self.sources.playbook, body);
        Outline { items: walk.items }
    }
}

impl<'a> Walk<'a> {
    fn part(&mut self, path: &str, name: &str) {
        let Some(script) = self.map.scripts.get(path) else { return };
        let Some((name, part)) = script.parts.get_key_value(name) else { return };
        let place = (script.path.as_str(), name.as_str());
        if self.open.contains(&place) {
            return;
        }
        self.open.push(place);
        for path in &part.imports {
            if self.imported.insert(path) {
                self.part(path, "");
            }
        }
        let frame = Frame { script, part: name };
        for call in part.order.iter().filter_map(|index| script.script.calls.get(*index)) {
            self.call(&frame, call);
        }
        self.rest(script, part);
        self.open.pop();
    }

    /// Closures that were not given to anything: they are called by the names of variables.
    fn rest(&mut self, script: &'a ScriptParts, part: &'a Part) {
        for name in part.unit.functions.iter().filter(|name| script.parts.contains_key(*name)) {
            if !self.used.contains(&(script.path.as_str(), name.clone())) {
                self.part(&script.path, name);
            }
        }
    }

    fn call(&mut self, frame: &Frame<'a>, call: &'a Call) {
        match (call.namespace.as_str(), call.name.as_str()) {
            // A closure that captures something is made by this; whatever it is given to tells of it.
            ("", "curry" | "Fn") => {}
            ("", "handler") => self.use_up(frame, call),
            ("", "role") if !call.method => self.role(frame, call),
            ("", "task") if !call.method => self.task(frame, call),
            ("", name) => {
                if frame.part != name && frame.script.parts.contains_key(name) {
                    self.part(&frame.script.path, name);
                }
                self.closures(frame, call);
            }
            (namespace, name) => {
                let entry = self.registry.get(&call.full_name());
                if entry.is_some_and(|entry| entry.contract != Contract::Query) {
                    let item = self.item(frame, call, Kind::Call, Some(call.full_name()));
                    self.items.push(Item { arguments: arguments(call), ..item });
                }
                for path in self.map.imported(frame.script, namespace) {
                    self.part(&path, name);
                }
                self.closures(frame, call);
            }
        }
    }

    /// The closures among the arguments of a call are called where it stands.
    fn closures(&mut self, frame: &Frame<'a>, call: &'a Call) {
        self.use_up(frame, call);
        for name in closures_of(call) {
            self.part(&frame.script.path, name);
        }
    }

    fn use_up(&mut self, frame: &Frame<'a>, call: &Call) {
        let names = closures_of(call).map(|name| (frame.script.path.as_str(), name.to_owned()));
        self.used.extend(names);
    }

    fn role(&mut self, frame: &Frame<'a>, call: &'a Call) {
        let name = call.arguments.first().and_then(|(name, _)| name.text());
        let parameters = call.arguments.get(1).map(|(parameters, _)| parameters);
        if let Some(name) = name
            && parameters.is_none_or(is_written_out)
            && !self.roles.insert((name.to_owned(), parameters.map(identity).unwrap_or_default()))
        {
            return;
        }
        let item = self.item(frame, call, Kind::Role, name.map(ToOwned::to_owned));
        self.items.push(item);
        if let Some(script) = name.and_then(|name| self.map.sources.role(name)) {
            self.depth += 1;
            self.part(&script, "");
            self.depth -= 1;
        }
    }

    fn task(&mut self, frame: &Frame<'a>, call: &'a Call) {
        let around = (self.tags.clone(), self.has_computed_tags);
        if let [_, (options, _), _] = &call.arguments[..] {
            match tags_of(options) {
                Some(tags) => self.tags.extend(tags),
                None => self.has_computed_tags = true,
            }
        }
        let name = call.arguments.first().and_then(|(name, _)| name.text());
        let item = self.item(frame, call, Kind::Task, name.map(ToOwned::to_owned));
        self.items.push(item);
        self.depth += 1;
        self.closures(frame, call);
        self.depth -= 1;
        (self.tags, self.has_computed_tags) = around;
    }

    fn item(&self, frame: &Frame<'a>, call: &Call, kind: Kind, name: Option<String>) -> Item {
        let at = frame.script.line_and_column(call.position);
        Item {
            depth: self.depth,
            kind,
            name,
            arguments: Vec::new(),
            tags: self.tags.clone(),
            has_computed_tags: self.has_computed_tags,
            path: frame.script.path.clone(),
            line: at.0,
        }
    }
}

fn closures_of(call: &Call) -> impl Iterator<Item = &str> {
    call.arguments.iter().flat_map(|(argument, _)| match argument {
        Literal::Closure(Some(name)) => vec![name.as_str()],
        Literal::Map(options) => {
            let closures = options.iter().filter_map(|(.., value)| match value {
                Literal::Closure(Some(name)) => Some(name.as_str()),
                _ => None,
            });
            closures.collect()
        }
        _ => Vec::new(),
    })
}

/// The tags among the options of a task; `None` where they are computed.
fn tags_of(options: &Literal) -> Option<Vec<String>> {
    let Literal::Map(options) = options else { return None };
    match options.iter().find(|(name, ..)| name == "tags").map(|(.., value)| value) {
        None => Some(Vec::new()),
        Some(Literal::Text(tag)) => Some(vec![tag.clone()]),
        Some(Literal::Array(tags)) => tags.iter().map(|tag| tag.text().map(ToOwned::to_owned)).collect(),
        Some(_) => None,
    }
}

fn is_written_out(value: &Literal) -> bool {
    match value {
        Literal::Text(_) | Literal::Plain(_) => true,
        Literal::Array(items) => items.iter().all(is_written_out),
        Literal::Map(entries) => entries.iter().all(|(.., value)| is_written_out(value)),
        Literal::Closure(_) | Literal::Computed => false,
    }
}

/// What tells the parameters of a role from others.
fn identity(parameters: &Literal) -> String {
    match parameters {
        Literal::Text(text) => format!("{text:?}"),
        Literal::Plain(value) => value.to_string(),
        Literal::Array(items) => items.iter().map(identity).collect::<Vec<_>>().join(","),
        Literal::Map(entries) => {
            let entries = entries.iter().map(|(name, _, value)| format!("{name}:{}", identity(value)));
            entries.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(",")
        }
        Literal::Closure(_) | Literal::Computed => String::new(),
    }
}

/// Longer texts say more than what a call is about.
const SHORT: usize = 60;

fn arguments(call: &Call) -> Vec<String> {
    let plain = call.arguments.iter().map(|(value, _)| value);
    plain.filter(|value| !matches!(value, Literal::Map(_) | Literal::Closure(_))).map(in_words).collect()
}

fn in_words(value: &Literal) -> String {
    let text = match value {
        Literal::Text(text) => text.clone(),
        Literal::Plain(value) => value.to_string(),
        Literal::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join(","),
        _ => return "…".to_owned(),
    };
    let is_short = text.chars().count() <= SHORT && !text.contains(char::is_control);
    if is_short { text } else { "…".to_owned() }
}
