//! What of an archive is not on the host, and how it gets there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use refrain_engine::failure::Failure;
use refrain_engine::step::Change;
use refrain_engine::system::path::resolve;
use refrain_engine::system::{Attributes, Content, Kind, Stat, View};

use super::entries::{Entries, Entry, Item, Stop, file};
use super::error::ArchiveError;
use crate::attributes::AttributeRules;

/// What a directory has that is missing in the archive although something in it is there.
const IMPLIED_DIRECTORY: u32 = 0o755;
/// What every link has.
const LINK: u32 = 0o777;
/// Set-user-ID, set-group-ID and sticky.
const SPECIAL: u32 = 0o7000;
const SET_GROUP_ID: u32 = 0o2000;

/// The directory that an archive is unpacked into.
pub struct Place {
    /// Where it is.
    pub path: PathBuf,
    /// What it has, or will have by then.
    pub attributes: Attributes,
    /// Whether it is yet to be made.
    pub missing: bool,
}

/// Holds entries against what is there.
pub struct Comparison<'a> {
    host: &'a dyn View,
    rules: &'a AttributeRules,
    entries: &'a Entries,
    top: &'a Path,
    /// The top without links in it: no link may lead out of this.
    real_top: PathBuf,
    /// Directories that were looked at: what they have, and whether they are yet to be made.
    directories: HashMap<PathBuf, (Attributes, bool)>,
    changes: Vec<Rc<Change>>,
}

impl<'a> Comparison<'a> {
    /// Entries that belong into `place` and get owner, group and mode by `rules`.
    ///
    /// # Errors
    /// The host can't be looked at.
    pub fn new(
        host: &'a dyn View,
        rules: &'a AttributeRules,
        place: &'a Place,
        entries: &'a Entries,
    ) -> Result<Self, Failure> {
        let real_top = resolve(&place.path, true, |path| host.read_link(path))?;
        let directories = [(place.path.clone(), (place.attributes, place.missing))].into();
        Ok(Self { host, rules, entries, top: &place.path, real_top, directories, changes: Vec::new() })
    }

    /// The changes after which everything is there.
    ///
    /// # Errors
    /// Something else is in the way, or a link leads out of the directory.
    pub fn changes(mut self) -> Result<Vec<Rc<Change>>, Stop> {
        for (path, entry) in self.entries {
            self.look(path, entry)?;
        }
        Ok(self.changes)
    }

    fn look(&mut self, below: &Path, entry: &Entry) -> Result<(), Stop> {
        let path = self.top.join(below);
        let (parent, fresh) = self.parent(below)?;
        let there = if fresh { None } else { self.host.lstat(&path).map_err(Stop::Host)? };
        match &entry.item {
            Item::Directory => self.directory(path, entry.mode, there, parent).map_err(Stop::Host),
            Item::Link(target) => {
                self.check_link(below, target)?;
                self.link(path, target, there, parent).map_err(Stop::Host)
            }
            Item::File { content, .. } => {
                self.file(path, entry.mode, content.as_deref(), there, parent).map_err(Stop::Host)
            }
            Item::HardLink(target) => {
                let content = self.content_of(below, target)?;
                self.file(path, entry.mode, Some(&content), there, parent).map_err(Stop::Host)
            }
        }
    }

    /// The directory that an entry is in: what it has, and whether it is yet to be made. Where the archive leaves it out, it
    /// is planned if it is missing, and else stays as it is.
    fn parent(&mut self, below: &Path) -> Result<(Attributes, bool), Stop> {
        let above = below.parent().unwrap_or(Path::new(""));
        let path = self.top.join(above);
        if let Some(known) = self.directories.get(&path) {
            return Ok(*known);
        }
        // Directories come before what is in them: one that is not known by now is no entry, or not as a directory.
        if self.entries.contains_key(above) {
            return Err(ArchiveError::Behind(above.to_owned()).into());
        }
        let (parent, fresh) = self.parent(above)?;
        let there = if fresh { None } else { self.host.lstat(&path).map_err(Stop::Host)? };
        match there {
            Some(stat) if stat.kind == Kind::Directory => {
                self.directories.insert(path, (stat.attributes, false));
                Ok((stat.attributes, false))
            }
            there => {
                self.directory(path.clone(), IMPLIED_DIRECTORY, there, parent).map_err(Stop::Host)?;
                Ok(self.directories[&path])
            }
        }
    }

    fn directory(
        &mut self,
        path: PathBuf,
        mode: u32,
        there: Option<Stat>,
        parent: Attributes,
    ) -> Result<(), Failure> {
        let Some(stat) = there else {
            let attributes = self.rules.of_new(mode | parent.mode & SET_GROUP_ID, true, parent);
            self.directories.insert(path.clone(), (attributes, true));
            self.change(Change::MakeDirectory { path, attributes });
            return Ok(());
        };
        if stat.kind != Kind::Directory {
            return Err(in_the_way(&path, stat.kind, "a directory"));
        }
        // As chmod(1) does it: `/tmp` stays sticky, whatever an archive says of it.
        let after = self.attributes(&stat, mode | stat.attributes.mode & SPECIAL);
        self.directories.insert(path.clone(), (after, false));
        self.set_attributes(path, stat.attributes, after);
        Ok(())
    }

