//! The shape of a bundle: what of the project and the inventory one host gets for one play, and nothing else.
//!
//! What the scripts and templates of a play read is found once ([`Reach`]). For each host it is followed through the values of
//! variables, since they differ. What comes out the same for several hosts is made once and shared.

mod files;
mod near;
mod neighbours;
mod texts;
mod variables;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use serde_json::Value;

use self::files::{DeclaredFiles, Found};
use self::near::NearNames;
use self::neighbours::{Around, Outside};
use self::texts::Texts;
use self::variables::{Declared, Layer, Layers, Reading};
use crate::analysis::reach::{Kind, Map, Reach};
use crate::bundle::{Capture, HostData, Neighbours, Play, Sources, Values, candidates};
use crate::diagnostic::Diagnostic;
use crate::inventory::{Inventory, is_of_controller};
use crate::project::Project;
use crate::reads::Reads;
use crate::script::playbook::PlayDefinition;
use crate::template;

/// How the bundles of a play are made.
pub struct Shape {
    /// The play, with the constants that it reads.
    play: Play,
    /// What every host gets of the project.
    sources: Arc<Sources>,
    /// What scripts, templates and the play's own data read.
    reads: Reads,
    declared: Declared,
    files: DeclaredFiles,
    /// The scripts beside which templates are looked for.
    owners: BTreeSet<String>,
    /// The variables that the play sets itself.
    sets: BTreeSet<String>,
    /// Whether a task of the play may become another user.
    pub tasks_become: bool,
    texts: Texts,
    near: NearNames,
    plays: Shared<BTreeSet<String>, Play>,
    extras: Shared<BTreeSet<String>, Values>,
    arounds: Shared<Outside, Around>,
}

/// What a host gets.
pub struct Parts {
    /// The project's part.
    pub sources: Arc<Sources>,
    /// The play.
    pub play: Arc<Play>,
    /// The inventory's part.
    pub neighbours: Arc<Neighbours>,
    /// The host's part.
    pub host: HostData,
}

/// What there is to take from.
pub struct Stock<'a> {
    /// The project of the playbook.
    pub project: &'a Project,
    /// The inventory.
    pub inventory: &'a Inventory,
    /// Variables of the command line.
    pub extra: &'a Values,
}

impl Shape {
    /// The shape of a play of the playbook that `map` is of.
    ///
    /// # Errors
    /// What the play declares makes no sense, or can't be read.
    pub fn new(definition: &PlayDefinition, map: &Map, project: &Project) -> Result<Self, Diagnostic> {
        let reach = map.reach(&definition.play.body);
        let computes_templates = reach.computed.iter().any(|computed| computed.what == Kind::Template);
        let playbook = &map.sources().playbook;
        let files = DeclaredFiles::new(&definition.files, &reach.owners, playbook, computes_templates)?;
        let sources = reached(map.sources(), &reach);
        let mut shape = Self {
            play: definition.play.with_constants(&reach.constants),
            sources: Arc::new(sources),
            reads: reach.reads,
            declared: Declared::new(&definition.uses)?,
            files,
            owners: reach.owners,
            sets: reach.sets,
            tasks_become: reach.tasks_become,
            texts: Texts::default(),
            near: NearNames::default(),
            plays: Shared::default(),
            extras: Shared::default(),
            arounds: Shared::default(),
        };
        shape.read_own_data();
        let (sources, reads) = shape.with(project, &shape.files.of_all(project)?)?;
        (shape.sources, shape.reads) = (sources, reads);
        Ok(shape)
    }

    /// What captures and constants bring may be rendered as the parameter of a role or template.
    fn read_own_data(&mut self) {
        let captured = self.play.captures.iter().filter_map(|capture| match capture {
            Capture::Data(value) => Some(value),
            Capture::Word(_) => None,
        });
        for value in captured.chain(self.play.constants.values()) {
            self.texts.of_value(value, &mut |reads| self.reads.add(reads));
        }
    }

    /// What a host gets.
    ///
    /// # Errors
    /// A file that the play declares for it can't be read.
    pub fn of_host(&self, host: &str, stock: &Stock<'_>) -> Result<Parts, Diagnostic> {
        let Stock { project, inventory, extra } = *stock;
        let (sources, reads) = self.with(project, &self.files.of_host(project, host)?)?;
        let layers = Layers {
            extra: Some(extra),
            play: Some(&self.play.variables),
            inventory: inventory.variables(host),
            is_other: false,
        };
        let mut reading = Reading::new(layers, &self.texts, &self.declared);
        reading.read(&reads);
        let around = self.around(host, inventory, &mut reading);
        let near = self.near.of(&reading, &self.sets, || {
            let names = inventory.variable_names().filter(|name| !is_of_controller(name));
            let own = self.play.variables.keys().chain(extra.values.keys());
            names.map(ToOwned::to_owned).chain(own.cloned()).collect()
        });
        let (of_play, of_extra) = (reading.names_of(Layer::Play), reading.names_of(Layer::Extra));
        let host = HostData {
            name: host.to_owned(),
            groups: inventory.groups_of(host).map(ToOwned::to_owned).collect(),
            variables: Arc::new(reading.variables()),
            extra: self.extras.get(of_extra, |names| only(extra, names)),
            withheld: reading.withheld(),
            near,
            ..HostData::default()
        };
        let play = self.plays.get(of_play, |names| self.play.with_variables(names));
        Ok(Parts { sources, play, neighbours: Arc::clone(&around.neighbours), host })
    }

