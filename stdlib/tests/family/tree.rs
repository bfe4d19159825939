//! All that is on a host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use refrain_engine::system::{Attributes, Content, Kind, View};

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    kind: Kind,
    attributes: Attributes,
    content: Option<Content>,
    target: Option<PathBuf>,
}

/// Everything by its path.
pub type Tree = BTreeMap<PathBuf, Node>;

/// Everything at `top` and below it. Empty when there is nothing.
pub fn below(host: &dyn View, top: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut todo = vec![top.to_owned()];
    while let Some(path) = todo.pop() {
        let Some(stat) = host.lstat(&path).unwrap() else { continue };
        if stat.kind == Kind::Directory {
            todo.extend(host.list(&path).unwrap().into_iter().map(|name| path.join(name)));
        }
        let content = (stat.kind == Kind::File).then(|| host.read(&path).unwrap()).flatten();
        let target = host.read_link(&path).unwrap();
        tree.insert(path, Node { kind: stat.kind, attributes: stat.attributes, content, target });
    }
    tree
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
            Err(format!("`{}`: {:?} instead of {:?}", path.display(), found.get(path), expected.get(path)))
        }
    }
}

/// Puts back what was at `top`.
pub fn put_back(host: &dyn refrain_engine::system::System, top: &Path, tree: &Tree) {
    host.remove(top).unwrap();
    // Parents come before what is in them.
    for (path, node) in tree {
        match (node.kind, &node.content, &node.target) {
            (Kind::Directory, ..) => host.make_directory(path, node.attributes).unwrap(),
            (Kind::File, Some(Content::Known(bytes)), _) => host.write(path, bytes, node.attributes).unwrap(),
            (Kind::Link, _, Some(target)) => {
                host.make_link(path, target).unwrap();
                host.set_attributes(path, node.attributes).unwrap();
            }
            _ => panic!("`{}` can't be put back", path.display()),
        }
    }
}
