//! Where `file::copy` takes files from.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::Materials;
use refrain_engine::system::{Content, Kind, Stat, View};

use crate::host_path::HostPath;
use crate::links::real;

/// A file, or a directory of files, that is to be copied.
///
/// Files are named by their paths below it; the empty path is the source itself.
pub enum CopySource<'a> {
    /// What the play brings, and its name there.
    Project(&'a dyn Materials, &'a str),
    /// Something on the host, and where.
    Host(&'a dyn View, HostPath),
}

impl CopySource<'_> {
    /// Where it really is, if it is on the host: no copy may be put there.
    ///
    /// # Errors
    /// The host can't be looked at.
    pub fn itself(&self) -> Result<Option<PathBuf>, Failure> {
        match self {
            Self::Project(..) => Ok(None),
            Self::Host(host, source) => real(*host, source).map(|(place, _)| Some(place)),
        }
    }

    /// If it is a directory: the names of all files below it, sorted.
    ///
    /// # Errors
    /// There is nothing.
    pub fn files(&self) -> Result<Option<Vec<PathBuf>>, Failure> {
        match self {
            Self::Project(materials, source) => {
                let names = materials.directory(source);
                Ok(names.map(|names| names.into_iter().map(PathBuf::from).collect()))
            }
            Self::Host(host, source) => match host.stat(source)? {
                Some(stat) if stat.kind == Kind::Directory => files_below(*host, source).map(Some),
                Some(_) => Ok(None),
                None => Err(Failure::argument("source", format!("there is no `{source}` on the host"))),
            },
        }
    }

    /// The mode that a copy of a file is made after.
    ///
    /// # Errors
    /// There is no such file.
    pub fn mode(&self, name: &Path) -> Result<u32, Failure> {
        match self {
            Self::Project(materials, source) => {
                let executable = materials.source(&in_project(source, name))?.executable;
                Ok(if executable { 0o755 } else { 0o644 })
            }
            Self::Host(host, source) => {
                let path = on_host(source, name);
                match host.stat(&path)? {
                    Some(Stat { kind: Kind::File, attributes, .. }) => Ok(attributes.mode),
                    _ => Err(Failure::state(format!("`{}` is not a file", path.display()))
                        .advise("only regular files can be copied")),
                }
            }
        }
    }

    /// Whether the file at `path` on the host is known to hold what its copy shall, without anything being sent.
    ///
    /// # Errors
    /// It can't be read.
    pub fn is_held(&self, host: &dyn View, name: &Path, path: &Path) -> Result<bool, Failure> {
        match self {
            Self::Project(materials, source) => {
                let file = materials.source(&in_project(source, name))?;
                host.holds(path, file.size, &file.hash)
            }
            // Reading both is all that can be done.
            Self::Host(..) => Ok(false),
        }
    }

    /// What the copy of a file shall hold.
    ///
    /// # Errors
    /// It can't be read.
    pub fn content(&self, name: &Path) -> Result<Content, Failure> {
        match self {
            Self::Project(materials, source) => materials.file(&in_project(source, name)).map(Content::Known),
            Self::Host(host, source) => {
                let path = on_host(source, name);
                let content = host.read(&path)?;
                content.ok_or_else(|| Failure::state(format!("`{}` is gone", path.display())))
            }
        }
    }
}

fn in_project(source: &str, name: &Path) -> String {
    // Names in a project came from it as text.
    match name.to_string_lossy() {
        itself if itself.is_empty() => source.to_owned(),
        name => format!("{source}/{name}"),
    }
}

fn on_host(source: &Path, name: &Path) -> PathBuf {
    // Joined with nothing, a path would end in a slash.
    if name.as_os_str().is_empty() { source.to_owned() } else { source.join(name) }
}

/// The files below a directory, by their paths below it. Links to directories are left out, so that a loop can't trap it.
fn files_below(host: &dyn View, top: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(directory) = todo.pop() {
        for name in host.list(&on_host(top, &directory))? {
            let below = directory.join(name);
            let path = top.join(&below);
            match host.lstat(&path)?.map(|stat| stat.kind) {
                Some(Kind::Directory) => todo.push(below),
                Some(Kind::Link) => {
                    let leads_to_file = host.stat(&path)?.is_some_and(|stat| stat.kind == Kind::File);
                    found.extend(leads_to_file.then_some(below));
                }
                Some(Kind::File) => found.push(below),
                Some(Kind::Other) | None => {}
            }
        }
    }
    found.sort();
    Ok(found)
}
