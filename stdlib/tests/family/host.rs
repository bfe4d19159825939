//! Hosts to run examples on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use refrain_engine::agent::in_process::{self, Served};
use refrain_engine::bundle::Bundle;
use refrain_engine::event::{EventKind, Status};
use refrain_engine::facts::{self, Facts};
use refrain_engine::failure::Failure;
use refrain_engine::journal::rollback::{Rollback, roll_back};
use refrain_engine::journal::{NoJournal, Source};
use refrain_engine::script::host::{self, Surroundings};
use refrain_engine::syscall::enter_root;
use refrain_engine::system::native::Native;
use refrain_engine::system::remote::Remote;
use refrain_engine::system::sandbox::{Programs, Sandbox};
use refrain_engine::system::{Command, Output, RootKind, System};
use refrain_simulation::Simulation;
use tempfile::TempDir;

use crate::examples::Runs;
use crate::play::{Play, Ran, fixtures, words};
use crate::tree::{self, Tree};

/// The only programs of a root.
const BUSYBOX: &str = "/bin/busybox";
/// Its names that examples and modules use.
const APPLETS: [&str; 8] = ["sh", "grep", "tee", "df", "awk", "find", "chown", "chgrp"];
/// The namespaces that need simulated programs in a root.
const SIMULATED: [&str; 2] = ["pkg", "xbps"];
/// Stack of a thread that evaluates scripts.
const STACK: usize = 16 * 1024 * 1024;

/// What plays the host.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A directory, where every program is there.
    Sandbox,
    /// A root directory with a busybox.
    Root,
    /// The same, worked on through a connection: as from the controller.
    RemoteRoot,
}

impl Kind {
    /// Whether an example runs on such a host.
    pub fn runs(self, example: Runs) -> bool {
        match example {
            Runs::Everywhere => true,
            Runs::OnLiveHosts => self == Self::Sandbox,
            Runs::Nowhere => false,
        }
    }

    /// Whether there can be one here.
    ///
    /// # Errors
    /// What is missing.
    pub fn possible(self) -> Result<(), &'static str> {
        let is_root = || fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        match self {
            Self::Sandbox => Ok(()),
            _ if !is_root() => Err("the right to enter another root"),
            _ if !Path::new(BUSYBOX).exists() => Err("a static busybox"),
            _ => Ok(()),
        }
    }
}

/// A host in a directory of its own.
pub struct Host {
    kind: Kind,
    directory: TempDir,
    /// Numbers the runs.
    runs: AtomicU32,
}

impl Host {
    /// A fresh host with what the examples of a namespace need.
    ///
    /// # Errors
    /// The script that puts it there fails.
    pub fn new(kind: Kind, namespace: &str) -> Result<Self, String> {
        let host = Self { kind, directory: tempfile::tempdir().unwrap(), runs: AtomicU32::new(0) };
        Sandbox::open(host.directory.path(), Box::new(Obliging)).unwrap();
        if kind != Kind::Sandbox {
            let bin = host.root().join("usr/bin");
            fs::create_dir(host.root().join("state")).unwrap();
            fs::copy(BUSYBOX, bin.join("busybox")).unwrap();
            for name in APPLETS {
                symlink("busybox", bin.join(name)).unwrap();
            }
            if SIMULATED.contains(&namespace) {
                // A package may bring a program of the same name, which is none: what is simulated is found before it.
                install_simulated(&host.root().join("usr/local/bin"));
            }
        }
        if let Ok(before) = fs::read_to_string(fixtures(namespace).join("before.rhai")) {
            host.run(&Play::new(namespace, &before, false)?)?;
        }
        Ok(host)
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    /// Does something with the host, in a thread of its own.
    fn with<T: Send>(&self, kind: Kind, act: impl FnOnce(Served) -> T + Send) -> T {
        let inside = || match kind {
            Kind::Sandbox => {
                let system = Rc::new(Sandbox::open(self.directory.path(), Box::new(Obliging)).unwrap());
                let facts = Rc::new(Facts::new(facts::Tree::new(self.root())));
                let directories = vec![self.directory.path().join("state")];
                act(Served {
                    system,
                    facts,
                    journal: Source::Kept { directories, root: self.root(), lasts: false },
                    interrupt: Arc::default(),
                })
            }
            Kind::Root => act(enter(&self.root())),
            Kind::RemoteRoot => {
                let root = self.root();
                let connection = in_process::serve(move || Ok(enter(&root))).unwrap();
                let remote = Remote::open(Box::new(connection), RootKind::Offline, Arc::default());
                let remote = Rc::new(remote.unwrap());
                let facts = Rc::new(facts::Remote::new(Rc::clone(&remote)));
                let system = Rc::clone(&remote) as Rc<dyn System>;
                act(Served { system, facts, journal: Source::Remote(remote), interrupt: Arc::default() })
            }
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, inside).unwrap().join().unwrap()
        })
    }

    /// Runs a play.
    ///
    /// # Errors
    /// The play, or a call in it, failed.
    pub fn run(&self, play: &Play) -> Result<Ran, String> {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let bundle = Bundle { run: format!("run-{number}"), ..play.bundle.clone() };
        let ran = self.with(self.kind, |host| run(bundle, host));
        let failed = ran.tasks.iter().filter(|task| task.status == Status::Failed);
        let failures: Vec<_> = failed.filter_map(|task| task.error.as_deref().cloned()).collect();
        match (failures.as_slice(), ran.failures.as_slice()) {
            ([], []) => Ok(ran),
            ([], failures) | (failures, _) => Err(words(failures)),
        }
    }

    /// All that is on the host.
    pub fn tree(&self) -> Tree {
        self.with(self.kind, |host| tree::below(&*host.system, Path::new("/"), Path::new("/state")))
    }

    /// Where the journal is kept, as the agent sees it.
    fn state(&self) -> PathBuf {
        match self.kind {
            Kind::Sandbox => self.directory.path().join("state"),
            Kind::Root | Kind::RemoteRoot => "/state".into(),
        }
    }

    /// Takes a run back, as `refrain rollback` does.
    ///
    /// # Errors
    /// It can't be, in whole.
    pub fn undo(&self, ran: &Ran) -> Result<(), String> {
        let untouched = self.on_disk();
        // The host itself does that, wherever the play was evaluated.
        let kind = if self.kind == Kind::RemoteRoot { Kind::Root } else { self.kind };
        self.with(kind, |host| take_back(&self.state(), &ran.run, host.system, true))?;
        if self.on_disk() != untouched {
            return Err("checking whether it could be undone wrote something".to_owned());
        }
        self.with(kind, |host| take_back(&self.state(), &ran.run, host.system, false))
    }

    /// All files of the host as they lie on disk, with the times of their last changes; not that of `/tmp`, where a command
    /// that only reads may have had its scratch files.
    pub fn on_disk(&self) -> BTreeMap<PathBuf, (u64, i64, i64)> {
        let mut all = BTreeMap::new();
        let mut todo = vec![self.directory.path().to_owned()];
        while let Some(path) = todo.pop() {
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            let changed = (metadata.ctime(), metadata.ctime_nsec());
            let (seconds, nanoseconds) = if path == self.root().join("tmp") { (0, 0) } else { changed };
            all.insert(path, (metadata.ino(), seconds, nanoseconds));
        }
        all
    }
}

