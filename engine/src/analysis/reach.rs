//! What a play reaches: from its body through functions, imports and roles to what has to be there when it runs.

use std::collections::{BTreeMap, BTreeSet};

use rhai::Position;

use super::parts::{Part, ScriptParts, SourceName};
use crate::bundle::Sources;
use crate::diagnostic::{Diagnostic, Location};
use crate::module::Source;
use crate::placement::{Decision, Need, Placement};
use crate::reads::Reads;
use crate::script::calls::Literal;
use crate::template::Uses;

/// All that a playbook's plays can reach, ready to be searched for what one of them does.
#[derive(Debug, Default)]
pub struct Map {
    /// Everything, by its paths in the project.
    pub(super) sources: Sources,
    pub(super) scripts: BTreeMap<String, ScriptParts>,
    pub(super) templates: BTreeMap<String, Uses>,
    /// The plays whose options and bodies are written out.
    pub(super) plays: Vec<WrittenPlay>,
}

/// A play whose options and body are written out.
#[derive(Debug)]
pub(super) struct WrittenPlay {
    /// Its name. Absent where that is computed.
    pub name: Option<String>,
    /// The names of its options.
    pub options: BTreeSet<String>,
    /// Where it says that it is evaluated.
    pub placement: Option<Placement>,
    /// The pattern of its hosts. Absent where that is computed.
    pub hosts: Option<String>,
    /// Its variables.
    pub vars: Vec<(String, Position, Literal)>,
    /// The closure that is its body.
    pub body: String,
}

/// What a play reaches, by paths and names.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Scripts.
    pub scripts: BTreeSet<String>,
    /// Templates.
    pub templates: BTreeSet<String>,
    /// Files.
    pub files: BTreeSet<String>,
    /// The scripts beside which templates and files are looked for: the playbook and the roles.
    pub owners: BTreeSet<String>,
    /// What it reads of the inventory. What is read by the values of variables is not part of it.
    pub reads: Reads,
    /// The variables that it sets itself: defaults, parameters of roles and templates.
    pub sets: BTreeSet<String>,
    /// Whether a task may become another user.
    pub tasks_become: bool,
    /// Constants of the playbook's top level.
    pub constants: BTreeSet<String>,
    /// The first call that is only possible on the controller: by its script's path, then by its place there.
    pub need: Option<Need>,
    /// Names that are computed: what they name is only there if the play declares it.
    pub computed: BTreeSet<Computed>,
}

/// A name that is computed, in a script or template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Computed {
    /// The script's or template's path in the project.
    pub path: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What it names.
    pub what: Kind,
}

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A variable.
    Variable,
    /// A template.
    Template,
    /// A file.
    File,
}

impl Kind {
    /// The option of a play that declares such names.
    pub fn option(self) -> &'static str {
        match self {
            Self::Variable => "uses",
            Self::Template | Self::File => "files",
        }
    }
}

impl Computed {
    /// What lint says of it, where the play declares nothing. `text` is its line.
    fn warning(&self, text: &str) -> Diagnostic {
        let (what, example) = match self.what {
            Kind::Variable => ("variable", "[\"db_*\"]"),
            Kind::Template => ("template", "[\"sites/*.j2\"]"),
            Kind::File => ("file", "[\"certs/${host.name}.*\"]"),
        };
        Diagnostic::new(format!(
            "the name of this {what} is computed, so it does not travel to the host by itself"
        ))
        .at(Location::in_line(&self.path, text, self.line, self.column))
        .hint(format!("declare such names in the play's options: `{}: {example}`", self.what.option()))
    }
}

/// Something to look at: a part of a script, on behalf of the role or playbook whose script is `owner`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    script: String,
    part: String,
    owner: String,
}

struct Search<'a> {
    map: &'a Map,
    seen: BTreeSet<Place>,
    todo: Vec<Place>,
    templates_seen: BTreeSet<(String, String)>,
    found: Reach,
}

impl Map {
    /// What the play reaches whose body is the closure `body` of the playbook.
    pub fn reach(&self, body: &str) -> Reach {
        self.search(body).found
    }

