//! Check mode's host: what is, with what the calls so far would have made of it laid over it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Attributes, Command, Content, Kind, Output, RootKind, Stat, View, path::resolve};
use crate::failure::Failure;

/// What a path would be.
#[derive(Clone, Debug)]
enum Node {
    /// Nothing, and nothing below it.
    Absent,
    /// A file.
    File(Content, Attributes),
    /// A directory. `fresh` when nothing of what lies below it on the host would still be there.
    Directory { attributes: Attributes, fresh: bool },
    /// A link: where it points, and its owner and group.
    Link(PathBuf, (u32, u32)),
    /// What is there, with other attributes.
    Attributes(Attributes),
}

/// A view with predictions laid over it. Steps write into it what they would bring about.
pub struct Overlay {
    base: Rc<dyn View>,
    nodes: RefCell<BTreeMap<PathBuf, Node>>,
    states: RefCell<HashMap<(String, String), serde_json::Value>>,
}

impl Overlay {
    /// Nothing predicted yet.
    pub fn new(base: Rc<dyn View>) -> Self {
        Self { base, nodes: RefCell::default(), states: RefCell::default() }
    }

    /// Predicts a file.
    ///
    /// # Errors
    /// The path's parent can't be looked at.
    pub fn write(&self, path: &Path, content: Content, attributes: Attributes) -> Result<(), Failure> {
        self.set(path, Node::File(content, attributes))
    }

    /// Predicts a directory. Where one is, it keeps what is in it.
    ///
    /// # Errors
    /// As [`Overlay::write`].
    pub fn make_directory(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        let fresh = self.lstat(path)?.is_none();
        self.set(path, Node::Directory { attributes, fresh })
    }

    /// Predicts a link.
    ///
    /// # Errors
    /// As [`Overlay::write`].
    pub fn make_link(&self, path: &Path, target: &Path) -> Result<(), Failure> {
        self.set(path, Node::Link(target.to_owned(), self.identity()))
    }

    /// Predicts that a path and all below it is gone.
    ///
    /// # Errors
    /// As [`Overlay::write`].
    pub fn remove(&self, path: &Path) -> Result<(), Failure> {
        let place = self.place(path, false)?;
        let mut nodes = self.nodes.borrow_mut();
        nodes.retain(|node, _| !node.starts_with(&place));
        nodes.insert(place, Node::Absent);
        Ok(())
    }

    /// Predicts owner, group and mode of what is there.
    ///
    /// # Errors
    /// As [`Overlay::write`].
    pub fn set_attributes(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        let place = self.place(path, false)?;
        let mut nodes = self.nodes.borrow_mut();
        match nodes.get_mut(&place) {
            Some(
                Node::File(_, current)
                | Node::Directory { attributes: current, .. }
                | Node::Attributes(current),
            ) => *current = attributes,
            Some(Node::Link(_, owner)) => *owner = (attributes.uid, attributes.gid),
            Some(Node::Absent) => {}
            None => {
                nodes.insert(place, Node::Attributes(attributes));
            }
        }
        Ok(())
    }

    /// Predicts something that is not a file: `kind` is the module's own word (`package`), `name` says which.
    pub fn set_state(&self, kind: &str, name: &str, state: serde_json::Value) {
        self.states.borrow_mut().insert((kind.to_owned(), name.to_owned()), state);
    }

    fn set(&self, path: &Path, node: Node) -> Result<(), Failure> {
        let place = self.place(path, false)?;
        self.nodes.borrow_mut().insert(place, node);
        Ok(())
    }

    /// The path with links followed, predicted ones too.
    fn place(&self, path: &Path, follow_last: bool) -> Result<PathBuf, Failure> {
        resolve(path, follow_last, |path| self.link_at(path))
    }

