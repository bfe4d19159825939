//! The variables of a host that are read, by name: from the names in scripts and templates through the templates in values.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use regex::Regex;
use serde_json::Value;

use super::texts::Texts;
use crate::bundle::{Values, Withheld};
use crate::diagnostic::Diagnostic;
use crate::glob;
use crate::inventory::{HostVariables, is_of_controller, is_secret};
use crate::reads::{Names, Reads};

/// The names of variables that a play declares: `uses`.
#[derive(Default)]
pub(super) struct Declared {
    names: BTreeSet<String>,
    patterns: Vec<Regex>,
}

impl Declared {
    /// Names, and patterns as a shell has them.
    ///
    /// # Errors
    /// A pattern makes no sense.
    pub fn new(uses: &[String]) -> Result<Self, Diagnostic> {
        let mut declared = Self::default();
        for name in uses {
            if glob::is_glob(name) {
                let pattern = glob::compile(name);
                let pattern =
                    pattern.map_err(|_| Diagnostic::new(format!("`{name}` is not a pattern of names")))?;
                declared.patterns.push(pattern);
            } else {
                declared.names.insert(name.clone());
            }
        }
        Ok(declared)
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.patterns.is_empty()
    }

    /// Whether a name that nobody wrote out is among those that travel. What is the controller's own stays there unless it is
    /// named.
    fn covers(&self, name: &str, names: &Names) -> bool {
        if self.is_empty() {
            return names.whole && !is_of_controller(name);
        }
        let matches = || self.patterns.iter().any(|pattern| pattern.is_match(name));
        self.names.contains(name) || (!is_of_controller(name) && matches())
    }
}

/// A layer of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Inventory,
    Play,
    Extra,
}

/// The variables that there are, the highest layer first.
pub(super) struct Layers<'a> {
    /// From the command line.
    pub extra: Option<&'a Values>,
    /// Of the play.
    pub play: Option<&'a IndexMap<String, Value>>,
    /// Of the inventory.
    pub inventory: HostVariables<'a>,
    /// Whether they are another host's: then secrets are not there.
    pub is_other: bool,
}

impl<'a> Layers<'a> {
    /// The value of a name, unless it is not for this host.
    fn find(&self, name: &str) -> Option<(Layer, &'a Value)> {
        let extra = self.extra.and_then(|extra| extra.values.get(name));
        let play = || self.play.and_then(|play| play.get(name)).map(|value| (Layer::Play, value));
        let inventory = || self.inventory.get(name).map(|variable| (Layer::Inventory, &variable.value));
        let found = extra.map(|value| (Layer::Extra, value)).or_else(play).or_else(inventory);
        found.filter(|(_, value)| !(self.is_other && is_secret(name, value)))
    }

    /// Whether the value of a name is no template, whatever it looks like.
    fn is_literal(&self, name: &str, layer: Layer) -> bool {
        match layer {
            Layer::Extra => self.extra.is_some_and(|extra| extra.literals.contains(name)),
            Layer::Play => false,
            Layer::Inventory => {
                let variable = self.inventory.get(name);
                variable.is_some_and(|variable| variable.literals.iter().any(|path| path == name))
            }
        }
    }

    /// All names, those of hidden values too.
    fn names(&self) -> impl Iterator<Item = (Layer, &'a str)> {
        let extra = self.extra.into_iter().flat_map(|extra| extra.values.keys());
        let play = self.play.into_iter().flat_map(|play| play.keys());
        let inventory = self.inventory.iter().map(|(name, _)| (Layer::Inventory, name));
        extra
            .map(|name| (Layer::Extra, name.as_str()))
            .chain(play.map(|name| (Layer::Play, name.as_str())))
            .chain(inventory.collect::<Vec<_>>())
    }
}

/// What is read on one host, as far as that is known.
pub(super) struct Reading<'a> {
    layers: Layers<'a>,
    texts: &'a Texts,
    declared: &'a Declared,
    /// What is read, with what the values read that were met.
    pub reads: Reads,
    /// The variables that travel, with their layers.
    pub taken: BTreeMap<String, Layer>,
    seen: BTreeSet<String>,
    todo: Vec<String>,
    opened: bool,
}

impl<'a> Reading<'a> {
    /// Nothing is read yet.
    pub fn new(layers: Layers<'a>, texts: &'a Texts, declared: &'a Declared) -> Self {
        Self {
            layers,
            texts,
            declared,
            reads: Reads::default(),
            taken: BTreeMap::new(),
            seen: BTreeSet::new(),
            todo: Vec::new(),
            opened: false,
        }
    }

    /// Reads more, and what the values of that read.
    pub fn read(&mut self, more: &Reads) {
        self.add(more);
        self.follow();
        if !self.opened && self.is_open() {
            self.opened = true;
            let names: Vec<&str> = self.layers.names().map(|(_, name)| name).collect();
            let covered = names.into_iter().filter(|name| self.declared.covers(name, &self.reads.variables));
            let named = covered.map(ToOwned::to_owned).collect();
            self.add(&Reads { variables: Names { named, ..Names::default() }, ..Reads::default() });
            self.follow();
        }
    }

    /// Whether variables travel that nobody named.
    fn is_open(&self) -> bool {
        let names = &self.reads.variables;
        match self.declared.is_empty() {
            true => names.whole,
            // A play that declares names gets them, whether or not it was seen how it comes to them.
            false => names.is_open() || !self.layers.is_other,
        }
    }

    fn add(&mut self, more: &Reads) {
        for name in &more.variables.named {
            if self.seen.insert(name.clone()) {
                self.todo.push(name.clone());
            }
        }
        self.reads.add(more);
    }

    fn follow(&mut self) {
        while let Some(name) = self.todo.pop() {
            let Some((layer, value)) = self.layers.find(&name) else { continue };
            if !self.layers.is_literal(&name, layer) {
                let texts = self.texts;
                texts.of_value(value, &mut |reads| self.add(reads));
            }
            self.taken.insert(name, layer);
        }
    }

    /// The names that travel of a layer.
    pub fn names_of(&self, layer: Layer) -> BTreeSet<String> {
        let taken = self.taken.iter().filter(|(_, of)| **of == layer);
        taken.map(|(name, _)| name.clone()).collect()
    }

    /// The variables of the inventory that travel, with what is known of them.
    pub fn variables(&self) -> Values {
        let names = self.taken.iter().filter(|(_, layer)| **layer == Layer::Inventory);
        let variables = names.filter_map(|(name, _)| Some((name.as_str(), self.layers.inventory.get(name)?)));
        crate::inventory::values(variables)
    }

    /// The names of what does not travel, where the name of a variable is computed: whoever comes to one of them is told.
    pub fn withheld(&self) -> Withheld {
        let mut withheld = Withheld::default();
        if !self.reads.variables.computed {
            return withheld;
        }
        for (layer, name) in self.layers.names().filter(|(_, name)| !self.taken.contains_key(*name)) {
            let names = match layer {
                Layer::Inventory => &mut withheld.inventory,
                Layer::Play => &mut withheld.play,
                Layer::Extra => &mut withheld.extra,
            };
            names.insert(name.to_owned());
        }
        withheld
    }
}
