//! Hosts to call functions on, and the tools of this machine.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use refrain_engine::event::Status;
use refrain_engine::failure::Failure;
use refrain_engine::journal::Calls;
use refrain_engine::module::NoMaterials;
use refrain_engine::module::converge::{Call, Mode, Report};
use refrain_engine::syscall::enter_root;
use refrain_engine::system::native::Native;
use refrain_engine::system::sandbox::{Programs, Sandbox};
use refrain_engine::system::{Output, RootKind, System, changes};
use serde_json::Value;
use tempfile::TempDir;

use super::placed;

/// Where tools of this machine are, some of which only root has in `PATH`.
const PLACES: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/// Where a tool is. A missing one is a failure where tests have to be complete.
pub fn tool(name: &str) -> Option<PathBuf> {
    let found = PLACES.iter().map(|place| Path::new(place).join(name)).find(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "needs `{name}`");
        eprintln!("skipped: needs `{name}`");
    }
    found
}

/// Whether this is root, who can enter another root.
pub fn is_root() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    assert!(root || std::env::var_os("CI").is_none(), "needs root");
    if !root {
        eprintln!("skipped: needs root");
    }
    root
}

/// Runs a tool. Returns its exit status, and both of its streams.
pub fn run(program: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

/// Calls a function.
pub fn call(system: &dyn System, name: &str, arguments: &Value) -> Report {
    // A test changes files by hand, too.
    changes::note();
    let calls = Calls::default();
    let call = Call::new(Mode::Change(system), &NoMaterials, &calls);
    refrain_stdlib::registry().get(name).unwrap().call(arguments.clone(), &call)
}

/// Calls a function that has to change something, and nothing more when it is called again.
pub fn change(system: &dyn System, name: &str, arguments: &Value) {
    for expected in [Status::Changed, Status::Ok] {
        let report = call(system, name, arguments);
        assert_eq!(report.status, expected, "{name} {arguments}: {:?} {:?}", report.failure, report.steps);
    }
}

/// Calls a function that has to fail. Returns what it says.
pub fn refuse(system: &dyn System, name: &str, arguments: &Value) -> String {
    let report = call(system, name, arguments);
    let failure = report.failure.unwrap_or_else(|| panic!("{name} {arguments}: {:?}", report.status));
    failure.to_string()
}

/// Does `work` on the host whose root is `root`, in a thread of its own.
pub fn inside<T: Send>(root: &Path, work: impl FnOnce(&dyn System) -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter_root(root).unwrap();
            work(&*placed(|| Native::new(RootKind::Offline), RootKind::Offline))
        });
        thread.join().unwrap()
    })
}

/// Puts a file there, with this mode and owner.
pub fn put(path: &Path, text: &str, mode: u32, owner: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    lchown(path, Some(owner), Some(owner)).unwrap();
}

/// Mode and owner of what is at a path, links not followed.
pub fn mode_and_owner(path: &Path) -> (u32, u32) {
    let metadata = fs::symlink_metadata(path).unwrap();
    (metadata.mode() & 0o7777, metadata.uid())
}

/// The tools of this machine, for a sandbox: paths in their arguments mean the sandbox's root.
pub struct Tools {
    /// Where the sandbox's root is.
    pub root: PathBuf,
}

impl Programs for Tools {
    fn has(&self, name: &str) -> bool {
        PLACES.iter().any(|place| Path::new(place).join(name).exists())
    }

    fn run(&self, command: &refrain_engine::system::Command, _: &Sandbox) -> Result<Output, Failure> {
        let root = self.root.to_string_lossy();
        let name = Path::new(&command.argv[0]).file_name().unwrap();
        let program =
            PLACES.iter().map(|place| Path::new(place).join(name)).find(|path| path.exists()).unwrap();
        let arguments = command.argv[1..].iter().map(|word| match word.strip_prefix('/') {
            Some(path) => format!("{root}/{path}"),
            None => word.clone(),
        });
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
        let inside = |stream: &[u8]| String::from_utf8_lossy(stream).replace(&*root, "").into_bytes();
        let status = output.status.code().unwrap_or(-1);
        Ok(Output { status, stdout: inside(&output.stdout), stderr: inside(&output.stderr), dropped: 0 })
    }
}

/// A sandbox that has the tools of this machine, with these files.
pub fn sandbox(directory: &TempDir, files: &[(&str, &str)]) -> Rc<dyn System> {
    let tools = Tools { root: directory.path().join("root") };
    let place = directory.path().to_owned();
    let open = move || Sandbox::open(&place, Box::new(tools)).unwrap();
    let host = placed(open, RootKind::Offline);
    for (path, text) in files {
        let place = directory.path().join("root").join(path.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    host
}

/// The text of a file of a sandbox.
pub fn text(directory: &TempDir, path: &str) -> String {
    fs::read_to_string(directory.path().join("root").join(path.trim_start_matches('/'))).unwrap()
}

/// Calls a function that a program has to refuse. Returns what that says.
pub fn said(system: &dyn System, name: &str, arguments: &Value) -> String {
    let report = call(system, name, arguments);
    let failure = report.failure.unwrap_or_else(|| panic!("{name} {arguments}: {:?}", report.status));
    failure.output().unwrap_or_else(|| panic!("{failure}")).to_owned()
}