    /// The link at a path whose parents hold no links.
    fn link_at(&self, place: &Path) -> Result<Option<PathBuf>, Failure> {
        match self.nodes.borrow().get(place) {
            Some(Node::Link(target, _)) => Ok(Some(target.clone())),
            Some(Node::Attributes(_)) => self.base.read_link(place),
            Some(_) => Ok(None),
            None if self.hidden(place) => Ok(None),
            None => self.base.read_link(place),
        }
    }

    /// Whether a predicted removal above hides what the host has there.
    fn hidden(&self, place: &Path) -> bool {
        let nodes = self.nodes.borrow();
        place.ancestors().skip(1).any(|above| {
            matches!(
                nodes.get(above),
                Some(Node::Absent | Node::File(..) | Node::Link(..) | Node::Directory { fresh: true, .. })
            )
        })
    }

    fn untouched(&self) -> bool {
        self.nodes.borrow().is_empty()
    }

    fn stat_at(&self, place: &Path) -> Result<Option<Stat>, Failure> {
        let stat = |kind, attributes, size| Some(Stat { kind, attributes, size, modified: 0 });
        Ok(match self.nodes.borrow().get(place) {
            Some(Node::Absent) => None,
            Some(Node::File(content, attributes)) => {
                stat(Kind::File, *attributes, content.known().map_or(0, |bytes| bytes.len() as u64))
            }
            Some(Node::Directory { attributes, .. }) => stat(Kind::Directory, *attributes, 0),
            Some(Node::Link(target, (uid, gid))) => {
                let (uid, gid) = (*uid, *gid);
                stat(Kind::Link, Attributes { mode: 0o777, uid, gid }, target.as_os_str().len() as u64)
            }
            Some(Node::Attributes(attributes)) => {
                self.base.lstat(place)?.map(|stat| Stat { attributes: *attributes, ..stat })
            }
            None if self.hidden(place) => None,
            None => self.base.lstat(place)?,
        })
    }
}

