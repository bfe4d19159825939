//! `file::attributes`.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use refrain_engine::system::{Kind, Stat, View};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::attributes::{AttributeOptions, AttributeRules};
use crate::host_path::HostPath;
use crate::links::follow;
use crate::one_or_many::OneOrMany;

/// Gives an owner, a group and a mode to something that exists.
///
/// ```rhai
/// file::attributes("/etc/hosts", #{ owner: "root", mode: "u=rw,go=r" });
/// file::attributes(["/var/log", "/var/lib"], #{ recurse: true, mode: "o-w" });
/// ```
///
/// Where `path` is a link, what it leads to is meant; links below a directory get the owner and group themselves and are not
/// followed.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileAttributes {
    /// One path or an array of them.
    path: OneOrMany<HostPath>,
    /// Also for everything below a directory. In a symbolic mode, `X` gives execute to directories, and to files that
    /// someone may execute. Default false.
    #[serde(default)]
    recurse: bool,
    #[serde(flatten)]
    attributes: AttributeOptions,
}

impl State for FileAttributes {
    const NAME: &'static str = "file::attributes";
    const POSITIONAL: &'static [&'static str] = &["path"];
    type Found = Vec<Change>;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Vec<Change>, Failure> {
        if self.attributes.is_empty() {
            return Err(Failure::Argument {
                message: "nothing is asked for".to_owned(),
                argument: None,
                hint: Some("give `owner`, `group` or `mode`".to_owned()),
            });
        }
        context.host.look_ahead(&self.path.0.iter().map(|path| &**path).collect::<Vec<_>>());
        let rules = self.attributes.resolve(context.host)?;
        let mut changes = Vec::new();
        for path in &self.path.0 {
            let (place, stat) = follow(context.host, path)?;
            let Some(stat) = stat else {
                return Err(Failure::state(format!("there is nothing at `{path}`")).advise(
                    "make it first: file::directory, file::content, file::copy take the same options",
                ));
            };
            changes.extend(change(&place, &stat, &rules));
            if self.recurse && stat.kind == Kind::Directory {
                changes.extend(below(context.host, &place, &rules)?);
            }
        }
        Ok(changes)
    }

    fn plan(&self, found: &Vec<Change>) -> Result<Plan, Failure> {
        Ok(found.iter().cloned().map(Into::into).collect())
    }
}

fn change(path: &Path, stat: &Stat, rules: &AttributeRules) -> Option<Change> {
    let after = rules.of_existing(stat);
    (after != stat.attributes).then(|| Change::SetAttributes {
        path: path.to_owned(),
        before: stat.attributes,
        after,
    })
}

/// The changes after which everything below a directory has the attributes.
///
/// # Errors
/// The host can't be looked at.
pub fn below(host: &dyn View, directory: &Path, rules: &AttributeRules) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(directory) = todo.pop() {
        for name in host.list(&directory)? {
            let path = directory.join(name);
            let Some(stat) = host.lstat(&path)? else { continue };
            changes.extend(change(&path, &stat, rules));
            if stat.kind == Kind::Directory {
                todo.push(path);
            }
        }
    }
    Ok(changes)
}
