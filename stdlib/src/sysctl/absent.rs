//! `sysctl::absent`.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use refrain_engine::system::{Content, Kind};
use schemars::JsonSchema;
use serde::Deserialize;

use super::drop_in;
use super::key::Key;
use super::settings;
use crate::attributes::AttributeOptions;
use crate::file::edited_file::{Edit, EditedFile, Inputs, Missing};
use crate::host_path::HostPath;

/// Keeps a value out of the files that set it when the machine starts.
///
/// ```rhai
/// sysctl::absent("kernel.sysrq");
/// sysctl::absent("vm.overcommit_memory", #{ file: "/etc/sysctl.conf" });
/// ```
///
/// Without `topic` or `file`, all files in `/etc/sysctl.d`, and `/etc/sysctl.conf`, are looked through. A file in
/// `/etc/sysctl.d` that is left empty goes. The running kernel keeps the value: what it was before, nobody knows.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SysctlAbsent {
    /// The value's name.
    key: Key,
    /// Only in the file of this topic, as in `sysctl::set`.
    #[serde(default)]
    topic: Option<String>,
    /// Only in this file.
    #[serde(default)]
    file: Option<HostPath>,
}

impl Edit for SysctlAbsent {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        Ok(settings::without(text, &self.key))
    }
}

/// A file that sets the value.
#[derive(Debug)]
pub enum Found {
    /// And more than that.
    Edited(EditedFile),
    /// And nothing else.
    Emptied(PathBuf),
}

impl State for SysctlAbsent {
    const NAME: &'static str = "sysctl::absent";
    const POSITIONAL: &'static [&'static str] = &["key"];
    type Found = Vec<Found>;

    fn subject(&self) -> String {
        self.key.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        let host = context.host;
        let paths = match (&self.topic, &self.file) {
            (None, None) => drop_in::all(host)?,
            (topic, file) => vec![drop_in::place(topic.as_deref(), file.as_ref())?],
        };
        host.look_ahead(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>());
        let mut found = Vec::new();
        for path in paths {
            let is_link = host.lstat(&path)?.is_some_and(|stat| stat.kind == Kind::Link);
            let removable = path.parent() == Some(Path::new(drop_in::DIRECTORY)) && !is_link;
            match host.read(&path)? {
                Some(Content::Known(text)) if removable && self.empties(&text)? => {
                    found.push(Found::Emptied(path))
                }
                Some(_) => found.push(Found::Edited(EditedFile::look(
                    host,
                    &path,
                    &AttributeOptions::default(),
                    Missing::Fine,
                )?)),
                None => {}
            }
        }
        Ok(found)
    }

    fn plan(&self, found: &Self::Found) -> Result<Plan, Failure> {
        let mut plan = Plan::new();
        for file in found {
            match file {
                Found::Edited(file) => plan.extend(file.plan(Inputs::default(), self)?),
                Found::Emptied(path) => {
                    plan.push(Change::Remove { path: path.clone(), what: Kind::File.word() }.into());
                }
            }
        }
        Ok(plan)
    }
}

impl SysctlAbsent {
    /// Whether taking the value out leaves nothing of a text.
    fn empties(&self, text: &[u8]) -> Result<bool, Failure> {
        let text = String::from_utf8_lossy(text);
        Ok(settings::value(&text, &self.key).is_some() && self.edit(&text)?.trim().is_empty())
    }
}
