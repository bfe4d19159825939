//! The namespace `sysctl`: values of the kernel, running and from the next start on.

mod absent;
mod drop_in;
mod key;
mod set;
mod settings;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Answer, Context, Entry, Query};
use refrain_engine::system::RootKind;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::kernel_value::KernelValue;
use key::Key;

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] =
    &[Entry::state::<set::SysctlSet>(), Entry::state::<absent::SysctlAbsent>(), Entry::query::<SysctlGet>()];

/// Returns a value of the running kernel, as text.
///
/// ```rhai
/// if sysctl::get("vm.swappiness") != "10" { warn("there may be a lot of swapping"); }
/// ```
///
/// In an image no kernel of the host's runs: there it is `()`. A value that the running kernel does not have is an error.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SysctlGet {
    /// The value's name: `vm.swappiness`.
    key: Key,
}

impl Query for SysctlGet {
    const NAME: &'static str = "sysctl::get";
    const POSITIONAL: &'static [&'static str] = &["key"];

    fn ask(&self, context: &Context<'_>) -> Result<Answer, Failure> {
        match KernelValue::look(context.host, &self.key.path())? {
            KernelValue::Is(_, value) => Ok(value.into()),
            KernelValue::Missing => Err(self.key.unknown("key", context.host)),
            KernelValue::OutOfReach(_) if context.host.root_kind() == RootKind::Offline => {
                Ok(Value::Null.into())
            }
            KernelValue::OutOfReach(reason) => {
                Err(Failure::state(format!("the value of `{}` can't be known: {reason}", self.key)))
            }
        }
    }
}
