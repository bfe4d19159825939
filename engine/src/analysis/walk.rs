//! The walk through all that a playbook names.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::Analysis;
use super::parts::ScriptParts;
use super::reach::{Map, WrittenPlay};
use crate::bundle::{Sources, candidates};
use crate::diagnostic::{Diagnostic, Location};
use crate::module::{Registry, Source};
use crate::placement::Placement;
use crate::project::Project;
use crate::script::calls::{Call, Import, Literal, Script, read};
use crate::script::engine::{compile, engine, import_candidates};
use crate::script::lint::{self, Catalogue, Subject};
use crate::script::names;
use crate::template;

struct Walk<'a> {
    project: &'a Project,
    catalogue: Catalogue<'a>,
    registry: &'a Registry,
    found: Analysis,
    /// What the scripts say, by their paths. Absent where one could not be read.
    scripts: BTreeMap<String, Option<Rc<ReadScript>>>,
    /// The scripts that were walked through, each with the script beside which its templates and files are looked for.
    seen: BTreeSet<(String, String)>,
    /// The same of templates.
    templates_seen: BTreeSet<(String, String)>,
    handlers: BTreeSet<String>,
    notified: BTreeMap<String, Location>,
    computed_handlers: bool,
}

/// A script's text and what it says.
struct ReadScript {
    text: Arc<str>,
    script: Arc<Script>,
}

/// Finds and checks all that the playbook at `path` reaches.
pub(super) fn walk(project: &Project, registry: &Registry, path: &str) -> Analysis {
    let sources =
        Sources { playbook: path.to_owned(), role_paths: project.role_paths.clone(), ..Sources::default() };
    let mut walk = Walk {
        project,
        catalogue: Catalogue::new(registry),
        registry,
        found: Analysis { map: Map { sources, ..Map::default() }, ..Analysis::default() },
        scripts: BTreeMap::new(),
        seen: BTreeSet::new(),
        templates_seen: BTreeSet::new(),
        handlers: BTreeSet::new(),
        notified: BTreeMap::new(),
        computed_handlers: false,
    };
    walk.script(path, path);
    walk.check_handlers();
    walk.found
}

