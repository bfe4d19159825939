//! What is predicted against what then is.

use proptest::prelude::*;

use super::super::System;
use super::super::native::Native;
use super::super::random_changes::{changes, in_new_root, told};
use super::super::sandbox::{NoPrograms, Sandbox};
use super::*;
use crate::agent::frame::LARGEST_FROM_AGENT;
use crate::agent::shape;
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
fn a_command_tells_what_a_file_holds() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    let overlay = Overlay::new(Rc::new(Native::new(RootKind::Live)));
    let script = format!("echo asked >> {0}/log; cat {0}/log; exit $1", root.display());
    let told = |name: &str, status: &str| {
        let file = root.join(name);
        overlay.write_as_told(&file, Command::new(["sh", "-c", &script, "sh", status]), PLAIN).unwrap();
        file
    };
    let file = told("file", "0");
    assert_eq!(overlay.stat(&file).unwrap().unwrap().kind, Kind::File);
    assert!(!root.join("log").exists(), "nobody has asked for the content");
    let content = Content::Known(b"asked\n".to_vec());
    assert_eq!(overlay.read(&file).unwrap().as_ref(), Some(&content));
    assert!(overlay.holds(&file, 6, &content.hash().unwrap()).unwrap(), "it is asked for once");
    assert_eq!(overlay.read(&told("other", "1")).unwrap(), Some(Content::Unknown));
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

fn this_machine() -> Rc<dyn View> {
    Rc::new(Native::new(RootKind::Live))
}

#[test]
fn what_is_no_file_is_known_in_later_plays() {
    let first = Overlay::new(this_machine());
    first.set_state("package", "nomad", "1.2".into());
    first.set_state("service", "nomad", true.into());
    let earlier = [first.predicted_here().unwrap()];
    let second = Overlay::after(this_machine(), &earlier);
    second.set_state("service", "nomad", false.into());
    assert_eq!(second.predicted("package", "nomad"), Some("1.2".into()));
    assert_eq!(second.seen_by(this_machine()).predicted("service", "nomad"), Some(false.into()));
    assert_eq!(second.predicted("package", "docker"), None);
    assert_eq!(second.predicted_here().unwrap().states.len(), 1, "only what is new is told");
}

#[test]
fn a_long_content_is_known_by_its_hash() {
    let path = Path::new("/no-such-directory/long");
    let content = vec![b'x'; 100_000];
    let first = Overlay::new(this_machine());
    first.write(path, Content::Known(content.clone()), PLAIN).unwrap();
    let written = first.predicted_here().unwrap();
    assert!(rmp_serde::to_vec_named(&written).unwrap().len() < 1000);
    let second = Overlay::after(this_machine(), &[written]);
    let hash = blake3::hash(&content).to_hex();
    assert!(second.holds(path, 100_000, &hash).unwrap());
    assert!(!second.holds(path, 100_001, &hash).unwrap());
    assert_eq!(second.stat(path).unwrap().unwrap().size, 100_000);
    assert_eq!(second.read(path).unwrap(), Some(Content::Unknown));
    let third = Overlay::after(this_machine(), &[second.predicted_here().unwrap()]);
    assert_eq!(third.stat(path).unwrap(), None, "each play tells of itself");
}

#[test]
fn what_is_written_down_fits_into_a_frame() {
    let overlay = Overlay::new(this_machine());
    let long = "x".repeat(100);
    let write = |number: usize| {
        let path = PathBuf::from(format!("/no-such-directory/{number}-{long}"));
        overlay.write(&path, Content::Known(vec![b'x'; 1000]), PLAIN).unwrap();
    };
    (0..19_999).for_each(write);
    let most = rmp_serde::to_vec_named(&overlay.predicted_here().unwrap()).unwrap();
    assert!(most.len() < LARGEST_FROM_AGENT - 1024 * 1024, "{}", most.len());
    assert_eq!(shape::check(&most), Ok(()));
    write(19_999);
    assert_eq!(overlay.predicted_here(), None);
}

/// Makes the changes as far as that works. Returns those that were made.
fn make(system: &dyn System, changes: &[Change]) -> Vec<Change> {
    changes.iter().filter(|change| change.act(system).is_ok()).cloned().collect()
}

/// Lays the changes over a host, in plays of `length` changes each: a play knows of the earlier ones what they have written down.
/// What would be there is told, and what is.
fn predict(base: Rc<dyn View>, changes: &[Change], length: usize) -> (Vec<String>, Vec<String>) {
    let mut earlier: Vec<Predicted> = Vec::new();
    for play in changes.chunks(length) {
        let overlay = Overlay::after(Rc::clone(&base), &earlier);
        for change in play {
            change.predict(&overlay).unwrap();
        }
        let written = rmp_serde::to_vec_named(&overlay.predicted_here().unwrap()).unwrap();
        earlier.push(rmp_serde::from_slice(&written).unwrap());
    }
    (told(&Overlay::after(Rc::clone(&base), &earlier)), told(&*base))
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

fn in_sandboxes(before: &[Change], changes: &[Change], length: usize) -> Compared {
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
    let (predicted, before_still) = predict(Rc::new(host("looked at")), &made, length);
    Compared { before: told_before, after: told(&changed), predicted, before_still }
}

fn in_roots(before: &[Change], changes: &[Change], length: usize) -> Option<Compared> {
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
    let (predicted, before_still) = in_new_root(|| predict(Rc::new(host()), &made, length))?;
    Some(Compared { before: told_before, after, predicted, before_still })
}

proptest! {
    #[test]
    fn in_a_sandbox_it_is_as_predicted(before in changes(12), changes in changes(16), length in 1..20_usize) {
        in_sandboxes(&before, &changes, length).check()?;
    }

    #[test]
    fn in_a_root_it_is_as_predicted(before in changes(12), changes in changes(16), length in 1..20_usize) {
        if let Some(compared) = in_roots(&before, &changes, length) {
            compared.check()?;
        }
    }
}
