//! Root directories with the programs of Void Linux, simulated, and a busybox.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;

use refrain_engine::system::sandbox::Sandbox;
use refrain_simulation::{PROGRAMS, Simulation, executable, link_programs};
use regex::Regex;
use tempfile::TempDir;

use super::busybox::install_busybox;
use super::project::{binary, copy_program};

/// A root directory.
pub struct VoidRoot {
    directory: TempDir,
}

impl VoidRoot {
    /// A fresh installation, with what the installer leaves behind for the Matrix.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Sandbox::open(directory.path(), Box::new(Simulation)).expect("a furnished root");
        let root = Self { directory };
        for (path, mode) in [("root", 0o700), ("tmp", 0o1777), ("var/tmp", 0o1777), ("etc/shadow", 0o600)] {
            fs::set_permissions(root.path(path), fs::Permissions::from_mode(mode)).expect("a mode");
        }
        root.programs();
        root.refrain("playbooks/base.setup.rhai", &["--limit", "node1"]);
        root
    }

    /// The busybox has all names that nothing simulated has.
    fn programs(&self) {
        // A package may bring a program of the same name, which is none: what is simulated is found before it.
        let (bin, local) = (self.path("usr/bin"), self.path("usr/local/bin"));
        copy_program(&executable().expect("it is built"), &local.join("simulated"));
        link_programs(&local).expect("its names");
        install_busybox(&bin, |applet| !PROGRAMS.iter().any(|(name, _)| *name == applet));
    }

    /// A path in it, as this machine sees it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join("root").join(path)
    }

    /// Runs a playbook of the project on it. Returns what was said.
    #[track_caller]
    pub fn refrain(&self, playbook: &str, further: &[&str]) -> String {
        let mut command = Command::new(binary());
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
        command.args(["run", playbook, "--root-kind", "offline", "--root"]).arg(self.path("")).args(further);
        let output = command.output().expect("the binary starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// All that is in it and `counts`, by path, in words that can be compared.
    pub fn tree(&self, counts: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
        // When a package was installed.
        let date = Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d \w+").expect("a pattern");
        let top = self.path("");
        let mut tree = BTreeMap::new();
        let mut todo = vec![top.clone()];
        while let Some(directory) = todo.pop() {
            for entry in fs::read_dir(&directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                let name = path.strip_prefix(&top).expect("below the root").display().to_string();
                if !counts(&name) {
                    continue;
                }
                let stat = fs::symlink_metadata(&path).expect("it is there");
                let what = if stat.is_symlink() {
                    format!("link to {}", fs::read_link(&path).expect("a link").display())
                } else if stat.is_dir() {
                    todo.push(path.clone());
                    "directory".to_owned()
                } else {
                    let content = fs::read(&path).expect("a file");
                    date.replace_all(&String::from_utf8_lossy(&content), "DATE").into_owned()
                };
                let mode = if stat.is_symlink() { 0o777 } else { stat.mode() & 0o7777 };
                tree.insert(name, format!("{mode:04o} {}:{} {what}", stat.uid(), stat.gid()));
            }
        }
        tree
    }
}
