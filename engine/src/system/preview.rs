//! Check mode's host: what is, with what the calls so far would have made of it laid over it.

mod predicted;
mod predictions;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

pub use self::predicted::Predicted;

use self::predictions::{FileContent, Prediction, Predictions, Thing, Told};
use super::{Attributes, Command, Content, Kind, Output, RootKind, Stat, Time, View, path::resolve};
use crate::failure::Failure;

/// What is predicted of things that are not files, by kind and name.
type States = HashMap<(String, String), serde_json::Value>;

/// A view with predictions laid over it. Steps write into it what they would bring about.
///
/// A step is predicted as if it succeeded: nothing asks whether the parent of a new file is there.
pub struct Overlay {
    base: Rc<dyn View>,
    /// The same base, where it is what earlier plays have predicted.
    earlier: Option<Rc<Overlay>>,
    predictions: Rc<RefCell<Predictions>>,
    /// Where links of the host lead, by the paths that were walked through; `None` for what is no link.
    walked: RefCell<HashMap<PathBuf, Option<PathBuf>>>,
    states: Rc<RefCell<States>>,
}

impl Overlay {
    /// Nothing predicted yet.
    pub fn new(base: Rc<dyn View>) -> Self {
        let (predictions, states) = (Rc::default(), Rc::default());
        Self { base, earlier: None, predictions, walked: RefCell::default(), states }
    }

