//! A play on one host: variables, facts, roles, tasks, handlers, and the calls that look at the host and change it.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use rhai::{
    AST, Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext, Position, Scope as Variables, Stmt,
};
use serde_json::Value;

use super::call::options;
use super::controller::Controller;
use super::fault::{Ending, Fault, Stop, place, stop};
use super::handlers::Handlers;
use super::handles::{self, HostVars};
use super::host_variables::HostVariables;
use super::values::from_json;
use super::words::error;
use super::workplace::{Elsewhere, Workplace};
use super::{current, engine as rhai_engine, tags};
use crate::bundle::{Bundle, Capture, File};
use crate::diagnostic::Diagnostic;
use crate::ended::Ended;
use crate::escalation::EscalationOptions;
use crate::event::{EventKind, Recap, Status};
use crate::facts::HostFacts;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::journal::Source;
use crate::journal::turn::{self, Turn};
use crate::module::{Materials, Registry, Text};
use crate::secrets::Secrets;
use crate::system::{System, Time};

type ScriptResult<T> = Result<T, Box<EvalAltResult>>;

/// The native function that a host appends to a playbook: it runs the body of the play.
pub(super) const ENTRY: &str = "run_body_of_the_play";

/// Fetches a file of the bundle that did not travel with it, by its path in the project.
pub type Fetch = Box<dyn Fn(&str) -> Result<Vec<u8>, Failure>>;

/// What a host's play is given by whoever runs it.
pub struct Surroundings {
    /// The host itself.
    pub system: Rc<dyn System>,
    /// What the host is.
    pub facts: Rc<dyn HostFacts>,
    /// Takes in events.
    pub emit: Box<dyn Fn(EventKind)>,
    /// Gets large files.
    pub fetch: Fetch,
    /// What can be done on the controller. Absent where the play is evaluated on its host.
    pub controller: Option<Rc<dyn Controller>>,
    /// Where the journal comes from.
    pub journal: Source,
    /// Whether the run shall stop.
    pub interrupt: Arc<Interrupt>,
}

/// What holds for the calls inside a role or task: dynamic scope.
#[derive(Clone, Default)]
pub(super) struct Scope {
    pub within: Vec<String>,
    /// What has notified a handler was wanted; so is the handler.
    pub in_handler: bool,
    /// When the handler was notified last, by the host's clock, if that is known.
    pub notified_at: Option<Time>,
    pub role: Option<Rc<Role>>,
    tags: Vec<String>,
    environment: BTreeMap<String, String>,
    deadline: Option<Instant>,
    check: Option<bool>,
    no_log: bool,
    /// The host that is worked on. The play's own when absent.
    pub there: Option<Rc<Workplace>>,
    pub(super) escalation: EscalationOptions,
}

/// A role that is running, or whose handler is.
pub(super) struct Role {
    pub name: String,
    script: String,
    pub parameters: IndexMap<String, Value>,
}