    /// The parts that the same play reaches: script, part, and the script of the role or playbook on whose behalf.
    pub(super) fn places(&self, body: &str) -> Vec<(String, String, String)> {
        let seen = self.search(body).seen.into_iter();
        seen.map(|Place { script, part, owner }| (script, part, owner)).collect()
    }

    fn search(&self, body: &str) -> Search<'_> {
        let playbook = &self.sources.playbook;
        let mut search = Search {
            map: self,
            seen: BTreeSet::new(),
            todo: Vec::new(),
            templates_seen: BTreeSet::new(),
            found: Reach::default(),
        };
        search.found.scripts.insert(playbook.clone());
        search.found.owners.insert(playbook.clone());
        search.part(playbook, body, playbook);
        while let Some(place) = search.todo.pop() {
            search.look(&place);
        }
        search
    }

    /// Where plays are evaluated whose options and bodies are written out, by their names.
    ///
    /// # Errors
    /// A play says that it is evaluated on its hosts, and can't be.
    pub fn placements(&self) -> Vec<(String, Result<Decision, Diagnostic>)> {
        let decide = |play: &WrittenPlay| {
            let name = play.name.clone().unwrap_or_else(|| "(a computed name)".to_owned());
            (name, Decision::new(play.placement, self.reach(&play.body).need, false))
        };
        self.plays.iter().map(decide).collect()
    }

    /// What may be wrong: names that are computed in plays that declare none.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let mut computed = BTreeSet::new();
        for WrittenPlay { options, body, .. } in &self.plays {
            let found = self.reach(body).computed.into_iter();
            computed.extend(found.filter(|name| !options.contains(name.what.option())));
        }
        // The lines of a text are found once: there may be as many warnings as lines.
        let mut lines: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let warnings = computed.iter().map(|name| {
            let lines = lines.entry(&name.path).or_insert_with(|| {
                let Sources { scripts, templates, .. } = &self.sources;
                let text = scripts.get(&name.path).or_else(|| templates.get(&name.path));
                text.map(|text| text.lines().collect()).unwrap_or_default()
            });
            name.warning(lines.get(name.line - 1).copied().unwrap_or_default())
        });
        warnings.collect()
    }

    /// The scripts that a namespace can mean, `a` or `a::b`: all on the way to it run, too.
    pub(super) fn imported(&self, script: &ScriptParts, namespace: &str) -> Vec<String> {
        let mut scripts = vec![script];
        let mut paths = Vec::new();
        for alias in namespace.split("::") {
            let found = scripts.iter().filter_map(|script| script.modules.get(alias)).flatten();
            let found: Vec<String> = found.cloned().collect();
            scripts = found.iter().filter_map(|path| self.scripts.get(path)).collect();
            paths.extend(found);
        }
        paths
    }

    /// All of the project that plays can reach.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

