//! Key pairs that `ssh-keygen` makes where there are none.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::module::Context;
use refrain_engine::step::{Step, Undo};
use refrain_engine::system::preview::Overlay;
use refrain_engine::system::{Attributes, Command, Content, Kind, System, View};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::links::look_at;

/// Which algorithm a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// The usual choice.
    Ed25519,
    /// For what is too old for that.
    Rsa,
    /// On the curves of NIST.
    Ecdsa,
}

impl KeyType {
    /// As `ssh-keygen` and the names of files have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
            Self::Ecdsa => "ecdsa",
        }
    }
}

/// What a new key pair shall be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its algorithm.
    pub kind: KeyType,
    /// Its length. As `ssh-keygen` chooses when absent.
    pub bits: Option<u32>,
    /// What stands behind the public key. As `ssh-keygen` chooses when absent.
    pub comment: Option<String>,
}

/// A key pair, or the place where one shall be.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// Where the private key is; the public one is beside it.
    pub path: PathBuf,
    /// Whether the private key is there.
    pub exists: bool,
}

impl KeyPair {
    /// Looks at a place.
    ///
    /// # Errors
    /// Something else is there.
    pub fn look(host: &dyn View, path: &Path) -> Result<Self, Failure> {
        let stat = look_at(host, path)?;
        if let Some(stat) = stat.as_ref().filter(|stat| !matches!(stat.kind, Kind::File | Kind::Link)) {
            return Err(Failure::state(format!("`{}` is a {}, not a key", path.display(), stat.kind.word())));
        }
        Ok(Self { path: path.to_owned(), exists: stat.is_some() })
    }

    /// Where the public key is.
    pub fn public(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".pub");
        name.into()
    }

    /// The command that makes it.
    pub fn command(&self, context: &Context<'_>, new: &NewKey) -> Command {
        let mut words = vec!["ssh-keygen", "-q", "-N", "", "-t", new.kind.word()];
        let bits = new.bits.map(|bits| bits.to_string());
        if let Some(bits) = &bits {
            words.extend(["-b", bits]);
        }
        if let Some(comment) = &new.comment {
            words.extend(["-C", comment]);
        }
        let path = self.path.to_string_lossy();
        words.extend(["-f", &path]);
        context.command(words)
    }
}

/// Makes a key pair.
#[derive(Clone, Debug)]
pub struct Generate {
    /// The place.
    pub pair: KeyPair,
    /// What it is.
    pub kind: KeyType,
    /// How it is made.
    pub command: Command,
    /// The user and group that it will belong to.
    pub identity: (u32, u32),
}

impl Step for Generate {
    fn describe(&self) -> String {
        format!("generate the {} key {}", self.kind.word(), self.pair.path.display())
    }

    fn predict(&self, overlay: &Overlay) -> Result<(), Failure> {
        let (uid, gid) = self.identity;
        overlay.write(&self.pair.path, Content::Unknown, Attributes { mode: 0o600, uid, gid })?;
        overlay.write(&self.pair.public(), Content::Unknown, Attributes { mode: 0o644, uid, gid })
    }

    fn act(&self, system: &dyn System) -> Result<(), Failure> {
        system.run(&self.command)?.require_success(&self.command).map(drop)
    }

    fn undo(&self) -> Undo {
        Undo::Restore(vec![self.pair.path.clone(), self.pair.public()])
    }
}