/// A play on one host.
pub struct Host {
    /// What travelled here.
    pub bundle: Bundle,
    /// What must not be seen.
    pub(super) secrets: Rc<Secrets>,
    pub(super) own: Rc<Workplace>,
    /// Other hosts, by their names.
    pub(super) others: RefCell<IndexMap<String, Elsewhere>>,
    emit: Box<dyn Fn(EventKind)>,
    fetch: Fetch,
    pub(super) controller: Option<Rc<dyn Controller>>,
    pub(super) interrupt: Arc<Interrupt>,
    pub(super) variables: HostVariables,
    scopes: RefCell<Vec<Scope>>,
    pub(super) handlers: Handlers,
    roles_done: RefCell<HashSet<String>>,
    recap: Cell<Recap>,
    started: Cell<bool>,
    /// Whether the body of the play has come to its end.
    pub(super) complete: Cell<bool>,
    /// How often the host has come to each `once` and `barrier`.
    pub(super) meetings: RefCell<HashMap<(&'static str, String), u32>>,
    /// Whether a template of the play asks how the play names it; found out with the first one that is rendered.
    asks_template_path: OnceCell<bool>,
}

/// The turn of a play on `host`.
pub(super) fn turn<'a>(bundle: &'a Bundle, host: &'a str) -> Turn<'a> {
    Turn {
        run: &bundle.run,
        host,
        play: &bundle.play.name,
        check: bundle.settings.check,
        patience: bundle.settings.lock_timeout,
    }
}

/// Runs a play on a host, from its first word to its last handler.
pub fn run(registry: &Registry, mut bundle: Bundle, surroundings: Surroundings) -> Ended {
    let Surroundings { system, facts, emit, fetch, journal, controller, interrupt } = surroundings;
    let (journal, calls) = match turn::take(journal, &turn(&bundle, &bundle.host.name), &*emit, &interrupt) {
        Ok(taken) => taken,
        Err(why) => return Ended::of(turn::none(why, &*emit)),
    };
    let engine = rhai_engine::engine(registry);
    let secrets = Rc::new(Secrets::new(bundle.play.secrets.clone()));
    let variables = HostVariables::new(&bundle, Rc::clone(&facts), Rc::clone(&secrets));
    let started = bundle.settings.start_at.is_none();
    let scope = Scope {
        tags: bundle.play.tags.clone(),
        environment: bundle.play.environment.clone(),
        ..Scope::default()
    };
    let name = bundle.host.name.clone();
    let (tasks, foretold) = (bundle.host.escalation.clone(), std::mem::take(&mut bundle.foretold));
    let host = Rc::new(Host {
        bundle,
        secrets,
        own: Rc::new(Workplace::new(name, system, facts, journal, calls, tasks, foretold)),
        others: RefCell::default(),
        emit,
        fetch,
        controller,
        interrupt,
        variables,
        scopes: RefCell::new(vec![scope]),
        handlers: Handlers::default(),
        roles_done: RefCell::default(),
        recap: Cell::default(),
        started: Cell::new(started),
        complete: Cell::new(false),
        meetings: RefCell::default(),
        asks_template_path: OnceCell::new(),
    });
    let _guard = current::enter(current::Current::Host(Rc::clone(&host)));
    host.evaluate(&engine)
}

impl Host {
    /// Evaluates the playbook's imports and constants, and the play's body among them.
    fn evaluate(&self, engine: &Engine) -> Ended {
        let path = self.bundle.sources.playbook.clone();
        let mut ended = Ended::default();
        let result = match self.prepare(engine, &path) {
            Ok(ast) => {
                engine.run_ast_with_scope(&mut Variables::new(), &ast).map_err(|error| stop(&path, &error))
            }
            Err(error) => Err(Stop::Error(Box::new(error))),
        };
        if let Err(stop) = result {
            self.conclude(stop, &mut ended);
        }
        self.note_end(&self.own);
        ended.foretold = self.foretell(&self.own);
        for there in self.others.borrow().values() {
            self.note_end(&there.workplace);
            (there.remember)(self.foretell(&there.workplace));
        }
        let mut recap = self.recap.get();
        recap.failed |= ended.recap.failed;
        recap.interrupted |= ended.recap.interrupted;
        ended.recap = recap;
        ended.started = self.started.get();
        self.emit(EventKind::HostFinished { recap });
        ended
    }

    /// The playbook with nothing of its top level but imports and constants, and a call that runs the play's body.
    fn prepare(&self, engine: &Engine, path: &str) -> Result<AST, Diagnostic> {
        let Some(text) = self.bundle.sources.scripts.get(path) else {
            return Err(Diagnostic::new(format!("the bundle has no playbook `{path}`")));
        };
        let ast = rhai_engine::compile(engine, path, text)?;
        let constants = &self.bundle.play.constants;
        let kept = ast.statements().iter().filter_map(|statement| match statement {
            Stmt::Import(import, _) => self.has_travelled(path, &import.0).then(|| statement.clone()),
            Stmt::Var(variable, flags, position) => {
                let value = constants.get(variable.0.name.as_str())?;
                let value = rhai::Expr::from_dynamic(from_json(value), *position);
                Some(Stmt::Var(Box::new((variable.0.clone(), value, variable.2)), *flags, *position))
            }
            _ => None,
        });
        let entry =
            engine.compile(format!("{ENTRY}();")).map_err(|error| Diagnostic::new(error.to_string()))?;
        let statements: Vec<Stmt> = kept.chain(entry.statements().iter().cloned()).collect();
        Ok(AST::new_with_source(statements, ast.shared_lib().clone(), path))
    }

