//! What is at a path, as far as it takes to tell that something else has been there since.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Attributes, Content, Kind, View};
use crate::failure::Failure;

/// What is at a path. Times are no part of it: to have been touched is not to have been changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fingerprint {
    /// Nothing.
    Nothing,
    /// A file.
    File {
        /// BLAKE3 of its content.
        #[serde(with = "serde_bytes")]
        hash: Vec<u8>,
        /// Owner, group and mode.
        attributes: Attributes,
    },
    /// A directory, whatever is in it.
    Directory {
        /// Owner, group and mode.
        attributes: Attributes,
    },
    /// A link.
    Link {
        /// Where it points to, verbatim.
        target: PathBuf,
    },
    /// A device, socket or pipe.
    Special,
}

impl Fingerprint {
    /// That of a file with this content.
    pub fn of_file(content: &[u8], attributes: Attributes) -> Self {
        Self::File { hash: blake3::hash(content).as_bytes().to_vec(), attributes }
    }

    /// That of what is at `path`, a link not followed.
    ///
    /// # Errors
    /// It can't be looked at.
    pub fn of(view: &dyn View, path: &Path) -> Result<Self, Failure> {
        let Some(stat) = view.lstat(path)? else { return Ok(Self::Nothing) };
        let attributes = stat.attributes;
        Ok(match stat.kind {
            Kind::File => match view.read(path)? {
                Some(Content::Known(content)) => Self::of_file(&content, attributes),
                // Only the prediction of an unknown content: no fingerprint that anything real has.
                Some(Content::Unknown) => Self::File { hash: Vec::new(), attributes },
                None => Self::Nothing,
            },
            Kind::Directory => Self::Directory { attributes },
            Kind::Link => Self::Link { target: view.read_link(path)?.unwrap_or_default() },
            Kind::Other => Self::Special,
        })
    }
}
