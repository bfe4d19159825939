//! The project on the controller's disk: playbooks, roles, templates, files, and where each is found.

mod ansible_cfg;
mod settings;
pub mod vendor;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use settings::ProjectSettings;

use crate::bundle::{self, File, INLINE};
use crate::diagnostic::Diagnostic;
use crate::failure::reason;

/// A project: the directory that all paths in messages are relative to.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
    /// Where roles are looked for, in order: paths in the project.
    pub role_paths: Vec<String>,
    /// What it says about itself.
    pub settings: Arc<ProjectSettings>,
    /// A playbook that is no file, by its path.
    given: Option<(String, Arc<str>)>,
}

/// A playbook that is no file: its text was given instead.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it is called.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
}

/// The file that marks the top of a project.
pub const MARKER: &str = "refrain.toml";

impl Project {
    /// The project of a playbook, and the playbook's path in it.
    ///
    /// Its top is the nearest ancestor with a `refrain.toml`; without one, the current directory if the playbook lies below
    /// it, else the directory above the playbook's own. A playbook that is not there is looked for in the directories of
    /// playbooks of the current directory's project.
    ///
    /// # Errors
    /// There is no such playbook, or the project's settings make no sense.
    pub fn find(playbook: &Path) -> Result<(Self, String), Diagnostic> {
        let absolute = match fs::canonicalize(playbook) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::here()?.playbook(playbook).ok_or_else(|| unreadable(playbook, &error))?
            }
            found => found.map_err(|error| unreadable(playbook, &error))?,
        };
        if absolute.is_dir() {
            let error = io::Error::new(io::ErrorKind::IsADirectory, "is a directory");
            return Err(unreadable(playbook, &error));
        }
        let directory = absolute.parent().unwrap_or(Path::new("/"));
        let root = marked(directory)
            .or_else(|| current_directory().ok().filter(|here| absolute.starts_with(here)))
            .unwrap_or_else(|| directory.parent().unwrap_or(directory).to_owned());
        let path = absolute.strip_prefix(&root).unwrap_or(&absolute).to_string_lossy().into_owned();
        let mut project = Self::at(root)?;
        project.look_for_roles_in(bundle::parent(&path));
        Ok((project, path))
    }

    /// The project of the current directory: that of its nearest ancestor with a `refrain.toml`, else the directory itself.
    ///
    /// # Errors
    /// There is no current directory, or the project's settings make no sense.
    pub fn here() -> Result<Self, Diagnostic> {
        let here = current_directory().map_err(|error| {
            Diagnostic::new(format!("could not read the current directory: {}", reason(&error)))
        })?;
        Self::at(marked(&here).unwrap_or(here))
    }

    fn at(root: PathBuf) -> Result<Self, Diagnostic> {
        let settings = ProjectSettings::of(&root)?;
        let mut role_paths = settings.role_paths.clone();
        if !settings.vendored.is_empty() {
            role_paths.push(vendor::DIRECTORY.to_owned());
        }
        Ok(Self { root, role_paths, settings: Arc::new(settings), given: None })
    }

    /// The project of the current directory with a playbook that is no file, and that playbook's path in it: as if it were in the
    /// project's directory of playbooks, if there is one.
    ///
    /// # Errors
    /// As [`here`](Self::here).
    pub fn with_script(script: Script) -> Result<(Self, String), Diagnostic> {
        let mut project = Self::here()?;
        let settings = Arc::clone(&project.settings);
        let directory = settings.playbook_paths.iter().find(|directory| project.on_disk(directory).is_dir());
        let directory = directory.map_or("", String::as_str);
        let path = bundle::join(directory, &script.name);
        project.look_for_roles_in(directory);
        project.given = Some((path.clone(), script.text));
        Ok((project, path))
    }

    /// Has roles looked for beside the playbooks of a directory, too.
    fn look_for_roles_in(&mut self, directory: &str) {
        let beside = bundle::join(directory, "roles");
        if !self.role_paths.contains(&beside) {
            self.role_paths.insert(0, beside);
        }
    }

    /// The playbook of a name in the directories of playbooks.
    fn playbook(&self, name: &Path) -> Option<PathBuf> {
        let places = self.settings.playbook_paths.iter().map(|directory| self.on_disk(directory).join(name));
        places.filter_map(|place| fs::canonicalize(place).ok()).next()
    }

    /// The inventories of the project that are there, for commands that are given none.
    ///
    /// # Errors
    /// One that the settings name is not there.
    pub fn inventories(&self) -> Result<Vec<String>, Diagnostic> {
        let mut found = Vec::new();
        for source in &self.settings.inventories {
            let place = self.on_disk(source);
            if source.contains(',') {
                found.push(source.clone());
            } else if place.exists() {
                found.push(place.to_string_lossy().into_owned());
            } else if self.settings.inventories_are_named {
                return Err(Diagnostic::new(format!(
                    "the project's settings name the inventory `{source}`, which is not there"
                )));
            }
        }
        Ok(found)
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
        if let Some((_, text)) = self.given.as_ref().filter(|(given, _)| given == path) {
            return Ok(Arc::clone(text));
        }
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

/// The nearest ancestor of a directory with a `refrain.toml`.
fn marked(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().find(|above| above.join(MARKER).is_file()).map(Path::to_owned)
}

fn current_directory() -> io::Result<PathBuf> {
    std::env::current_dir().and_then(fs::canonicalize)
}

fn unreadable(playbook: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(format!("could not read the playbook `{}`: {}", playbook.display(), reason(error)))
}
