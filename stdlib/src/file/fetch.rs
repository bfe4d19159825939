//! `file::fetch`.

use std::path::PathBuf;
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Content, Kind, Stat, System, View};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::attributes::{AttributeOptions, string_or_integer};
use crate::directories::Directories;
use crate::file_target::FileTarget;
use crate::host_path::HostPath;
use crate::whole_file::WholeFile;

/// Gets a file from the host: puts a copy of it on the controller.
///
/// ```rhai,no_run
/// file::fetch("/etc/ssh/ssh_host_ed25519_key.pub", `keys/${host.name}.pub`);
/// ```
///
/// The copy is replaced as a whole, and only if it differs. Directories on the way to it are made. While it is written only
/// the controller's user can read it. A play that calls this is evaluated on the controller.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileFetch {
    /// The file on the host. Links are followed.
    remote: HostPath,
    /// Where the copy shall be: a path below the project, or an absolute one. It can't have `..` in it. Hosts that are worked
    /// on at the same time need places of their own.
    local: String,
    /// The permissions of the copy, as `mode` of `file::copy`. When absent, a copy that exists keeps them, and a new one gets
    /// those of the original, without what others may write.
    #[serde(default)]
    #[schemars(schema_with = "string_or_integer")]
    mode: Value,
}

/// The kind of state by which check mode remembers a copy that would be there: its value is the original's hash.
const PREDICTED: &str = "file on the controller";

/// The place of the copy, and what has to be done there.
pub struct Found {
    controller: Rc<dyn System>,
    place: PathBuf,
    /// Of the original's content. Absent when check mode does not know it.
    hash: Option<String>,
    changes: Changes,
}

/// What has to be done at the place of the copy.
enum Changes {
    /// An earlier call would have done it.
    Predicted,
    /// The file holds what it shall; its mode may have to change.
    Held(FileTarget),
    /// It has to be written, in a directory that may have to be made.
    Written(Directories, WholeFile, Content),
}

impl State for FileFetch {
    const NAME: &'static str = "file::fetch";
    const POSITIONAL: &'static [&'static str] = &["remote", "local"];
    type Found = Found;

    fn subject(&self) -> String {
        self.remote.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let (controller, place) = context.materials.on_controller(&self.local)?;
        let original = self.original(context.host)?;
        let mode = AttributeOptions::new(Value::Null, Value::Null, self.mode.clone());
        let rules = mode.resolve(&*controller)?;
        let mut directories = Directories::default();
        let target = FileTarget::look(&*controller, &place, &rules, |path| {
            Ok(rules.of_new_copy(original.attributes.mode, directories.parent(&*controller, path)?))
        })?;
        let name = place.to_string_lossy();
        // Where nothing is predicted, the original need not travel to be compared.
        if !context.host.is_predicted() && self.is_held(context.host, &*controller, &target)? {
            return Ok(Found { controller, place, hash: None, changes: Changes::Held(target) });
        }
        let content = context.host.read(&self.remote)?.ok_or_else(|| self.nothing())?;
        let hash = content.hash();
        let predicted = context.host.predicted(PREDICTED, &name);
        let changes = if hash.is_some() && predicted == hash.clone().map(Value::from) {
            Changes::Predicted
        } else if target.existing.is_some() && controller.read(&target.path)?.as_ref() == Some(&content) {
            Changes::Held(target)
        } else {
            Changes::Written(directories, WholeFile::read(&*controller, target)?, content)
        };
        Ok(Found { controller, place, hash, changes })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        let steps: Plan = match &found.changes {
            Changes::Predicted => Plan::new(),
            Changes::Held(target) => target.plan_attributes(),
            Changes::Written(directories, file, content) => {
                let made = directories.changes().map(Into::into);
                made.chain(file.plan(content.clone(), true)).collect()
            }
        };
        let here = |step| OnController {
            step,
            controller: Rc::clone(&found.controller),
            place: found.place.to_string_lossy().into_owned(),
            hash: found.hash.clone(),
        };
        Ok(steps.into_iter().map(|step| Box::new(here(step)) as Box<dyn Step>).collect())
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        Map::from_iter([("path".to_owned(), found.place.to_string_lossy().into())])
    }
}

impl FileFetch {
    /// What the original is.
    fn original(&self, host: &dyn View) -> Result<Stat, Failure> {
        match host.stat(&self.remote)? {
            Some(stat) if stat.kind == Kind::File => Ok(stat),
            Some(stat) => {
                let message = format!("`{}` is a {}, not a file", self.remote, stat.kind.word());
                Err(Failure::argument("remote", message))
            }
            None => Err(self.nothing()),
        }
    }

    fn nothing(&self) -> Failure {
        Failure::argument("remote", format!("there is no file `{}`", self.remote))
    }

    /// Whether the copy holds what the original does.
    fn is_held(&self, host: &dyn View, controller: &dyn View, copy: &FileTarget) -> Result<bool, Failure> {
        if copy.existing.is_none() {
            return Ok(false);
        }
        let Some(content) = controller.read(&copy.path)? else { return Ok(false) };
        match (content.known(), content.hash()) {
            (Some(bytes), Some(hash)) => host.holds(&self.remote, bytes.len() as u64, &hash),
            _ => Ok(false),
        }
    }
}

/// A step that is made on the controller instead of the host.
struct OnController {
    step: Box<dyn Step>,
    controller: Rc<dyn System>,
    place: String,
    hash: Option<String>,
}

impl Step for OnController {
    fn describe(&self) -> String {
        format!("{}, on the controller", self.step.describe())
    }

    fn diff(&self) -> Option<String> {
        self.step.diff()
    }

    fn certain(&self) -> bool {
        self.step.certain()
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        if let Some(hash) = &self.hash {
            overlay.set_state(PREDICTED, &self.place, hash.as_str().into());
        }
        Ok(())
    }

    fn act(&self, _host: &dyn System) -> Result<(), Failure> {
        self.step.act(&*self.controller)
    }

    fn undo(&self) -> Undo {
        Undo::Irreversible("the journal of a host says nothing about the controller".to_owned())
    }
}
