//! Random changes of a small tree, and all that a view can tell of it: for holding two hosts against each other.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::as_root::is_root;
use super::{Attributes, Content, Kind, Time, View};
use crate::failure::Failure;
use crate::step::Change;
use crate::syscall::enter_root;

/// Few names, so that changes meet.
const NAMES: [&str; 3] = ["a", "b", "c"];
/// Where links lead: beside them, below, above, to the top, round in circles.
const TARGETS: [&str; 10] = ["a", "b/c", "/a", "/b", "/c/a", "../a", "../b/a", "..", "/", "nowhere"];
/// No sticky bit on what everybody may write: there the kernel protects links from those who follow them.
const MODES: [u32; 8] = [0, 0o600, 0o644, 0o755, 0o777, 0o4755, 0o2775, 0o1755];

/// Some changes, of which many fail.
pub fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    vec(change(), 0..most)
}

fn change() -> impl Strategy<Value = Change> {
    let content = select(vec!["", "one", "other"]).prop_map(|text| Content::Known(text.into()));
    prop_oneof![
        3 => (path(), content, attributes()).prop_map(|(path, after, attributes)| {
            Change::Write { path, before: None, after, attributes, shown: true }
        }),
        4 => (path(), attributes()).prop_map(|(path, attributes)| Change::MakeDirectory { path, attributes }),
        3 => (path(), select(&TARGETS[..])).prop_map(|(path, target)| {
            Change::MakeLink { path, target: target.into(), before: None }
        }),
        1 => path().prop_map(|path| Change::Remove { path, what: "whatever" }),
        2 => (path(), attributes()).prop_map(|(path, after)| {
            Change::SetAttributes { path, before: after, after }
        }),
        1 => (path(), 1..100_i64).prop_map(|(path, seconds)| {
            Change::SetModified { path, modified: Time { seconds, nanoseconds: 5 } }
        }),
    ]
}

/// Mostly near the top: deeper ones seldom have a parent.
fn path() -> impl Strategy<Value = PathBuf> {
    let name = || select(&NAMES[..]);
    prop_oneof![
        3 => name().prop_map(|a| Path::new("/").join(a)),
        3 => (name(), name()).prop_map(|(a, b)| Path::new("/").join(a).join(b)),
        1 => (name(), name(), name()).prop_map(|(a, b, c)| Path::new("/").join(a).join(b).join(c)),
    ]
}

fn attributes() -> impl Strategy<Value = Attributes> {
    (select(&MODES[..]), 0..3_u32, 0..3_u32).prop_map(|(mode, uid, gid)| Attributes { mode, uid, gid })
}

/// All that a view tells of the paths that [`changes`] can name: a line for each question.
pub fn told(view: &dyn View) -> Vec<String> {
    let mut paths = vec![PathBuf::from("/")];
    for depth in 0..3 {
        let above: Vec<PathBuf> =
            paths.iter().filter(|path| path.components().count() == depth + 1).cloned().collect();
        paths.extend(above.iter().flat_map(|path| NAMES.map(|name| path.join(name))));
    }
    paths.iter().flat_map(|path| told_of(view, path)).collect()
}

fn told_of(view: &dyn View, path: &Path) -> Vec<String> {
    let stat = |stat: super::Stat| {
        let Attributes { mode, uid, gid } = stat.attributes;
        // Directories have sizes and times of their own; and a time that nobody has set is recent.
        let rest = (stat.kind != Kind::Directory).then_some((stat.size, stat.modified.seconds.min(1000)));
        format!("{} {mode:04o} {uid}:{gid} {rest:?}", stat.kind.word())
    };
    let line = |what, answer| format!("{what} {}: {answer}", path.display());
    vec![
        line("lstat", answer(view.lstat(path).map(|found| found.map(stat)))),
        line("stat", answer(view.stat(path).map(|found| found.map(stat)))),
        line("read", answer(view.read(path))),
        line("holds", answer(view.holds(path, 3, blake3::hash(b"one").to_hex().as_str()))),
        line("read_link", answer(view.read_link(path))),
        line("list", answer(view.list(path))),
    ]
}

/// The answer, whatever the words of an error are.
fn answer<T: Debug>(answer: Result<T, Failure>) -> String {
    answer.map_or_else(|_| "an error".to_owned(), |answer| format!("{answer:?}"))
}

/// Does something in a new, empty root, as root. `None`, with a word, where that may not be.
pub fn in_new_root<T: Send>(act: impl FnOnce() -> T + Send) -> Option<T> {
    if !is_root("entering another root") {
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let inside = || {
        enter_root(directory.path()).unwrap();
        act()
    };
    Some(std::thread::scope(|scope| scope.spawn(inside).join().unwrap()))
}