impl Walk<'_> {
    /// A script. `owner` is the role's script or the playbook: templates and files are looked for beside it.
    fn script(&mut self, path: &str, owner: &str) {
        if !self.seen.insert((path.to_owned(), owner.to_owned())) {
            return;
        }
        let first = self.found.problems.len();
        // One script can serve several roles. What is wrong with it is told once.
        let is_new = !self.scripts.contains_key(path);
        let Some(known) = self.read(path) else { return };
        let ReadScript { text, script } = &*known;
        let subject = Subject { path, text, script, is_playbook: path == self.found.map.sources.playbook };
        for import in &script.imports {
            match self.imported(path, import) {
                Some(Ok(place)) => self.script(&place, owner),
                Some(Err(problem)) if is_new => {
                    self.found.problems.push(problem.at(subject.at(import.position)));
                }
                _ => {}
            }
        }
        for call in script.calls.iter().filter(|call| call.namespace.is_empty()) {
            self.word(&subject, call, is_new);
        }
        self.sources_of(path, owner, is_new);
        // The functions of a script come in no order; a person reads from top to bottom.
        self.found.problems[first..].sort_by_key(|problem| {
            let at = problem.at.as_ref();
            at.map(|at| (at.path != path, at.path.clone(), at.line, at.column))
        });
    }

    /// Reads and checks a script, once.
    fn read(&mut self, path: &str) -> Option<Rc<ReadScript>> {
        if let Some(known) = self.scripts.get(path) {
            return known.clone();
        }
        let read = self.compile(path);
        self.scripts.insert(path.to_owned(), read.clone());
        let ReadScript { text, script } = &**read.as_ref()?;
        let imported = |wanted: &str| {
            import_candidates(path, wanted).into_iter().find(|place| self.project.is_file(place))
        };
        let parts = ScriptParts::new(path, text, script, &self.catalogue, imported);
        let map = &mut self.found.map;
        if path == map.sources.playbook {
            map.plays.extend(plays(script));
        }
        map.scripts.insert(path.to_owned(), parts);
        map.sources.scripts.insert(path.to_owned(), Arc::clone(text));
        read
    }

    fn compile(&mut self, path: &str) -> Option<Rc<ReadScript>> {
        let text = match self.project.text(path) {
            Ok(text) => text,
            Err(error) => {
                let reason = crate::failure::reason(&error);
                self.found.problems.push(Diagnostic::new(format!("could not read `{path}`: {reason}")));
                return None;
            }
        };
        let (script, names) = match compile(&engine(self.registry), path, &text) {
            Ok(ast) => (Arc::new(read(&ast)), names::check(&ast)),
            Err(problem) => {
                self.found.problems.push(problem);
                return None;
            }
        };
        let is_playbook = path == self.found.map.sources.playbook;
        let subject = Subject { path, text: &text, script: &script, is_playbook };
        self.found.problems.extend(lint::check(&self.catalogue, &subject));
        self.found.problems.extend(lint::check_names(&subject, &names));
        Some(Rc::new(ReadScript { text, script }))
    }

    /// The script that an import means, or why there is none. Nothing where its name is computed.
    fn imported(&self, path: &str, import: &Import) -> Option<Result<String, Diagnostic>> {
        let wanted = import.path.as_deref()?;
        let places = import_candidates(path, wanted);
        Some(places.iter().find(|place| self.project.is_file(place)).cloned().ok_or_else(|| {
            Diagnostic::new(format!("there is no module `{wanted}` to import"))
                .hint(format!("looked for {}", places.join(" and ")))
        }))
    }

    fn word(&mut self, subject: &Subject<'_>, call: &Call, is_new: bool) {
        let first = call.arguments.first().and_then(|(value, position)| Some((value.text()?, *position)));
        match (call.name.as_str(), first) {
            ("role", Some((name, position))) => match self.project.role(name) {
                Some(script) => self.script(&script, &script.clone()),
                None if is_new => {
                    let known = self.project.roles();
                    let looked = self.project.role_paths.join(", ");
                    let problem =
                        Diagnostic::new(format!("there is no role `{name}`")).at(subject.at(position));
                    let is_pinned = self.project.settings.vendored.iter().any(|role| role.name == name);
                    self.found.problems.push(if is_pinned {
                        problem.hint("`refrain vendor` fetches it")
                    } else {
                        problem
                            .hint(format!("a role is NAME/role.rhai in one of {looked}"))
                            .near(name, known.iter().map(String::as_str))
                    });
                }
                None => {}
            },
            ("handler", Some((name, _))) => {
                self.handlers.insert(name.to_owned());
            }
            ("handler", None) => self.computed_handlers = true,
            ("notify", Some((name, position))) => {
                // Once is enough for an error, and places are not free.
                self.notified.entry(name.to_owned()).or_insert_with(|| subject.at(position));
            }
            _ => {}
        }
    }

    /// The templates and files that the calls of a script name. Where they are `expected` beside another role and are not, the
    /// calls may be made for the first one only.
    fn sources_of(&mut self, path: &str, owner: &str, expected: bool) {
        let Some(parts) = self.found.map.scripts.get(path) else { return };
        let sources = parts.parts.values().flat_map(|part| &part.sources);
        let named: Vec<_> =
            sources.filter_map(|source| Some((source.kind, source.name.clone()?, source.position))).collect();
        for (kind, name, position) in named {
            let problem = match kind {
                Source::Template => self.template(&name, owner),
                Source::File => self.file(&name, owner),
            };
            if let (Some(problem), true) = (problem, expected)
                && let Some(parts) = self.found.map.scripts.get(path)
            {
                let at = parts.at(position);
                self.found.problems.push(problem.at(at));
            }
        }
    }

    /// Takes in a template and those that it includes; gives back what is wrong with its name.
    fn template(&mut self, name: &str, owner: &str) -> Option<Diagnostic> {
        let sources = &mut self.found.map.sources;
        let places = candidates(owner, &sources.playbook, "templates", name);
        let Some(place) = places.iter().find(|place| self.project.is_file(place)) else {
            let problem = Diagnostic::new(format!("there is no template `{name}`"));
            return Some(problem.hint(format!("looked for {}", places.join(", "))));
        };
        if !self.templates_seen.insert((place.clone(), owner.to_owned())) {
            return None;
        }
        if !sources.templates.contains_key(place) {
            match self.project.text(place) {
                Ok(text) => _ = sources.templates.insert(place.clone(), text),
                Err(error) => {
                    let reason = crate::failure::reason(&error);
                    return Some(Diagnostic::new(format!("could not read the template `{place}`: {reason}")));
                }
            }
        }
        self.included(place, owner);
        None
    }

    /// The templates that the template at `place` includes.
    fn included(&mut self, place: &str, owner: &str) {
        let map = &mut self.found.map;
        if !map.templates.contains_key(place) {
            let text = map.sources.templates.get(place).map(Arc::clone).unwrap_or_default();
            match template::check(place, &text) {
                Ok(uses) => _ = map.templates.insert(place.to_owned(), uses),
                Err(problem) => return self.found.problems.push(problem),
            }
        }
        let uses = map.templates.get(place).cloned().unwrap_or_default();
        for (name, at) in &uses.templates {
            let required = !uses.optional_templates.contains(name);
            let problem = self.template(name, owner).filter(|_| required);
            self.found.problems.extend(problem.map(|problem| problem.at(at.clone())));
        }
        for (name, at) in &uses.files {
            let problem = self.file(name, owner);
            self.found.problems.extend(problem.map(|problem| problem.at(at.clone())));
        }
    }

    /// Takes in a file, or all files of a directory; gives back what is wrong with its name.
    fn file(&mut self, name: &str, owner: &str) -> Option<Diagnostic> {
        let playbook = &self.found.map.sources.playbook;
        let places = candidates(owner, playbook, "files", name);
        let Some(place) = places.iter().find(|place| self.project.on_disk(place).exists()) else {
            let problem = Diagnostic::new(format!("there is no file `{name}`"));
            return Some(problem.hint(format!("looked for {}", places.join(", "))));
        };
        let reason = crate::failure::reason(&self.add_files(place).err()?);
        Some(Diagnostic::new(format!("could not read `{place}`: {reason}")))
    }

    fn add_files(&mut self, place: &str) -> std::io::Result<()> {
        let files = &mut self.found.map.sources.files;
        for path in self.project.files_below(place)? {
            if let Entry::Vacant(place) = files.entry(path) {
                let file = self.project.file(place.key())?;
                place.insert(Arc::new(file));
            }
        }
        Ok(())
    }

    fn check_handlers(&mut self) {
        if self.computed_handlers {
            return;
        }
        for (name, at) in std::mem::take(&mut self.notified) {
            if !self.handlers.contains(&name) {
                self.found.problems.push(
                    Diagnostic::new(format!("nothing defines the handler `{name}`"))
                        .at(at)
                        .near(&name, self.handlers.iter().map(String::as_str)),
                );
            }
        }
    }
}