impl View for Overlay {
    fn lstat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        if self.untouched() {
            return self.base.lstat(path);
        }
        self.stat_at(&self.place(path, false)?)
    }

    fn stat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        if self.untouched() {
            return self.base.stat(path);
        }
        self.stat_at(&self.place(path, true)?)
    }

    fn read(&self, path: &Path) -> Result<Option<Content>, Failure> {
        if self.untouched() {
            return self.base.read(path);
        }
        let place = self.place(path, true)?;
        match self.nodes.borrow().get(&place) {
            Some(Node::File(content, _)) => Ok(Some(content.clone())),
            Some(Node::Directory { .. }) => {
                Err(Failure::Io { act: "read", path: path.to_owned(), reason: "is a directory".to_owned() })
            }
            Some(Node::Absent | Node::Link(..)) => Ok(None),
            None if self.hidden(&place) => Ok(None),
            Some(Node::Attributes(_)) | None => self.base.read(&place),
        }
    }

    fn holds(&self, path: &Path, size: u64, hash: &str) -> Result<bool, Failure> {
        let place = self.place(path, true)?;
        match self.nodes.borrow().get(&place) {
            Some(Node::File(content, _)) => Ok(content.is(size, hash)),
            Some(Node::Absent | Node::Link(..) | Node::Directory { .. }) => Ok(false),
            None if self.hidden(&place) => Ok(false),
            Some(Node::Attributes(_)) | None => self.base.holds(&place, size, hash),
        }
    }

    fn read_link(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        if self.untouched() {
            return self.base.read_link(path);
        }
        self.link_at(&self.place(path, false)?)
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, Failure> {
        if self.untouched() {
            return self.base.list(path);
        }
        let place = self.place(path, true)?;
        let nodes = self.nodes.borrow();
        let mut names = match nodes.get(&place) {
            Some(Node::Absent | Node::File(..) | Node::Link(..)) => return Ok(Vec::new()),
            Some(Node::Directory { fresh: true, .. }) => Vec::new(),
            _ if self.hidden(&place) => Vec::new(),
            _ => self.base.list(&place)?,
        };
        names.retain(|name| !matches!(nodes.get(&place.join(name)), Some(Node::Absent)));
        let below = nodes.range(place.clone()..).take_while(|(node, _)| node.starts_with(&place));
        for (node, what) in below {
            if node.parent() == Some(&place) && !matches!(what, Node::Absent) {
                names.extend(node.file_name().map(ToOwned::to_owned));
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn probe(&self, command: &Command) -> Result<Output, Failure> {
        self.base.probe(command)
    }

    fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.base.find_program(name)
    }

    fn root_kind(&self) -> RootKind {
        self.base.root_kind()
    }

    fn identity(&self) -> (u32, u32) {
        self.base.identity()
    }

    fn predicted(&self, kind: &str, name: &str) -> Option<serde_json::Value> {
        self.states.borrow().get(&(kind.to_owned(), name.to_owned())).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::native::Native;
    use super::*;

    const PLAIN: Attributes = Attributes { mode: 0o644, uid: 0, gid: 0 };

    #[test]
    fn later_looks_see_what_was_predicted() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("old")).unwrap();
        std::fs::write(root.join("old/file"), "as it is").unwrap();
        let overlay = Overlay::new(Rc::new(Native::new(RootKind::Live)));

        overlay.make_directory(&root.join("new"), PLAIN).unwrap();
        overlay.make_link(&root.join("link"), Path::new("new")).unwrap();
        overlay.write(&root.join("link/inside"), Content::Known(b"x".to_vec()), PLAIN).unwrap();
        assert_eq!(overlay.read(&root.join("new/inside")).unwrap(), Some(Content::Known(b"x".to_vec())));
        assert_eq!(overlay.list(&root).unwrap(), ["link", "new", "old"]);
        assert_eq!(overlay.read_link(&root.join("link")).unwrap(), Some(PathBuf::from("new")));
        assert_eq!(overlay.stat(&root.join("link")).unwrap().unwrap().kind, Kind::Directory);

        overlay.remove(&root.join("old")).unwrap();
        assert_eq!(overlay.lstat(&root.join("old/file")).unwrap(), None);
        assert_eq!(overlay.read(&root.join("old/file")).unwrap(), None);
        overlay.make_directory(&root.join("old"), PLAIN).unwrap();
        assert!(overlay.list(&root.join("old")).unwrap().is_empty());

        assert!(root.join("old/file").exists(), "the host itself is as it was");
        assert!(!root.join("new").exists());
    }

    #[test]
    fn attributes_are_laid_over_what_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().canonicalize().unwrap().join("file");
        std::fs::write(&file, "content").unwrap();
        let overlay = Overlay::new(Rc::new(Native::new(RootKind::Live)));
        overlay.set_attributes(&file, Attributes { mode: 0o600, uid: 7, gid: 8 }).unwrap();
        let stat = overlay.stat(&file).unwrap().unwrap();
        assert_eq!((stat.attributes.mode, stat.attributes.uid, stat.size), (0o600, 7, 7));
        assert_eq!(overlay.read(&file).unwrap(), Some(Content::Known(b"content".to_vec())));
        let held = |bytes: &[u8]| {
            let hash = blake3::hash(bytes).to_hex();
            overlay.holds(&file, bytes.len() as u64, &hash).unwrap()
        };
        assert_eq!((held(b"content"), held(b"contenT"), held(b"")), (true, false, false));
        overlay.write(&file, Content::Known(b"other".to_vec()), PLAIN).unwrap();
        assert_eq!((held(b"content"), held(b"other")), (false, true));
        overlay.write(&file, Content::Unknown, PLAIN).unwrap();
        assert!(!held(b"other"));
        let link = file.with_file_name("link");
        overlay.make_link(&link, &file).unwrap();
        overlay.set_attributes(&link, Attributes { mode: 0o777, uid: 7, gid: 8 }).unwrap();
        let stat = overlay.lstat(&link).unwrap().unwrap();
        assert_eq!((stat.kind, stat.attributes.uid, stat.attributes.gid), (Kind::Link, 7, 8));
    }
}
