//! `sysctl::set`.

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::step::Change;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::drop_in;
use super::key::Key;
use super::settings;
use crate::argument_schema::argument_schema;
use crate::attributes::AttributeOptions;
use crate::file::edited_file::{Edit, EditedFile, Inputs};
use crate::host_path::HostPath;
use crate::kernel_value::KernelValue;
use crate::whole_file::WholeFile;

/// Sets a value of the kernel: of the running one, and from the next start on.
///
/// ```rhai
/// sysctl::set("vm.swappiness", 10);
/// sysctl::set("net.ipv4.ip_forward", true, #{ topic: "router" });
/// sysctl::set("net.ipv4.ip_local_port_range", "1024 60999", #{ topic: "10-network" });
/// ```
///
/// The value goes into a file in `/etc/sysctl.d`, one for each topic, in which everything else stays. A file that is read
/// later and sets another value is an error, since that one would count. In an image the running kernel is another machine's
/// and is left alone; through a container the host's own is meant. A value that the running kernel does not have is an
/// error. The outcome's `live` says whether the running kernel has the value, and `not_live_because` why not.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SysctlSet {
    /// The value's name: `vm.swappiness`. A dot inside of a part is written as a slash.
    key: Key,
    /// The value: a number, a text, or a boolean that stands for 1 or 0.
    value: Setting,
    /// What the file is called: `router` is `/etc/sysctl.d/90-router.conf`, `10-router` has its own number. `local` when absent.
    #[serde(default)]
    topic: Option<String>,
    /// Another file, instead of one for a topic.
    #[serde(default)]
    file: Option<HostPath>,
    /// Whether the running kernel gets the value, too. Default true.
    #[serde(default = "yes")]
    live: bool,
    /// Whether the running kernel may not have such a value: a module that brings it may be loaded later. Default false.
    #[serde(default)]
    ignore_unknown: bool,
}

/// A value, in words with single blanks between them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting(String);

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::Bool(on) => u8::from(on).to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) if !text.contains('\n') => text,
            _ => return Err(serde::de::Error::custom("it has to be a number, a line of text or a boolean")),
        };
        Ok(Self(text.split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

argument_schema!(Setting, { "type": ["string", "number", "boolean"] });

fn yes() -> bool {
    true
}

/// The file and the running kernel.
#[derive(Debug)]
pub struct Found {
    directory: Vec<Change>,
    file: EditedFile,
    /// A file that would count instead, and its value.
    overriding: Option<(PathBuf, String)>,
    live: KernelValue,
}

impl Edit for SysctlSet {
    fn edit(&self, text: &str) -> Result<String, Failure> {
        Ok(settings::with_value(text, &self.key, &self.value.0))
    }
}

impl State for SysctlSet {
    const NAME: &'static str = "sysctl::set";
    const POSITIONAL: &'static [&'static str] = &["key", "value"];
    type Found = Found;

    fn subject(&self) -> String {
        self.key.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        let host = context.host;
        let path = drop_in::place(self.topic.as_deref(), self.file.as_ref())?;
        host.look_ahead(&[&path, &self.key.path()]);
        let (directory, file) = WholeFile::look_with_directory(host, &path, &AttributeOptions::default())?;
        Ok(Found {
            directory,
            file: EditedFile::of(file),
            overriding: drop_in::overriding(host, &path, &self.key, &self.value.0)?,
            live: self.live(context)?,
        })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        if let Some((file, value)) = &found.overriding {
            let file = file.display();
            let message = format!("`{file}` sets `{}` to {value}, and is read later", self.key);
            return Err(Failure::state(message).advise(format!(
                "take it out there: sysctl::absent(\"{}\", #{{ file: \"{file}\" }})",
                self.key
            )));
        }
        let mut plan: Plan = found.directory.iter().cloned().map(Into::into).collect();
        plan.extend(found.file.plan(Inputs::default(), self)?);
        plan.extend(found.live.change(&self.value.0).map(Into::into));
        Ok(plan)
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        found.live.fields()
    }
}

impl SysctlSet {
    fn live(&self, context: &Context<'_>) -> Result<KernelValue, Failure> {
        if !self.live {
            return Ok(KernelValue::OutOfReach("`live: false` was given".to_owned()));
        }
        match KernelValue::look(context.host, &self.key.path())? {
            KernelValue::Missing if !self.ignore_unknown => Err(self.key.unknown("key", context.host)),
            live => Ok(live),
        }
    }
}