/// Makes `root` the root of this thread.
fn enter(root: &Path) -> Served {
    enter_root(root).unwrap();
    let kind = RootKind::Offline;
    let (system, facts) = (Rc::new(Native::new(kind)), Rc::new(Facts::new(facts::Native::new(kind))));
    let directories = vec!["/state".into()];
    let journal = Source::Kept { directories, root: "/".into(), lasts: false };
    Served { system, facts, journal, interrupt: Arc::default() }
}

/// Puts the simulated programs into a directory.
fn install_simulated(bin: &Path) {
    let executable = refrain_simulation::executable().unwrap();
    let place = bin.join("simulated");
    // It is large, and needed for every example.
    fs::hard_link(&executable, &place).or_else(|_| fs::copy(&executable, &place).map(drop)).unwrap();
    refrain_simulation::link_programs(bin).unwrap();
}

/// Runs a play in this thread.
fn run(bundle: Bundle, host: Served) -> Ran {
    let Served { system, facts, journal, .. } = host;
    let ran = Rc::new(RefCell::new(Ran::default()));
    let told = Rc::clone(&ran);
    let surroundings = Surroundings {
        system,
        facts,
        emit: Box::new(move |event| match event {
            EventKind::Task(task) => told.borrow_mut().tasks.push(*task),
            EventKind::HostFailed(error) => told.borrow_mut().failures.push(*error),
            EventKind::PredictionEnded(_) => told.borrow_mut().ended_early = true,
            _ => {}
        }),
        fetch: Box::new(|path| Err(Failure::state(format!("`{path}` did not travel along")))),
        controller: None,
        journal,
        interrupt: Arc::default(),
    };
    let run = bundle.run.clone();
    host::run(&refrain_stdlib::registry(), bundle, surroundings);
    Ran { run, ..ran.take() }
}

/// Takes a run back in this thread, or only says whether it could be.
fn take_back(state: &Path, run: &str, system: Rc<dyn System>, check: bool) -> Result<(), String> {
    let kept = RefCell::new(Vec::new());
    let rollback = Rollback {
        directories: &[state.to_owned()],
        run,
        host: "localhost",
        system,
        journal: Rc::new(NoJournal),
        others: &|whom| Err(Failure::state(format!("nobody becomes `{}` here", whom.user))),
        check,
        emit: &|event| match event {
            EventKind::Task(task) if task.status == Status::Skipped => {
                kept.borrow_mut().push(format!("`{}`: {:?}", task.subject, task.reason));
            }
            _ => {}
        },
        interrupted: &|| false,
    };
    roll_back(&rollback).map_err(|problem| format!("undoing: {problem}"))?;
    let kept = kept.into_inner();
    if kept.is_empty() { Ok(()) } else { Err(format!("can't be undone: {}", kept.join(", "))) }
}

/// Has the simulated programs, and every other; those do nothing, successfully.
struct Obliging;

impl Programs for Obliging {
    fn has(&self, _name: &str) -> bool {
        true
    }

    fn run(&self, command: &Command, system: &Sandbox) -> Result<Output, Failure> {
        let first = command.argv.first().and_then(|first| Path::new(first).file_name());
        let known = first.and_then(|name| name.to_str()).is_some_and(|name| Simulation.has(name));
        if known { Simulation.run(command, system) } else { Ok(Output::default()) }
    }
}