    /// Whether what an import of the playbook means is here. What only other plays use is not.
    fn has_travelled(&self, playbook: &str, wanted: &rhai::Expr) -> bool {
        let rhai::Expr::StringConstant(wanted, _) = wanted else { return true };
        let places = rhai_engine::import_candidates(playbook, wanted);
        places.iter().any(|place| self.bundle.sources.scripts.contains_key(place))
    }

    /// Calls the play's body with what it captured, then the handlers that were notified, whatever happened before.
    pub(super) fn run_body(&self, context: &NativeCallContext<'_>) -> ScriptResult<()> {
        let mut captures: Vec<Dynamic> = self
            .bundle
            .play
            .captures
            .iter()
            .map(|capture| match capture {
                Capture::Data(value) => from_json(value),
                Capture::Word(word) => handles::value(word),
            })
            .collect();
        let mut arguments: Vec<&mut Dynamic> = captures.iter_mut().collect();
        let body = context.call_fn_raw(&self.bundle.play.body, false, false, &mut arguments).map(drop);
        if self.interrupted() || self.is_lost() {
            return body;
        }
        let ending = body.as_ref().err().map(|error| Ending::of(error));
        self.complete.set(matches!(ending, None | Some(Some(Ending::Host | Ending::Play))));
        // A handler must not be lost because something else failed.
        let handlers = self.flush_handlers(context.engine());
        match (body, handlers) {
            (Err(first), Err(second)) => {
                if let Stop::Error(error) = stop(&self.bundle.sources.playbook, &second) {
                    self.emit(EventKind::HostFailed(error));
                }
                Err(first)
            }
            (body, handlers) => body.and(handlers),
        }
    }

    /// Sends an event, without any secret in it. It is the only door out of a play.
    pub(super) fn emit(&self, event: EventKind) {
        let event = if self.secrets.is_empty() { event } else { event.mask(|text| self.secrets.mask(text)) };
        (self.emit)(event);
    }

    /// Whether the run shall stop.
    pub(super) fn interrupted(&self) -> bool {
        self.interrupt.is_set()
    }

    /// Whether the host is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.own.system.lost().is_some()
    }

    /// Whether the time of an enclosing task is over.
    pub(super) fn overdue(&self) -> bool {
        self.with_scope(|scope| scope.deadline).is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Counts a call.
    pub(super) fn count(&self, status: Status, undeclared: bool) {
        let mut recap = self.recap.get();
        recap.count(status);
        recap.undeclared += u32::from(undeclared);
        self.recap.set(recap);
    }

    pub(super) fn scope(&self) -> Scope {
        self.scopes.borrow().last().cloned().unwrap_or_default()
    }

    pub(super) fn with_scope<T>(&self, f: impl FnOnce(&Scope) -> T) -> T {
        let scopes = self.scopes.borrow();
        match scopes.last() {
            Some(scope) => f(scope),
            None => f(&Scope::default()),
        }
    }

    pub(super) fn inside<T>(&self, scope: Scope, f: impl FnOnce() -> T) -> T {
        self.scopes.borrow_mut().push(scope);
        let result = f();
        self.scopes.borrow_mut().pop();
        result
    }

    /// Whether changes are predicted at the moment.
    pub(super) fn checking(&self) -> bool {
        self.with_scope(|scope| scope.check).unwrap_or(self.bundle.settings.check)
    }

    /// Notes that a role, a task or a module function begins that `--start-at` may name.
    fn come_to(&self, name: &str) {
        let wanted = self.bundle.settings.start_at.as_deref();
        if !self.started.get() && wanted.is_some_and(|wanted| tags::matches_name(wanted, name)) {
            self.started.set(self.with_scope(|scope| !scope.in_handler));
        }
    }

    /// Why a call here and now is not wanted, by the tags or by `--start-at`. Absent when it is.
    pub(super) fn left_out(&self, name: &str) -> Option<&'static str> {
        if self.with_scope(|scope| scope.in_handler) {
            return None;
        }
        self.come_to(name);
        if !self.started.get() {
            return Some("before what `--start-at` names");
        }
        let selected = self.with_scope(|scope| tags::selected(&self.bundle.settings, &scope.tags));
        (!selected).then_some("not selected by tags")
    }

