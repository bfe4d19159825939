//! The files of packages: those that a new one would bring, and those that one which goes would take along.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Attributes, Command, Content, View};
use serde_json::{Value, json};

use super::explanation::explain;
use super::planned::Planned;
use super::plist;
use super::program::Xbps;
use crate::file::checksum::sha256;

/// What the paths of a package that is there only by prediction are known by to the overlay.
const KIND: &str = "files of a package";
/// So many paths are looked at together.
const AT_ONCE: usize = 256;

/// What a package from a repository brings.
#[derive(Clone, Debug)]
pub struct Contents {
    name: String,
    entries: Vec<Entry>,
}

/// One file or link of a package.
#[derive(Clone, Debug)]
struct Entry {
    path: PathBuf,
    /// Where the link leads. Absent for a file.
    target: Option<PathBuf>,
    /// Prints what is in the file.
    content: Command,
}

impl Contents {
    /// Asks the repository of a package that would be installed.
    ///
    /// # Errors
    /// It can't be asked.
    pub fn ask(xbps: &Xbps<'_>, planned: &Planned) -> Result<Self, Failure> {
        let xbps = xbps.only(&planned.repository);
        let package = planned.package();
        let command = xbps.query(&["-f", &package]);
        let output = xbps.ask(&command)?;
        if output.status != 0 {
            return Err(explain(&command, &output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let entry = |line: &str| {
            let (path, target) =
                line.split_once(" -> ").map_or((line, None), |(path, target)| (path, Some(target)));
            let content = xbps.query(&["--cat", path, &package]);
            Entry { path: path.into(), target: target.map(PathBuf::from), content }
        };
        let entries = text.lines().filter(|line| line.starts_with('/')).map(entry).collect();
        Ok(Self { name: planned.name.clone(), entries })
    }

    /// Lays the files over the host. What is there already stays: xbps does not replace a file that is no package's.
    ///
    /// # Errors
    /// The host can't be looked at.
    pub fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        let (uid, gid) = overlay.identity();
        for entries in self.entries.chunks(AT_ONCE) {
            overlay.look_ahead(&entries.iter().map(|entry| entry.path.as_path()).collect::<Vec<_>>());
            for Entry { path, target, content } in entries {
                if overlay.lstat(path)?.is_some() {
                    continue;
                }
                make_directories(overlay, path.parent().unwrap_or(path))?;
                let attributes = Attributes { mode: usual_mode(path), uid, gid };
                match target {
                    Some(target) => overlay.make_link(path, target)?,
                    None => overlay.write_as_told(path, content.clone(), attributes)?,
                }
            }
        }
        let paths: Vec<_> = self.entries.iter().map(|entry| entry.path.to_string_lossy()).collect();
        overlay.set_state(KIND, &self.name, json!(paths));
        Ok(())
    }
}

/// The mode that packages give such a file. No program of xbps tells the real one beforehand.
fn usual_mode(path: &Path) -> u32 {
    let is_service = path.starts_with("/etc/sv")
        && path.file_name().is_some_and(|name| ["run", "finish", "check"].iter().any(|known| name == *known));
    let is_program =
        path.components().any(|part| ["bin", "sbin"].iter().any(|known| part.as_os_str() == *known));
    if is_service || is_program { 0o755 } else { 0o644 }
}

fn make_directories(overlay: &Overlay, directory: &Path) -> Result<(), Failure> {
    if overlay.stat(directory)?.is_some() {
        return Ok(());
    }
    if let Some(above) = directory.parent() {
        make_directories(overlay, above)?;
    }
    let (uid, gid) = overlay.identity();
    overlay.make_directory(directory, Attributes { mode: 0o755, uid, gid })
}

/// Lays over the host that the files of a package are gone. A configuration file that was edited stays, as do directories in
/// which something else is.
///
/// # Errors
/// The host can't be looked at.
pub fn predict_removal(overlay: &Overlay, name: &str) -> Result<(), Failure> {
    if let Some(Value::Array(paths)) = overlay.predicted(KIND, name) {
        let paths: Vec<&str> = paths.iter().filter_map(Value::as_str).collect();
        overlay.set_state(KIND, name, Value::Null);
        return paths.into_iter().try_for_each(|path| overlay.remove(path.as_ref()));
    }
    let installed = Installed::look(overlay, name)?;
    for path in installed.paths("files").chain(installed.paths("links")) {
        overlay.remove(&path)?;
    }
    for (path, sum) in installed.configuration() {
        if sum_of(overlay, &path)?.as_deref() == Some(sum) {
            overlay.remove(&path)?;
        }
    }
    let mut directories: Vec<PathBuf> = installed.paths("dirs").collect();
    // What is deeper comes first.
    directories.sort_by(|a, b| b.cmp(a));
    for directory in directories {
        if overlay.lstat(&directory)?.is_some() && overlay.list(&directory)?.is_empty() {
            overlay.remove(&directory)?;
        }
    }
    Ok(())
}

fn sum_of(host: &dyn View, path: &Path) -> Result<Option<String>, Failure> {
    let content = host.read(path)?;
    Ok(content.as_ref().and_then(Content::known).map(sha256))
}

/// The list of files of an installed package.
#[derive(Clone, Debug, Default)]
pub struct Installed(Value);

impl Installed {
    /// Reads it. Empty for a package that has none.
    ///
    /// # Errors
    /// It can't be read, or is damaged.
    pub fn look(host: &dyn View, name: &str) -> Result<Self, Failure> {
        let path = format!("/var/db/xbps/.{name}-files.plist");
        let content = host.read(Path::new(&path))?;
        let Some(bytes) = content.as_ref().and_then(Content::known) else { return Ok(Self::default()) };
        let list = plist::parse(&String::from_utf8_lossy(bytes));
        list.map(Self).map_err(|error| Failure::state(format!("the list `{path}` is damaged: {error}")))
    }

    fn entries(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0[kind].as_array().into_iter().flatten()
    }

    /// The paths of one kind: `files`, `links`, `conf_files`, `dirs`.
    pub fn paths(&self, kind: &str) -> impl Iterator<Item = PathBuf> {
        self.entries(kind).filter_map(|entry| entry["file"].as_str().map(PathBuf::from))
    }

    /// The configuration files, each with the SHA-256 sum that it came with.
    fn configuration(&self) -> impl Iterator<Item = (PathBuf, &str)> {
        self.entries("conf_files")
            .filter_map(|entry| Some((PathBuf::from(entry["file"].as_str()?), entry["sha256"].as_str()?)))
    }
}
