//! Roles from elsewhere: pinned by a commit in `refrain.toml`, and copied into the project, where they are part of it.
//!
//! Runs never fetch anything. `refrain vendor` does, by the program `git`, which checks that what it gets is the commit.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use super::Project;
use crate::diagnostic::Diagnostic;
use crate::failure::reason;
use crate::origin::Origin;
use crate::transport;

/// Where vendored roles are, in the project.
pub const DIRECTORY: &str = "vendor/roles";

/// The file in a vendored role that says what it is a copy of.
const NOTE: &str = ".vendored";

/// A role from elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct VendoredRole {
    /// Its name in this project.
    pub name: String,
    /// The repository, as `git` understands it.
    pub git: String,
    /// The commit, with all of its digits.
    pub commit: String,
    /// The role's directory in the repository. Its top when empty.
    pub path: String,
    /// Where it is pinned.
    pub at: Origin,
}

/// How the copy of a role in the project stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copy {
    /// It is the pinned commit's.
    Current,
    /// There is none.
    Missing,
    /// It is that of another commit, repository or path.
    Other,
    /// Somebody has changed it since.
    Changed,
}

impl VendoredRole {
    /// How the copy in a project stands.
    ///
    /// # Errors
    /// It can't be read.
    pub fn copy(&self, project: &Project) -> Result<Copy, Diagnostic> {
        let place = self.place(project);
        let note = match fs::read_to_string(place.join(NOTE)) {
            Ok(note) => note,
            Err(_) if place.exists() => return Ok(Copy::Changed),
            Err(_) => return Ok(Copy::Missing),
        };
        let (whence, hash) = note.rsplit_once("tree ").unwrap_or((&note, ""));
        let found = tree_hash(&place).map_err(|error| could_not("read", &place, &error))?;
        Ok(match (found == hash.trim(), whence == self.whence()) {
            (false, _) => Copy::Changed,
            (true, true) => Copy::Current,
            (true, false) => Copy::Other,
        })
    }

    /// Fetches the role, and puts it in the place of the copy that there is. A fault in the middle leaves that as it was.
    ///
    /// # Errors
    /// `git` is not there or fails, the commit has no such role, a link in it leads out of it, or a file can't be written.
    pub fn fetch(&self, project: &Project) -> Result<(), Diagnostic> {
        let place = self.place(project);
        let around = project.on_disk(DIRECTORY);
        fs::create_dir_all(&around).map_err(|error| could_not("make", &around, &error))?;
        let scratch = Scratch(around.join(format!(".{}.{}", self.name, std::process::id())));
        let (repository, files) = (scratch.0.join("git"), scratch.0.join("files"));
        fs::create_dir_all(&files).map_err(|error| could_not("make", &files, &error))?;
        self.check_out(&repository, &files)?;
        let role = files.join(&self.path);
        if !role.join("role.rhai").is_file() {
            let problem = format!("the commit has no role in `{}`: there is no `role.rhai`", self.path);
            return Err(self.at.error(problem).hint("`path` says where in the repository it is"));
        }
        self.refuse_links_out(&role)?;
        let hash = tree_hash(&role).map_err(|error| could_not("read", &role, &error))?;
        let note = format!("{}tree {hash}\n", self.whence());
        fs::write(role.join(NOTE), note).map_err(|error| could_not("write", &role.join(NOTE), &error))?;
        let before = scratch.0.join("before");
        if place.exists() {
            fs::rename(&place, &before).map_err(|error| could_not("move", &place, &error))?;
        }
        fs::rename(&role, &place).map_err(|error| {
            // Nothing is lost: the copy that was there is again.
            let _ = fs::rename(&before, &place);
            could_not("write", &place, &error)
        })
    }

    fn place(&self, project: &Project) -> PathBuf {
        project.on_disk(DIRECTORY).join(&self.name)
    }

    fn whence(&self) -> String {
        format!("git {}\ncommit {}\npath {}\n", self.git, self.commit, self.path)
    }

