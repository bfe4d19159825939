//! `ssh::generate`.

use refrain_engine::failure::Failure;
use refrain_engine::module::{Context, Plan, State};
use refrain_engine::script::marks::UNKNOWN;
use refrain_engine::system::Content;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::key_pair::{Generate, KeyPair, KeyType, NewKey};
use crate::file_target::parent;
use crate::host_path::HostPath;

/// Makes a key pair to log in elsewhere with, where there is none.
///
/// ```rhai
/// let key = ssh::generate("/etc/backup/id_ed25519", #{ comment: "backup of web1" });
/// ssh::authorized_key("ada", key.public_key, #{ options: "restrict" });
/// ```
///
/// The key has no passphrase and belongs to the agent's user, as the directory has to: in one of another user's, that user decides
/// where things go. For such a key, become that user: `task("Ada's key", #{ become: true, become_user: "ada" }, || …)`.
///
/// The outcome has `public_key`, the line that is in the `.pub` file. In check mode that is unknown for a new key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateKey {
    /// Where the private key shall be; the public one has `.pub` behind its name. The directory has to exist.
    path: HostPath,
    /// The type of the key. `"ed25519"` when absent.
    #[serde(default, rename = "type")]
    kind: Option<KeyType>,
    /// Its length. As `ssh-keygen` chooses when absent.
    #[serde(default)]
    bits: Option<u32>,
    /// What stands behind the public key. The user and host when absent.
    #[serde(default)]
    comment: Option<String>,
}

/// The key as it is.
#[derive(Debug)]
pub struct Found {
    /// How it is made, where it is missing.
    missing: Option<Generate>,
    /// The public key. Absent when that is missing.
    public: Option<Content>,
}

impl State for GenerateKey {
    const NAME: &'static str = "ssh::generate";
    const POSITIONAL: &'static [&'static str] = &["path"];
    type Found = Found;

    fn subject(&self) -> String {
        self.path.to_string()
    }

    fn look(&self, context: &Context<'_>) -> Result<Found, Failure> {
        if self.comment.as_ref().is_some_and(|comment| comment.contains(['\n', '\r', '\0'])) {
            return Err(Failure::argument("comment", "a comment is one line"));
        }
        let pair = KeyPair::look(context.host, &self.path)?;
        if pair.exists {
            return Ok(Found { missing: None, public: context.host.read(&pair.public())? });
        }
        let identity = context.host.identity();
        let owner = parent(context.host, &self.path)?.uid;
        if owner != identity.0 {
            let message = format!(
                "the directory of `{}` belongs to user {owner}, who can lead the key astray",
                self.path
            );
            return Err(
                Failure::state(message).advise("become that user for this call: `task` with `become_user`")
            );
        }
        let kind = self.kind.unwrap_or(KeyType::Ed25519);
        let command = pair.command(context, &NewKey { kind, bits: self.bits, comment: self.comment.clone() });
        Ok(Found { missing: Some(Generate { pair, kind, command, identity }), public: None })
    }

    fn plan(&self, found: &Found) -> Result<Plan, Failure> {
        Ok(found.missing.iter().cloned().map(|step| Box::new(step) as _).collect())
    }

    fn fields(&self, found: &Found) -> Map<String, Value> {
        let public = match &found.public {
            Some(Content::Known(text)) => String::from_utf8_lossy(text).trim().into(),
            Some(Content::Unknown) => UNKNOWN.into(),
            None => Value::Null,
        };
        Map::from_iter([("public_key".to_owned(), public)])
    }
}
