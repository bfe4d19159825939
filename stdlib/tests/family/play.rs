//! A script as the body of a play, and what came of running it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use refrain_engine::analysis::analyse;
use refrain_engine::bundle::{Bundle, HostData, Neighbours, Settings};
use refrain_engine::diagnostic::Diagnostic;
use refrain_engine::event::TaskReport;
use refrain_engine::module::Contract;
use refrain_engine::project::Project;
use refrain_engine::script::playbook::{TopLevel, evaluate};
use refrain_engine::system::RootKind;
use tempfile::TempDir;

/// A play that is ready to run.
pub struct Play {
    /// What travels.
    pub bundle: Bundle,
}

impl Play {
    /// A play of the project in `fixtures/NAMESPACE`, in check mode or not.
    ///
    /// # Errors
    /// What lint or the top level say.
    pub fn new(namespace: &str, body: &str, check: bool) -> Result<Self, String> {
        let directory = project(namespace);
        let playbook = directory.path().join("site.rhai");
        let text = format!("play(\"Example\", #{{ hosts: \"localhost\" }}, || {{\n{body}\n}});\n");
        fs::write(&playbook, text).unwrap();

        let registry = refrain_stdlib::registry();
        let (project, path) = Project::find(&playbook).unwrap();
        let analysis = analyse(&project, &registry, &path);
        if !analysis.problems.is_empty() {
            return Err(words(&analysis.problems));
        }
        let ask = Box::new(|question: &str, _| Err(format!("nobody answers `{question}`")));
        let top = TopLevel::new(project, IndexMap::new(), ask);
        let playbook = evaluate(&registry, &path, top).map_err(|problem| words(&[problem]))?;
        let bundle = Bundle {
            run: String::new(),
            sources: Arc::new(analysis.map.sources().clone()),
            play: Arc::new(playbook.plays[0].play.clone()),
            neighbours: Arc::new(Neighbours::default()),
            host: HostData { name: "localhost".to_owned(), ..HostData::default() },
            // A process that another test starts at that moment has the lock for an instant, too.
            settings: Arc::new(Settings { check, lock_timeout: 10, ..Settings::default() }),
            root_kind: RootKind::Offline,
            foretold: Vec::new(),
        };
        Ok(Self { bundle })
    }
}

/// Where the fixtures of a namespace are.
pub fn fixtures(namespace: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/family/fixtures").join(namespace)
}

/// A project with the files and templates of a namespace.
fn project(namespace: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("refrain.toml"), "").unwrap();
    copy(&fixtures(namespace), directory.path());
    directory
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).into_iter().flatten().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&place).unwrap();
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// Diagnostics as a person reads them.
pub fn words(problems: &[Diagnostic]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What came of a run.
#[derive(Default)]
pub struct Ran {
    /// The calls.
    pub tasks: Vec<TaskReport>,
    /// Why it failed.
    pub failures: Vec<Diagnostic>,
    /// Whether check mode could not foretell the rest.
    pub ended_early: bool,
    /// What the run is known by.
    pub run: String,
}

impl Ran {
    /// Whether something was done that is done each time.
    pub fn acts(&self) -> bool {
        let registry = refrain_stdlib::registry();
        let contract = |task: &TaskReport| registry.get(&task.module).map(|entry| entry.contract);
        self.tasks.iter().any(|task| contract(task) == Some(Contract::Action))
    }
}