    /// The names of the enclosing tasks.
    pub(super) fn within(&self) -> Vec<String> {
        self.with_scope(|scope| scope.within.clone())
    }

    /// The role that is running.
    pub(super) fn role(&self) -> Option<String> {
        self.with_scope(|scope| scope.role.as_ref().map(|role| role.name.clone()))
    }

    /// What names in the play are known by in other runs: the role that is running, or the playbook.
    pub(super) fn place(&self) -> String {
        self.role().unwrap_or_else(|| self.bundle.sources.playbook.clone())
    }

    /// Whether results must not be shown.
    pub(super) fn no_log(&self) -> bool {
        self.with_scope(|scope| scope.no_log)
    }

    /// What the host is that is worked on at the moment.
    pub(super) fn facts(&self) -> Rc<dyn HostFacts> {
        Rc::clone(&self.here().facts)
    }

    // --- variables -------------------------------------------------------------------------------------------------

    /// A variable of this host.
    pub(super) fn variable(
        &self,
        context: &NativeCallContext<'_>,
        name: &str,
    ) -> ScriptResult<Option<Value>> {
        self.variables.get(name).map_err(|error| source_error(context, &format!("`vars.{name}`"), error))
    }

    /// The names of this host's variables.
    pub(super) fn variable_names(&self) -> Vec<String> {
        self.variables.names()
    }

    /// The names of this host's variables, and of those that are near to one that is not there.
    pub(super) fn near_variable_names(&self) -> Vec<String> {
        self.variables.near_names()
    }

    /// Sets defaults of the role (or of the play, outside a role).
    pub(super) fn set_defaults(&self, values: serde_json::Map<String, Value>) {
        self.variables.add_defaults(values);
    }

    /// Another host's variables.
    pub(super) fn peer(&self, context: &NativeCallContext<'_>, name: &str) -> ScriptResult<HostVars> {
        if name == self.bundle.host.name || self.bundle.neighbours.hosts.contains_key(name) {
            return Ok(HostVars { name: name.into() });
        }
        let names = self.bundle.neighbours.hosts.keys().map(String::as_str);
        error(context, Diagnostic::new(format!("the inventory has no host `{name}`")).near(name, names))
    }

    /// A variable of another host, for templates.
    pub(super) fn variables_of(&self, host: &str, name: &str) -> Result<Option<Value>, Diagnostic> {
        self.variables.of_host(host, name)
    }

    /// A variable of another host.
    pub(super) fn peer_variable(
        &self,
        context: &NativeCallContext<'_>,
        host: &str,
        name: &str,
    ) -> ScriptResult<Option<Value>> {
        self.variables
            .of_host(host, name)
            .map_err(|error| source_error(context, &format!("`hostvars(\"{host}\").{name}`"), error))
    }

    // --- roles and tasks -------------------------------------------------------------------------------------------

