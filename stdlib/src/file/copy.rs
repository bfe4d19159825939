//! `file::copy`.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use refrain_engine::system::{Content, Kind, View};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::attributes::{AttributeOptions, AttributeRules};
use crate::directories::Directories;
use crate::host_path::HostPath;
use crate::whole_file::{WholeFile, parent};

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
/// copy of a directory; empty ones are not copied. Links in the project are followed.
///
/// A large file is compared by its hash and only sent when it differs. Where `path` is a link, the file that it leads to is
/// written and the link stays.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileCopy {
    /// The file or directory: a name in `files/` beside the role or playbook. With `remote`, a path on the host.
    #[schemars(extend("x-source" = "file"))]
    source: String,
    /// Where the copy shall be. Its directory has to exist.
    path: HostPath,
    /// The source is a file on the host. Default false.
    #[serde(default)]
    remote: bool,
    /// The mode of the directories in the copy of a directory, as `mode` is for its files. When absent, those that exist
    /// keep theirs, and new ones get 0755.
    #[serde(default)]
    #[schemars(schema_with = "crate::attributes::string_or_integer")]
    directory_mode: Value,
    // A file that is new and has no `mode` can be executed if its source can.
    #[serde(flatten)]
    attributes: AttributeOptions,
}

/// What is there, and what shall be.
#[derive(Debug, Default)]
pub struct Found {
    directories: Vec<Change>,
    files: Vec<(WholeFile, Content)>,
}

impl State for FileCopy {
    const NAME: &'static str = "file::copy";
    const POSITIONAL: &'static [&'static str] = &["source", "path"];
    type Found = Found;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let rules = self.attributes.resolve(context.host)?;
        match context.materials.directory(&self.source).filter(|_| !self.remote) {
            Some(names) => self.look_at_directory(context, &rules, &names),
            None => {
                let file = if self.remote {
                    self.look_at_remote(context.host, &rules)?
                } else {
                    self.look_at_file(context, &rules)?
                };
                Ok(Found { directories: Vec::new(), files: vec![file] })
            }
        }
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let directories = found.directories.iter().cloned().map(Into::into);
        let files = found.files.iter().flat_map(|(file, content)| file.plan(content.clone(), true));
        Ok(directories.chain(files).collect())
    }
}

impl FileCopy {
    fn look_at_file(
        &self,
        context: &Context<'_>,
        rules: &AttributeRules,
    ) -> Result<(WholeFile, Content), Failure> {
        let executable = context.materials.source(&self.source)?.executable;
        let file = WholeFile::look_by(context.host, &self.path, rules, |path| {
            Ok(rules.of_new_copy(executable, parent(context.host, path)?))
        })?;
        let content = content(context, &self.source, &file)?;
        Ok((file, content))
    }

    fn look_at_remote(
        &self,
        host: &dyn View,
        rules: &AttributeRules,
    ) -> Result<(WholeFile, Content), Failure> {
        let source = HostPath::new(&self.source).map_err(|message| Failure::argument("source", message))?;
        let stat = host.stat(&source)?.filter(|stat| stat.kind == Kind::File);
        let (Some(stat), Some(content)) = (stat, host.read(&source)?) else {
            return Err(Failure::argument("source", format!("there is no file `{source}` on the host")));
        };
        let executable = stat.attributes.mode & 0o100 != 0;
        let file = WholeFile::look_by(host, &self.path, rules, |path| {
            Ok(rules.of_new_copy(executable, parent(host, path)?))
        })?;
        Ok((file, content))
    }

    fn look_at_directory(
        &self,
        context: &Context<'_>,
        rules: &AttributeRules,
        names: &[String],
    ) -> Result<Found, Failure> {
        let host = context.host;
        let of_directories = self.attributes.with_mode(&self.directory_mode).resolve(host)?;
        let mut directories = Directories::default();
        let mut files = Vec::new();
        directories.look(host, &self.path, &of_directories)?;
        for name in names {
            for above in directories_of(&self.path, name) {
                directories.look(host, &above, &of_directories)?;
            }
            let source = format!("{}/{name}", self.source.trim_end_matches('/'));
            let executable = context.materials.source(&source)?.executable;
            let file = WholeFile::look_by(host, &self.path.join(name), rules, |path| {
                Ok(rules.of_new_copy(executable, directories.parent(host, path)?))
            })?;
            let content = content(context, &source, &file)?;
            files.push((file, content));
        }
        Ok(Found { directories: directories.changes, files })
    }
}

/// The directories between `top` and the file `name` below it, the outer ones first.
fn directories_of(top: &Path, name: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Path::new(name)
        .ancestors()
        .skip(1)
        .filter(|above| !above.as_os_str().is_empty())
        .map(|above| top.join(above))
        .collect();
    all.reverse();
    all
}

/// What the copy of `source` shall hold: what it holds if that is right, so that nothing has to be sent.
fn content(context: &Context<'_>, source: &str, file: &WholeFile) -> Result<Content, Failure> {
    let known = context.materials.source(source)?;
    match file.content() {
        Some(Content::Known(bytes)) if known.is(bytes) => Ok(Content::Known(bytes.clone())),
        _ => context.materials.file(source).map(Content::Known),
    }
}
