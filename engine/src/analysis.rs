//! A playbook before it runs: everything it reaches is found, compiled and checked, without any host.
//!
//! One walk serves both: lint reports what is wrong, and a bundle carries what was found. Roles, imports, templates and
//! files are followed by the names that are written out in the scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::bundle::{Sources, candidates};
use crate::diagnostic::{Diagnostic, Location};
use crate::module::{Argument, Registry, Source};
use crate::project::Project;
use crate::script::calls::{Call, Literal, read};
use crate::script::engine::{compile, engine, import_candidates};
use crate::script::lint::{self, Catalogue, Subject};
use crate::script::names;
use crate::template;

/// What was found.
#[derive(Debug, Default)]
pub struct Analysis {
    /// Everything that the playbook's plays can need.
    pub sources: Sources,
    /// What is wrong, in the order in which it was found.
    pub problems: Vec<Diagnostic>,
    /// Whether a script or template reads the inventory's groups.
    pub reads_groups: bool,
    /// Whether a script or template reads other hosts' variables.
    pub reads_hostvars: bool,
    /// Whether a task becomes another user.
    pub tasks_become: bool,
}

struct Walk<'a> {
    project: &'a Project,
    catalogue: Catalogue<'a>,
    registry: &'a Registry,
    found: Analysis,
    seen: BTreeSet<String>,
    handlers: BTreeSet<String>,
    notified: BTreeMap<String, Location>,
    computed_handlers: bool,
}

