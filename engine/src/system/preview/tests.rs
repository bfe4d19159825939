//! What is predicted against what then is.

use proptest::prelude::*;

use super::super::System;
use super::super::native::Native;
use super::super::random_changes::{changes, in_new_root, told};
use super::super::sandbox::{NoPrograms, Sandbox};
use super::*;
use crate::step::{Change, Step};

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

/// Makes the changes as far as that works. Returns those that were made.
fn make(system: &dyn System, changes: &[Change]) -> Vec<Change> {
    changes.iter().filter(|change| change.act(system).is_ok()).cloned().collect()
}

/// Lays the changes over a host. What would be there is told, and what is.
fn predict(base: Rc<dyn View>, changes: &[Change]) -> (Vec<String>, Vec<String>) {
    let overlay = Overlay::new(Rc::clone(&base));
    for change in changes {
        change.predict(&overlay).unwrap();
    }
    (told(&overlay), told(&*base))
}

/// Two equal hosts: on one of them the changes are made, those that could be are predicted on the other.
struct Compared {
    before: Vec<String>,
    after: Vec<String>,
    predicted: Vec<String>,
    before_still: Vec<String>,
}

impl Compared {
    fn check(self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.predicted, self.after);
        prop_assert_eq!(self.before_still, self.before, "a prediction changed the host");
        Ok(())
    }
}

fn in_sandboxes(before: &[Change], changes: &[Change]) -> Compared {
    let directory = tempfile::tempdir().unwrap();
    let host = |name: &str| {
        let place = directory.path().join(name);
        std::fs::create_dir_all(place.join("root")).unwrap();
        let host = Sandbox::open(&place, Box::new(NoPrograms)).unwrap();
        make(&host, before);
        host
    };
    let changed = host("changed");
    let told_before = told(&changed);
    let made = make(&changed, changes);
    let (predicted, before_still) = predict(Rc::new(host("looked at")), &made);
    Compared { before: told_before, after: told(&changed), predicted, before_still }
}

fn in_roots(before: &[Change], changes: &[Change]) -> Option<Compared> {
    let host = || {
        let host = Native::not_lasting(RootKind::Offline);
        make(&host, before);
        host
    };
    let (told_before, made, after) = in_new_root(|| {
        let host = host();
        let told_before = told(&host);
        let made = make(&host, changes);
        (told_before, made, told(&host))
    })?;
    let (predicted, before_still) = in_new_root(|| predict(Rc::new(host()), &made))?;
    Some(Compared { before: told_before, after, predicted, before_still })
}

proptest! {
    #[test]
    fn in_a_sandbox_it_is_as_predicted(before in changes(12), changes in changes(16)) {
        in_sandboxes(&before, &changes).check()?;
    }

    #[test]
    fn in_a_root_it_is_as_predicted(before in changes(12), changes in changes(16)) {
        if let Some(compared) = in_roots(&before, &changes) {
            compared.check()?;
        }
    }
}
