//! The contracts of the standard library: what a module says about itself, and what the engine does with it.
//!
//! A module function is a type that holds its arguments. It implements one of three contracts:
//!
//! * [`State`]: a statement about the host. It looks and plans; the engine predicts or acts, and looks again.
//! * [`Action`]: something that is done each time (run a command, restart a service). Check mode does not do it.
//! * [`Query`]: a question. It changes nothing and is also answered in check mode.
//!
//! Documentation, names and types of the arguments come from the type itself (its doc comments, serde and schemars
//! attributes); lint, `refrain doc` and error messages read them from there. Registering is one line in a [`Registry`].

pub mod arguments;
pub mod converge;
pub mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::bundle::File;
use crate::failure::Failure;
use crate::step::Step;
use crate::system::preview::Overlay;
use crate::system::{Command, System, Time, View};
pub use arguments::{Argument, Source};
pub use text::Text;

/// The steps of a plan, in the order in which they are made.
pub type Plan = Vec<Box<dyn Step>>;

/// What a playbook's project and play bring along for a module.
pub trait Materials {
    /// Renders a template that the play brings, with `extra` names beside the host's variables.
    ///
    /// # Errors
    /// [`Failure::Source`] with the position in the template, or that the template is not there.
    fn render(&self, template: &str, extra: &Map<String, Value>) -> Result<Text, Failure>;

    /// What is known of a file that the play brings. Its content may have stayed on the controller.
    ///
    /// # Errors
    /// [`Failure::Argument`] when there is no such file.
    fn source(&self, name: &str) -> Result<&File, Failure>;

    /// The content of a file that the play brings; a large one is asked for now, so compare it first ([`View::holds`]).
    ///
    /// # Errors
    /// As [`Materials::source`], or the controller can't read it any more.
    fn file(&self, name: &str) -> Result<Vec<u8>, Failure>;

    /// If `name` is a directory that the play brings: the relative paths of all files below it, sorted.
    fn directory(&self, name: &str) -> Option<Vec<String>>;

    /// Variables for the environment of commands, from the play and the enclosing tasks.
    fn environment(&self) -> BTreeMap<String, String>;

    /// How much time the enclosing tasks leave. Without limit when absent.
    fn time_left(&self) -> Option<Duration>;

    /// When the last of what notified the handler in hand was changed, by the host's clock. Absent outside of handlers, and where
    /// the host has another clock than whoever evaluates the play.
    fn notified_at(&self) -> Option<Time> {
        None
    }

    /// The controller's own files, and the place among them that a playbook means by `path`: below the project, or absolute.
    ///
    /// # Errors
    /// The play is not evaluated on the controller, or the path is none for a file there.
    fn on_controller(&self, path: &str) -> Result<(Rc<dyn System>, PathBuf), Failure> {
        Err(Failure::state(format!("there is no controller here for `{path}` to be on")))
    }
}

/// Brings nothing along: for calls outside of a play.
pub struct NoMaterials;

impl NoMaterials {
    fn none<T>(what: &str, name: &str) -> Result<T, Failure> {
        Err(Failure::argument("source", format!("there is no {what} `{name}` outside of a play")))
    }
}

impl Materials for NoMaterials {
    fn render(&self, template: &str, _extra: &Map<String, Value>) -> Result<Text, Failure> {
        Self::none("template", template)
    }

    fn source(&self, name: &str) -> Result<&File, Failure> {
        Self::none("file", name)
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, Failure> {
        Self::none("file", name)
    }

    fn directory(&self, _name: &str) -> Option<Vec<String>> {
        None
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn time_left(&self) -> Option<Duration> {
        None
    }
}

/// What a module has while it looks and plans.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The host, as it is; in check mode as it would be by now.
    pub host: &'a dyn View,
    /// Templates, files and surroundings of the call.
    pub materials: &'a dyn Materials,
}

impl Context<'_> {
    /// A command in the surroundings of the call: the environment and the time that the enclosing tasks give.
    pub fn command<S: Into<String>>(&self, argv: impl IntoIterator<Item = S>) -> Command {
        Command {
            environment: self.materials.environment(),
            timeout: self.materials.time_left(),
            ..Command::new(argv)
        }
    }
}

/// A statement about the host, made true.
///
/// The type holds the arguments, with a doc comment on every field. Names that it does not have are refused.
pub trait State: DeserializeOwned + JsonSchema + 'static {
    /// Namespace and function, `file::directory`.
    const NAME: &'static str;
    /// The arguments that can be given without a name, in order.
    const POSITIONAL: &'static [&'static str];
    /// What looking finds: all that the plan depends on.
    type Found;

    /// What the call is about, for people: a path, a package.
    fn subject(&self) -> String;

    /// Looks at the host.
    ///
    /// # Errors
    /// The host can't be looked at, or arguments make no sense there.
    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure>;

    /// What has to be done. Pure: no host in reach. Empty when all is well.
    ///
    /// # Errors
    /// What is there must not be changed by this call (a directory where a file shall be).
    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure>;

    /// Further fields of the outcome, beside `changed` and the like.
    fn fields(&self, _found: &Self::Found) -> Map<String, Value> {
        Map::new()
    }

    /// The same after a change, of what was `before` it and what is there `after` it.
    fn changed(&self, _before: &Self::Found, after: &Self::Found) -> Map<String, Value> {
        self.fields(after)
    }
}

