//! `file::link`.

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use refrain_engine::system::{Kind, View};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::file_target::parent;
use crate::host_path::HostPath;
use crate::links::look_at;

/// Puts a symbolic link in place.
///
/// ```rhai
/// file::link("/etc/localtime", "/usr/share/zoneinfo/UTC");
/// file::link("/var/service/sshd", "/etc/sv/sshd");
/// ```
///
/// `path` is the link, `target` what it points to, taken as it is: a relative one is seen from the link's directory, and it
/// does not have to exist. A link that is there with another target is replaced at once, without a moment without it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileLink {
    /// Where the link shall be. Its directory has to exist.
    path: HostPath,
    /// What it shall point to.
    target: PathBuf,
    /// Also replace a file or an empty directory that is there. Default false: that is an error.
    #[serde(default)]
    force: bool,
}

/// What is at the path of a link.
#[derive(Debug)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A link, and its target.
    Link(PathBuf),
    /// Something else, and whether it is a directory with something in it.
    Other(Kind, bool),
}

impl State for FileLink {
    const NAME: &'static str = "file::link";
    const POSITIONAL: &'static [&'static str] = &["path", "target"];
    type Found = Found;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let host = context.host;
        if self.target.as_os_str().is_empty() {
            return Err(Failure::argument("target", "a link can't point to nothing"));
        }
        match look_at(host, &self.path)? {
            None => parent(host, &self.path).map(|_| Found::Nothing),
            Some(stat) if stat.kind == Kind::Link => {
                Ok(Found::Link(host.read_link(&self.path)?.unwrap_or_default()))
            }
            Some(stat) => Ok(Found::Other(stat.kind, is_full(host, &self.path, stat.kind)?)),
        }
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let (path, target) = (self.path.to_path_buf(), self.target.clone());
        let link = |before| Change::MakeLink { path: path.clone(), target, before };
        match found {
            Found::Nothing => Ok(vec![link(None).into()]),
            Found::Link(before) if *before == self.target => Ok(Plan::new()),
            Found::Link(before) => Ok(vec![link(Some(before.clone())).into()]),
            Found::Other(kind, false) if self.force => {
                let remove = Change::Remove { path: path.clone(), what: kind.word() };
                Ok(vec![remove.into(), link(None).into()])
            }
            Found::Other(kind, full) => {
                let hint = match (full, self.force) {
                    (true, true) => "it has something in it: remove it with file::absent if that is meant",
                    _ => "`force: true` replaces a file or an empty directory",
                };
                Err(Failure::state(format!("`{}` is a {}, not a link", self.path, kind.word())).advise(hint))
            }
        }
    }
}

fn is_full(host: &dyn View, path: &HostPath, kind: Kind) -> Result<bool, Failure> {
    Ok(kind == Kind::Directory && !host.list(path)?.is_empty())
}