    /// What the host is told of others. Their values may read variables of this host, which may read others again.
    fn around(&self, host: &str, inventory: &Inventory, reading: &mut Reading<'_>) -> Arc<Around> {
        loop {
            let key = Outside::of(&reading.reads);
            let around = self.arounds.get(key.clone(), |outside| {
                neighbours::around(inventory, outside, &self.texts, &self.declared)
            });
            reading.read(&around.reads);
            reading.read(&Reads { variables: around.reads.of_host(host), ..Reads::default() });
            if key == Outside::of(&reading.reads) {
                return around;
            }
        }
    }

    /// The sources with what was declared, and what is read then.
    fn with(&self, project: &Project, found: &Found) -> Result<(Arc<Sources>, Reads), Diagnostic> {
        let mut reads = self.reads.clone();
        if *found == Found::default() {
            return Ok((Arc::clone(&self.sources), reads));
        }
        let mut sources = (*self.sources).clone();
        let mut files = found.files.clone();
        let mut todo: Vec<String> = found.templates.iter().cloned().collect();
        while let Some(path) = todo.pop() {
            let text = project.text(&path).map_err(|error| unreadable(&path, &error))?;
            let uses = template::check(&path, &text)?;
            reads.add(&uses.reads);
            sources.templates.insert(path, text);
            let included = uses.templates.keys().flat_map(|name| self.meant(project, "templates", name));
            todo.extend(included.filter(|path| !sources.templates.contains_key(path)));
            files.extend(uses.files.keys().flat_map(|name| self.meant(project, "files", name)));
        }
        for path in files {
            if let Entry::Vacant(place) = sources.files.entry(path) {
                let file = project.file(place.key()).map_err(|error| unreadable(place.key(), &error))?;
                place.insert(Arc::new(file));
            }
        }
        Ok((Arc::new(sources), reads))
    }

    /// The templates or files that `name` can mean in a template, which role or playbook may render that.
    fn meant(&self, project: &Project, kind: &str, name: &str) -> BTreeSet<String> {
        let place = |owner: &String| {
            let places = candidates(owner, &self.sources.playbook, kind, name);
            places.into_iter().find(|place| project.is_file(place))
        };
        self.owners.iter().filter_map(place).collect()
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(format!("could not read `{path}`: {}", crate::failure::reason(error)))
}

/// What a play reaches of the sources.
fn reached(all: &Sources, reach: &Reach) -> Sources {
    Sources {
        playbook: all.playbook.clone(),
        role_paths: all.role_paths.clone(),
        scripts: pick(&all.scripts, &reach.scripts),
        templates: pick(&all.templates, &reach.templates),
        files: pick(&all.files, &reach.files),
    }
}

fn pick<T: Clone>(all: &BTreeMap<String, T>, names: &BTreeSet<String>) -> BTreeMap<String, T> {
    names.iter().filter_map(|name| Some((name.clone(), all.get(name)?.clone()))).collect()
}

/// No more than these of the values.
fn only(values: &Values, names: &BTreeSet<String>) -> Values {
    let of_name = |path: &str| names.contains(path.split(['.', '[']).next().unwrap_or(path));
    let kept: IndexMap<String, Value> = values
        .values
        .iter()
        .filter(|(name, _)| names.contains(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Values {
        values: kept,
        places: values
            .places
            .iter()
            .filter(|(path, _)| of_name(path))
            .map(|(path, at)| (path.clone(), at.clone()))
            .collect(),
        literals: values.literals.iter().filter(|path| of_name(path)).cloned().collect(),
    }
}

/// What hosts share for which it comes out the same.
struct Shared<K, V>(Mutex<HashMap<K, Arc<V>>>);

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V> Shared<K, V> {
    /// The value of a key; made if it is not there.
    fn get(&self, key: K, make: impl FnOnce(&K) -> V) -> Arc<V> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = known.get(&key) {
            return Arc::clone(value);
        }
        let value = Arc::new(make(&key));
        known.insert(key, Arc::clone(&value));
        value
    }
}

#[cfg(test)]
mod tests;
