//! Images of what was at a path before it was changed, and the changes that put it back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::step::Change;
use crate::system::{Attributes, Content, Kind, Stat, Time, View};

/// As many bytes are kept of what one step replaces or removes. A step that would take more can't be taken back.
const MOST: u64 = 256 * 1024 * 1024;

/// What was at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Image {
    /// Nothing.
    Nothing,
    /// A file.
    File { content: Kept, attributes: Attributes, modified: Time },
    /// A directory.
    Directory {
        attributes: Attributes,
        modified: Time,
        /// What was in it, where the step concerns that too.
        entries: Option<BTreeMap<PathBuf, Image>>,
    },
    /// A link.
    Link { target: PathBuf, attributes: Attributes },
}

/// The content of a file, or where it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kept {
    /// Here.
    Inline(#[serde(with = "serde_bytes")] Vec<u8>),
    /// In a file of this name beside the log.
    Object(String),
}

/// Keeps a content, and gives it back.
pub(super) trait Contents {
    fn keep(&self, content: Vec<u8>) -> Result<Kept, Failure>;
    fn get(&self, kept: &Kept) -> Result<Vec<u8>, Failure>;
}

/// Takes images on behalf of one step.
pub(super) struct Camera<'a> {
    view: &'a dyn View,
    contents: &'a dyn Contents,
    left: u64,
}

impl<'a> Camera<'a> {
    pub fn new(view: &'a dyn View, contents: &'a dyn Contents) -> Self {
        Self { view, contents, left: MOST }
    }

    /// The image of what is at `path`; of a `whole` directory with all that is below it.
    ///
    /// # Errors
    /// It can't be read, is a special file, or is too much to be kept.
    pub fn take(&mut self, path: &Path, whole: bool) -> Result<Image, Failure> {
        let Some(stat) = self.view.lstat(path)? else { return Ok(Image::Nothing) };
        let Stat { attributes, modified, .. } = stat;
        match stat.kind {
            Kind::File => {
                self.left = self.left.checked_sub(stat.size).ok_or_else(too_much)?;
                let Some(Content::Known(content)) = self.view.read(path)? else { return Ok(Image::Nothing) };
                Ok(Image::File { content: self.contents.keep(content)?, attributes, modified })
            }
            Kind::Directory if whole => {
                let mut entries = BTreeMap::new();
                for name in self.view.list(path)? {
                    let image = self.take(&path.join(&name), true)?;
                    entries.insert(name.into(), image);
                }
                Ok(Image::Directory { attributes, modified, entries: Some(entries) })
            }
            Kind::Directory => Ok(Image::Directory { attributes, modified, entries: None }),
            Kind::Link => {
                let target = self.view.read_link(path)?.unwrap_or_default();
                Ok(Image::Link { target, attributes })
            }
            Kind::Other => Err(Failure::state(format!("`{}` is a special file", path.display()))),
        }
    }
}

fn too_much() -> Failure {
    Failure::state(format!("what was there is more than the {} MiB that are kept", MOST / 1024 / 1024))
}

impl Image {
    /// What has to be done so that `path` is as it was. Empty when it is.
    ///
    /// # Errors
    /// The host can't be looked at, or a kept content is gone.
    pub fn restore(
        &self,
        path: &Path,
        view: &dyn View,
        contents: &dyn Contents,
    ) -> Result<Vec<Change>, Failure> {
        let now = view.lstat(path)?;
        let path = path.to_owned();
        match self {
            Self::Nothing => Ok(now.map(|stat| remove(path, &stat)).into_iter().collect()),
            Self::File { content, attributes, modified } => {
                restore_file(path, now, &contents.get(content)?, *attributes, *modified, view)
            }
            Self::Link { target, attributes } => restore_link(path, now, target, *attributes, view),
            Self::Directory { attributes, entries, .. } => {
                let mut changes = Vec::new();
                match now {
                    Some(stat) if stat.kind == Kind::Directory => {
                        changes.extend(set_attributes(&path, stat.attributes, *attributes));
                    }
                    now => {
                        changes.extend(now.map(|stat| remove(path.clone(), &stat)));
                        changes.push(Change::MakeDirectory { path: path.clone(), attributes: *attributes });
                    }
                }
                for (name, entry) in entries.iter().flatten() {
                    changes.extend(entry.restore(&path.join(name), view, contents)?);
                }
                Ok(changes)
            }
        }
    }

    /// The times of the directories that the image holds, by their paths.
    pub fn directory_times(&self, path: &Path) -> Vec<(PathBuf, Time)> {
        let Self::Directory { modified, entries: Some(entries), .. } = self else { return Vec::new() };
        let below = entries.iter().flat_map(|(name, entry)| entry.directory_times(&path.join(name)));
        below.chain([(path.to_owned(), *modified)]).collect()
    }
}

fn remove(path: PathBuf, stat: &Stat) -> Change {
    Change::Remove { path, what: stat.kind.word() }
}

fn set_attributes(path: &Path, before: Attributes, after: Attributes) -> Option<Change> {
    (before != after).then(|| Change::SetAttributes { path: path.to_owned(), before, after })
}

fn restore_file(
    path: PathBuf,
    now: Option<Stat>,
    content: &[u8],
    attributes: Attributes,
    modified: Time,
    view: &dyn View,
) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    let before = match &now {
        Some(stat) if stat.kind == Kind::File => view.read(&path)?,
        _ => None,
    };
    match (&before, now) {
        (Some(Content::Known(same)), Some(stat)) if same == content => {
            changes.extend(set_attributes(&path, stat.attributes, attributes));
            if changes.is_empty() && stat.modified == modified {
                return Ok(changes);
            }
        }
        (_, now) => {
            let in_the_way = now.filter(|stat| stat.kind == Kind::Directory);
            changes.extend(in_the_way.map(|stat| remove(path.clone(), &stat)));
            let after = Content::Known(content.to_vec());
            changes.push(Change::Write { path: path.clone(), before, after, attributes, shown: false });
        }
    }
    changes.push(Change::SetModified { path, modified });
    Ok(changes)
}

fn restore_link(
    path: PathBuf,
    now: Option<Stat>,
    target: &Path,
    attributes: Attributes,
    view: &dyn View,
) -> Result<Vec<Change>, Failure> {
    let before = view.read_link(&path)?;
    let mut changes = Vec::new();
    // A new link belongs to who makes it.
    let mut owned_by = Attributes { uid: u32::MAX, ..attributes };
    if before.as_deref() == Some(target) {
        owned_by = now.map_or(owned_by, |stat| stat.attributes);
    } else {
        let in_the_way = now.filter(|stat| stat.kind == Kind::Directory);
        changes.extend(in_the_way.map(|stat| remove(path.clone(), &stat)));
        changes.push(Change::MakeLink { path: path.clone(), target: target.to_owned(), before });
        let (uid, gid) = view.identity();
        owned_by = Attributes { uid, gid, ..owned_by };
    }
    if (owned_by.uid, owned_by.gid) != (attributes.uid, attributes.gid) {
        changes.push(Change::SetAttributes { path, before: owned_by, after: attributes });
    }
    Ok(changes)
}
