//! The functions that have whole files, directories and links in hand, on a sandbox and on this machine's own disk.

mod foretold;
mod functions;
mod play;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use refrain_engine::event::Status;
use refrain_engine::journal::Calls;
use refrain_engine::module::converge::{Call, Field, Mode, Report};
use refrain_engine::system::native::Native;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::sandbox::{NoPrograms, Sandbox};
use refrain_engine::system::{Attributes, Content, Kind, RootKind, System, View, changes};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::placed;
use play::Play;

/// A host with a directory of its own for a test. `/srv` in what a test says is that directory.
struct Host {
    system: Rc<dyn System>,
    /// What stands for `/srv`.
    top: PathBuf,
    play: Play,
    _directory: TempDir,
}

/// How a call ended, with the test's own paths.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ending {
    status: Status,
    steps: Vec<String>,
    diffs: Vec<String>,
    failure: Option<String>,
    hint: Option<String>,
}

/// What a path is: all that a call can bring about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    kind: Kind,
    attributes: Attributes,
    content: Option<Content>,
    target: Option<PathBuf>,
}

impl Host {
    fn sandbox() -> Self {
        let directory = scratch();
        let place = directory.path().to_owned();
        let open = move || Sandbox::open(&place, Box::new(NoPrograms)).unwrap();
        let system = placed(open, RootKind::Offline);
        system.make_directory(Path::new("/srv"), Attributes { mode: 0o755, uid: 0, gid: 0 }).unwrap();
        Self { system, top: "/srv".into(), play: Play::default(), _directory: directory }
    }

    fn native() -> Self {
        let directory = scratch();
        let top = directory.path().canonicalize().unwrap().join("srv");
        std::fs::create_dir(&top).unwrap();
        let system = placed(|| Native::new(RootKind::Live), RootKind::Live);
        let (uid, gid) = system.identity();
        system.set_attributes(&top, Attributes { mode: 0o755, uid, gid }).unwrap();
        Self { system, top, play: Play::default(), _directory: directory }
    }

    /// One of each kind: a test that holds on all of them.
    fn all() -> [Self; 2] {
        [Self::sandbox(), Self::native()]
    }

    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(self.here(path))
    }

    /// The host's text for the test's.
    fn here(&self, text: &str) -> String {
        text.replace("/srv", &self.top.to_string_lossy())
    }

    /// The test's text for the host's.
    fn there(&self, text: &str) -> String {
        text.replace(&*self.top.to_string_lossy(), "/srv")
    }

    fn arguments(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.here(text).into(),
            Value::Array(items) => items.iter().map(|item| self.arguments(item)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| (key.clone(), self.arguments(value))).collect()
            }
            other => other.clone(),
        }
    }

    fn report(&self, function: &str, arguments: &Value, mode: Mode<'_>) -> Report {
        // A test changes files by hand, too.
        changes::note();
        let registry = refrain_stdlib::registry();
        let entry = registry.get(&format!("file::{function}")).unwrap();
        entry.call(self.arguments(arguments), &Call::new(mode, &self.play, &Calls::default()))
    }

    fn ending(&self, report: &Report) -> Ending {
        Ending {
            status: report.status,
            steps: report.steps.iter().map(|step| self.there(&step.text)).collect(),
            diffs: report.steps.iter().filter_map(|step| step.diff.clone()).collect(),
            failure: report.failure.as_ref().map(|failure| self.there(&failure.to_string())),
            hint: report.failure.as_ref().and_then(|failure| failure.hint()).map(|hint| self.there(&hint)),
        }
    }

    /// Makes a call.
    fn run(&self, function: &str, arguments: Value) -> Ending {
        self.ending(&self.report(function, &arguments, Mode::Change(&*self.system)))
    }

    /// Makes a call that has to change something, and nothing more when it is made again.
    fn change(&self, function: &str, arguments: Value) -> Vec<String> {
        let ending = self.run(function, arguments.clone());
        assert_eq!((ending.status, &ending.failure), (Status::Changed, &None), "{function} {arguments}");
        let again = self.run(function, arguments.clone());
        assert_eq!((again.status, &again.failure), (Status::Ok, &None), "{function} {arguments} again");
        ending.steps
    }

    /// Makes a call that has to fail before it does anything; gives its message and its hint.
    fn refused(&self, function: &str, arguments: Value) -> (String, String) {
        let before = self.tree();
        let ending = self.run(function, arguments);
        assert_eq!(ending.steps, [""; 0]);
        assert_eq!(self.tree(), before);
        (ending.failure.unwrap(), ending.hint.unwrap_or_default())
    }

    fn overlay(&self) -> Overlay {
        Overlay::new(Rc::clone(&self.system) as Rc<dyn View>)
    }

    /// Predicts a call.
    fn check(&self, overlay: &Overlay, function: &str, arguments: &Value) -> Ending {
        self.ending(&self.report(function, arguments, Mode::Check(overlay)))
    }

    /// Asks a question. `None` is unknown.
    fn ask(&self, mode: Mode<'_>, function: &str, path: &str) -> Result<Option<Value>, String> {
        let report = self.report(function, &json!({ "path": path }), mode);
        match (report.failure, report.fields.into_iter().next()) {
            (Some(failure), _) => Err(self.there(&failure.to_string())),
            (None, Some((_, Field::Known(value)))) => Ok(Some(value)),
            (None, _) => Ok(None),
        }
    }

    /// Everything below `/srv`.
    fn tree(&self) -> BTreeMap<PathBuf, Node> {
        tree(&*self.system, &self.top)
    }

    fn mode(&self, path: &str) -> String {
        let stat = self.system.lstat(&self.path(path)).unwrap().unwrap();
        format!("{:04o}", stat.attributes.mode)
    }

    fn text(&self, path: &str) -> String {
        let Some(Content::Known(bytes)) = self.system.read(&self.path(path)).unwrap() else {
            panic!("{path}")
        };
        String::from_utf8(bytes).unwrap()
    }
}

/// A directory in memory, if that can be: waiting for the disk after each file is what takes time.
fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Everything below a directory as a view has it, the directory too.
fn tree(host: &(impl View + ?Sized), top: &Path) -> BTreeMap<PathBuf, Node> {
    let mut nodes = BTreeMap::new();
    let mut todo = vec![top.to_owned()];
    while let Some(path) = todo.pop() {
        let stat = host.lstat(&path).unwrap().unwrap();
        let content = if stat.kind == Kind::File { host.read(&path).unwrap() } else { None };
        if stat.kind == Kind::Directory {
            todo.extend(host.list(&path).unwrap().into_iter().map(|name| path.join(name)));
        }
        let node = Node {
            kind: stat.kind,
            attributes: stat.attributes,
            content,
            target: host.read_link(&path).unwrap(),
        };
        nodes.insert(path, node);
    }
    nodes
}

/// Whether this machine lets tests give files to other users; says so if not.
fn is_root() -> bool {
    let is_root = Native::new(RootKind::Live).identity().0 == 0;
    if !is_root {
        assert!(std::env::var_os("CI").is_none(), "needs root");
        eprintln!("skipped: giving files away needs root");
    }
    is_root
}