    /// Runs a role, once per play and parameters.
    pub(super) fn run_role(
        &self,
        context: &NativeCallContext<'_>,
        name: &str,
        parameters: Map,
    ) -> ScriptResult<()> {
        let parameters = match options(&Dynamic::from_map(parameters)) {
            Ok(parameters) => parameters,
            Err(what) => {
                return error(context, Diagnostic::new(format!("a role's parameters can't be {what}")));
            }
        };
        let Some(script) = self.bundle.sources.role(name) else {
            return error(context, self.no_role(name));
        };
        let parameters: IndexMap<String, Value> = parameters.into_iter().collect();
        let identity = format!("{name} {}", serde_json::to_string(&parameters).unwrap_or_default());
        if !self.roles_done.borrow_mut().insert(identity) {
            return Ok(());
        }
        self.come_to(name);
        let role = Rc::new(Role { name: name.to_owned(), script, parameters });
        let scope = Scope { role: Some(Rc::clone(&role)), ..self.scope() };
        let engine = context.engine();
        let result = self.inside(scope, || {
            self.variables.enter_role(&role.parameters);
            let result = self.evaluate_role(engine, &role);
            self.variables.leave_role();
            result
        });
        result.map_err(|error| call_from(context, error))
    }

    fn no_role(&self, name: &str) -> Diagnostic {
        let known: Vec<String> = self
            .bundle
            .sources
            .scripts
            .keys()
            .filter_map(|path| path.strip_suffix("/role.rhai")?.rsplit('/').next().map(ToOwned::to_owned))
            .collect();
        Diagnostic::new(format!("there is no role `{name}` here"))
            .hint("a role whose name is computed has to be called by its plain name somewhere, so that it travels")
            .near(name, known.iter().map(String::as_str))
    }

    fn evaluate_role(&self, engine: &Engine, role: &Role) -> ScriptResult<()> {
        let text = self.bundle.sources.scripts.get(&role.script).cloned().unwrap_or_else(|| "".into());
        let ast = rhai_engine::compile(engine, &role.script, &text)
            .map_err(|error| Fault::new(error).throw(Position::NONE))?;
        engine.run_ast_with_scope(&mut Variables::new(), &ast).map_err(|error| rethrow(&role.script, error))
    }

    /// Runs the body of a `task`.
    pub(super) fn run_task(
        &self,
        context: &NativeCallContext<'_>,
        name: &str,
        options: Map,
        body: &FnPtr,
    ) -> ScriptResult<Dynamic> {
        let options = match super::task::TaskOptions::parse(options) {
            Ok(options) => options,
            Err(problem) => return error(context, problem),
        };
        self.come_to(name);
        let mut scope = self.scope();
        scope.within.push(name.to_owned());
        scope.tags.extend(options.tags.iter().cloned());
        scope.environment.extend(options.environment.clone());
        scope.check = options.check.or(scope.check);
        scope.no_log |= options.no_log;
        if let Err(problem) = self.own.actors.check(&options.escalation) {
            return error(context, problem);
        }
        scope.escalation = options.escalation.over(&scope.escalation);
        if let Some(seconds) = options.timeout {
            let deadline = Instant::now() + Duration::from_secs_f64(seconds);
            scope.deadline = Some(scope.deadline.map_or(deadline, |outer| outer.min(deadline)));
        }
        super::task::run(self, context, &options, || {
            self.inside(scope.clone(), || body.call_within_context::<Dynamic>(context, ()))
        })
    }

