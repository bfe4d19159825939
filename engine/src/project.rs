//! The project on the controller's disk: playbooks, roles, templates, files, and where each is found.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bundle::{self, File, INLINE};

/// A project: the directory that all paths in messages are relative to.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
    /// Where roles are looked for, in order: paths in the project.
    pub role_paths: Vec<String>,
}

/// The file that marks the top of a project.
pub const MARKER: &str = "refrain.toml";

impl Project {
    /// The project of a playbook, and the playbook's path in it.
    ///
    /// Its top is the nearest ancestor with a `refrain.toml`; without one, the current directory if the playbook lies below
    /// it, else the directory above the playbook's own.
    ///
    /// # Errors
    /// There is no such playbook.
    pub fn find(playbook: &Path) -> io::Result<(Self, String)> {
        let absolute = fs::canonicalize(playbook)?;
        if absolute.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        let directory = absolute.parent().unwrap_or(Path::new("/"));
        let marked = directory.ancestors().find(|above| above.join(MARKER).is_file());
        let here = std::env::current_dir().and_then(fs::canonicalize).ok();
        let root = marked
            .map(Path::to_owned)
            .or_else(|| here.filter(|here| absolute.starts_with(here)))
            .unwrap_or_else(|| directory.parent().unwrap_or(directory).to_owned());
        let path = absolute.strip_prefix(&root).unwrap_or(&absolute).to_string_lossy().into_owned();
        let mut role_paths = vec!["roles".to_owned(), "playbooks/roles".to_owned()];
        let beside = bundle::join(bundle::parent(&path), "roles");
        if !role_paths.contains(&beside) {
            role_paths.insert(0, beside);
        }
        Ok((Self { root, role_paths }, path))
    }

    /// The project of the current directory: that of its nearest ancestor with a `refrain.toml`, else the directory itself.
    ///
    /// # Errors
    /// There is no current directory.
    pub fn here() -> io::Result<Self> {
        let here = std::env::current_dir().and_then(fs::canonicalize)?;
        let marked = here.ancestors().find(|above| above.join(MARKER).is_file()).map(Path::to_owned);
        let root = marked.unwrap_or(here);
        Ok(Self { root, role_paths: vec!["roles".to_owned(), "playbooks/roles".to_owned()] })
    }

    /// Where a path in the project is on disk.
    pub fn on_disk(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The top of the project.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A script or template.
    ///
    /// # Errors
    /// It is not there, can't be read, or is not UTF-8.
    pub fn text(&self, path: &str) -> io::Result<Arc<str>> {
        let bytes = fs::read(self.on_disk(path))?;
        String::from_utf8(bytes)
            .map(Into::into)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
    }

    /// Whether there is a file at a path.
    pub fn is_file(&self, path: &str) -> bool {
        self.on_disk(path).is_file()
    }

    /// The script of a role.
    pub fn role(&self, name: &str) -> Option<String> {
        self.role_paths
            .iter()
            .map(|directory| format!("{directory}/{name}/role.rhai"))
            .find(|path| self.is_file(path))
    }

    /// The names of all roles, sorted.
    pub fn roles(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .role_paths
            .iter()
            .filter_map(|path| fs::read_dir(self.on_disk(path)).ok())
            .flatten()
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join("role.rhai").is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// A file for a bundle.
    ///
    /// # Errors
    /// It can't be read.
    pub fn file(&self, path: &str) -> io::Result<File> {
        let place = self.on_disk(path);
        let executable = fs::metadata(&place)?.permissions().mode() & 0o100 != 0;
        let content = fs::read(place)?;
        let size = content.len() as u64;
        let hash = blake3::hash(&content).to_hex().to_string();
        Ok(File { size, hash, executable, content: (size <= INLINE).then_some(content) })
    }

    /// All files below a directory of the project, by their paths in it, sorted. A file's path gives itself.
    ///
    /// Links to directories are not followed, so that a loop can't trap it.
    ///
    /// # Errors
    /// A directory can't be read.
    pub fn files_below(&self, path: &str) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut todo = vec![path.to_owned()];
        while let Some(path) = todo.pop() {
            let place = self.on_disk(&path);
            if place.is_file() {
                found.push(path);
            } else if fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_dir()) {
                for entry in fs::read_dir(place)? {
                    todo.push(bundle::join(&path, &entry?.file_name().to_string_lossy()));
                }
            }
        }
        found.sort();
        Ok(found)
    }
}
