//! The namespace `hostname`.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Entry, Plan, State};
use refrain_engine::system::Content;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::attributes::AttributeOptions;
use crate::kernel_value::KernelValue;
use crate::whole_file::WholeFile;

/// Its functions.
pub const ENTRIES: &[Entry] = &[Entry::state::<HostnameSet>()];

/// What the name is read from when the machine starts.
const FILE: &str = "/etc/hostname";
/// The name that the running system has.
const LIVE: &str = "/proc/sys/kernel/hostname";
/// The kernel keeps no longer name.
const LONGEST: usize = 64;
/// DNS has no longer label.
const LONGEST_LABEL: usize = 63;

/// Sets the host's name: in `/etc/hostname`, and that of the running system.
///
/// ```rhai
/// hostname::set("node1");
/// hostname::set(host.name);
/// ```
///
/// In an image only the file is written. Through a container the name is set in the host's own namespace; where the container
/// may not enter that, only the file is written. The outcome's `live` says whether the running system has the name, and
/// `not_live_because` why not. What is in `/etc/hosts` stays as it is: see `hosts::entry`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct HostnameSet {
    /// The name: labels of letters, digits and hyphens with dots between them, at most 64 characters.
    name: String,
}

impl HostnameSet {
    fn check(&self) -> Result<(), Failure> {
        let refuse = |message: String| Err(Failure::argument("name", message));
        if self.name.len() > LONGEST {
            return refuse(format!("a host name has at most {LONGEST} characters, got {}", self.name.len()));
        }
        match self.name.split('.').find(|label| !is_label(label)) {
            Some("") => refuse(format!("`{}` is no host name: there is nothing around a dot", self.name)),
            Some(label) => refuse(format!(
                "`{label}` can't be in a host name: it has letters, digits and, inside, hyphens, at most {LONGEST_LABEL}"
            )),
            None => Ok(()),
        }
    }
}

fn is_label(label: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl State for HostnameSet {
    const NAME: &'static str = "hostname::set";
    const POSITIONAL: &'static [&'static str] = &["name"];
    type Found = (WholeFile, KernelValue);

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn look(&self, context: &Context<'_>) -> Result<Self::Found, Failure> {
        self.check()?;
        let file = WholeFile::look(context.host, Path::new(FILE), &AttributeOptions::default())?;
        Ok((file, KernelValue::look(context.host, Path::new(LIVE))?))
    }

    fn plan(&self, (file, live): &Self::Found) -> Result<Plan, Failure> {
        let mut plan = file.plan(Content::Known(format!("{}\n", self.name).into_bytes()), true);
        plan.extend(live.change(&self.name).map(Into::into));
        Ok(plan)
    }

    fn fields(&self, (_, live): &Self::Found) -> Map<String, Value> {
        live.fields()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let check =
            |name: &str| HostnameSet { name: name.to_owned() }.check().map_err(|error| error.to_string());
        for name in ["node1", "n", "3com", "matrix-core.matrix.example.net"] {
            assert_eq!(check(name), Ok(()));
        }
        for name in ["", ".", "a.", "-a", "a-", "a_b", "a b", "ä", "a\n", &"a".repeat(64), &"a.".repeat(40)]
        {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}