    fn link(
        &mut self,
        path: PathBuf,
        target: &Path,
        there: Option<Stat>,
        parent: Attributes,
    ) -> Result<(), Failure> {
        let fresh = AttributeRules::new(self.host.identity()).of_new(LINK, false, parent);
        let (before, attributes) = match &there {
            Some(stat) if stat.kind == Kind::Link => {
                (self.host.read_link(&path)?, self.rules.of_existing(stat))
            }
            Some(stat) if stat.kind != Kind::File => return Err(in_the_way(&path, stat.kind, "a link")),
            _ => (None, self.rules.of_new(LINK, false, parent)),
        };
        if before.as_deref() == Some(target) {
            let owned = there.map_or(fresh, |stat| stat.attributes);
            self.set_attributes(path, owned, attributes);
            return Ok(());
        }
        self.change(Change::MakeLink { path: path.clone(), target: target.to_owned(), before });
        self.set_attributes(path, fresh, attributes);
        Ok(())
    }

    fn file(
        &mut self,
        path: PathBuf,
        mode: u32,
        content: Option<&[u8]>,
        there: Option<Stat>,
        parent: Attributes,
    ) -> Result<(), Failure> {
        let (before, attributes) = match there {
            Some(stat) if stat.kind == Kind::File => {
                let attributes = self.attributes(&stat, mode);
                // A file that is to become private is so before it holds anything new.
                self.set_attributes(path.clone(), stat.attributes, attributes);
                (self.host.read(&path)?, attributes)
            }
            // A link is replaced, never followed.
            None => (None, self.rules.of_new(mode, false, parent)),
            Some(stat) if stat.kind == Kind::Link => (None, self.rules.of_new(mode, false, parent)),
            Some(stat) => return Err(in_the_way(&path, stat.kind, "a file")),
        };
        let after = match content {
            Some(content) if before.as_ref().and_then(Content::known) != Some(content) => content,
            _ => return Ok(()),
        };
        // Nobody reads the whole of what is new.
        let shown = before.is_some();
        self.change(Change::Write { path, before, after: Content::Known(after.to_vec()), attributes, shown });
        Ok(())
    }

    /// What something that is there shall have whose mode in the archive is `mode`.
    fn attributes(&self, stat: &Stat, mode: u32) -> Attributes {
        let attributes = Attributes { mode, ..stat.attributes };
        self.rules.of_existing(&Stat { attributes, ..stat.clone() })
    }

    fn set_attributes(&mut self, path: PathBuf, before: Attributes, after: Attributes) {
        if before != after {
            self.change(Change::SetAttributes { path, before, after });
        }
    }

    fn change(&mut self, change: Change) {
        self.changes.push(Rc::new(change));
    }

    /// What a hard link to `target` holds.
    fn content_of(&self, below: &Path, target: &Path) -> Result<Vec<u8>, Stop> {
        let nothing = || ArchiveError::HardLink { path: below.to_owned(), target: target.to_owned() };
        let (first, _) = file(self.entries, target).ok_or_else(nothing)?;
        if let Some(Entry { item: Item::File { content: Some(content), .. }, .. }) = self.entries.get(first) {
            return Ok(content.clone());
        }
        let content = self.host.read(&self.top.join(first)).map_err(Stop::Host)?;
        let content = content.as_ref().and_then(Content::known).ok_or_else(nothing)?;
        Ok(content.to_vec())
    }

    /// Refuses a link that leads out of the directory, also by way of other links.
    fn check_link(&self, below: &Path, target: &Path) -> Result<(), Stop> {
        let leads_out = || ArchiveError::LeadsOut { path: below.to_owned(), target: target.to_owned() };
        if target.is_absolute() || target.as_os_str().is_empty() {
            return Err(leads_out().into());
        }
        let end = resolve(&self.real_top.join(below), true, |path| {
            match path.strip_prefix(&self.real_top).ok().and_then(|below| self.entries.get(below)) {
                Some(Entry { item: Item::Link(target), .. }) => Ok(Some(target.clone())),
                Some(_) => Ok(None),
                None => self.host.read_link(path),
            }
        });
        match end.map_err(Stop::Host)?.starts_with(&self.real_top) {
            true => Ok(()),
            false => Err(leads_out().into()),
        }
    }
}

fn in_the_way(path: &Path, kind: Kind, wanted: &str) -> Failure {
    Failure::state(format!("`{}` is a {}, and the archive has {wanted} there", path.display(), kind.word()))
        .advise("remove it with file::absent if the archive is right, or leave the entry out with `exclude`")
}
