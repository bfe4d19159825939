//! `iptables::load`.

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done};
use refrain_engine::system::System;
use schemars::JsonSchema;
use serde::Deserialize;

use super::family::Family;
use crate::host_path::HostPath;
use crate::one_or_many::OneOrMany;
use crate::packet_filter::loading;

/// Loads rules from files into the running kernel, in place of those that it has.
///
/// ```rhai,no_run
/// iptables::load("/etc/iptables/iptables.rules");
/// iptables::load("/etc/ip6tables.d");
/// ```
///
/// All files together are one input of `iptables-restore`, or `ip6tables-restore`; of a directory, the files that are in it, in
/// the order of their names. A table is replaced as a whole, or not at all. In an image nothing is loaded; through a container
/// the host's own network is meant, which takes the program `nsenter`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IptablesLoad {
    /// A file or directory, or an array of them.
    path: OneOrMany<HostPath>,
    /// `ipv4` or `ipv6`. By the first path, as in `iptables::rules`, when absent.
    #[serde(default)]
    family: Option<Family>,
}

impl Action for IptablesLoad {
    const NAME: &'static str = "iptables::load";
    const POSITIONAL: &'static [&'static str] = &["path"];

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        Ok(loading::needless(context.host))
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        let paths: Vec<PathBuf> = self.path.0.iter().map(|path| path.to_path_buf()).collect();
        let Some(first) = paths.first() else {
            return Err(Failure::argument("path", "there is no file in `path`"));
        };
        let family = self.family.unwrap_or_else(|| Family::of(first));
        let rules = loading::rules(system, &paths)?;
        loading::load(system, context, &[family.program()], rules)
    }
}
