//! All that is on a host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use refrain_engine::system::{Attributes, Content, Kind, Time, View};

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    kind: Kind,
    attributes: Attributes,
    content: Option<Content>,
    target: Option<PathBuf>,
    modified: Option<Time>,
}

impl Node {
    /// What is in a file that holds text.
    fn text(&self) -> Option<&str> {
        self.content.as_ref().and_then(Content::known).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }
}

/// Everything by its path.
pub type Tree = BTreeMap<PathBuf, Node>;

/// Everything at `top` and below it, but for what is in `besides`. Empty when there is nothing.
pub fn below(host: &dyn View, top: &Path, besides: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut todo = vec![top.to_owned()];
    while let Some(path) = todo.pop() {
        let Some(stat) = host.lstat(&path).unwrap().filter(|_| path != besides) else { continue };
        if stat.kind == Kind::Directory {
            todo.extend(host.list(&path).unwrap().into_iter().map(|name| path.join(name)));
        }
        let content = (stat.kind == Kind::File).then(|| host.read(&path).unwrap()).flatten();
        let target = host.read_link(&path).unwrap();
        // A new link has a time of its own. What runs comes and goes in /run, scratch files of commands in /tmp.
        let counts = stat.kind != Kind::Link && !["/run", "/tmp"].map(Path::new).contains(&path.as_path());
        let modified = counts.then_some(stat.modified);
        tree.insert(path, Node { kind: stat.kind, attributes: stat.attributes, content, target, modified });
    }
    tree
}

/// The same without the times of changes, neither those of files nor those that a package database keeps; and without what that
/// says or leaves out by what was done to it before: that a package is not automatic, and its name a second time.
pub fn without_times(mut tree: Tree) -> Tree {
    for (path, node) in &mut tree {
        node.modified = None;
        if path.starts_with("/var/db/xbps")
            && let Some(Content::Known(bytes)) = &mut node.content
        {
            *bytes = lasting_lines(&String::from_utf8_lossy(bytes)).join("\n").into_bytes();
        }
    }
    tree
}

fn lasting_lines(database: &str) -> Vec<&str> {
    let mut lasting = Vec::new();
    let mut lines = database.lines().peekable();
    while let Some(line) = lines.next() {
        let value = lines.peek().map(|value| value.trim());
        match (line.trim(), value) {
            ("<key>install-date</key>" | "<key>pkgname</key>", _)
            | ("<key>automatic-install</key>", Some("<false/>")) => {
                lines.next();
            }
            _ => lasting.push(line),
        }
    }
    lasting
}

/// Whether two trees are the same.
///
/// # Errors
/// What is not, in words.
pub fn same(expected: &Tree, found: &Tree) -> Result<(), String> {
    let mut paths: Vec<&PathBuf> = expected.keys().chain(found.keys()).collect();
    paths.sort();
    match paths.into_iter().find(|path| expected.get(*path) != found.get(*path)) {
        None => Ok(()),
        Some(path) => {
            let (found, expected) = (found.get(path), expected.get(path));
            Err(match (found.and_then(Node::text), expected.and_then(Node::text)) {
                (Some(found), Some(expected)) if found != expected => {
                    let mut lines = found.lines().zip(expected.lines());
                    let (found, expected) =
                        lines.find(|(found, expected)| found != expected).unwrap_or_default();
                    format!("`{}`: line `{found}` instead of `{expected}`", path.display())
                }
                _ => format!("`{}`: {found:?} instead of {expected:?}", path.display()),
            })
        }
    }
}