    /// Waits, unless the run is interrupted.
    pub(super) fn pause(&self, seconds: f64) {
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        while !self.interrupted() && Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}

/// An error whose place is in another script, as one that carries its place along.
pub(super) fn rethrow(path: &str, error: Box<EvalAltResult>) -> Box<EvalAltResult> {
    match stop(path, &error) {
        Stop::Ending(ending, at) => ending.throw(at),
        Stop::Error(diagnostic) => {
            let mut fault = match *error {
                EvalAltResult::ErrorRuntime(payload, _) => payload.try_cast::<Fault>(),
                _ => None,
            }
            .unwrap_or_else(|| Fault::new(Diagnostic::default()));
            fault.diagnostic = Rc::new(*diagnostic);
            fault.throw(Position::NONE)
        }
    }
}

/// Adds the place of a call to an error that came out of it.
#[allow(clippy::boxed_local, reason = "errors of scripts are boxed everywhere")]
fn call_from(context: &NativeCallContext<'_>, error: Box<EvalAltResult>) -> Box<EvalAltResult> {
    match *error {
        EvalAltResult::ErrorRuntime(payload, position) => match payload.clone().try_cast::<Fault>() {
            Some(mut fault) => {
                let mut diagnostic = (*fault.diagnostic).clone();
                diagnostic.called_from.extend(place(context));
                fault.diagnostic = Rc::new(diagnostic);
                fault.throw(position)
            }
            None => EvalAltResult::ErrorRuntime(payload, position).into(),
        },
        other => other.into(),
    }
}

/// A variable whose value could not be evaluated.
fn source_error(context: &NativeCallContext<'_>, what: &str, cause: Diagnostic) -> Box<EvalAltResult> {
    // What is about no place and says what to do stands for itself.
    let mut diagnostic = match cause {
        cause if cause.at.is_none() && cause.hint.is_some() => cause,
        cause => Diagnostic::new(format!("{what} can't be evaluated")).because(cause.to_string()),
    };
    diagnostic.at = place(context);
    Fault::new(diagnostic).throw(Position::NONE)
}

/// Ansible's name for the template as the play names it.
const TEMPLATE_PATH: &str = "template_path";

impl Materials for Host {
    fn render(&self, template: &str, extra: &serde_json::Map<String, Value>) -> Result<Text, Failure> {
        let script = self.script();
        let Some((path, text)) = self.bundle.sources.template(&script, template) else {
            return Err(absent("template", template, "templates"));
        };
        let loader = super::materials::Includes::new(Arc::clone(&self.bundle.sources), script.clone());
        // A layer of its own makes every variable be looked up anew: only where a template has use for it.
        let mut extra = Cow::Borrowed(extra);
        let asks = || self.bundle.sources.templates.values().any(|text| text.contains(TEMPLATE_PATH));
        if *self.asks_template_path.get_or_init(asks) {
            extra.to_mut().insert(TEMPLATE_PATH.to_owned(), Value::from(template));
        }
        self.variables.render(path, text, &extra, loader).map_err(|error| Failure::Source(Box::new(error)))
    }

    fn source(&self, name: &str) -> Result<&File, Failure> {
        self.source_file(name).map(|(_, file)| file)
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let (path, file) = self.source_file(name)?;
        match &file.content {
            Some(content) => Ok(content.clone()),
            None => (self.fetch)(path),
        }
    }

    fn directory(&self, name: &str) -> Option<Vec<String>> {
        let below = self.bundle.sources.directory(&self.script(), name)?;
        Some(below.into_iter().map(|(relative, _)| relative).collect())
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = self.with_scope(|scope| scope.environment.clone());
        for value in environment.values_mut() {
            if let Some(revealed) = self.secrets.reveal(value) {
                *value = revealed;
            }
        }
        environment
    }

    fn notified_at(&self) -> Option<Time> {
        // Of another host that the handler acts on, the clock is another one.
        self.with_scope(|scope| scope.notified_at.filter(|_| scope.there.is_none()))
    }

    fn on_controller(&self, path: &str) -> Result<(Rc<dyn System>, PathBuf), Failure> {
        self.local(path)
    }

    fn time_left(&self) -> Option<Duration> {
        self.with_scope(|scope| scope.deadline)
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

impl Host {
    /// A file that the play brings, and its path in the project.
    fn source_file(&self, name: &str) -> Result<(&str, &File), Failure> {
        self.bundle.sources.file(&self.script(), name).ok_or_else(|| absent("file", name, "files"))
    }

    /// The script whose templates and files are meant: the role's, or the playbook.
    fn script(&self) -> String {
        self.with_scope(|scope| scope.role.as_ref().map(|role| role.script.clone()))
            .unwrap_or_else(|| self.bundle.sources.playbook.clone())
    }
}

fn absent(what: &str, name: &str, directory: &str) -> Failure {
    Failure::argument("source", format!("the play did not bring a {what} `{name}`")).advise(format!(
        "it belongs into `{directory}/` beside the role or playbook; if its name is computed, declare it in the play's \
         options: `files: [\"{name}\"]`; `*` stands for any text, `${{host.name}}` for the host's name"
    ))
}