    /// Nothing predicted yet in this play, over what `earlier` plays have predicted, in their order.
    pub fn after<'a>(base: Rc<dyn View>, earlier: impl IntoIterator<Item = &'a Predicted>) -> Self {
        let below = Self::new(base);
        for predicted in earlier {
            predicted.lay_over(&mut below.predictions.borrow_mut(), &mut below.states.borrow_mut());
        }
        let below = Rc::new(below);
        Self { earlier: Some(Rc::clone(&below)), ..Self::new(below) }
    }

    /// What was predicted in this play, to be known in later ones. `None` if it is too much.
    pub fn predicted_here(&self) -> Option<Predicted> {
        Predicted::of(&self.predictions.borrow(), &self.states.borrow())
    }

    /// The same predictions over the same host as another user sees it.
    pub fn seen_by(&self, base: Rc<dyn View>) -> Self {
        let (predictions, states) = (Rc::clone(&self.predictions), Rc::clone(&self.states));
        let earlier = self.earlier.as_ref().map(|earlier| Rc::new(earlier.seen_by(Rc::clone(&base))));
        let base = earlier.clone().map_or(base, |earlier| earlier as Rc<dyn View>);
        Self { base, earlier, predictions, walked: RefCell::default(), states }
    }

    /// Predicts a file.
    ///
    /// # Errors
    /// The path can't be followed.
    pub fn write(&self, path: &Path, content: Content, attributes: Attributes) -> Result<(), Failure> {
        let place = self.place(path, false)?;
        self.put(&place, Thing::File(FileContent::Here(content)), attributes);
        Ok(())
    }

    /// Predicts a file whose content `command` prints. It only reads, and is run when somebody wants to know the content.
    ///
    /// # Errors
    /// The path can't be followed.
    pub fn write_as_told(
        &self,
        path: &Path,
        command: Command,
        attributes: Attributes,
    ) -> Result<(), Failure> {
        let place = self.place(path, false)?;
        self.put(&place, Thing::File(FileContent::Told(Told::by(command))), attributes);
        Ok(())
    }

    /// Predicts a directory. Where one is, it keeps what is in it.
    ///
    /// # Errors
    /// As [`Overlay::write`], or what is there can't be looked at.
    pub fn make_directory(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        let place = self.place(path, false)?;
        if self.stat_at(&place)?.is_some_and(|stat| stat.kind == Kind::Directory) {
            self.predictions.borrow_mut().set_attributes(&place, attributes);
        } else {
            self.put(&place, Thing::Directory, attributes);
        }
        Ok(())
    }

    /// Predicts a link.
    ///
    /// # Errors
    /// As [`Overlay::make_directory`].
    pub fn make_link(&self, path: &Path, target: &Path) -> Result<(), Failure> {
        let place = self.place(path, false)?;
        let parent = self.stat_at(place.parent().unwrap_or(&place))?;
        let attributes = Attributes::of_new_link(self.identity(), parent.map(|parent| parent.attributes));
        self.put(&place, Thing::Link(target.to_owned()), attributes);
        Ok(())
    }

    /// Predicts that a path and all below it is gone.
    ///
    /// # Errors
    /// As [`Overlay::write`].
    pub fn remove(&self, path: &Path) -> Result<(), Failure> {
        let place = self.place(path, false)?;
        self.predictions.borrow_mut().put(&place, Prediction::Absent);
        Ok(())
    }

    /// Predicts owner, group and mode of what is there; of a link, owner and group.
    ///
    /// # Errors
    /// As [`Overlay::make_directory`].
    pub fn set_attributes(&self, path: &Path, attributes: Attributes) -> Result<(), Failure> {
        let place = self.place(path, false)?;
        let attributes = match self.stat_at(&place)? {
            None => return Ok(()),
            Some(stat) if stat.kind == Kind::Link => Attributes { mode: stat.attributes.mode, ..attributes },
            Some(_) => attributes,
        };
        self.predictions.borrow_mut().set_attributes(&place, attributes);
        Ok(())
    }

    /// Predicts the time of the last change of what is there.
    ///
    /// # Errors
    /// As [`Overlay::make_directory`].
    pub fn set_modified(&self, path: &Path, modified: Time) -> Result<(), Failure> {
        let place = self.place(path, false)?;
        if self.stat_at(&place)?.is_some() {
            self.predictions.borrow_mut().set_modified(&place, modified);
        }
        Ok(())
    }

    /// Predicts something that is not a file: `kind` is the module's own word (`package`), `name` says which.
    pub fn set_state(&self, kind: &str, name: &str, state: serde_json::Value) {
        self.states.borrow_mut().insert((kind.to_owned(), name.to_owned()), state);
    }

    /// Forgets what is remembered of the host, because it is about to be changed in earnest. What is predicted stays.
    pub fn forget_host(&self) {
        self.walked.borrow_mut().clear();
        self.earlier.iter().for_each(|earlier| earlier.forget_host());
    }

    fn put(&self, place: &Path, thing: Thing, attributes: Attributes) {
        let modified = Time::now();
        self.predictions.borrow_mut().put(place, Prediction::New { thing, attributes, modified });
    }

    /// The path with links followed, predicted ones too.
    fn place(&self, path: &Path, follow_last: bool) -> Result<PathBuf, Failure> {
        resolve(path, follow_last, |path| self.walk_through(path))
    }

    /// The link at a path whose parents hold no links. What the host says is remembered: paths share their beginnings.
    fn walk_through(&self, place: &Path) -> Result<Option<PathBuf>, Failure> {
        if let Some(predicted) = self.predicted_link(place) {
            return Ok(predicted);
        }
        if let Some(known) = self.walked.borrow().get(place) {
            return Ok(known.clone());
        }
        let link = self.base.read_link(place)?;
        self.walked.borrow_mut().insert(place.to_owned(), link.clone());
        Ok(link)
    }

    /// Where a link would lead, or that there would be none; `None` if that is as the host has it.
    fn predicted_link(&self, place: &Path) -> Option<Option<PathBuf>> {
        let predictions = self.predictions.borrow();
        let found = predictions.find(place);
        match found.prediction {
            Some(Prediction::New { thing: Thing::Link(target), .. }) => Some(Some(target.clone())),
            Some(Prediction::New { .. } | Prediction::Absent) => Some(None),
            Some(Prediction::Changed { .. }) => None,
            None => found.hidden.then_some(None),
        }
    }

    /// Where a path leads, and what is there. Nearly always the path is no link, and one look is enough.
    fn follow(&self, path: &Path) -> Result<(PathBuf, Option<Stat>), Failure> {
        let place = self.place(path, false)?;
        let stat = self.stat_at(&place)?;
        if stat.as_ref().is_none_or(|stat| stat.kind != Kind::Link) {
            return Ok((place, stat));
        }
        let place = self.place(path, true)?;
        let stat = self.stat_at(&place)?;
        Ok((place, stat))
    }

    fn untouched(&self) -> bool {
        self.predictions.borrow().is_empty()
    }

    fn stat_at(&self, place: &Path) -> Result<Option<Stat>, Failure> {
        let predictions = self.predictions.borrow();
        let found = predictions.find(place);
        match found.prediction {
            None if found.hidden => Ok(None),
            None => self.base.lstat(place),
            Some(Prediction::Absent) => Ok(None),
            Some(Prediction::New { thing, attributes, modified }) => {
                let (kind, size) = match thing {
                    Thing::File(content) => (Kind::File, content.size()),
                    Thing::Directory => (Kind::Directory, 0),
                    Thing::Link(target) => (Kind::Link, target.as_os_str().len() as u64),
                };
                let (attributes, modified) = (*attributes, *modified);
                Ok(Some(Stat { kind, attributes, size, modified }))
            }
            Some(Prediction::Changed { attributes, modified }) => {
                let stat = self.base.lstat(place)?;
                Ok(stat.map(|stat| Stat {
                    attributes: attributes.unwrap_or(stat.attributes),
                    modified: modified.unwrap_or(stat.modified),
                    ..stat
                }))
            }
        }
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
        Ok(self.follow(path)?.1)
    }

    fn read(&self, path: &Path) -> Result<Option<Content>, Failure> {
        if self.untouched() {
            return self.base.read(path);
        }
        let (place, _) = self.follow(path)?;
        let predictions = self.predictions.borrow();
        let found = predictions.find(&place);
        match found.prediction {
            Some(Prediction::New { thing: Thing::File(content), .. }) => {
                content.content(|command| self.base.probe(command)).map(Some)
            }
            Some(Prediction::New { thing: Thing::Directory, .. }) => Err(Failure::Io {
                act: "read".into(),
                path: path.to_owned(),
                reason: "is a directory".to_owned(),
            }),
            Some(Prediction::New { thing: Thing::Link(_), .. } | Prediction::Absent) => Ok(None),
            None if found.hidden => Ok(None),
            Some(Prediction::Changed { .. }) | None => self.base.read(&place),
        }
    }

    fn read_in_place(&self, path: &Path) -> Result<Option<(Stat, Content)>, Failure> {
        let place = if self.untouched() { path.to_owned() } else { self.place(path, false)? };
        let is_of_host = {
            let predictions = self.predictions.borrow();
            let found = predictions.find(&place);
            !found.hidden && matches!(found.prediction, None | Some(Prediction::Changed { .. }))
        };
        if !is_of_host {
            return Ok(self.stat_at(&place)?.zip(self.read(&place)?));
        }
        let Some((stat, content)) = self.base.read_in_place(&place)? else { return Ok(None) };
        let predicted = self.stat_at(&place)?.map_or(stat.attributes, |predicted| predicted.attributes);
        Ok(Some((Stat { attributes: predicted, ..stat }, content)))
    }

    fn holds(&self, path: &Path, size: u64, hash: &str) -> Result<bool, Failure> {
        if self.untouched() {
            return self.base.holds(path, size, hash);
        }
        let (place, _) = self.follow(path)?;
        let predictions = self.predictions.borrow();
        let found = predictions.find(&place);
        match found.prediction {
            Some(Prediction::New { thing: Thing::File(content), .. }) => {
                content.is(size, hash, |command| self.base.probe(command))
            }
            Some(Prediction::New { .. } | Prediction::Absent) => Ok(false),
            None if found.hidden => Ok(false),
            Some(Prediction::Changed { .. }) | None => self.base.holds(&place, size, hash),
        }
    }

    fn read_link(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        if self.untouched() {
            return self.base.read_link(path);
        }
        let place = self.place(path, false)?;
        match self.predicted_link(&place) {
            Some(predicted) => Ok(predicted),
            None => self.base.read_link(&place),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, Failure> {
        if self.untouched() {
            return self.base.list(path);
        }
        let place = self.place(path, true)?;
        let predictions = self.predictions.borrow();
        let found = predictions.find(&place);
        let mut names = match found.prediction {
            Some(Prediction::Absent | Prediction::New { .. }) => Vec::new(),
            _ if found.hidden => Vec::new(),
            _ => self.base.list(&place)?,
        };
        names.retain(|name| !matches!(found.entry(name), Some(Prediction::Absent)));
        let new = found.entries().filter(|(_, entry)| matches!(entry, Prediction::New { .. }));
        names.extend(new.map(|(name, _)| name.clone()));
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

    fn is_sandbox(&self) -> bool {
        self.base.is_sandbox()
    }

    fn identity(&self) -> (u32, u32) {
        self.base.identity()
    }

    fn look_ahead(&self, paths: &[&Path]) {
        self.base.look_ahead(paths);
    }

    fn is_predicted(&self) -> bool {
        true
    }

    fn predicted(&self, kind: &str, name: &str) -> Option<serde_json::Value> {
        let here = self.states.borrow().get(&(kind.to_owned(), name.to_owned())).cloned();
        here.or_else(|| self.base.predicted(kind, name))
    }
}
