//! The namespace `nftables`: rules of the packet filter, for nft(8).

use std::path::PathBuf;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Action, Context, Done, Entry, Plan, State};
use refrain_engine::system::System;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::host_path::HostPath;
use crate::packet_filter::loading;
use crate::packet_filter::rule_file::RuleFile;
use crate::validated_file::{ValidatedFile, Validator};

/// Its functions, in the order in which documentation shows them.
pub const ENTRIES: &[Entry] = &[Entry::state::<NftablesRules>(), Entry::action::<NftablesLoad>()];

/// Puts a file with rules for `nft` in place.
///
/// ```rhai
/// nftables::rules("/etc/nftables.conf", #{ template: "nftables.conf.j2", mode: "0640" });
/// nftables::rules("/etc/nftables.d/web.nft", "table inet web { }\n");
/// ```
///
/// The rules are tried first by `nft --check`, and are not put in place if that refuses them. It has to be installed: in check
/// mode it may not be, and the rules are not tried. Nothing is loaded into the kernel: `nftables::load`, or the service that the
/// machine starts.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NftablesRules {
    #[serde(flatten)]
    file: RuleFile,
}

impl State for NftablesRules {
    const NAME: &'static str = "nftables::rules";
    const POSITIONAL: &'static [&'static str] = &["path", "content"];
    type Found = ValidatedFile;

    fn subject(&self) -> String {
        self.file.path().to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<ValidatedFile, Failure> {
        self.file.look(context, &Validator::new(["nft", "--check", "--file", "-"]), <[u8]>::to_vec)
    }

    fn plan(&self, found: &ValidatedFile) -> Result<Plan, Failure> {
        Ok(found.plan())
    }
}

/// Loads rules from a file into the running kernel.
///
/// ```rhai,no_run
/// nftables::load("/etc/nftables.conf");
/// ```
///
/// What the kernel has already stays beside them, unless the file begins with `flush ruleset`. All of the file is loaded, or
/// nothing. In an image nothing is loaded; through a container the host's own network is meant, which takes the program `nsenter`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NftablesLoad {
    /// The file.
    path: HostPath,
}

impl Action for NftablesLoad {
    const NAME: &'static str = "nftables::load";
    const POSITIONAL: &'static [&'static str] = &["path"];

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn needless(&self, context: &Context<'_>) -> Result<Option<String>, Failure> {
        Ok(loading::needless(context.host))
    }

    fn run(&self, system: &dyn System, context: &Context<'_>) -> Result<Done, Failure> {
        let rules = loading::rules(system, &[PathBuf::from(&*self.path)])?;
        loading::load(system, context, &["nft", "--file", "-"], rules)
    }
}
