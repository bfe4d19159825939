//! Which files a transaction removes, and whether its packages have files of the same name.

use std::collections::{BTreeMap, HashMap};

use super::super::errno::Errno;
use super::super::package::Package;
use super::super::plist::{Dictionary, Value};
use super::super::transaction::{Action, Entry};
use super::{Commit, Tool};

/// What stays although it is a link: the root directory would be of no use without.
const BASE_LINKS: [&str; 9] =
    ["/bin", "/sbin", "/usr/sbin", "/lib", "/lib32", "/lib64", "/usr/lib32", "/usr/lib64", "/var/run"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Configuration,
    Link,
    Directory,
}

/// The lists of files of a package, in the order in which they are looked at.
const LISTS: [(&str, Kind); 4] = [
    ("files", Kind::File),
    ("conf_files", Kind::Configuration),
    ("links", Kind::Link),
    ("dirs", Kind::Directory),
];

/// A path that an installed package of the transaction has.
#[derive(Clone, Debug)]
struct Old {
    name: String,
    pkgver: String,
    kind: Kind,
    sha256: Option<String>,
    target: Option<String>,
    index: usize,
    preserve: bool,
    is_removal: bool,
}

/// A path that a new package of the transaction has.
#[derive(Clone, Debug)]
struct New {
    name: String,
    pkgver: String,
    kind: Kind,
    index: usize,
}

/// A path with the packages that have it before and after.
#[derive(Debug, Default)]
struct Item {
    path: String,
    old: Option<Old>,
    new: Option<New>,
    is_deleted: bool,
}

#[derive(Default)]
struct Items {
    items: Vec<Item>,
    by_path: HashMap<String, usize>,
}

impl Items {
    fn at(&mut self, path: &str) -> &mut Item {
        let next = self.items.len();
        let at = *self.by_path.entry(path.to_owned()).or_insert(next);
        if at == next {
            self.items.push(Item { path: path.to_owned(), ..Item::default() });
        }
        &mut self.items[at]
    }
}

fn each_path(files: &Dictionary) -> impl Iterator<Item = (Kind, &Dictionary, &str)> {
    LISTS.iter().flat_map(|(list, kind)| {
        let entries = files.get(*list).and_then(Value::list).unwrap_or_default().iter();
        entries
            .filter_map(Value::dictionary)
            .filter_map(|entry| Some((*kind, entry, entry.get("file")?.text()?)))
    })
}