    fn check_out(&self, repository: &Path, files: &Path) -> Result<(), Diagnostic> {
        let fetch = |what: &[&str]| {
            self.git(
                repository,
                &[&["fetch", "--quiet", "--no-tags"], what, &["--", &self.git, &self.commit]].concat(),
            )
        };
        self.git(repository, &["init", "--quiet", "--bare", &repository.to_string_lossy()])?;
        // Not every server gives a commit alone.
        if fetch(&["--depth=1"]).is_err() {
            self.git(repository, &["fetch", "--quiet", "--", &self.git, "+refs/*:refs/vendored/*"])?;
        }
        let tree = format!("--work-tree={}", files.display());
        let what = if self.path.is_empty() { "." } else { &self.path };
        self.git(repository, &[&tree, "checkout", "--quiet", &self.commit, "--", what])
    }

    /// Runs git in a repository; none of the person's hooks or settings of the directory count.
    fn git(&self, repository: &Path, arguments: &[&str]) -> Result<(), Diagnostic> {
        let mut command = Command::new("git");
        command.arg(format!("--git-dir={}", repository.display()));
        command.args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.autocrlf=false",
            "-c",
            "protocol.ext.allow=never",
        ]);
        command.args(arguments).stdin(Stdio::null()).env("GIT_TERMINAL_PROMPT", "0");
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        let output = command.output().map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            let problem = Diagnostic::new(format!("could not run `git`: {}", reason(&error)));
            if missing { problem.hint("`git` has to be installed here, on the controller") } else { problem }
        })?;
        if output.status.success() {
            return Ok(());
        }
        Err(self
            .at
            .error(format!("could not get the role `{}`", self.name))
            .with_output(transport::printable(&output.stderr)))
    }

    /// A link that leads out of a role would have files of this machine sent to hosts.
    fn refuse_links_out(&self, role: &Path) -> Result<(), Diagnostic> {
        let entries = entries(role).map_err(|error| could_not("read", role, &error))?;
        for entry in entries {
            let Ok(target) = fs::read_link(role.join(&entry)) else { continue };
            let mut depth = entry.components().count() - 1;
            let leads_out = target.components().any(|part| match part {
                Component::Normal(_) => {
                    depth += 1;
                    false
                }
                Component::ParentDir if depth > 0 => {
                    depth -= 1;
                    false
                }
                Component::CurDir => false,
                _ => true,
            });
            if leads_out {
                let (link, target) = (entry.display(), target.display());
                return Err(self
                    .at
                    .error(format!("the role has a link that leads out of it: `{link}` to `{target}`")));
            }
        }
        Ok(())
    }
}

/// A directory that is gone at the end.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is hidden, and nobody's role.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn could_not(what: &str, path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(format!("could not {what} `{}`: {}", path.display(), reason(error)))
}

/// The paths of all that is in a directory but the note, sorted. Links are not followed.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(path) = todo.pop() {
        for entry in fs::read_dir(directory.join(&path))? {
            let entry = entry?;
            let inner = path.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                todo.push(inner.clone());
            }
            if inner != Path::new(NOTE) {
                found.push(inner);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What a directory's content comes down to: names, kinds, contents, and what may be executed.
fn tree_hash(directory: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |kind: &str, path: &Path, content: &[u8]| {
        for part in [kind.as_bytes(), path.as_os_str().as_encoded_bytes(), content] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
    };
    for path in entries(directory)? {
        let place = directory.join(&path);
        let metadata = fs::symlink_metadata(&place)?;
        if metadata.is_dir() {
            add("directory", &path, b"");
        } else if metadata.is_symlink() {
            add("link", &path, fs::read_link(&place)?.as_os_str().as_encoded_bytes());
        } else {
            let kind = if metadata.permissions().mode() & 0o100 == 0 { "file" } else { "program" };
            add(kind, &path, &fs::read(&place)?);
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}