/// Finds and checks all that the playbook at `path` reaches.
pub fn analyse(project: &Project, registry: &Registry, path: &str) -> Analysis {
    let mut walk = Walk {
        project,
        catalogue: Catalogue::new(registry),
        registry,
        found: Analysis {
            sources: Sources {
                playbook: path.to_owned(),
                role_paths: project.role_paths.clone(),
                ..Sources::default()
            },
            ..Analysis::default()
        },
        seen: BTreeSet::new(),
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
        if !self.seen.insert(path.to_owned()) {
            return;
        }
        let text = match self.project.text(path) {
            Ok(text) => text,
            Err(error) => {
                let reason = crate::failure::reason(&error);
                self.found.problems.push(Diagnostic::new(format!("could not read `{path}`: {reason}")));
                return;
            }
        };
        let engine = engine(self.registry);
        let (script, names) = match compile(&engine, path, &text) {
            Ok(ast) => (read(&ast), names::check(&ast)),
            Err(problem) => {
                self.found.problems.push(problem);
                return;
            }
        };
        self.found.sources.scripts.insert(path.to_owned(), Arc::clone(&text));
        self.found.reads_groups |= script.reads("groups");
        self.found.reads_hostvars |= script.calls.iter().any(|call| call.name == "hostvars");
        self.found.tasks_become |= script.calls.iter().any(lint::is_task_that_becomes);
        let is_playbook = path == self.found.sources.playbook;
        let subject = Subject { path, text: &text, script: &script, is_playbook };
        let first = self.found.problems.len();
        self.found.problems.extend(lint::check(&self.catalogue, &subject));
        self.found.problems.extend(lint::check_names(&subject, &names));
        self.imports(&subject, owner);
        for call in &script.calls {
            self.call(&subject, call, owner);
        }
        // The functions of a script come in no order; a person reads from top to bottom.
        self.found.problems[first..].sort_by_key(|problem| {
            let at = problem.at.as_ref();
            at.map(|at| (at.path != path, at.path.clone(), at.line, at.column))
        });
    }

    fn imports(&mut self, subject: &Subject<'_>, owner: &str) {
        for import in &subject.script.imports {
            let Some(wanted) = &import.path else { continue };
            let places = import_candidates(subject.path, wanted);
            match places.iter().find(|place| self.project.is_file(place)) {
                Some(place) => self.script(place, owner),
                None => self.found.problems.push(
                    Diagnostic::new(format!("there is no module `{wanted}` to import"))
                        .at(subject.at(import.position))
                        .hint(format!("looked for {}", places.join(" and "))),
                ),
            }
        }
    }

    fn call(&mut self, subject: &Subject<'_>, call: &Call, owner: &str) {
        let first = call.arguments.first().and_then(|(value, position)| Some((value.text()?, *position)));
        match (call.namespace.as_str(), call.name.as_str(), first) {
            ("", "role", Some((name, position))) => match self.project.role(name) {
                Some(script) => self.script(&script, &script.clone()),
                None => {
                    let known = self.project.roles();
                    let looked = self.project.role_paths.join(", ");
                    self.found.problems.push(
                        Diagnostic::new(format!("there is no role `{name}`"))
                            .at(subject.at(position))
                            .hint(format!("a role is NAME/role.rhai in one of {looked}"))
                            .near(name, known.iter().map(String::as_str)),
                    );
                }
            },
            ("", "handler", Some((name, _))) => {
                self.handlers.insert(name.to_owned());
            }
            ("", "handler", None) => self.computed_handlers = true,
            ("", "notify", Some((name, position))) => {
                // Once is enough for an error, and places are not free.
                self.notified.entry(name.to_owned()).or_insert_with(|| subject.at(position));
            }
            ("", ..) => {}
            _ => self.sources_of(subject, call, owner),
        }
    }

    /// The templates and files that a module call names.
    fn sources_of(&mut self, subject: &Subject<'_>, call: &Call, owner: &str) {
        let Some(known) = self.catalogue.arguments(&call.full_name()) else { return };
        let sourced: Vec<Argument> =
            known.iter().filter(|argument| argument.source.is_some()).cloned().collect();
        for argument in sourced {
            let positional = argument.position.and_then(|position| call.arguments.get(position));
            let named = match call.arguments.last() {
                Some((Literal::Map(options), _)) => options
                    .iter()
                    .find(|(name, ..)| *name == argument.name)
                    .map(|(_, position, value)| (value.clone(), *position)),
                _ => None,
            };
            let remote = matches!(call.arguments.last(), Some((Literal::Map(options), _))
                if options.iter().any(|(name, _, value)| name == "remote"
                    && !matches!(value, Literal::Plain(serde_json::Value::Bool(false)))));
            let Some((value, position)) = named.or_else(|| positional.cloned()) else { continue };
            let Some(name) = value.text().filter(|_| !remote) else { continue };
            let at = || subject.at(position);
            match argument.source {
                Some(Source::Template) => self.template(name, owner, Some(&at)),
                Some(Source::File) => self.file(name, owner, &at),
                None => {}
            }
        }
    }

    fn template(&mut self, name: &str, owner: &str, at: Option<&dyn Fn() -> Location>) {
        let playbook = self.found.sources.playbook.clone();
        let places = candidates(owner, &playbook, "templates", name);
        let Some(place) = places.iter().find(|place| self.project.is_file(place)) else {
            let problem = Diagnostic::new(format!("there is no template `{name}`"))
                .hint(format!("looked for {}", places.join(", ")));
            self.found.problems.push(Diagnostic { at: at.map(|at| at()), ..problem });
            return;
        };
        if self.found.sources.templates.contains_key(place) {
            return;
        }
        let text = match self.project.text(place) {
            Ok(text) => text,
            Err(error) => {
                let reason = crate::failure::reason(&error);
                let problem = Diagnostic::new(format!("could not read the template `{place}`: {reason}"));
                self.found.problems.push(Diagnostic { at: at.map(|at| at()), ..problem });
                return;
            }
        };
        self.found.sources.templates.insert(place.clone(), Arc::clone(&text));
        match template::check(place, &text) {
            Ok(uses) => {
                self.found.reads_groups |= uses.variables.contains("groups");
                self.found.reads_hostvars |= uses.variables.contains("hostvars");
                for included in &uses.templates {
                    self.template(included, owner, None);
                }
            }
            Err(problem) => self.found.problems.push(problem),
        }
    }

    fn file(&mut self, name: &str, owner: &str, at: &dyn Fn() -> Location) {
        let playbook = self.found.sources.playbook.clone();
        let places = candidates(owner, &playbook, "files", name);
        let Some(place) = places.iter().find(|place| self.project.on_disk(place).exists()) else {
            self.found.problems.push(
                Diagnostic::new(format!("there is no file `{name}`"))
                    .at(at())
                    .hint(format!("looked for {}", places.join(", "))),
            );
            return;
        };
        if let Err(error) = self.add_files(place) {
            let reason = crate::failure::reason(&error);
            self.found.problems.push(Diagnostic::new(format!("could not read `{place}`: {reason}")).at(at()));
        }
    }

    fn add_files(&mut self, place: &str) -> std::io::Result<()> {
        for path in self.project.files_below(place)? {
            if !self.found.sources.files.contains_key(&path) {
                let file = self.project.file(&path)?;
                self.found.sources.files.insert(path, file);
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