impl Commit<'_, '_, '_> {
    /// Finds out which files are removed by which package.
    pub(super) fn collect_obsolete(&mut self) -> Result<(), Errno> {
        let transaction = self.transaction;
        let mut items = Items::default();
        for (index, entry) in transaction.entries.iter().enumerate() {
            if matches!(entry.action, Action::Hold | Action::Configure) {
                continue;
            }
            if entry.action.unpacks() {
                self.collect_new(&mut items, index, &entry.package)?;
            }
            self.collect_old(&mut items, index, entry)?;
        }
        // Longest paths first, so that what is in a directory is looked at before it.
        items.items.sort_by_key(|item| std::cmp::Reverse(item.path.len()));
        self.obsolete = self.choose_obsolete(items.items)?;
        Ok(())
    }

    fn collect_new(&mut self, items: &mut Items, index: usize, package: &Package) -> Result<(), Errno> {
        let pkgver = package.pkgver();
        self.tell(format!("{pkgver}: collecting files..."));
        let Some(files) =
            self.definition(package).map(|definition| definition.file_list().unwrap_or_default())
        else {
            self.xbps.error(format!("{pkgver}: failed to open binary package"));
            return Err(Errno::EINVAL);
        };
        let mut is_conflict = false;
        for (kind, _, path) in each_path(&files) {
            let item = items.at(path);
            if let Some(other) = &item.new {
                if kind == Kind::Directory && other.kind == Kind::Directory {
                    continue;
                }
                let other = other.pkgver.clone();
                self.xbps.error(format!("{pkgver}: file `{path}' already installed by package {other}."));
                is_conflict |= !self.manner.ignores_file_conflicts;
                continue;
            }
            item.new = Some(New { name: package.name().to_owned(), pkgver: pkgver.to_owned(), kind, index });
        }
        if is_conflict { Err(Errno::EEXIST) } else { Ok(()) }
    }

    fn collect_old(&mut self, items: &mut Items, index: usize, entry: &Entry) -> Result<(), Errno> {
        let name = entry.package.name();
        let Some(installed) = self.xbps.database.get(name).map(|installed| installed.pkgver().to_owned())
        else {
            return Ok(());
        };
        let Some(files) = self.xbps.database.files(self.xbps.disk, &self.xbps.meta, name) else {
            return Ok(());
        };
        self.tell(format!("{installed}: collecting files..."));
        for (kind, values, path) in each_path(&files) {
            let text = |key: &str| values.get(key).and_then(Value::text).map(str::to_owned);
            let old = Old {
                name: name.to_owned(),
                pkgver: entry.package.pkgver().to_owned(),
                kind,
                sha256: text("sha256"),
                target: text("target"),
                index,
                preserve: entry.package.is("preserve"),
                is_removal: entry.action == Action::Remove,
            };
            self.note_old(items.at(path), old)?;
        }
        Ok(())
    }

    /// Notes that a package had a path. The last one to remove a directory is the one that does it.
    fn note_old(&mut self, item: &mut Item, old: Old) -> Result<(), Errno> {
        let Some(other) = &item.old else {
            item.old = Some(old);
            return Ok(());
        };
        if old.kind == Kind::Directory && other.kind == Kind::Directory {
            if !other.preserve {
                item.old = Some(Old { sha256: None, target: None, ..old });
            }
            return Ok(());
        }
        if other.preserve != old.preserve {
            let (keeps, removes) = if other.preserve { (other, &old) } else { (&old, other) };
            let (keeps, removes, path) = (&keeps.pkgver, &removes.pkgver, &item.path);
            self.xbps.error(format!("{keeps}: preserved file `{path}' removed by {removes}."));
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    fn choose_obsolete(&mut self, mut items: Vec<Item>) -> Result<BTreeMap<String, Vec<String>>, Errno> {
        let mut obsolete = BTreeMap::<_, Vec<_>>::new();
        for at in 0..items.len() {
            let (longer, rest) = items.split_at_mut(at);
            let item = &mut rest[0];
            let Some(old) = item.old.clone() else { continue };
            if self.changes_kind(item, &old, longer)? && self.may_go(item, &old) {
                // The one that is dealt with first removes it, so that it does not remove what another put in place.
                let remover = match &item.new {
                    Some(new) if old.index > new.index => &new.name,
                    _ => &old.name,
                };
                obsolete.entry(remover.clone()).or_default().push(item.path.clone());
                item.is_deleted = true;
            }
        }
        Ok(obsolete)
    }

    /// Whether a path is no longer what it was.
    fn changes_kind(&mut self, item: &Item, old: &Old, longer: &[Item]) -> Result<bool, Errno> {
        if self.xbps.configuration.preserved.contains(&item.path) {
            return Ok(false);
        }
        let Some(new) = &item.new else { return Ok(!old.preserve) };
        if new.kind == Kind::Configuration || new.kind == old.kind {
            return Ok(false);
        }
        if old.kind == Kind::Directory && !self.empties(&item.path, longer) {
            self.xbps.error(format!("{}: directory `.{}' can not be deleted.", old.pkgver, item.path));
            return Err(Errno::ENOTEMPTY);
        }
        Ok(true)
    }

    /// Whether all that is in a directory goes.
    fn empties(&self, directory: &str, longer: &[Item]) -> bool {
        let prefix = format!("{directory}/");
        let mut inside = longer.iter().filter(|item| item.path.starts_with(&prefix));
        let names = self.xbps.disk.list(&self.xbps.inside(directory));
        let deleted = longer.iter().filter(|item| item.path.starts_with(&prefix) && item.is_deleted).count();
        inside.all(|item| item.is_deleted) && names.len() <= deleted
    }

    /// Whether a path may be removed: nobody changed it. What is gone already is noted.
    fn may_go(&self, item: &mut Item, old: &Old) -> bool {
        if BASE_LINKS.contains(&item.path.as_str()) {
            return false;
        }
        let place = self.xbps.inside(&item.path);
        let forced = self.manner.tool == Tool::Remove && self.manner.removes_changed;
        if let Some(sha256) = &old.sha256 {
            match self.xbps.disk.check(&place, sha256) {
                Err(Errno::ENOENT) => {
                    item.is_deleted = true;
                    return false;
                }
                Err(Errno::ERANGE) => return old.is_removal && item.new.is_none() && forced,
                _ => {}
            }
        }
        if let Some(target) = old.target.as_ref().filter(|_| old.is_removal && item.new.is_none() && !forced)
        {
            return self.xbps.link_target(&item.path, target).is_some_and(|now| now == *target);
        }
        true
    }
}