impl Search<'_> {
    fn part(&mut self, script: &str, part: &str, owner: &str) {
        let place = Place { script: script.to_owned(), part: part.to_owned(), owner: owner.to_owned() };
        if self.seen.insert(place.clone()) {
            self.todo.push(place);
        }
    }

    /// A script as a whole: its top level runs, and that reaches the rest.
    fn script(&mut self, path: &str, owner: &str) {
        self.found.scripts.insert(path.to_owned());
        self.found.owners.insert(owner.to_owned());
        self.part(path, "", owner);
    }

    fn look(&mut self, place: &Place) {
        let map = self.map;
        let Some(script) = map.scripts.get(&place.script) else { return };
        let Some(part) = script.parts.get(&place.part) else { return };
        self.found.reads.add(&part.unit.reads);
        self.found.sets.extend(part.sets.iter().cloned());
        self.found.tasks_become |= part.tasks_become;
        if place.script == map.sources.playbook {
            self.found.constants.extend(part.unit.constants.iter().cloned());
        }
        for position in &part.unit.computed_variables {
            self.computed(Kind::Variable, script, *position);
        }
        for (name, position) in &part.needs {
            self.need(Need { name: name.clone(), at: script.at(*position) });
        }
        self.functions(place, script, part);
        for path in &part.imports {
            self.script(path, &place.owner);
        }
        self.roles(part);
        for source in &part.sources {
            self.source(source, script, &place.owner);
        }
    }

    fn need(&mut self, need: Need) {
        fn order(need: &Need) -> (&str, usize, usize) {
            (&need.at.path, need.at.line, need.at.column)
        }
        if self.found.need.as_ref().is_none_or(|first| order(&need) < order(first)) {
            self.found.need = Some(need);
        }
    }

    fn computed(&mut self, what: Kind, script: &ScriptParts, position: Position) {
        let (line, column) = script.line_and_column(position);
        self.found.computed.insert(Computed { path: script.path.clone(), line, column, what });
    }

    fn functions(&mut self, place: &Place, script: &ScriptParts, part: &Part) {
        let called = part.calls.iter().filter(|(namespace, _)| namespace.is_empty()).map(|(_, name)| name);
        for name in called.chain(&part.unit.functions) {
            if script.parts.contains_key(name) {
                self.part(&script.path, name, &place.owner);
            }
        }
        if part.unit.computed_function {
            script
                .parts
                .keys()
                .filter(|name| !name.is_empty())
                .for_each(|name| self.part(&script.path, name, &place.owner));
        }
        for (namespace, name) in part.calls.iter().filter(|(namespace, _)| !namespace.is_empty()) {
            for path in self.map.imported(script, namespace) {
                self.script(&path, &place.owner);
                self.part(&path, name, &place.owner);
            }
        }
        for namespace in &part.unit.namespaces {
            self.map.imported(script, namespace).iter().for_each(|path| self.script(path, &place.owner));
        }
    }

    fn roles(&mut self, part: &Part) {
        for name in &part.roles {
            let scripts: Vec<String> = match name {
                Some(name) => self.map.sources.role(name).into_iter().collect(),
                // It can be any that the playbook names plainly somewhere.
                None => {
                    let all = self.map.scripts.keys();
                    all.filter(|path| path.ends_with("/role.rhai")).cloned().collect()
                }
            };
            scripts.iter().for_each(|script| self.script(script, script));
        }
    }

    fn source(&mut self, source: &SourceName, script: &ScriptParts, owner: &str) {
        match (&source.name, source.kind) {
            (None, kind) => {
                let what = match kind {
                    Source::Template => Kind::Template,
                    Source::File => Kind::File,
                };
                self.computed(what, script, source.position);
            }
            (Some(name), Source::Template) => self.template(name, owner),
            (Some(name), Source::File) => self.file(name, owner),
        }
    }

    /// A file, or what is in a directory.
    fn file(&mut self, name: &str, owner: &str) {
        let sources = &self.map.sources;
        self.found.files.extend(sources.file(owner, name).map(|(path, _)| path.to_owned()));
        let below = sources.directory(owner, name).unwrap_or_default();
        self.found.files.extend(below.into_iter().map(|(_, path)| path));
    }

    fn template(&mut self, name: &str, owner: &str) {
        let Some((path, _)) = self.map.sources.template(owner, name) else { return };
        if !self.templates_seen.insert((path.to_owned(), owner.to_owned())) {
            return;
        }
        self.found.templates.insert(path.to_owned());
        let Some(uses) = self.map.templates.get(path) else { return };
        self.found.reads.add(&uses.reads);
        let of = |what| {
            move |at: &Location| Computed { path: at.path.clone(), line: at.line, column: at.column, what }
        };
        self.found.computed.extend(uses.computed_variables.iter().map(of(Kind::Variable)));
        self.found.computed.extend(uses.computed_templates.iter().map(of(Kind::Template)));
        self.found.computed.extend(uses.computed_files.iter().map(of(Kind::File)));
        uses.files.keys().for_each(|file| self.file(file, owner));
        uses.templates.keys().for_each(|included| self.template(included, owner));
    }
}
