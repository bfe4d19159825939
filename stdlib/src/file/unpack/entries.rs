//! What an archive holds, whatever its format.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use refrain_engine::failure::Failure;

use super::allowance::Allowance;
use super::error::ArchiveError;
use super::selection::Selection;

/// The entries of an archive by their paths below the directory, a directory before what is in it.
pub type Entries = BTreeMap<PathBuf, Entry>;

/// One thing that shall be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub item: Item,
    /// Its permission bits in the archive.
    pub mode: u32,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A directory.
    Directory,
    /// A file.
    File {
        /// Its size in bytes.
        size: u64,
        /// Its content. Absent when the host has a file of this content there.
        content: Option<Vec<u8>>,
    },
    /// A symbolic link to this, verbatim.
    Link(PathBuf),
    /// A file with the content of another one, by its path below the directory.
    HardLink(PathBuf),
}

/// Whether the host has a file of this content at a path below the directory.
pub type IsThere<'a> = &'a dyn Fn(&Path, &[u8]) -> Result<bool, Failure>;

/// Takes in the entries of an archive, one after the other. One that comes again replaces the first, as in tar.
pub struct Collector<'a> {
    /// Where they go.
    pub selection: Selection<'a>,
    /// How much they may take.
    pub allowance: &'a Allowance,
    /// The bits of a mode that count.
    pub mode_bits: u32,
    /// So that content which is there does not have to be kept.
    pub is_there: IsThere<'a>,
    /// What was taken in.
    pub entries: Entries,
}

/// Why reading stopped.
#[derive(Debug)]
pub enum Stop {
    /// The archive can't be unpacked.
    Archive(ArchiveError),
    /// The host can't be looked at.
    Host(Failure),
}

impl From<ArchiveError> for Stop {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl Collector<'_> {
    /// Takes in something without content.
    pub fn add(&mut self, place: PathBuf, mode: u32, item: Item) -> Result<(), Stop> {
        self.allowance.take_entry(0)?;
        self.insert(place, mode, item);
        Ok(())
    }

    fn insert(&mut self, place: PathBuf, mode: u32, item: Item) {
        self.entries.insert(place, Entry { item, mode: mode & self.mode_bits });
    }

    /// Takes in a file of `size` bytes.
    pub fn add_file(&mut self, place: PathBuf, mode: u32, size: u64, content: impl Read) -> Result<(), Stop> {
        self.allowance.take_entry(size)?;
        let content = self.read(&place, size, content)?;
        let there = (self.is_there)(&place, &content).map_err(Stop::Host)?;
        let item = Item::File { size, content: (!there).then_some(content) };
        self.insert(place, mode, item);
        Ok(())
    }

    /// Reads exactly `size` bytes, the content of the entry at `place`.
    pub fn read(&self, place: &Path, size: u64, content: impl Read) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::new();
        // The size is only what the archive says: memory is taken as content comes.
        content
            .take(size.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| self.allowance.explain(&error))?;
        if bytes.len() as u64 == size {
            return Ok(bytes);
        }
        Err(ArchiveError::Damaged(format!("`{}` does not have the size that it says", place.display())))
    }

    /// Takes in another name for a file that was taken in before.
    pub fn add_hard_link(&mut self, place: PathBuf, mode: u32, target: &[u8]) -> Result<(), Stop> {
        let unpacked = self.selection.place(target)?;
        let Some((target, size)) = unpacked.and_then(|target| file(&self.entries, &target)) else {
            let target = String::from_utf8_lossy(target).into_owned().into();
            return Err(ArchiveError::HardLink { path: place, target }.into());
        };
        let target = target.to_owned();
        self.allowance.take_entry(size)?;
        if target != place {
            self.insert(place, mode, Item::HardLink(target));
        }
        Ok(())
    }
}

/// So many hard links are followed from one to the next. Only an archive that replaces its own entries has more than one.
const MOST_HARD_LINKS: usize = 8;

/// The file that the entry at `path` is or has the content of, and its size.
pub fn file<'a>(entries: &'a Entries, path: &Path) -> Option<(&'a Path, u64)> {
    let (mut path, mut entry) = entries.get_key_value(path)?;
    for _ in 0..MOST_HARD_LINKS {
        match &entry.item {
            Item::File { size, .. } => return Some((path, *size)),
            Item::HardLink(target) => (path, entry) = entries.get_key_value(target)?,
            Item::Directory | Item::Link(_) => return None,
        }
    }
    None
}