/// What an action reports.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Whether it changed something. An action that can't know says yes.
    pub changed: bool,
    /// Further fields of the outcome: `stdout`, `rc`.
    pub fields: Map<String, Value>,
    /// It was done and did not go well (a command's exit status). The playbook's `failed_when` may see that otherwise; an
    /// `Err` instead of this is final.
    pub failure: Option<Failure>,
}

/// Something that is done each time it is called.
pub trait Action: DeserializeOwned + JsonSchema + 'static {
    /// Namespace and function, `command::run`.
    const NAME: &'static str;
    /// The arguments that can be given without a name, in order.
    const POSITIONAL: &'static [&'static str];
    /// The fields of the outcome, which check mode does not know.
    const FIELDS: &'static [&'static str] = &[];

    /// What the call is about, for people.
    fn subject(&self) -> String;

    /// A reason for which it does not have to be done this time (`creates` is there).
    ///
    /// # Errors
    /// The host can't be looked at.
    fn needless(&self, _context: &Context<'_>) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    /// Whether it only reads; then it is also done in check mode, by [`Action::probe`].
    fn only_reads(&self) -> bool {
        false
    }

    /// Does it through a view that can't change anything. Called only if it [`only_reads`](Action::only_reads).
    ///
    /// # Errors
    /// As [`Action::run`].
    fn probe(&self, context: &Context<'_>) -> Result<Done, Failure> {
        let _ = context;
        Err(Failure::state(format!("`{}` can't be done without changing the host", Self::NAME)))
    }

    /// Lays over the host what is declared about its effects. Returns whether anything is.
    ///
    /// # Errors
    /// The host can't be looked at.
    fn predict(&self, _overlay: &Overlay) -> Result<bool, Failure> {
        Ok(false)
    }

    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure>;
}

/// The answer to a question.
#[derive(Clone, Debug)]
pub enum Answer {
    /// This.
    Known(Value),
    /// Check mode can't know it.
    Unknown,
}

impl<T: Into<Value>> From<T> for Answer {
    fn from(value: T) -> Self {
        Self::Known(value.into())
    }
}

/// A question about the host.
pub trait Query: DeserializeOwned + JsonSchema + 'static {
    /// Namespace and function, `file::exists`.
    const NAME: &'static str;
    /// The arguments that can be given without a name, in order.
    const POSITIONAL: &'static [&'static str];

    /// Answers it.
    ///
    /// # Errors
    /// The host can't be looked at.
    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure>;
}

/// Which contract a module function has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// [`State`].
    State,
    /// [`Action`].
    Action,
    /// [`Query`].
    Query,
}

/// One function of the standard library, whatever its type.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Namespace and function.
    pub name: &'static str,
    /// The arguments that can be given without a name, in order.
    pub positional: &'static [&'static str],
    /// Its contract.
    pub contract: Contract,
    /// Whether a play that calls it has to be evaluated on the controller.
    pub needs_controller: bool,
    schema: fn() -> schemars::Schema,
    call: converge::CallFn,
}

impl Entry {
    /// The entry of a statement.
    pub const fn state<M: State>() -> Self {
        Self {
            name: M::NAME,
            positional: M::POSITIONAL,
            contract: Contract::State,
            needs_controller: false,
            schema: arguments::schema::<M>,
            call: converge::state::<M>,
        }
    }

    /// The entry of an action.
    pub const fn action<M: Action>() -> Self {
        Self {
            name: M::NAME,
            positional: M::POSITIONAL,
            contract: Contract::Action,
            needs_controller: false,
            schema: arguments::schema::<M>,
            call: converge::action::<M>,
        }
    }

    /// The entry of a question.
    pub const fn query<M: Query>() -> Self {
        Self {
            name: M::NAME,
            positional: M::POSITIONAL,
            contract: Contract::Query,
            needs_controller: false,
            schema: arguments::schema::<M>,
            call: converge::query::<M>,
        }
    }

    /// The same for a function that needs the controller.
    #[must_use]
    pub const fn on_controller(self) -> Self {
        Self { needs_controller: true, ..self }
    }

    /// The namespace: what stands before `::`.
    pub fn namespace(&self) -> &'static str {
        self.name.split_once("::").map_or("", |(namespace, _)| namespace)
    }

    /// The function's own name.
    pub fn function(&self) -> &'static str {
        self.name.split_once("::").map_or(self.name, |(_, function)| function)
    }

    /// What its doc comment says.
    pub fn documentation(&self) -> String {
        arguments::documentation(&(self.schema)())
    }

    /// Its arguments, in the order in which the type declares them.
    pub fn arguments(&self) -> Vec<Argument> {
        arguments::list(&(self.schema)(), self.positional)
    }

    /// Calls it.
    ///
    /// # Errors
    /// Why it failed. Steps that were made before stay made and are in the report.
    pub fn call(&self, arguments: Value, call: &converge::Call<'_>) -> converge::Report {
        (self.call)(arguments, call)
    }
}

/// The functions that playbooks can call.
#[derive(Clone, Default)]
pub struct Registry {
    entries: IndexMap<&'static str, Entry>,
    namespaces: IndexMap<&'static str, &'static str>,
}

impl Registry {
    /// Adds a namespace: what it is for, and its functions.
    pub fn add(&mut self, namespace: &'static str, about: &'static str, entries: &[Entry]) {
        self.namespaces.insert(namespace, about);
        self.entries.extend(entries.iter().map(|entry| (entry.name, *entry)));
    }

    /// The function of this whole name, `file::copy`.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// All functions, in the order of registration.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// All namespaces with what they are for, in the order of registration.
    pub fn namespaces(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.namespaces.iter().map(|(name, about)| (*name, *about))
    }
}
