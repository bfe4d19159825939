//! Predictions written down, so that they outlive their play.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_json::Value;

use super::predictions::{FileContent, Prediction, Predictions, Thing};
use super::{Content, States};
use crate::raw_path::RawPath;
use crate::system::{Attributes, Time};

/// As many paths and other things are written down. More of them would not fit into a frame.
const MOST_THINGS: usize = 20_000;

/// As many bytes of their names and states.
const MOST_NAMES: usize = 4 * 1024 * 1024;

/// No path is longer, in bytes.
const LONGEST_PATH: usize = 4096;

/// A longer content is written down by its size and hash, in bytes.
const LONGEST_CONTENT: usize = 64 * 1024;

/// When all contents come to so much, in bytes, further ones are written down by size and hash.
const MOST_CONTENTS: usize = 6 * 1024 * 1024;

/// What check mode has predicted of a host in one play.
///
/// The contents of files are apart: not everybody who may know that a file would be there may know what would be in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicted {
    /// Above comes before below.
    paths: Vec<(RawPath, Entry)>,
    /// What is no file: its kind, its name, its state.
    pub(super) states: Vec<(String, String, Value)>,
    /// The contents that entries name by their numbers.
    contents: Vec<ByteBuf>,
}

/// What would be at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Entry {
    Absent,
    File { content: Written, attributes: Attributes, modified: Time },
    Directory { attributes: Attributes, modified: Time },
    Link { target: RawPath, attributes: Attributes, modified: Time },
    Changed { attributes: Option<Attributes>, modified: Option<Time> },
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Written {
    Unknown,
    /// The one with this number.
    Here(usize),
    /// That of this size in bytes and this BLAKE3 hash in hexadecimal digits.
    Digest {
        size: u64,
        hash: String,
    },
}

impl Predicted {
    /// Writes predictions down. `None` if they are too many.
    pub(super) fn of(predictions: &Predictions, states: &States) -> Option<Self> {
        let mut written = Self::default();
        let mut contents = Contents { kept: Vec::new(), left: MOST_CONTENTS };
        let mut names = 0;
        predictions.walk(&mut |path, prediction| {
            names += path.as_os_str().len();
            let entry = Entry::of(prediction, &mut contents);
            if written.paths.len() < MOST_THINGS {
                written.paths.push((RawPath(path.to_owned()), entry));
            }
        });
        for ((kind, name), state) in states {
            names += kind.len() + name.len() + state.to_string().len();
            written.states.push((kind.clone(), name.clone(), state.clone()));
        }
        written.states.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        written.contents = contents.kept;
        let fits = written.paths.len() + written.states.len() < MOST_THINGS && names <= MOST_NAMES;
        fits.then_some(written)
    }

    /// Whether nothing is predicted.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.states.is_empty()
    }

    /// The same, as somebody may know it who may not know the contents of files.
    #[must_use]
    pub fn without_contents(&self) -> Self {
        let mut known = self.clone();
        known.contents.clear();
        for (_, entry) in &mut known.paths {
            if let Entry::File { content, .. } = entry {
                *content = Written::Unknown;
            }
        }
        known
    }

    /// Lays all of it over what is predicted already.
    pub(super) fn lay_over(&self, predictions: &mut Predictions, states: &mut States) {
        // What is longer is no path on any host; it may come from an agent.
        for (RawPath(path), entry) in
            self.paths.iter().filter(|(path, _)| path.0.as_os_str().len() <= LONGEST_PATH)
        {
            match entry {
                Entry::Changed { attributes, modified } => {
                    attributes.iter().for_each(|to| predictions.set_attributes(path, *to));
                    modified.iter().for_each(|to| predictions.set_modified(path, *to));
                }
                entry => predictions.put(path, self.prediction(entry)),
            }
        }
        let named =
            |(kind, name, state): &(String, String, Value)| ((kind.clone(), name.clone()), state.clone());
        states.extend(self.states.iter().map(named));
    }

    fn prediction(&self, entry: &Entry) -> Prediction {
        let (thing, attributes, modified) = match entry {
            Entry::Absent => return Prediction::Absent,
            Entry::Changed { attributes, modified } => {
                return Prediction::Changed { attributes: *attributes, modified: *modified };
            }
            Entry::File { content, attributes, modified } => {
                (Thing::File(self.content(content)), attributes, modified)
            }
            Entry::Directory { attributes, modified } => (Thing::Directory, attributes, modified),
            Entry::Link { target, attributes, modified } => {
                (Thing::Link(target.0.clone()), attributes, modified)
            }
        };
        Prediction::New { thing, attributes: *attributes, modified: *modified }
    }

    fn content(&self, written: &Written) -> FileContent {
        match written {
            Written::Unknown => FileContent::Here(Content::Unknown),
            Written::Here(number) => FileContent::Here(match self.contents.get(*number) {
                Some(content) => Content::Known(content.to_vec()),
                None => Content::Unknown,
            }),
            Written::Digest { size, hash } => FileContent::Digest { size: *size, hash: hash.clone() },
        }
    }
}

impl Entry {
    fn of(prediction: &Prediction, contents: &mut Contents) -> Self {
        match prediction {
            Prediction::Absent => Self::Absent,
            Prediction::Changed { attributes, modified } => {
                Self::Changed { attributes: *attributes, modified: *modified }
            }
            Prediction::New { thing, attributes, modified } => {
                let (attributes, modified) = (*attributes, *modified);
                match thing {
                    Thing::File(content) => {
                        Self::File { content: contents.keep(content), attributes, modified }
                    }
                    Thing::Directory => Self::Directory { attributes, modified },
                    Thing::Link(target) => {
                        Self::Link { target: RawPath(target.clone()), attributes, modified }
                    }
                }
            }
        }
    }
}

/// The contents that are written down, as long as there is room.
struct Contents {
    kept: Vec<ByteBuf>,
    /// In bytes.
    left: usize,
}

impl Contents {
    fn keep(&mut self, content: &FileContent) -> Written {
        match content {
            FileContent::Here(Content::Unknown) => Written::Unknown,
            FileContent::Digest { size, hash } => Written::Digest { size: *size, hash: hash.clone() },
            FileContent::Here(Content::Known(bytes)) => self.keep_bytes(bytes),
            // No later play runs a command because of what is written down: that may come from anybody.
            FileContent::Told(told) => match told.known() {
                Some(Content::Known(bytes)) => self.keep_bytes(bytes),
                _ => Written::Unknown,
            },
        }
    }

    fn keep_bytes(&mut self, bytes: &[u8]) -> Written {
        if bytes.len() > LONGEST_CONTENT.min(self.left) {
            return Written::Digest {
                size: bytes.len() as u64,
                hash: blake3::hash(bytes).to_hex().to_string(),
            };
        }
        self.left -= bytes.len();
        self.kept.push(ByteBuf::from(bytes.to_vec()));
        Written::Here(self.kept.len() - 1)
    }
}
