//! `file::copy`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::system::{Attributes, Content, View};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::copy_source::CopySource;
use crate::attributes::{AttributeOptions, AttributeRules};
use crate::directories::Directories;
use crate::file_target::{FileTarget, parent};
use crate::host_path::HostPath;
use crate::links::real;
use crate::whole_file::WholeFile;

/// Copies a file, or a whole directory, to the host.
///
/// ```rhai
/// file::copy("motd", "/etc/motd");
/// file::copy("site", "/srv/site", #{ owner: "root", mode: "u=rwX,go=rX" });
/// file::copy("/etc/passwd", "/etc/passwd.copy", #{ remote: true, mode: "0600" });
/// ```
///
/// `path` is always the copy itself, never a directory to put it into: the second call makes `/srv/site/index.html` from
/// `files/site/index.html`. What else is in a directory on the host stays. Directories that are missing are made for the
/// copy of a directory; empty ones are not copied. Links to files are followed in the source, links to directories are left
/// out.
///
/// A large file is compared by its hash and only sent when it differs. Where `path` is a link, the file that it leads to is
/// written and the link stays.
///
/// Without a `mode`, a file that is new can be executed if its source can; one that is copied on the host has its source's
/// permissions, except those to write for group and others.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileCopy {
    /// The file or directory: a name in `files/` beside the role or playbook. With `remote`, a path on the host.
    #[schemars(extend("x-source" = "file"))]
    source: String,
    /// Where the copy shall be. The directory of a single file has to exist.
    path: HostPath,
    /// The source is on the host. Default false.
    #[serde(default)]
    remote: bool,
    /// The mode of the directories in the copy of a directory, as `mode` is for its files. When absent, those that exist
    /// keep theirs, and new ones get 0755.
    #[serde(default)]
    #[schemars(schema_with = "crate::attributes::string_or_integer")]
    directory_mode: Value,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

/// What is there, and what shall be.
#[derive(Debug, Default)]
pub struct Found {
    directories: Directories,
    files: Vec<FileFound>,
}

/// What is at the place of a file.
#[derive(Debug)]
enum FileFound {
    /// What shall be there: nothing has to be sent.
    Held(FileTarget),
    /// Nothing or something else, and what shall be there.
    Other(WholeFile, Content),
}

impl State for FileCopy {
    const NAME: &'static str = "file::copy";
    const POSITIONAL: &'static [&'static str] = &["source", "path"];
    type Found = Found;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let host = context.host;
        let source = self.source(context)?;
        host.look_ahead(&[&self.path]);
        let rules = self.attributes.resolve(host)?;
        match source.files()? {
            Some(names) => self.look_at_directory(host, &source, &rules, &names),
            None if self.directory_mode.is_null() => {
                let itself = Path::new("");
                let file =
                    look_at_file(host, &source, itself, &self.path, &rules, |path| parent(host, path))?;
                Ok(Found { files: vec![file], ..Found::default() })
            }
            None => Err(Failure::argument(
                "directory_mode",
                format!("`directory_mode` is for the copy of a directory, and `{}` is a file", self.source),
            )
            .advise("the mode of a file is `mode`")),
        }
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let directories = found.directories.changes().map(Into::into);
        let files = found.files.iter().flat_map(|file| match file {
            FileFound::Held(target) => target.plan_attributes(),
            FileFound::Other(file, content) => file.plan(content.clone(), true),
        });
        Ok(directories.chain(files).collect())
    }
}

/// So many files are looked at together.
const AT_ONCE: usize = 64;

impl FileCopy {
    fn source<'a>(&'a self, context: &Context<'a>) -> Result<CopySource<'a>, Failure> {
        if !self.remote {
            return Ok(CopySource::Project(context.materials, self.source.trim_end_matches('/')));
        }
        let source = HostPath::new(&self.source).map_err(|message| Failure::argument("source", message))?;
        Ok(CopySource::Host(context.host, source))
    }

    fn look_at_directory(
        &self,
        host: &dyn View,
        source: &CopySource<'_>,
        rules: &AttributeRules,
        names: &[PathBuf],
    ) -> Result<Found, Failure> {
        let of_directories = self.attributes.with_mode(&self.directory_mode).resolve(host)?;
        let mut found = Found::default();
        let mut places = Places { source: source.itself()?, ..Places::default() };
        found.directories.look(host, &self.path, &of_directories)?;
        for (index, name) in names.iter().enumerate() {
            if index % AT_ONCE == 0 {
                let next: Vec<_> =
                    names[index..].iter().take(AT_ONCE).map(|name| self.path.join(name)).collect();
                host.look_ahead(&next.iter().map(PathBuf::as_path).collect::<Vec<_>>());
            }
            let path = self.path.join(name);
            for above in directories_between(&self.path, &path) {
                found.directories.look(host, above, &of_directories)?;
                places.directories.insert(real(host, above)?.0);
            }
            places.add_file(real(host, &path)?.0, &path)?;
            let file =
                look_at_file(host, source, name, &path, rules, |path| found.directories.parent(host, path))?;
            found.files.push(file);
        }
        places.check(&found.directories)?;
        Ok(found)
    }
}

/// Where the parts of a copy really are: through links in what is there already, two of them can be in one place.
#[derive(Default)]
struct Places {
    /// The source, if that is on the host.
    source: Option<PathBuf>,
    directories: HashSet<PathBuf>,
    /// Each file's path as it is named.
    files: HashMap<PathBuf, PathBuf>,
}

impl Places {
    fn add_file(&mut self, place: PathBuf, path: &Path) -> Result<(), Failure> {
        if let Some(source) = self.source.as_ref().filter(|source| place.starts_with(source)) {
            let message = format!("`{}` can't be copied into itself", source.display());
            return Err(Failure::argument("path", message));
        }
        match self.files.insert(place, path.to_owned()) {
            None => Ok(()),
            Some(other) => Err(Failure::state(format!(
                "`{}` and `{}` are the same place, because of a link",
                other.display(),
                path.display()
            ))),
        }
    }

    /// Fails if a file would be where a directory shall be, or where one is made on the way to another.
    fn check(&self, made: &Directories) -> Result<(), Failure> {
        let is_directory = |place: &Path| self.directories.contains(place) || made.makes(place);
        match self.files.iter().find(|(place, _)| is_directory(place)) {
            None => Ok(()),
            Some((_, path)) => Err(Failure::state(format!(
                "`{}` leads to where a directory shall be, because of a link",
                path.display()
            ))),
        }
    }
}

fn look_at_file(
    host: &dyn View,
    source: &CopySource<'_>,
    name: &Path,
    path: &Path,
    rules: &AttributeRules,
    parent: impl FnOnce(&Path) -> Result<Attributes, Failure>,
) -> Result<FileFound, Failure> {
    let mode = source.mode(name)?;
    let target = FileTarget::look(host, path, rules, |path| Ok(rules.of_new_copy(mode, parent(path)?)))?;
    if target.existing.is_some() && source.is_held(host, name, &target.path)? {
        return Ok(FileFound::Held(target));
    }
    Ok(FileFound::Other(WholeFile::read(host, target)?, source.content(name)?))
}

/// The directories below `top` that `path` is in, the outer ones first.
fn directories_between<'a>(top: &Path, path: &'a Path) -> Vec<&'a Path> {
    let mut all: Vec<&Path> = path.ancestors().skip(1).take_while(|above| *above != top).collect();
    all.reverse();
    all
}
