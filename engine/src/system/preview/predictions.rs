//! What is predicted of each path: a tree like the one that it is laid over.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::super::{Attributes, Command, Content, Output, Time};
use crate::failure::Failure;

/// What would be at a path.
pub enum Prediction {
    /// Nothing.
    Absent,
    /// Something that the host does not have there.
    New {
        /// What.
        thing: Thing,
        /// Its owner, group and mode.
        attributes: Attributes,
        /// Time of its last change.
        modified: Time,
    },
    /// What the host has there, but something about it.
    Changed {
        /// Its owner, group and mode, if they are other ones.
        attributes: Option<Attributes>,
        /// Time of its last change, if it is another one.
        modified: Option<Time>,
    },
}

/// What something new is.
pub enum Thing {
    /// A file.
    File(FileContent),
    /// A directory. Nothing that the host has below it is in it.
    Directory,
    /// A link, with its target.
    Link(PathBuf),
}

/// The content of a new file.
pub enum FileContent {
    /// This, or one that can't be known.
    Here(Content),
    /// One that an earlier play has predicted and that is too long to be kept.
    Digest {
        /// Its size in bytes.
        size: u64,
        /// Its BLAKE3 hash in hexadecimal digits.
        hash: String,
    },
    /// One that a command prints.
    Told(Told),
}

impl FileContent {
    /// The size in bytes, 0 if it is unknown.
    pub fn size(&self) -> u64 {
        match self {
            Self::Here(content) => content.known().map_or(0, <[u8]>::len) as u64,
            Self::Digest { size, .. } => *size,
            Self::Told(told) => told.known().and_then(Content::known).map_or(0, <[u8]>::len) as u64,
        }
    }

    /// The content as far as it is known. `probe` runs a command.
    pub fn content(
        &self,
        probe: impl FnOnce(&Command) -> Result<Output, Failure>,
    ) -> Result<Content, Failure> {
        match self {
            Self::Here(content) => Ok(content.clone()),
            Self::Digest { .. } => Ok(Content::Unknown),
            Self::Told(told) => told.content(probe),
        }
    }

    /// As [`Content::is`]. `probe` runs a command.
    pub fn is(
        &self,
        size: u64,
        hash: &str,
        probe: impl FnOnce(&Command) -> Result<Output, Failure>,
    ) -> Result<bool, Failure> {
        match self {
            Self::Here(content) => Ok(content.is(size, hash)),
            Self::Digest { size: own_size, hash: own } => Ok((*own_size, own.as_str()) == (size, hash)),
            Self::Told(told) => Ok(told.content(probe)?.is(size, hash)),
        }
    }
}

/// The content of a file, as a command prints it that is run when somebody wants to know.
pub struct Told {
    command: Command,
    content: OnceCell<Content>,
}

impl Told {
    /// Nobody has asked yet.
    pub fn by(command: Command) -> Self {
        Self { command, content: OnceCell::new() }
    }

    /// The content, if somebody has asked already.
    pub fn known(&self) -> Option<&Content> {
        self.content.get()
    }

    /// The content; unknown when the command fails.
    fn content(&self, probe: impl FnOnce(&Command) -> Result<Output, Failure>) -> Result<Content, Failure> {
        if let Some(content) = self.content.get() {
            return Ok(content.clone());
        }
        let output = probe(&self.command)?;
        let is_whole = output.status == 0 && output.dropped == 0;
        let content = if is_whole { Content::Known(output.stdout) } else { Content::Unknown };
        Ok(self.content.get_or_init(|| content).clone())
    }
}

/// All predictions.
#[derive(Default)]
pub struct Predictions(Branch);

/// What is predicted of one path, and of those below it.
#[derive(Default)]
struct Branch {
    prediction: Option<Prediction>,
    below: BTreeMap<OsString, Branch>,
}

impl Branch {
    /// Whether nothing that the host has below is there any more.
    fn hides(&self) -> bool {
        self.prediction.as_ref().is_some_and(|prediction| !matches!(prediction, Prediction::Changed { .. }))
    }

    fn walk(&self, place: &mut PathBuf, tell: &mut impl FnMut(&Path, &Prediction)) {
        if let Some(prediction) = &self.prediction {
            tell(place, prediction);
        }
        for (name, branch) in &self.below {
            place.push(name);
            branch.walk(place, tell);
            place.pop();
        }
    }
}

/// What the predictions say about a path.
pub struct Found<'a> {
    /// What is predicted of it.
    pub prediction: Option<&'a Prediction>,
    /// Whether what the host has there would be gone, with something above it.
    pub hidden: bool,
    below: Option<&'a BTreeMap<OsString, Branch>>,
}

impl Found<'_> {
    /// What is predicted of an entry of it.
    pub fn entry(&self, name: &OsStr) -> Option<&Prediction> {
        self.below?.get(name)?.prediction.as_ref()
    }

    /// What is predicted of its entries.
    pub fn entries(&self) -> impl Iterator<Item = (&OsString, &Prediction)> {
        let below = self.below.into_iter().flatten();
        below.filter_map(|(name, branch)| Some((name, branch.prediction.as_ref()?)))
    }
}

impl Predictions {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.prediction.is_none() && self.0.below.is_empty()
    }

    /// What they say about a path.
    pub fn find(&self, place: &Path) -> Found<'_> {
        let mut branch = Some(&self.0);
        let mut hidden = false;
        for name in names(place) {
            let Some(here) = branch else { break };
            hidden |= here.hides();
            branch = here.below.get(name);
        }
        Found {
            prediction: branch.and_then(|branch| branch.prediction.as_ref()),
            hidden,
            below: branch.map(|branch| &branch.below),
        }
    }

    /// Tells all of them: what is above comes before what is below.
    pub fn walk(&self, tell: &mut impl FnMut(&Path, &Prediction)) {
        self.0.walk(&mut PathBuf::from("/"), tell);
    }

    /// Predicts what is at a path from now on. Nothing that was predicted below it stays.
    pub fn put(&mut self, place: &Path, prediction: Prediction) {
        *self.branch(place) = Branch { prediction: Some(prediction), below: BTreeMap::new() };
    }

    /// Predicts owner, group and mode of what is at a path.
    pub fn set_attributes(&mut self, place: &Path, to: Attributes) {
        match self.at(place) {
            Prediction::Absent => {}
            Prediction::New { attributes, .. } => *attributes = to,
            Prediction::Changed { attributes, .. } => *attributes = Some(to),
        }
    }

    /// Predicts the time of the last change of what is at a path.
    pub fn set_modified(&mut self, place: &Path, to: Time) {
        match self.at(place) {
            Prediction::Absent => {}
            Prediction::New { modified, .. } => *modified = to,
            Prediction::Changed { modified, .. } => *modified = Some(to),
        }
    }

    /// What is predicted of a path, to be changed.
    fn at(&mut self, place: &Path) -> &mut Prediction {
        let same = || Prediction::Changed { attributes: None, modified: None };
        self.branch(place).prediction.get_or_insert_with(same)
    }

    fn branch(&mut self, place: &Path) -> &mut Branch {
        names(place).fold(&mut self.0, |branch, name| branch.below.entry(name.to_owned()).or_default())
    }
}

fn names(place: &Path) -> impl Iterator<Item = &OsStr> {
    place.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}
