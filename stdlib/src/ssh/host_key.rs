//! `ssh::host_key`.

use std::path::Path;

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::key_pair::{Generate, KeyPair, KeyType, NewKey};

/// Gives the host keys by which others know it, where it has none.
///
/// ```rhai
/// ssh::host_key(["ed25519", "rsa"]);
/// ```
///
/// A key of another type is left alone, and so is one that is there. `ssh-keygen` makes them, so what they are is known only in a
/// real run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostKey {
    /// The types of the keys.
    types: Vec<KeyType>,
    /// The length of an RSA key. As `ssh-keygen` chooses when absent.
    #[serde(default)]
    rsa_bits: Option<u32>,
}

impl State for HostKey {
    const NAME: &'static str = "ssh::host_key";
    const POSITIONAL: &'static [&'static str] = &["types"];
    /// The keys that are missing.
    type Found = Vec<Generate>;

    fn subject(&self) -> String {
        self.types.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ")
    }

    fn look(&self, context: &Context<'_>) -> Result<Vec<Generate>, Failure> {
        let mut missing: Vec<Generate> = Vec::new();
        for kind in &self.types {
            let path = format!("/etc/ssh/ssh_host_{}_key", kind.word());
            let pair = KeyPair::look(context.host, Path::new(&path))?;
            if pair.exists || missing.iter().any(|other| other.kind == *kind) {
                continue;
            }
            let bits = self.rsa_bits.filter(|_| *kind == KeyType::Rsa);
            let command = pair.command(context, &NewKey { kind: *kind, bits, comment: None });
            missing.push(Generate { pair, kind: *kind, command, identity: context.host.identity() });
        }
        Ok(missing)
    }

    fn plan(&self, found: &Vec<Generate>) -> Result<Plan, Failure> {
        Ok(found.iter().cloned().map(|step| Box::new(step) as _).collect())
    }
}