/// The plays of a playbook whose options and bodies are written out; a placement that is none counts as none.
fn plays(playbook: &Script) -> impl Iterator<Item = WrittenPlay> {
    let calls = playbook.calls.iter().filter(|call| call.namespace.is_empty() && call.name == "play");
    calls.filter_map(|call| match &call.arguments[..] {
        [(name, _), (Literal::Map(options), _), (Literal::Closure(Some(body)), _)] => {
            let option =
                |wanted: &str| options.iter().find(|(name, ..)| name == wanted).map(|(.., value)| value);
            let vars = match option("vars") {
                Some(Literal::Map(vars)) => vars.clone(),
                _ => Vec::new(),
            };
            Some(WrittenPlay {
                name: name.text().map(ToOwned::to_owned),
                options: options.iter().map(|(name, ..)| name.clone()).collect(),
                placement: option("placement").and_then(|word| Placement::of(word.text()?)),
                hosts: option("hosts").map_or_else(|| Some("all".to_owned()), pattern),
                vars,
                body: body.clone(),
            })
        }
        _ => None,
    })
}

/// A pattern of hosts, or several in one.
fn pattern(literal: &Literal) -> Option<String> {
    match literal {
        Literal::Text(text) => Some(text.clone()),
        Literal::Array(patterns) => {
            let patterns = patterns.iter().map(Literal::text).collect::<Option<Vec<_>>>();
            patterns.map(|patterns| patterns.join(","))
        }
        _ => None,
    }
}
