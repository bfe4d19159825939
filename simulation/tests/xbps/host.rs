//! A sandbox host on which the tools are called.

use std::path::Path;

use refrain_engine::system::sandbox::Sandbox;
use refrain_engine::system::{Attributes, Command, System, View};
use refrain_simulation::Simulation;
use tempfile::TempDir;

/// What a call printed and returned.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A fresh host.
pub struct Host {
    pub sandbox: Sandbox,
    // The files are there as long as this is.
    _directory: TempDir,
}

impl Host {
    /// A host whose repositories are these.
    pub fn new(repositories: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::open(&directory.path().join("host"), Box::new(Simulation)).unwrap();
        let host = Self { sandbox, _directory: directory };
        let lines: String = repositories.iter().map(|url| format!("repository={url}\n")).collect();
        host.write("/etc/xbps.d/00-repository-main.conf", &lines);
        host
    }

    /// Puts a file in place.
    pub fn write(&self, path: &str, content: &str) {
        self.directory(Path::new(path).parent().unwrap());
        let attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };
        self.sandbox.write(Path::new(path), content.as_bytes(), attributes).unwrap();
    }

    fn directory(&self, path: &Path) {
        if self.sandbox.lstat(path).unwrap().is_none() {
            self.directory(path.parent().unwrap());
            self.sandbox.make_directory(path, Attributes { mode: 0o755, uid: 0, gid: 0 }).unwrap();
        }
    }

    /// Calls for the path of everything in a directory.
    pub fn walk(&self, directory: &str, found: &mut dyn FnMut(&str)) {
        for name in self.sandbox.list(Path::new(directory)).unwrap() {
            let path = format!("{}/{}", directory.trim_end_matches('/'), name.to_str().unwrap());
            found(&path);
            if self.sandbox.read_link(Path::new(&path)).unwrap().is_none() {
                self.walk(&path, found);
            }
        }
    }

    /// The content of a file.
    pub fn read(&self, path: &str) -> Option<String> {
        let content = self.sandbox.read(Path::new(path)).unwrap()?;
        Some(String::from_utf8(content.known().unwrap().to_vec()).unwrap())
    }

    /// Calls a tool with words that are separated by blanks, and a standard input.
    pub fn answer(&self, stdin: &str, line: &str) -> Said {
        let stdin = Some(stdin.as_bytes().to_vec());
        let command = Command { stdin, ..Command::new(line.split(' ')) };
        let output = self.sandbox.run(&command).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Calls a tool.
    pub fn call(&self, line: &str) -> Said {
        self.answer("", line)
    }

    /// Calls a tool that succeeds, and returns what it prints.
    pub fn good(&self, line: &str) -> String {
        let said = self.call(line);
        assert_eq!(said.status, 0, "{line}: {said:?}");
        said.stdout
    }
}
