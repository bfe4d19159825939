//! Values that the running kernel keeps below `/proc/sys`.

use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;
use refrain_engine::step::Change;
use refrain_engine::system::{Content, RootKind, View};
use serde_json::{Map, Value};

/// Where the kernel shows its values.
const VALUES: &str = "/proc/sys";

/// A value as it is, or why there is none to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelValue {
    /// This, without the newline at its end.
    Is(PathBuf, String),
    /// The running kernel has no such value.
    Missing,
    /// It can't be reached, for this reason: nothing runs there, or a container may not enter the host's namespaces.
    OutOfReach(String),
}

impl KernelValue {
    /// Looks at the value at `path`. Of an image, nothing is looked at: the kernel that runs is another machine's.
    ///
    /// # Errors
    /// The kernel does not tell it to the agent.
    pub fn look(host: &dyn View, path: &Path) -> Result<Self, Failure> {
        let kind = host.root_kind();
        if kind == RootKind::Offline {
            return Ok(Self::OutOfReach("nothing runs here".to_owned()));
        }
        match host.read(path) {
            Ok(Some(Content::Known(value))) => {
                Ok(Self::Is(path.to_owned(), String::from_utf8_lossy(&value).trim_end().to_owned()))
            }
            Ok(_) if host.stat(Path::new(VALUES))?.is_none() => {
                Ok(Self::OutOfReach(format!("there is no `{VALUES}` here")))
            }
            Ok(_) => Ok(Self::Missing),
            Err(failure @ Failure::Io { .. }) if kind == RootKind::LiveThroughContainer => {
                Ok(Self::OutOfReach(format!("the container may not enter the host's namespaces: {failure}")))
            }
            Err(failure) => Err(failure),
        }
    }

    /// The change after which it is `after`. None where it is, whatever blanks are between its words, or can't be changed.
    pub fn change(&self, after: &str) -> Option<Change> {
        match self {
            Self::Is(path, before) if !same(before, after) => Some(Change::SetKernelValue {
                path: path.clone(),
                before: Some(before.clone()),
                after: after.to_owned(),
            }),
            _ => None,
        }
    }

    /// The fields of an outcome that tell about it: `live`, and `not_live_because`, which is empty where it is.
    pub fn fields(&self) -> Map<String, Value> {
        let reason = match self {
            Self::OutOfReach(reason) => reason,
            Self::Missing => "the running kernel does not have it",
            Self::Is(..) => "",
        };
        let fields = [("live", reason.is_empty().into()), ("not_live_because", reason.into())];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Whether two values are the same words.
pub fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}
